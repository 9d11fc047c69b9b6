//! Linear regression with automatic relevance determination: coefficients that the data do not ask for shrink to zero.
//!
//! ```text
//! y_n | β, τ ~ N(x_nᵀβ, 1/τ)                 n = 1 … N
//! β_j | α_j ~ N(0, 1/α_j),   α_j ~ Gamma(c₀, d₀)      j = 1 … D
//! τ ~ Gamma(a₀, b₀) or known
//! ```
//! z = (β, α, τ). An intercept has a known precision instead of an α. With α summed out β_j has a Student-t prior of 2c₀
//! degrees of freedom, whose mass at zero and heavy tails keep some coefficients and drop the others.
//!
//! ```text
//! β | α, τ ~ N(V τXᵀy, V),   V⁻¹ = diag(α) + τXᵀX
//! α_j | β  ~ Gamma(c₀ + ½, d₀ + ½ β_j²)
//! τ | β    ~ Gamma(a₀ + N/2, b₀ + ½ Σ_n (y_n − x_nᵀβ)²)
//! ```
//! The bound, with m and V of q(β), c_j and d_j of q(α_j), a and b of q(τ):
//!
//! ```text
//! ELBO = ½ N (ψ(a) − log b − log 2π) − a/(2b) (Σ_n (y_n − x_nᵀm)² + tr XᵀXV)
//!      + ½ Σ_j (ψ(c_j) − log d_j − log 2π − c_j/d_j (m_j² + V_jj))
//!      + Σ_j (c₀ log d₀ − log Γ(c₀) + (c₀ − 1)(ψ(c_j) − log d_j) − d₀ c_j/d_j)
//!      + a₀ log b₀ − log Γ(a₀) + (a₀ − 1)(ψ(a) − log b) − b₀ a/b
//!      + H[q(β)] + Σ_j H[q(α_j)] + H[q(τ)]
//! ```
//!
//! Sources: C. M. Bishop & M. E. Tipping, *Variational relevance vector machines*, UAI 2000, eq. 12–20; M. E. Tipping,
//! *Sparse Bayesian learning and the relevance vector machine*, JMLR 1 (2001) 211–244; C. M. Bishop, *Pattern Recognition
//! and Machine Learning* (2006), §7.2.1 and §10.3. scikit-learn's `ARDRegression` maximises the evidence over α and τ
//! instead.

mod capabilities;
mod conjugate;
mod exchangeable;
mod natural;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::checks::{LOG_2_PI, positive};
use crate::noise::{NoisePrior, gamma_log_prob};
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::{RegressionData, gaussian_from_shift, log_joint_by_evaluate};

pub use conjugate::{ArdRegressionBlock, ArdRegressionFactors, ArdRegressionStats};
pub use exchangeable::ArdRegressionBatch;

const MODEL: &str = "ard_regression";

/// The priors of α and τ, and of the intercept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArdRegressionPriors {
    /// c₀ > 0. Default 1e-3.
    pub relevance_shape: f64,
    /// d₀ > 0. Default 1e-3.
    pub relevance_rate: f64,
    /// The prior precision of the intercept, > 0. Default 1e-4.
    pub intercept_precision: f64,
    /// The noise precision. Default Gamma(1e-3, 1e-3).
    pub noise: NoisePrior,
}

impl Default for ArdRegressionPriors {
    fn default() -> Self {
        Self {
            relevance_shape: 1e-3,
            relevance_rate: 1e-3,
            intercept_precision: 1e-4,
            noise: NoisePrior::Gamma { shape: 1e-3, rate: 1e-3 },
        }
    }
}

impl ArdRegressionPriors {
    fn check(&self) -> Result<(), ModelError> {
        positive(MODEL, "relevance_shape", self.relevance_shape)?;
        positive(MODEL, "relevance_rate", self.relevance_rate)?;
        positive(MODEL, "intercept_precision", self.intercept_precision)?;
        self.noise.check(MODEL)
    }
}

/// Linear regression with a precision for every coefficient; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::ard_regression::{ArdRegression, ArdRegressionPriors};
/// use vi_models::regression::RegressionData;
///
/// let x = array![[0.5, 2.0], [1.5, -1.0], [-0.7, 0.3]];
/// let data = RegressionData::with_intercept(x, array![1.9, 2.2, -0.8])?;
/// let model = ArdRegression::new(data, ArdRegressionPriors::default())?;
/// let names = model.parameters().names().join(" ");
/// assert_eq!(names, "intercept beta[1] beta[2] alpha[1] alpha[2] tau");
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArdRegression {
    data: RegressionData,
    priors: ArdRegressionPriors,
    loss: QuadraticLoss,
    space: ParameterSpace,
}

impl ArdRegression {
    /// The regression of `data` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain, or the pivot when XᵀX + I is singular to working
    /// precision.
    pub fn new(data: RegressionData, priors: ArdRegressionPriors) -> Result<Self, ModelError> {
        priors.check()?;
        let n_slopes = data.n_columns() - usize::from(data.has_intercept());
        let mut parameters = data.coefficient_parameters();
        parameters.push(Parameter::vector("alpha", n_slopes, Support::Positive));
        parameters.extend(priors.noise.parameter());
        let space = ParameterSpace::new(parameters)?;
        let loss = QuadraticLoss::new(&data, Array1::zeros(data.n_columns()), 1.0);
        let mut model = Self { data, priors, loss, space };
        // About a point near the posterior the loss has no cancellation where the posterior mass is.
        let ridge = model.coefficients_given(&model.loss, 1.0, &Array1::ones(n_slopes));
        let ridge = ridge.map_err(|source| ModelError::Family { model: MODEL, source })?;
        model.loss = QuadraticLoss::new(&model.data, ridge.mean().clone(), 1.0);
        Ok(model)
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &ArdRegressionPriors {
        &self.priors
    }

    /// The number of coefficients, the intercept included.
    pub fn n_coefficients(&self) -> usize {
        self.data.n_columns()
    }

    /// The first coefficient that has an α: 1 after an intercept.
    fn first_slope(&self) -> usize {
        usize::from(self.data.has_intercept())
    }

    /// The number D of α.
    fn n_slopes(&self) -> usize {
        self.n_coefficients() - self.first_slope()
    }

    /// The Gaussian of β given the sum of squares, τ and α (D).
    fn coefficients_given(
        &self,
        loss: &QuadraticLoss,
        tau: f64,
        alpha: &ArrayRef1<f64>,
    ) -> Result<vi_families::MvGaussian, vi_families::FamilyError> {
        let (mut precision, mut shift) = (&loss.gram * tau, &loss.gradient * tau);
        for j in 0..self.n_coefficients() {
            let prior = match j.checked_sub(self.first_slope()) {
                Some(slope) => alpha[slope],
                None => self.priors.intercept_precision,
            };
            precision[[j, j]] += prior;
            shift[j] -= prior * loss.reference[j];
        }
        gaussian_from_shift(&loss.reference, &shift, &precision)
    }

    /// log p(y | β, τ) from Σ (y_n − x_nᵀβ)².
    fn likelihood_term(&self, log_tau: f64, tau: f64, squares: f64) -> f64 {
        0.5 * (self.loss.n * (log_tau - LOG_2_PI) - tau * squares)
    }

    /// log p(β₀) from β₀²; 0 without an intercept.
    fn intercept_term(&self, square: f64) -> f64 {
        let p = self.priors.intercept_precision;
        if self.data.has_intercept() { 0.5 * (p.ln() - LOG_2_PI - p * square) } else { 0.0 }
    }

    /// log p(β_j | α_j) + log p(α_j).
    fn relevance_term(&self, log_alpha: f64, alpha: f64, square: f64) -> f64 {
        let (shape, rate) = (self.priors.relevance_shape, self.priors.relevance_rate);
        0.5 * (log_alpha - LOG_2_PI - alpha * square) + gamma_log_prob(shape, rate, log_alpha, alpha)
    }

    /// β, α, and τ of `z`.
    fn split<'a>(
        &self,
        z: &'a ArrayRef1<f64>,
    ) -> (ndarray::ArrayView1<'a, f64>, ndarray::ArrayView1<'a, f64>, f64) {
        let d = self.n_coefficients();
        let end = d + self.n_slopes();
        (z.slice(s![..d]), z.slice(s![d..end]), self.priors.noise.at(z, end))
    }

    /// The log joint without its likelihood; −∞ outside the support.
    fn log_prior(&self, z: &ArrayRef1<f64>) -> f64 {
        let (beta, alpha, tau) = self.split(z);
        if tau <= 0.0 || alpha.iter().any(|a| *a <= 0.0) {
            return f64::NEG_INFINITY;
        }
        let slopes = beta.iter().skip(self.first_slope()).zip(&alpha);
        let slopes: f64 = slopes.map(|(b, a)| self.relevance_term(a.ln(), *a, b * b)).sum();
        self.intercept_term(beta[0] * beta[0]) + slopes + self.priors.noise.log_prob(tau.ln(), tau)
    }

    /// One matrix product per [`CHUNK`](vi_core::CHUNK) rows.
    fn evaluate(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, mut grad: Option<&mut ArrayRef2<f64>>) {
        self.loss.for_each_row(z, |row, squares, product| {
            let z = z.row(row);
            let tau = self.split(&z).2;
            let prior = self.log_prior(&z);
            out[row] =
                if prior.is_finite() { prior + self.likelihood_term(tau.ln(), tau, squares) } else { prior };
            if let Some(grad) = grad.as_deref_mut() {
                self.gradient_row(&z, squares, product, &mut grad.row_mut(row));
            }
        });
    }

    fn gradient_row(
        &self,
        z: &ArrayRef1<f64>,
        squares: f64,
        product: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        let (beta, alpha, tau) = self.split(z);
        let d = beta.len();
        for j in 0..d {
            grad[j] = tau * (self.loss.gradient[j] - product[j]);
            match j.checked_sub(self.first_slope()) {
                None => grad[j] -= self.priors.intercept_precision * beta[j],
                Some(slope) => {
                    grad[j] -= alpha[slope] * beta[j];
                    let (shape, rate) = (self.priors.relevance_shape, self.priors.relevance_rate);
                    grad[d + slope] = (shape - 0.5) / alpha[slope] - rate - 0.5 * beta[j] * beta[j];
                }
            }
        }
        if let NoisePrior::Gamma { shape, rate } = self.priors.noise {
            grad[d + alpha.len()] = (0.5 * self.loss.n + shape - 1.0) / tau - rate - 0.5 * squares;
        }
    }
}

log_joint_by_evaluate!(ArdRegression);
