//! Control variates for the pathwise gradient: functions of the noise whose part of the gradient is known.

use ndarray::{Array2, ArrayRef1, ArrayRef2, ArrayViewMut1, s};
use serde::{Deserialize, Serialize};
use vi_core::linalg::gemm;
use vi_core::{ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::{GaussianTransport, Reparameterized, VariationalDistribution, VariationalFamily};

use super::Paths;
use super::features::{Features, leading_directions};
use crate::elbo::Elbo;
use crate::error::{SgviError, require};
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::factors::FactorSet;
use crate::workspace::{Workspace, matrix_mut};
use vi_core::scratch;

/// The pathwise estimator with control variates regressed on the noise of past steps, for families z = m + Lε.
///
/// ```text
/// ĝ = (1/S) Σ_s (∂t/∂λ)ᵀ [∇_z log p(x, z_s) − Bᵀφ(ε_s)] + E[(∂t/∂λ)ᵀ Bᵀφ(ε)] + ∇_λ H[q_λ]
/// φ(ε) = (1, ε, y_a y_b for a < b, (y_a² − 1)/√2),   y = Uε
/// ```
/// The expectation has a closed form, to which only 1 and ε contribute: t is affine in ε, and odd moments of ε vanish.
/// Any B and U that do not depend on the samples of this step leave ĝ unbiased. Here B follows the regression of ∇_z log p
/// on φ over past steps, one step of least mean squares at a time, and the rows of U the directions of noise in which the
/// linear part is steepest. On a Gaussian target no noise is left; with no directions it is the linear control variate of
/// the source, whose Hessian is averaged over q.
///
/// B starts at 0, where the estimator is [`Pathwise`](crate::Pathwise). It needs some ten steps, and as many as there are
/// elements of φ when S = 1, to follow where q goes.
///
/// Requirements: `M: GradLogJoint`, members of the family [`GaussianTransport`]. Cost: S gradients of the log joint and
/// O(S·D·F) for F elements of φ; memory O((S + F)·D).
///
/// Source: Miller, Foti, D'Amour & Adams 2017, <https://arxiv.org/abs/1705.07880>; a quadratic surrogate from
/// past steps: Geffner & Domke 2020, <https://arxiv.org/abs/2007.14634>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlledPathwise {
    n_samples: usize,
    n_directions: usize,
}

impl ControlledPathwise {
    /// With S = `n_samples` samples per gradient and 8 directions.
    ///
    /// # Errors
    /// [`SgviError::Setting`] for S = 0.
    pub fn new(n_samples: usize) -> Result<Self, SgviError> {
        require(n_samples >= 1, "n_samples", n_samples as f64, "≥ 1")?;
        Ok(Self { n_samples, n_directions: 8 })
    }

    /// With products of the noise in so many directions, at most its length; 0 for a linear control variate.
    #[must_use]
    pub fn with_directions(self, n_directions: usize) -> Self {
        Self { n_directions, ..self }
    }
}

/// What [`ControlledPathwise`] remembers: B and U.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ControlledPathwiseState {
    /// B (F, D): its first row for 1, then those for ε.
    coefficients: Array2<f64>,
    /// U (K, E).
    directions: Array2<f64>,
}

/// Step of the regression, in units of the largest that is stable, 2.
const RATE: f64 = 0.5;

impl ControlledPathwiseState {
    /// Zeros, and the first unit vectors, where the shape is another.
    fn fit(&mut self, n_noise: usize, dim: usize, n_directions: usize) {
        let features = Features { n_noise, n_directions: n_directions.min(n_noise) };
        if self.coefficients.dim() != (features.len(), dim) || self.directions.dim() != features.directions()
        {
            self.coefficients = Array2::zeros((features.len(), dim));
            self.directions =
                Array2::from_shape_fn(features.directions(), |(a, j)| f64::from(u8::from(a == j)));
        }
    }

    fn features(&self) -> Features {
        Features { n_noise: self.directions.ncols(), n_directions: self.directions.nrows() }
    }

    /// grad (n, D) −= φ(noise) B.
    fn subtract(&self, noise: &ArrayRef2<f64>, grad: &mut ArrayRef2<f64>) {
        self.features().with(&self.directions, noise, |phi| gemm(-1.0, phi, &self.coefficients, 1.0, grad));
    }

    /// out (P) += E[(∂t/∂λ)ᵀ (v + A ε)], v the first row of B and A the next ones. The product with a fixed vector is
    /// affine in ε, so that with E ε = 0 and E εεᵀ = I it is its value for v at 0 and, for every column of A, its change
    /// from 0 to e_j.
    fn add_expectation<Q: GaussianTransport>(&self, q: &Q, out: &mut ArrayRef1<f64>) {
        let n_noise = q.noise_dim();
        scratch::with(n_noise + q.dim(), |scratch| {
            let (noise, z) = scratch.split_at_mut(n_noise);
            let (mut noise, mut z) = (ArrayViewMut1::from(noise), ArrayViewMut1::from(z));
            noise.fill(0.0);
            q.transport(&noise, &mut z);
            q.add_transport_vjp(&noise, &z, &self.coefficients.row(0), 1.0, out);
            for j in 0..n_noise {
                q.add_transport_vjp(&noise, &z, &self.coefficients.row(1 + j), -1.0, out);
            }
            for j in 0..n_noise {
                noise[j] = 1.0;
                q.transport(&noise, &mut z);
                q.add_transport_vjp(&noise, &z, &self.coefficients.row(1 + j), 1.0, out);
                noise[j] = 0.0;
            }
        });
    }

    /// One step of the regression from what B has left of the gradients of this step, and of the search for directions.
    fn learn<M, Q>(
        &mut self,
        paths: &Paths<'_, M, Q>,
        exec: Exec<'_>,
        workspace: &mut Workspace,
    ) -> Result<(), SgviError>
    where
        M: GradLogJoint + ?Sized,
        Q: GaussianTransport,
    {
        let (features, dim) = (self.features(), self.coefficients.ncols());
        let width = features.len() * dim;
        // Σ_s φ_s r_sᵀ, and Σ_s |φ_s|².
        let sums = paths.sum(exec, workspace, width + 1, |noise, residual, partial| {
            features.with(&self.directions, noise, |phi| {
                let (products, squares) = partial.split_at_mut(width);
                gemm(1.0, &phi.t(), residual, 1.0, &mut matrix_mut(products, dim));
                squares[0] += phi.iter().map(|v| v * v).sum::<f64>();
            });
        })?;
        let n = paths.n_samples() as f64;
        // The largest eigenvalue of Σ φφᵀ/S for independent features (Marchenko & Pastur 1967).
        let largest = (1.0 + (sums[width] / n / n).sqrt()).powi(2);
        let step = RATE / (largest * n);
        if sums.iter().all(|v| v.is_finite()) {
            for (b, sum) in self.coefficients.iter_mut().zip(sums) {
                *b += step * sum;
            }
            let slopes = self.coefficients.slice(s![1..=features.n_noise, ..]);
            leading_directions(&slopes, &mut self.directions);
        }
        Ok(())
    }
}

impl<M, F> GradientEstimator<M, F> for ControlledPathwise
where
    M: GradLogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: GaussianTransport,
{
    type State = ControlledPathwiseState;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<ControlledPathwiseState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        exec.enter(|| {
            let (model, q) = (elbo.model(), elbo.family().bind(params)?);
            let Memory { state, workspace } = memory;
            state.fit(q.noise_dim(), q.dim(), self.n_directions);
            let paths = Paths::new(model, &q, key, self.n_samples, FactorSet::ALL)?;
            let estimate = paths.draw(exec, workspace, |noise, _, grad| state.subtract(noise, grad))?;
            let weight = 1.0 / self.n_samples as f64;
            paths.add(exec, workspace, grad, |_| weight, |_, _, _| {})?;
            state.add_expectation(&q, grad);
            q.add_entropy_grad(1.0, grad);
            paths.check_gradient(grad)?;
            state.learn(&paths, exec, workspace)?;
            Ok(estimate)
        })
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_gradient: self.n_samples as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        match self.n_directions {
            0 => "pathwise, linear control variate".to_owned(),
            k => format!("pathwise, control variates in {k} directions"),
        }
    }
}
