//! Linear response: the covariances that a mean field lacks, and the error of its fixed draws.

use ndarray::{Array1, Array2, ArrayRef1, Axis, s};
use vi_core::linalg::{Cholesky, LinalgError, symmetric_rank_update};
use vi_core::{GradLogJoint, ParameterSpace};
use vi_families::{FullRankGaussian, VariationalFamily};

use super::kernel::{DeterministicAdvi, DeterministicAdviState};
use super::newton::conjugate_gradients;
use crate::error::SgviError;
use crate::posterior::SgviPosterior;

/// How the optimum of the objective answers to small changes of it.
///
/// With H = −∇²F at the optimum, and the means m the first D elements of λ:
///
/// ```text
/// Cov_LR(z) = (H⁻¹)_mm                                   the answer to a tilt of log p by tᵀz
/// Var_draws(λ̂) = H⁻¹ V H⁻¹ / G,   V = cov of ∇F's terms    the sandwich over the G independent groups of draws
/// ```
/// Cov_LR is a covariance of the posterior that is exact when the posterior is Gaussian (with draws in pairs: without Monte
/// Carlo error), where the variances of q are too small.
///
/// Source: Giordano, Ingram & Broderick 2024, <https://arxiv.org/abs/2304.05527>; linear response: Giordano, Broderick &
/// Jordan 2018.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearResponse {
    /// m (D).
    pub mean: Array1<f64>,
    /// Cov_LR(z) (D, D).
    pub covariance: Array2<f64>,
    /// Standard error of every element of λ (2D) from the choice of the draws. Beside the standard deviations of
    /// `covariance` it says whether there are enough of them.
    pub mc_error: Array1<f64>,
}

impl LinearResponse {
    /// The standard deviations of `covariance` (D).
    pub fn sd(&self) -> Array1<f64> {
        self.covariance.diag().mapv(f64::sqrt)
    }

    /// N(m, Cov_LR) over real variables.
    ///
    /// # Errors
    /// [`SgviError::Family`] names a variable that is not real.
    pub fn posterior(
        &self,
        parameters: &ParameterSpace,
    ) -> Result<SgviPosterior<FullRankGaussian>, SgviError> {
        let family = FullRankGaussian::new(parameters)?;
        let params = family.params_from_mean_covariance(&self.mean, &self.covariance)?;
        SgviPosterior::new(family, params, parameters.clone())
    }
}

impl<M: GradLogJoint + ?Sized> DeterministicAdvi<'_, M> {
    /// The linear response at an optimum, by the full Hessian: 4DS + S gradients and O(D³).
    ///
    /// # Errors
    /// [`SgviError::NotAMaximum`] when the Hessian is not negative definite: there is no response.
    pub fn linear_response(&self, state: &mut DeterministicAdviState) -> Result<LinearResponse, SgviError> {
        let (objective, d) = (self.objective(), self.family().dim());
        let scale = objective.scale(&state.params);
        let mut h = Array2::zeros((2 * d, 2 * d));
        for (p, mut row) in h.rows_mut().into_iter().enumerate() {
            let mut unit = Array1::zeros(2 * d);
            unit[p] = 1.0;
            row.assign(&objective.curvature(&state.params, &scale, &unit)?);
        }
        let h = (&h + &h.t()) * 0.5;
        let terms = objective.terms(&state.params, &scale)?;
        state.evaluations.n_gradient += self.draws().n_draws() as u64 * (4 * d as u64 + 1);

        let factor = Cholesky::factor(&h).map_err(|e| self.not_a_maximum(&e))?;
        let inverse = factor.inverse() * &scale * scale.view().insert_axis(Axis(1));
        let covariance = inverse.slice(s![..d, ..d]).to_owned();
        let mut answers = self.group_means(&terms).reversed_axes();
        factor.solve_matrix_inplace(&mut answers);
        let n_groups = answers.ncols() as f64;
        let mut sandwich = Array2::zeros(h.dim());
        symmetric_rank_update(1.0 / (n_groups * (n_groups - 1.0)), &answers, 0.0, &mut sandwich);
        let mc_error = sandwich.diag().mapv(f64::sqrt) * &scale;
        let mean = state.params.slice(s![..d]).to_owned();
        Ok(LinearResponse { mean, covariance, mc_error })
    }

    /// The linear-response variance of aᵀz at an optimum, by conjugate gradients: 2S gradients a product, at most 4D
    /// products, and no matrix.
    ///
    /// # Errors
    /// [`SgviError::NotAMaximum`] when the Hessian is not negative definite along the way, [`SgviError::NotSolved`] when that
    /// many products were not enough.
    ///
    /// # Panics
    /// If `a` does not have length D.
    pub fn linear_response_variance(
        &self,
        state: &mut DeterministicAdviState,
        a: &ArrayRef1<f64>,
    ) -> Result<f64, SgviError> {
        let (objective, d) = (self.objective(), self.family().dim());
        assert_eq!(a.len(), d, "a: length is not that of z");
        let scale = objective.scale(&state.params);
        let b: Array1<f64> = (0..2 * d).map(|p| if p < d { a[p] * scale[p] } else { 0.0 }).collect();
        let tolerance = 1e-8 * b.dot(&b).sqrt();
        let solved = conjugate_gradients(&b, f64::INFINITY, tolerance, |x| {
            objective.curvature(&state.params, &scale, x)
        })?;
        state.evaluations.n_gradient += 2 * solved.n_products * self.draws().n_draws() as u64;
        if solved.on_boundary {
            return Err(SgviError::NotAMaximum { parameter: "a direction".to_owned(), value: f64::NAN });
        }
        let residual = solved.residual / b.dot(&b).sqrt();
        // Differences of gradients keep about eight digits; half of them must be left.
        if residual > 1e-4 {
            return Err(SgviError::NotSolved { residual });
        }
        Ok(b.dot(&solved.step))
    }

    /// The terms of every independent group of draws, centred (G, 2D).
    fn group_means(&self, terms: &Array2<f64>) -> Array2<f64> {
        let group = self.draws().group();
        let mut means = Array2::zeros((terms.nrows() / group, terms.ncols()));
        for (mut mean, rows) in means.rows_mut().into_iter().zip(terms.axis_chunks_iter(Axis(0), group)) {
            mean.assign(&(rows.sum_axis(Axis(0)) / group as f64));
        }
        let centre = means.sum_axis(Axis(0)) / means.nrows() as f64;
        means - &centre
    }

    fn not_a_maximum(&self, error: &LinalgError) -> SgviError {
        let (p, value) = match *error {
            LinalgError::NotPositiveDefinite { pivot, value } => (pivot, value),
            LinalgError::NonFinite { row, value, .. } => (row, value),
            _ => (0, f64::NAN),
        };
        SgviError::NotAMaximum { parameter: self.family().param_names().swap_remove(p), value }
    }
}
