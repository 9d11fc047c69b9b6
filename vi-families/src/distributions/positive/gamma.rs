//! The Gamma distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::{ChiSquared, Exponential, unit_gamma};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::GammaDraw;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::solve::inverse_log_minus_digamma;
use crate::special::{digamma, log_gamma, regularized_gamma_lower, regularized_gamma_upper, trigamma};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "Gamma";

/// The Gamma distribution on (0, ∞).
///
/// ```text
/// p(z) = rate^shape / Γ(shape) · z^(shape − 1) exp(−rate z)
/// T(z) = (log z, z)      η = (shape − 1, −rate)      h(z) = 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gamma {
    shape: f64,
    rate: f64,
}

deserialize_checked! {
    Gamma { shape: f64, rate: f64 } => Self::from_shape_rate(shape, rate)
}

impl Gamma {
    /// The member with this shape and rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_shape_rate(shape: f64, rate: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive(FAMILY, "shape", shape)?, rate: positive(FAMILY, "rate", rate)? })
    }

    /// The member with this shape and scale, the reciprocal of the rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_shape_scale(shape: f64, scale: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive(FAMILY, "shape", shape)?, rate: 1.0 / positive(FAMILY, "scale", scale)? })
    }

    /// The member with this mean and variance: shape mean²/variance, rate mean/variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so are shape and rate.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let (mean, variance) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "variance", variance)?);
        let rate = positive(FAMILY, "mean/variance", mean / variance)?;
        Ok(Self { shape: positive(FAMILY, "mean²/variance", mean * rate)?, rate })
    }

    /// The member with this mean and shape: rate shape/mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so is the rate.
    pub fn from_mean_shape(mean: f64, shape: f64) -> Result<Self, FamilyError> {
        let (mean, shape) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "shape", shape)?);
        Ok(Self { shape, rate: positive(FAMILY, "shape/mean", shape / mean)? })
    }

    /// The shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The rate.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The scale 1 / rate.
    pub fn scale(&self) -> f64 {
        1.0 / self.rate
    }

    /// `E[z]` = shape / rate.
    pub fn mean(&self) -> f64 {
        self.shape / self.rate
    }

    /// `Var[z]` = shape / rate².
    pub fn variance(&self) -> f64 {
        self.shape / self.rate / self.rate
    }

    /// `E[log z]` = ψ(shape) − log rate.
    pub fn expected_log(&self) -> f64 {
        digamma(self.shape) - self.rate.ln()
    }
}

impl From<ChiSquared> for Gamma {
    /// The same law: shape dof/2 and rate ½.
    fn from(member: ChiSquared) -> Self {
        Self { shape: 0.5 * member.dof(), rate: 0.5 }
    }
}

impl From<Exponential> for Gamma {
    /// The same law: shape 1.
    fn from(member: Exponential) -> Self {
        Self { shape: 1.0, rate: member.rate() }
    }
}

impl ExponentialFamily for Gamma {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![self.shape - 1.0, -self.rate]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        Self::from_shape_rate(eta[0] + 1.0, -eta[1])
    }
    fn log_partition(&self) -> f64 {
        log_gamma(self.shape) - self.shape * self.rate.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.expected_log(), self.mean()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        inverse_log_minus_digamma(1, mu[1].ln() - mu[0])
            .and_then(|shape| Self::from_shape_rate(shape, shape / mu[1]).ok())
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let off = 1.0 / self.rate;
        array![[trigamma(self.shape), off], [off, self.variance()]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z.ln(), *z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞): with probability
    /// exp(−700 shape), which biases the mean of T for shapes below 0.03.
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        GammaDraw::new(self.shape).over(self.rate, rng)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = self.log_base_measure(z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let log = z.ln();
        unit_gamma::log_density(self.shape, self.rate * z, log + self.rate.ln()) - log
    }
    fn entropy(&self) -> f64 {
        unit_gamma::entropy(self.shape) - self.rate.ln()
    }
    fn kl(&self, other: &Self) -> f64 {
        let (mean, theirs) = (self.mean(), other.mean());
        unit_gamma::kl(self.shape, other.shape, mean / theirs, (mean - theirs) / theirs)
    }
}

impl Parametric for Gamma {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        ["shape", "rate"]
            .map(|name| ParameterBlock { name, coordinates: Coordinates::Positive { n: 1 } })
            .to_vec()
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.shape, self.rate]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_shape_rate(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[1.0, 0.0], [0.0, -1.0]]
    }
}

impl Univariate for Gamma {
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
        self.mean()
    }
    fn variance(&self) -> f64 {
        self.variance()
    }
    fn mode(&self) -> f64 {
        ((self.shape - 1.0) / self.rate).max(0.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { regularized_gamma_lower(self.shape, self.rate * x) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { regularized_gamma_upper(self.shape, self.rate * x) }
    }
    fn quantile(&self, p: f64) -> f64 {
        unit_gamma::quantile(self.shape, p) / self.rate
    }
}
