//! The log-normal distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::log_exp_m1;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::{Gaussian, LOG_TWO_PI};
use crate::draw::exp_inside;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::{normal_cdf, normal_quantile};
use crate::univariate::Univariate;
use crate::validate::{finite, length, no_member, positive};

const FAMILY: &str = "LogNormal";

/// The log-normal distribution on (0, ∞): the law of eʸ for y ~ N(log-mean, log-variance).
///
/// ```text
/// p(z) = exp(−(log z − m)² / (2v)) / (z √(2πv))      m the log-mean, v the log-variance
/// T(z) = (log z, log² z)      η = (m/v, −1/(2v))      h(z) = (2π)^(−1/2) / z
/// ```
/// Log-mean, log-variance and log-precision are those of log z, not logarithms of moments of z.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogNormal {
    log: Gaussian,
}

deserialize_checked! {
    LogNormal { log: Gaussian } => Self::from_log(log)
}

impl LogNormal {
    /// The member with this law of log z, whose natural parameter may overflow.
    fn from_log(log: Gaussian) -> Result<Self, FamilyError> {
        finite(FAMILY, "log_mean/log_variance", log.mean() * log.precision())?;
        Ok(Self { log })
    }

    /// The member with this mean and standard deviation of log z.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite, the standard deviation finite and positive, and
    /// log_mean/log_variance finite.
    pub fn from_log_mean_log_sd(log_mean: f64, log_sd: f64) -> Result<Self, FamilyError> {
        positive(FAMILY, "log_sd", log_sd)?;
        positive(FAMILY, "log_sd²", log_sd * log_sd)?;
        Self::from_log(Gaussian::from_mean_sd(finite(FAMILY, "log_mean", log_mean)?, log_sd)?)
    }

    /// The member with this mean and variance of log z.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite, the variance finite and positive, and log_mean/log_variance finite.
    pub fn from_log_mean_log_variance(log_mean: f64, log_variance: f64) -> Result<Self, FamilyError> {
        let log_variance = positive(FAMILY, "log_variance", log_variance)?;
        Self::from_log(Gaussian::from_mean_variance(finite(FAMILY, "log_mean", log_mean)?, log_variance)?)
    }

    /// The member with this mean and precision, the reciprocal of the variance, of log z.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite, the precision finite and positive, and log_mean/log_variance finite.
    pub fn from_log_mean_log_precision(log_mean: f64, log_precision: f64) -> Result<Self, FamilyError> {
        let log_precision = positive(FAMILY, "log_precision", log_precision)?;
        Self::from_log(Gaussian::from_mean_precision(finite(FAMILY, "log_mean", log_mean)?, log_precision)?)
    }

    /// The member with this mean and variance of z itself.
    ///
    /// ```text
    /// log-variance = log(1 + variance/mean²)      log-mean = log mean − log-variance/2
    /// ```
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and variance/mean² too.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let (mean, variance) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "variance", variance)?);
        let log_variance = positive(FAMILY, "variance/mean²", variance / mean / mean)?.ln_1p();
        Self::from_log_mean_log_variance(mean.ln() - 0.5 * log_variance, log_variance)
    }

    /// `E[log z]`.
    pub fn log_mean(&self) -> f64 {
        self.log.mean()
    }

    /// The standard deviation of log z.
    pub fn log_sd(&self) -> f64 {
        self.log.sd()
    }

    /// `Var[log z]`.
    pub fn log_variance(&self) -> f64 {
        self.log.variance()
    }

    /// 1 / `Var[log z]`.
    pub fn log_precision(&self) -> f64 {
        self.log.precision()
    }

    /// (log x − log-mean) / log-sd.
    fn standardized(&self, x: f64) -> f64 {
        (x.ln() - self.log_mean()) * self.log_precision().sqrt()
    }

    /// The law of log z.
    pub fn log(&self) -> &Gaussian {
        &self.log
    }
}

impl ExponentialFamily for LogNormal {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        self.log.natural()
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        let precision = -2.0 * eta[1];
        Self::from_log_mean_log_precision(eta[0] / precision, precision)
    }
    fn log_partition(&self) -> f64 {
        self.log.log_partition()
    }
    fn mean_params(&self) -> Array1<f64> {
        self.log.mean_params()
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        Gaussian::from_mean_params(mu).and_then(Self::from_log).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        self.log.fisher()
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        Gaussian::sufficient_stats_given(&(), &z.ln())
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { -z.ln() - 0.5 * LOG_TWO_PI }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -self.log_mean() - 0.5 * LOG_TWO_PI
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        exp_inside(self.log.sample(rng))
    }

    // Through log z, whose forms are centred at the log-mean.
    fn log_prob(&self, z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let log = z.ln();
        self.log.log_prob(&log) - log
    }
    fn entropy(&self) -> f64 {
        self.log.entropy() + self.log_mean()
    }
    fn kl(&self, other: &Self) -> f64 {
        self.log.kl(&other.log)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        self.log.expected_log_prob(&other.log) - self.log_mean()
    }
}

impl Parametric for LogNormal {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "log_mean", coordinates: Coordinates::Real { n: 1 } },
            ParameterBlock { name: "log_sd", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.log_mean(), self.log_sd()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_log_mean_log_sd(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let (m, t) = (self.log_mean(), self.log_precision());
        let cube = t * t.sqrt();
        array![[t, -2.0 * m * cube], [0.0, cube]]
    }
}

impl Univariate for LogNormal {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }
    fn mean(&self) -> f64 {
        (self.log_mean() + 0.5 * self.log_variance()).exp()
    }
    fn variance(&self) -> f64 {
        let v = self.log_variance();
        (2.0 * self.log_mean() + v + log_exp_m1(v)).exp()
    }
    fn mode(&self) -> f64 {
        (self.log_mean() - self.log_variance()).exp()
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { normal_cdf(self.standardized(x)) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { normal_cdf(-self.standardized(x)) }
    }
    fn quantile(&self, p: f64) -> f64 {
        (self.log_mean() + self.log_sd() * normal_quantile(p)).exp()
    }
}
