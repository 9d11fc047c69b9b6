//! The geometric distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::numerics::softplus_scalar;

use crate::coordinates::Coordinates;
use crate::counts::{
    MAX_MEAN, MEAN_RANGE, count_cdf, count_from_f64, count_quantile, count_survival, deviance, round_to_count,
};
use crate::deserialize::deserialize_checked;
use crate::draw::standard_exponential;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, length, no_member};

const FAMILY: &str = "Geometric";

/// The geometric distribution of the number of failures before the first success, on {0, 1, …}.
///
/// ```text
/// p(z) = π (1 − π)^z      T(z) = z      η = log(1 − π) < 0      h(z) = 1
/// ```
/// The mean (1 − π)/π is at least 10⁻³⁰⁰ and at most 10¹⁷, so that draws fit `u64`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Geometric {
    log_failure: f64,
}

deserialize_checked! {
    Geometric { log_failure: f64 } => Self::from_log_failure(log_failure)
}

impl Geometric {
    /// The member with this probability of success, strictly between 0 and 1.
    ///
    /// # Errors
    /// [`FamilyError`] otherwise, and where the mean exceeds 10¹⁷.
    pub fn from_probability(probability: f64) -> Result<Self, FamilyError> {
        if probability > 0.0 && probability < 1.0 {
            return Self::from_log_failure((-probability).ln_1p());
        }
        Err(domain(FAMILY, "probability", probability, "strictly between 0 and 1"))
    }

    /// The member with this log odds of success.
    ///
    /// # Errors
    /// [`FamilyError`] where the mean, exp(−logit), is not between 10⁻³⁰⁰ and 10¹⁷.
    pub fn from_logit(logit: f64) -> Result<Self, FamilyError> {
        finite(FAMILY, "logit", logit)?;
        Self::from_log_failure(-softplus_scalar(logit))
    }

    /// The member with this mean number of failures.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is between 10⁻³⁰⁰ and 10¹⁷.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        if mean > 0.0 && mean <= MAX_MEAN {
            return Self::from_log_failure(-mean.recip().ln_1p());
        }
        Err(domain(FAMILY, "mean", mean, MEAN_RANGE))
    }

    /// The member with this logarithm of the probability of failure, negative.
    fn from_log_failure(log_failure: f64) -> Result<Self, FamilyError> {
        if (-690.0..=-1e-17).contains(&log_failure) {
            return Ok(Self { log_failure });
        }
        Err(domain(FAMILY, "log(1 − probability)", log_failure, "between −690 and −1e-17"))
    }

    /// The probability of success π.
    pub fn probability(&self) -> f64 {
        -self.log_failure.exp_m1()
    }

    /// The probability of failure 1 − π.
    pub fn failure_probability(&self) -> f64 {
        self.log_failure.exp()
    }

    /// The log odds of success.
    pub fn logit(&self) -> f64 {
        self.log_probability() - self.log_failure
    }

    /// log(1 − π), the natural parameter.
    pub(crate) fn log_failure(&self) -> f64 {
        self.log_failure
    }

    /// log π, to full relative accuracy near π = 1 too.
    fn log_probability(&self) -> f64 {
        let failure = self.failure_probability();
        if failure < 0.5 { (-failure).ln_1p() } else { self.probability().ln() }
    }
}

impl ExponentialFamily for Geometric {
    type Value = u64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.log_failure]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_log_failure(eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.log_probability()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_mean(mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.variance()]]
    }
    fn sufficient_stats_given(_: &(), z: &u64) -> Array1<f64> {
        array![*z as f64]
    }
    fn log_base_measure_given(_: &(), _z: &u64) -> f64 {
        0.0
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw: an exponential variate, in units of its mean, rounded down.
    fn sample(&self, rng: &mut StreamRng) -> u64 {
        let waiting = standard_exponential(rng);
        round_to_count((waiting / -self.log_failure).floor())
    }

    fn log_prob(&self, z: &u64) -> f64 {
        *z as f64 * self.log_failure + self.log_probability()
    }
    /// The deviances of both probabilities over π, without cancellation between close members.
    fn kl(&self, other: &Self) -> f64 {
        let success = deviance(self.probability(), other.probability());
        let failure = deviance(self.failure_probability(), other.failure_probability());
        (success + failure) / self.probability()
    }
}

impl Parametric for Geometric {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "probability", coordinates: Coordinates::Unit }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.probability()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_probability(theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[-1.0 / self.failure_probability()]]
    }
}

impl Univariate for Geometric {
    const DISCRETE: bool = true;

    fn to_f64(z: &u64) -> f64 {
        *z as f64
    }
    fn from_f64(x: f64) -> Option<u64> {
        count_from_f64(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }
    /// (1 − π)/π.
    fn mean(&self) -> f64 {
        1.0 / (-self.log_failure).exp_m1()
    }
    /// (1 − π)/π².
    fn variance(&self) -> f64 {
        self.mean() / self.probability()
    }
    fn mode(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, f64::INFINITY, |k| -((k + 1.0) * self.log_failure).exp_m1())
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, f64::INFINITY, |k| ((k + 1.0) * self.log_failure).exp())
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, self.mean(), self.variance().sqrt(), f64::INFINITY, |x| self.cdf(x))
    }
}
