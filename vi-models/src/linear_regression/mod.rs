//! Normal linear regression.
//!
//! ```text
//! y_n | β, τ ~ N(x_nᵀβ, 1/τ)             n = 1 … N
//! β | τ ~ N(m₀, (τ Λ₀)⁻¹)                coupled (the default): conjugate
//! β     ~ N(m₀, Λ₀⁻¹)                    not coupled: conditionally conjugate
//! τ ~ Gamma(a₀, b₀)  or known
//! ```
//! z = (β, τ), or β alone when τ is known; Λ₀ is diagonal. The exact posterior and evidence are known when the
//! prior is coupled (multivariate t marginals) or τ is known (Gaussian).
//!
//! Sources: C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), §3.3, §3.5 and §10.3;
//! A. O'Hagan & J. Forster, *Kendall's Advanced Theory of Statistics* 2B (2004), §11.3–11.12.

mod capabilities;
mod conjugate;
mod exchangeable;
mod known;
mod natural;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};
use vi_families::{FamilyError, MvGaussian};

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, positive};
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::{RegressionData, gaussian_from_shift};

pub use crate::noise::PrecisionPrior as NoisePrior;
pub use capabilities::LinearRegressionMinibatch;
pub use conjugate::{LinearRegressionBlock, LinearRegressionFactors, LinearRegressionStats};
pub use exchangeable::LinearRegressionBatch;

const MODEL: &str = "linear_regression";

/// The priors of β and τ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearRegressionPriors {
    /// m₀ of every coefficient. Default 0.
    pub coefficient_mean: f64,
    /// The diagonal of Λ₀, > 0. Default 0.01.
    pub coefficient_precision: f64,
    /// The element of Λ₀ for the intercept, > 0. Default: as for the other coefficients.
    pub intercept_precision: Option<f64>,
    /// Whether the prior precision of β is τΛ₀ (conjugate) or Λ₀. Default true.
    pub coupled: bool,
    /// The noise precision. Default Gamma(1, 1).
    pub noise: NoisePrior,
}

impl Default for LinearRegressionPriors {
    fn default() -> Self {
        Self {
            coefficient_mean: 0.0,
            coefficient_precision: 0.01,
            intercept_precision: None,
            coupled: true,
            noise: NoisePrior::Gamma { shape: 1.0, rate: 1.0 },
        }
    }
}

impl LinearRegressionPriors {
    fn check(&self) -> Result<(), ModelError> {
        finite(MODEL, "coefficient_mean", self.coefficient_mean)?;
        positive(MODEL, "coefficient_precision", self.coefficient_precision)?;
        positive(MODEL, "intercept_precision", self.intercept_precision.unwrap_or(1.0))?;
        self.noise.check(MODEL)
    }

    /// 1 when the prior of β scales with τ, else 0: the power of τ in its precision.
    fn power(&self) -> f64 {
        f64::from(u8::from(self.coupled))
    }

    /// The diagonal of Λ₀ (D).
    fn precisions(&self, data: &RegressionData) -> Array1<f64> {
        let mut precisions = Array1::from_elem(data.n_columns(), self.coefficient_precision);
        if let (true, Some(p)) = (data.has_intercept(), self.intercept_precision) {
            precisions[0] = p;
        }
        precisions
    }
}

/// Normal linear regression; see the [module](self).
#[derive(Clone, Debug)]
pub struct LinearRegression {
    data: RegressionData,
    priors: LinearRegressionPriors,
    /// The diagonal of Λ₀ (D).
    precisions: Array1<f64>,
    loss: QuadraticLoss,
    space: ParameterSpace,
}

impl LinearRegression {
    /// The regression of `data` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain, or the pivot when XᵀX + Λ₀ is singular to
    /// working precision.
    pub fn new(data: RegressionData, priors: LinearRegressionPriors) -> Result<Self, ModelError> {
        priors.check()?;
        let precisions = priors.precisions(&data);
        let mut parameters = data.coefficient_parameters();
        parameters.extend(priors.noise.parameter());
        let space = ParameterSpace::new(parameters)?;
        let origin = Array1::zeros(data.n_columns());
        let loss = QuadraticLoss::new(&data, origin, 1.0);
        let mut model = Self { data, priors, precisions, loss, space };
        // About the posterior mode the loss has no cancellation where the posterior mass is.
        let mode = model
            .coefficients_given(1.0, 1.0)
            .map_err(|source| ModelError::Family { model: MODEL, source })?;
        model.loss = QuadraticLoss::new(&model.data, mode.mean().clone(), 1.0);
        Ok(model)
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &LinearRegressionPriors {
        &self.priors
    }

    /// The number D of coefficients, the intercept included.
    pub fn n_coefficients(&self) -> usize {
        self.data.n_columns()
    }

    /// The Gaussian with precision P = w XᵀX + p Λ₀ and mean P⁻¹ (w Xᵀy + p Λ₀ m₀): the posterior of β given τ
    /// for w = τ and p the factor of Λ₀.
    fn coefficients_given(&self, w: f64, p: f64) -> Result<MvGaussian, FamilyError> {
        let loss = &self.loss;
        let mut precision = &loss.gram * w;
        let mut shift = &loss.gradient * w;
        for j in 0..self.n_coefficients() {
            let prior = p * self.precisions[j];
            precision[[j, j]] += prior;
            shift[j] += prior * (self.priors.coefficient_mean - loss.reference[j]);
        }
        gaussian_from_shift(&loss.reference, &shift, &precision)
    }

    /// Σ_j Λ₀_jj (β_j − m₀)².
    fn prior_squares(&self, coefficients: &ArrayRef1<f64>) -> f64 {
        let m = self.priors.coefficient_mean;
        self.precisions.iter().zip(coefficients).map(|(p, b)| p * (b - m).powi(2)).sum()
    }

    /// The factor of Λ₀ in the prior precision of β.
    fn prior_scale(&self, tau: f64) -> f64 {
        if self.priors.coupled { tau } else { 1.0 }
    }

    /// log p(y | β, τ) from Σ (y_n − x_nᵀβ)².
    fn likelihood_term(&self, n: f64, log_tau: f64, tau: f64, squares: f64) -> f64 {
        0.5 * (n * (log_tau - LOG_2_PI) - tau * squares)
    }

    /// log p(β | τ) from Σ_j Λ₀_jj (β_j − m₀)².
    fn coefficient_term(&self, log_tau: f64, tau: f64, prior_squares: f64) -> f64 {
        let d = self.n_coefficients() as f64;
        let log_det = self.precisions.iter().map(|p| p.ln()).sum::<f64>() + self.priors.power() * d * log_tau;
        0.5 * (log_det - d * LOG_2_PI - self.prior_scale(tau) * prior_squares)
    }

    /// The log joint from the expected or realised log τ, τ and quadratic forms.
    fn assemble(&self, n: f64, log_tau: f64, tau: f64, squares: f64, prior_squares: f64) -> f64 {
        self.likelihood_term(n, log_tau, tau, squares)
            + self.coefficient_term(log_tau, tau, prior_squares)
            + self.priors.noise.log_prob(log_tau, tau)
    }

    /// τ at `z`.
    fn noise_precision(&self, z: &ArrayRef1<f64>) -> f64 {
        self.priors.noise.at(z, self.n_coefficients())
    }

    /// Log joints of the rows of `z`, and their gradients if asked for: one matrix product per [`CHUNK`] rows.
    fn evaluate(
        &self,
        loss: &QuadraticLoss,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<&mut ArrayRef2<f64>>,
    ) {
        loss.for_each_row(z, |row, squares, product| {
            let z = z.row(row);
            out[row] = self.log_joint_row(loss, &z, squares);
            if let Some(grad) = grad.as_deref_mut() {
                self.gradient_row(loss, &z, squares, product, &mut grad.row_mut(row));
            }
        });
    }

    fn log_joint_row(&self, loss: &QuadraticLoss, z: &ArrayRef1<f64>, squares: f64) -> f64 {
        let tau = self.noise_precision(z);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let prior_squares = self.prior_squares(&z.slice(s![..self.n_coefficients()]));
        self.assemble(loss.n, tau.ln(), tau, squares, prior_squares)
    }

    fn gradient_row(
        &self,
        loss: &QuadraticLoss,
        z: &ArrayRef1<f64>,
        squares: f64,
        product: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        let (d, tau) = (self.n_coefficients(), self.noise_precision(z));
        let (m, scale) = (self.priors.coefficient_mean, self.prior_scale(tau));
        for j in 0..d {
            let likelihood = tau * (loss.gradient[j] - product[j]);
            grad[j] = likelihood - scale * self.precisions[j] * (z[j] - m);
        }
        if let NoisePrior::Gamma { shape, rate } = self.priors.noise {
            let power = self.priors.power();
            let prior_squares = self.prior_squares(&z.slice(s![..d]));
            grad[d] = (0.5 * (loss.n + power * d as f64) + shape - 1.0) / tau
                - rate
                - 0.5 * (squares + power * prior_squares);
        }
    }
}

impl LogJoint for LinearRegression {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_with(&self.loss, z)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(&self.loss, z, out, None);
    }
}

impl GradLogJoint for LinearRegression {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad_with(&self.loss, z, grad)
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.evaluate(&self.loss, z, out, Some(grad));
    }
}
