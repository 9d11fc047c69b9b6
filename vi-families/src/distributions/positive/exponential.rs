//! The exponential distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::{exponential_quantile, kl_of_rates};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_exponential;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "Exponential";

/// The exponential distribution on [0, ∞).
///
/// ```text
/// p(z) = rate exp(−rate z)
/// T(z) = z      η = −rate < 0      h(z) = 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exponential {
    rate: f64,
}

deserialize_checked! {
    Exponential { rate: f64 } => Self::from_rate(rate)
}

impl Exponential {
    /// The member with this rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_rate(rate: f64) -> Result<Self, FamilyError> {
        Ok(Self { rate: positive(FAMILY, "rate", rate)? })
    }

    /// The member with this scale, the reciprocal of the rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_scale(scale: f64) -> Result<Self, FamilyError> {
        Ok(Self { rate: 1.0 / positive(FAMILY, "scale", scale)? })
    }

    /// The member with this mean, the reciprocal of the rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Ok(Self { rate: 1.0 / positive(FAMILY, "mean", mean)? })
    }

    /// The rate.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The scale 1 / rate.
    pub fn scale(&self) -> f64 {
        1.0 / self.rate
    }
}

impl ExponentialFamily for Exponential {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![-self.rate]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_rate(-eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.rate.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![1.0 / self.rate]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_mean(mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[1.0 / self.rate / self.rate]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![*z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z < 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw; where it would overflow it is the largest number.
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        let unit = standard_exponential(rng);
        (unit / self.rate).min(f64::MAX)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&(), z);
        if h == f64::NEG_INFINITY { h } else { self.rate.ln() - self.rate * z }
    }
    fn entropy(&self) -> f64 {
        1.0 - self.rate.ln()
    }
    fn kl(&self, other: &Self) -> f64 {
        kl_of_rates(1.0, self.rate, other.rate)
    }
}

impl Parametric for Exponential {
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
        array![[-1.0]]
    }
}

impl Univariate for Exponential {
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
        1.0 / self.rate
    }
    fn variance(&self) -> f64 {
        1.0 / self.rate / self.rate
    }
    fn mode(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -(-self.rate * x).exp_m1() }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { (-self.rate * x).exp() }
    }
    fn quantile(&self, p: f64) -> f64 {
        exponential_quantile(p) / self.rate
    }
}
