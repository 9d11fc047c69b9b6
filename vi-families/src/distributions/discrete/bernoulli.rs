//! The Bernoulli distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};

use crate::coordinates::Coordinates;
use crate::counts::{count_cdf, count_quantile, count_survival};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, length, no_member};

const FAMILY: &str = "Bernoulli";

/// The Bernoulli distribution on {false, true}.
///
/// ```text
/// p(true) = π      T(z) = z      η = log(π / (1 − π))      h(z) = 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bernoulli {
    logit: f64,
}

deserialize_checked! {
    Bernoulli { logit: f64 } => Self::from_logit(logit)
}

impl Bernoulli {
    /// The member with this probability of `true`, strictly between 0 and 1.
    ///
    /// # Errors
    /// [`FamilyError`] otherwise: a sure event has no finite natural parameter.
    pub fn from_probability(probability: f64) -> Result<Self, FamilyError> {
        if probability > 0.0 && probability < 1.0 {
            return Ok(Self { logit: probability.ln() - (-probability).ln_1p() });
        }
        Err(domain(FAMILY, "probability", probability, "strictly between 0 and 1"))
    }

    /// The member with this log odds.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite.
    pub fn from_logit(logit: f64) -> Result<Self, FamilyError> {
        Ok(Self { logit: finite(FAMILY, "logit", logit)? })
    }

    /// The log odds of `true`.
    pub fn logit(&self) -> f64 {
        self.logit
    }

    /// The probability of `true`.
    pub fn probability(&self) -> f64 {
        sigmoid_scalar(self.logit)
    }

    /// `E[z]`, the same as the probability.
    pub fn mean(&self) -> f64 {
        self.probability()
    }

    /// `Var[z]` = π (1 − π).
    pub fn variance(&self) -> f64 {
        sigmoid_scalar(self.logit) * sigmoid_scalar(-self.logit)
    }
}

impl ExponentialFamily for Bernoulli {
    type Value = bool;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.logit]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_logit(eta[0])
    }
    fn log_partition(&self) -> f64 {
        softplus_scalar(self.logit)
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.probability()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_probability(mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.variance()]]
    }
    fn sufficient_stats_given(_: &(), z: &bool) -> Array1<f64> {
        array![f64::from(*z)]
    }
    fn log_base_measure_given(_: &(), _z: &bool) -> f64 {
        0.0
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    fn sample(&self, rng: &mut StreamRng) -> bool {
        rng.random::<f64>() < self.probability()
    }

    fn log_prob(&self, z: &bool) -> f64 {
        -softplus_scalar(if *z { -self.logit } else { self.logit })
    }
    /// −π log π − (1 − π) log(1 − π), to full relative accuracy at both ends.
    fn entropy(&self) -> f64 {
        let eta = self.logit.abs();
        softplus_scalar(-eta) + eta * sigmoid_scalar(-eta)
    }
}

impl Parametric for Bernoulli {
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
        array![[1.0 / self.variance()]]
    }
}

impl Univariate for Bernoulli {
    const DISCRETE: bool = true;

    fn to_f64(z: &bool) -> f64 {
        f64::from(*z)
    }
    fn from_f64(x: f64) -> Option<bool> {
        (x == 0.0 || x == 1.0).then_some(x == 1.0)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, 1.0)
    }
    fn mean(&self) -> f64 {
        Bernoulli::mean(self)
    }
    fn variance(&self) -> f64 {
        Bernoulli::variance(self)
    }
    fn mode(&self) -> f64 {
        f64::from(self.logit > 0.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, 1.0, |_| sigmoid_scalar(-self.logit))
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, 1.0, |_| sigmoid_scalar(self.logit))
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, 0.0, 0.0, 1.0, |x| self.cdf(x))
    }
}
