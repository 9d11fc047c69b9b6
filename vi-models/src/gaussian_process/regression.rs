//! The process under normal noise, summed out.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Support, numerics};

use super::kernel::{SquaredExponential, add_to_diagonal, factor, factor_adjoint, row};
use super::{GaussianProcessPriors, check_data, contiguous};
use crate::ModelError;
use crate::checks::LOG_2_PI;
use crate::lanes::{LANES, coordinate, with_arrays};
use crate::prior::PositivePrior;

/// Gaussian-process regression with the function summed out: `rho`, `alpha`, `sigma`.
///
/// ```text
/// y ~ N(0, K + σ I),     σ ~ half-normal(1) by default
/// ```
/// σ is the *variance* of the noise, as in posteriordb's `gp_regr`; that program's log joint is lower by 2 log 2
/// (the half-normal priors of α and σ). Where K + σ I has no Cholesky factor to working precision, the log joint is −∞.
#[derive(Clone, Debug)]
pub struct GaussianProcessRegression {
    kernel: SquaredExponential,
    y: Array1<f64>,
    priors: GaussianProcessPriors,
    log_constant: f64,
    space: ParameterSpace,
}

impl GaussianProcessRegression {
    /// The regression of `y` on `x` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, the lengths differ, a value is not finite or a prior parameter is
    /// outside its domain.
    pub fn new(x: Array1<f64>, y: Array1<f64>, priors: GaussianProcessPriors) -> Result<Self, ModelError> {
        check_data(&x, "y", &y)?;
        priors.check()?;
        let space = ParameterSpace::new(
            ["rho", "alpha", "sigma"].map(|name| Parameter::scalar(name, Support::Positive)),
        )?;
        let priors_constant = [priors.length_scale, priors.magnitude, priors.noise]
            .iter()
            .map(PositivePrior::log_constant)
            .sum::<f64>();
        let log_constant = priors_constant - 0.5 * LOG_2_PI * y.len() as f64;
        Ok(Self { kernel: SquaredExponential::new(&x), y: contiguous(y), priors, log_constant, space })
    }

    /// The number N of data.
    pub fn n_points(&self) -> usize {
        self.y.len()
    }

    /// The priors.
    pub fn priors(&self) -> &GaussianProcessPriors {
        &self.priors
    }

    /// The lengths of what [`GaussianProcessRegression::evaluate`] fills: K, the bordered factor, its diagonal.
    fn lengths(&self) -> [usize; 3] {
        let (n, packed) = (self.kernel.order(), self.kernel.packed_len());
        [packed, packed + n, n]
    }

    /// Fills `k` with K and `a` with the factor of K + σ I bordered by y, and returns the log joints.
    fn evaluate<const L: usize>(
        &self,
        [rho, alpha, sigma]: [[f64; L]; 3],
        [k, a, diagonal]: &mut [&mut [[f64; L]]; 3],
    ) -> [f64; L] {
        let (n, packed) = (self.kernel.order(), self.kernel.packed_len());
        self.kernel.fill(rho, alpha, k);
        a[..packed].copy_from_slice(k);
        a[packed..].iter_mut().zip(&self.y).for_each(|(a, &y)| *a = [y; L]);
        add_to_diagonal(n, sigma, a);
        let definite = factor(n, n + 1, a);
        let mut sum = [0.0; L];
        for v in &a[packed..] {
            for l in 0..L {
                sum[l] -= 0.5 * v[l] * v[l];
            }
        }
        diagonal.iter_mut().enumerate().for_each(|(i, d)| *d = a[row(i) + i]);
        numerics::log_inplace(diagonal.as_flattened_mut());
        for v in diagonal.iter() {
            for l in 0..L {
                sum[l] -= v[l];
            }
        }
        std::array::from_fn(|l| {
            let outside = rho[l] <= 0.0 || alpha[l] <= 0.0 || sigma[l] <= 0.0;
            if outside || !definite[l] {
                return f64::NEG_INFINITY;
            }
            let prior = self.priors.log_kernel(rho[l], alpha[l]) + self.priors.noise.log_kernel(sigma[l]);
            self.log_constant + prior + sum[l]
        })
    }
}

impl LogJoint for GaussianProcessRegression {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        with_arrays(self.lengths(), |mut arrays| self.evaluate([[z[0]], [z[1]], [z[2]]], &mut arrays)[0])
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        with_arrays(self.lengths(), |mut arrays| {
            for (i, mut out) in out.axis_chunks_iter_mut(Axis(0), LANES).enumerate() {
                let z = [0, 1, 2].map(|d| coordinate::<LANES>(z, i * LANES, d));
                let values = self.evaluate(z, &mut arrays);
                out.iter_mut().zip(values).for_each(|(o, v)| *o = v);
            }
        });
    }
}

impl GradLogJoint for GaussianProcessRegression {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (rho, alpha, sigma) = (z[0], z[1], z[2]);
        let (n, packed) = (self.kernel.order(), self.kernel.packed_len());
        let [first, second, third] = self.lengths();
        with_arrays([first, second, third, packed + n], |[k, a, diagonal, adjoint]| {
            let value = self.evaluate([[rho], [alpha], [sigma]], &mut [&mut *k, &mut *a, diagonal])[0];
            // −½ vᵀv − Σ log L_ii, with v the border.
            adjoint.fill([0.0]);
            for i in 0..n {
                adjoint[row(i) + i] = [-a[row(i) + i][0].recip()];
                adjoint[packed + i] = [-a[packed + i][0]];
            }
            factor_adjoint(n, n + 1, a, adjoint);
            let (d_rho, d_alpha) = self.kernel.derivatives(rho, alpha, k, adjoint);
            let d_sigma: f64 = (0..n).map(|i| adjoint[row(i) + i][0]).sum();
            grad[0] = d_rho + self.priors.length_scale.derivative(rho);
            grad[1] = d_alpha + self.priors.magnitude.derivative(alpha);
            grad[2] = d_sigma + self.priors.noise.derivative(sigma);
            value
        })
    }
}
