//! The Poisson distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::counts::{
    MAX_MEAN, MEAN_RANGE, count_cdf, count_from_f64, count_quantile, count_survival, deviance,
    expected_log_factorial, log_poisson, poisson, step_for, windowed_mean,
};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::{log_gamma, regularized_gamma_lower, regularized_gamma_upper};
use crate::univariate::Univariate;
use crate::validate::{domain, length, no_member, positive};

const FAMILY: &str = "Poisson";

/// The Poisson distribution on {0, 1, …}.
///
/// ```text
/// p(z) = rate^z exp(−rate) / z!      T(z) = z      η = log rate      h(z) = 1/z!
/// ```
/// The rate is at most 10¹⁸, so that draws fit `u64`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Poisson {
    rate: f64,
    /// Kept beside the rate, which does not hold all its digits.
    log_rate: f64,
}

deserialize_checked! {
    Poisson { rate: f64, log_rate: f64 } => Self::from_both(rate, log_rate)
}

impl Poisson {
    /// The member with this rate, its mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is positive and at most 10¹⁸.
    pub fn from_rate(rate: f64) -> Result<Self, FamilyError> {
        Self::new(rate, rate.ln())
    }

    /// The member with this logarithm of the rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless the rate is positive and at most 10¹⁸.
    pub fn from_log_rate(log_rate: f64) -> Result<Self, FamilyError> {
        if log_rate.is_nan() {
            return Err(domain(FAMILY, "log_rate", log_rate, "a number"));
        }
        Self::new(log_rate.exp(), log_rate)
    }

    /// From a file: a rate and its logarithm, which may differ by rounding.
    fn from_both(rate: f64, log_rate: f64) -> Result<Self, FamilyError> {
        let member = Self::new(rate, log_rate)?;
        if (log_rate - rate.ln()).abs() <= 1e-9 {
            return Ok(member);
        }
        Err(domain(FAMILY, "log_rate", log_rate, "the logarithm of the rate"))
    }

    fn new(rate: f64, log_rate: f64) -> Result<Self, FamilyError> {
        if rate > MAX_MEAN {
            return Err(domain(FAMILY, "rate", rate, MEAN_RANGE));
        }
        Ok(Self { rate: positive(FAMILY, "rate", rate)?, log_rate })
    }

    /// The rate, mean and variance.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// log rate.
    pub fn log_rate(&self) -> f64 {
        self.log_rate
    }

    fn log_mass(&self, k: f64) -> f64 {
        log_poisson(k, self.rate, || self.log_rate)
    }
}

impl ExponentialFamily for Poisson {
    type Value = u64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.log_rate]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_log_rate(eta[0])
    }
    fn log_partition(&self) -> f64 {
        self.rate
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.rate]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_rate(mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.rate]]
    }
    fn sufficient_stats_given(_: &(), z: &u64) -> Array1<f64> {
        array![*z as f64]
    }
    fn log_base_measure_given(_: &(), z: &u64) -> f64 {
        -log_gamma(*z as f64 + 1.0)
    }
    /// `−E[log z!]`, to about 1e-14 relative at any rate.
    fn expected_log_base_measure(&self) -> f64 {
        -expected_log_factorial(self.mode(), f64::INFINITY, self.rate.sqrt(), |k| self.log_mass(k))
    }
    fn sample(&self, rng: &mut StreamRng) -> u64 {
        poisson(self.rate, rng)
    }

    fn log_prob(&self, z: &u64) -> f64 {
        self.log_mass(*z as f64)
    }
    /// The sum of −p log p, to about 1e-14 relative at any rate.
    fn entropy(&self) -> f64 {
        let step = step_for(self.rate.sqrt());
        windowed_mean(self.mode(), f64::INFINITY, step, |k| self.log_mass(k), |_, log_mass| -log_mass)
    }
    fn kl(&self, other: &Self) -> f64 {
        deviance(self.rate, other.rate)
    }
}

impl Parametric for Poisson {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "rate", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.rate]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_rate(theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[1.0 / self.rate]]
    }
}

impl Univariate for Poisson {
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
    fn mean(&self) -> f64 {
        self.rate
    }
    fn variance(&self) -> f64 {
        self.rate
    }
    /// The smaller of the two modes where the rate is whole.
    fn mode(&self) -> f64 {
        self.rate.ceil() - 1.0
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, f64::INFINITY, |k| regularized_gamma_upper(k + 1.0, self.rate))
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, f64::INFINITY, |k| regularized_gamma_lower(k + 1.0, self.rate))
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, self.rate, self.rate.sqrt(), f64::INFINITY, |x| self.cdf(x))
    }
}
