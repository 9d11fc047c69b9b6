//! Linear regression under Student-t noise: outliers lose their weight instead of pulling the line.
//!
//! ```text
//! y_n | β, τ, ν ~ t_ν(x_nᵀβ, scale τ^(−1/2))      n = 1 … N
//! β_j ~ N(0, 1/p_j),   τ ~ Gamma(a₀, b₀) or known,   ν uniform on a grid ν_1 … ν_K; K = 1: ν is known
//! ```
//! z = (β, τ), or β alone when τ is known; the log joint has ν summed out, and
//! [`StudentTRegression::dof_probabilities`] gives p(ν | y, z).
//!
//! The t distribution is a scale mixture of normal ones, and the mixture is conditionally conjugate:
//!
//! ```text
//! y_n | β, τ, λ ~ N(x_nᵀβ, 1/(τ λ_n)),      λ_n | ν ~ Gamma(ν/2, ν/2)
//!
//! ν | β, τ      ∝ ∏_n t_ν(y_n; x_nᵀβ, τ^(−1/2))
//! λ_n | ν, β, τ ~ Gamma((ν + 1)/2, (ν + s_n)/2),      s_n = τ (y_n − x_nᵀβ)²
//! β | λ, τ      ~ N(V τXᵀΛy, V),   V⁻¹ = diag(p) + τXᵀΛX,   Λ = diag(λ)
//! τ | λ, β      ~ Gamma(a₀ + N/2, b₀ + ½ Σ_n λ_n (y_n − x_nᵀβ)²)
//! ```
//! ν and all λ_n are one block: q(ν, λ) = q(ν) ∏_n q(λ_n | ν) is no mean-field approximation between them. `E[λ_n]` is
//! the weight of datum n.
//!
//! Sources: K. L. Lange, R. J. A. Little & J. M. G. Taylor, *Robust statistical modeling using the t distribution*, JASA
//! 84 (1989) 881–896; J. Geweke, *Bayesian treatment of the independent Student-t linear model*, Journal of Applied
//! Econometrics 8 (1993) S19–S40; M. E. Tipping & N. D. Lawrence, *Variational inference for Student-t models*,
//! Neurocomputing 69 (2005) 123–141.

mod capabilities;
mod conjugate;
mod exchangeable;
mod likelihood;
mod natural;
mod scales;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::ParameterSpace;

use crate::ModelError;
use crate::checks::positive;
use crate::coefficients::CoefficientPrior;
use crate::noise::{NoisePrior, PrecisionStats};
use crate::regression::{RegressionData, log_joint_by_evaluate};
use likelihood::Likelihood;

pub use conjugate::{StudentTRegressionBlock, StudentTRegressionFactors, StudentTRegressionStats};
pub use exchangeable::{StudentTRegressionBatch, StudentTRegressionGlobals};

const MODEL: &str = "student_t_regression";

/// The priors of β, τ and ν.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudentTRegressionPriors {
    /// p > 0 of every coefficient. Default 0.01.
    pub coefficient_precision: f64,
    /// That of the intercept, > 0. Default: as for the other coefficients.
    pub intercept_precision: Option<f64>,
    /// The precision of the scale of the noise. Default Gamma(1, 1).
    pub noise: NoisePrior,
    /// The degrees of freedom, each > 0 and equally likely beforehand. Default 4 alone.
    pub dof: Vec<f64>,
}

impl Default for StudentTRegressionPriors {
    fn default() -> Self {
        Self {
            coefficient_precision: 0.01,
            intercept_precision: None,
            noise: NoisePrior::Gamma { shape: 1.0, rate: 1.0 },
            dof: vec![4.0],
        }
    }
}

impl StudentTRegressionPriors {
    fn check(&self) -> Result<(), ModelError> {
        positive(MODEL, "coefficient_precision", self.coefficient_precision)?;
        positive(MODEL, "intercept_precision", self.intercept_precision.unwrap_or(1.0))?;
        self.noise.check(MODEL)?;
        if self.dof.is_empty() {
            return Err(ModelError::Empty { model: MODEL, data: "dof" });
        }
        (1..).zip(&self.dof).try_for_each(|(k, dof)| positive(MODEL, &format!("dof[{k}]"), *dof))
    }
}

/// Student-t regression; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::regression::RegressionData;
/// use vi_models::student_t_regression::{StudentTRegression, StudentTRegressionPriors};
///
/// let data = RegressionData::with_intercept(array![[0.0], [1.0], [2.0]], array![0.1, 0.9, 40.0])?;
/// let priors = StudentTRegressionPriors { dof: vec![2.0, 4.0, 8.0], ..Default::default() };
/// let model = StudentTRegression::new(data, priors)?;
/// assert_eq!(model.parameters().names(), ["intercept", "beta[1]", "tau"]);
/// // Near the line through the first two points the third is an outlier, and heavy tails are likely.
/// let p = model.dof_probabilities(&array![0.1, 0.8, 4.0]);
/// assert!(p[0] > p[1] && p[1] > p[2]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StudentTRegression {
    data: RegressionData,
    priors: StudentTRegressionPriors,
    prior: CoefficientPrior,
    likelihood: Likelihood,
    space: ParameterSpace,
}

impl StudentTRegression {
    /// The regression of `data` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain.
    pub fn new(data: RegressionData, priors: StudentTRegressionPriors) -> Result<Self, ModelError> {
        priors.check()?;
        let mut parameters = data.coefficient_parameters();
        parameters.extend(priors.noise.parameter());
        let space = ParameterSpace::new(parameters)?;
        let prior = CoefficientPrior::new(&data, priors.coefficient_precision, priors.intercept_precision);
        let likelihood = Likelihood::new(&priors.dof);
        Ok(Self { data, priors, prior, likelihood, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &StudentTRegressionPriors {
        &self.priors
    }

    /// The number D of coefficients, the intercept included.
    pub fn n_coefficients(&self) -> usize {
        self.data.n_columns()
    }

    /// p(ν_k | y, z) (K).
    ///
    /// # Panics
    /// If `z` has another length than that of the model.
    pub fn dof_probabilities(&self, z: &ArrayRef1<f64>) -> Array1<f64> {
        let residuals = self.residuals(&self.data, z);
        self.likelihood.dof_probabilities(&residuals, self.noise_precision(z))
    }

    /// y − Xβ (N).
    fn residuals(&self, data: &RegressionData, z: &ArrayRef1<f64>) -> Array1<f64> {
        data.y() - &data.linear_predictor(&z.slice(s![..self.n_coefficients()]))
    }

    /// τ at `z`.
    fn noise_precision(&self, z: &ArrayRef1<f64>) -> f64 {
        self.priors.noise.at(z, self.n_coefficients())
    }

    fn evaluate(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, mut grad: Option<&mut ArrayRef2<f64>>) {
        let d = self.n_coefficients();
        let noise = self.priors.noise;
        let tau = |row: usize| noise.at(&z.row(row), d);
        self.likelihood.evaluate(&self.data, z, tau, out, grad.as_deref_mut());
        self.prior.add_batch(z, out, grad.as_deref_mut());
        if let NoisePrior::Gamma { shape, rate } = noise {
            for (row, o) in out.iter_mut().enumerate() {
                let PrecisionStats { mean, log } = PrecisionStats::realised(tau(row));
                *o += if mean > 0.0 { noise.log_prob(log, mean) } else { f64::NEG_INFINITY };
                if let Some(grad) = grad.as_deref_mut() {
                    grad[[row, d]] += (shape - 1.0) / mean - rate;
                }
            }
        }
    }
}

log_joint_by_evaluate!(StudentTRegression);
