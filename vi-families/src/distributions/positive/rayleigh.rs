//! The Rayleigh distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::{EULER, exponential_quantile, kl_of_rates};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_exponential;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "Rayleigh";

/// The Rayleigh distribution on (0, ∞): the length of a plane Gaussian vector with standard deviation `scale`.
///
/// ```text
/// p(z) = z / scale² · exp(−z² / (2 scale²))
/// T(z) = z²      η = −1/(2 scale²) < 0      h(z) = z
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rayleigh {
    /// 1 / scale².
    precision: f64,
}

deserialize_checked! {
    Rayleigh { precision: f64 } => Self::from_precision(precision)
}

impl Rayleigh {
    /// The member with this scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless it and its square are finite and positive.
    pub fn from_scale(scale: f64) -> Result<Self, FamilyError> {
        positive(FAMILY, "scale", scale)?;
        Ok(Self { precision: 1.0 / positive(FAMILY, "scale²", scale * scale)? })
    }

    /// The member with this precision, 1 / scale².
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_precision(precision: f64) -> Result<Self, FamilyError> {
        Ok(Self { precision: positive(FAMILY, "precision", precision)? })
    }

    /// The member with this mean: scale mean · √(2/π).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive, and so is the square of the scale.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Self::from_scale(positive(FAMILY, "mean", mean)? * std::f64::consts::FRAC_2_PI.sqrt())
    }

    /// The member with this variance of z: scale √(variance / (2 − π/2)).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive, and so is the precision.
    pub fn from_variance(variance: f64) -> Result<Self, FamilyError> {
        Self::from_precision((2.0 - std::f64::consts::FRAC_PI_2) / positive(FAMILY, "variance", variance)?)
    }

    /// The scale: the standard deviation of each coordinate of the vector.
    pub fn scale(&self) -> f64 {
        1.0 / self.precision.sqrt()
    }

    /// 1 / scale².
    pub fn precision(&self) -> f64 {
        self.precision
    }

    /// `E[log z]` = log scale + (log 2 − γ) / 2, γ the Euler-Mascheroni constant.
    pub fn expected_log(&self) -> f64 {
        0.5 * (std::f64::consts::LN_2 - EULER - self.precision.ln())
    }
}

impl ExponentialFamily for Rayleigh {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![-0.5 * self.precision]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_precision(-2.0 * eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.precision.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![2.0 / self.precision]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_precision(2.0 / mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[4.0 / self.precision / self.precision]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z * z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { z.ln() }
    }
    fn expected_log_base_measure(&self) -> f64 {
        self.expected_log()
    }
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        let unit = standard_exponential(rng);
        ((2.0 * unit).sqrt() * self.scale()).clamp(f64::MIN_POSITIVE, f64::MAX)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&(), z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let scaled = z * self.precision.sqrt();
        h + self.precision.ln() - 0.5 * scaled * scaled
    }
    fn entropy(&self) -> f64 {
        1.0 - self.precision.ln() - self.expected_log()
    }
    fn kl(&self, other: &Self) -> f64 {
        kl_of_rates(1.0, self.precision, other.precision)
    }
}

impl Parametric for Rayleigh {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "scale", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.scale()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_scale(theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[self.precision * self.precision.sqrt()]]
    }
}

impl Univariate for Rayleigh {
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
        self.scale() * std::f64::consts::FRAC_PI_2.sqrt()
    }
    fn variance(&self) -> f64 {
        (2.0 - std::f64::consts::FRAC_PI_2) / self.precision
    }
    fn mode(&self) -> f64 {
        self.scale()
    }
    fn cdf(&self, x: f64) -> f64 {
        let scaled = x * self.precision.sqrt();
        if x <= 0.0 { 0.0 } else { -(-0.5 * scaled * scaled).exp_m1() }
    }
    fn survival(&self, x: f64) -> f64 {
        let scaled = x * self.precision.sqrt();
        if x <= 0.0 { 1.0 } else { (-0.5 * scaled * scaled).exp() }
    }
    fn quantile(&self, p: f64) -> f64 {
        (2.0 * exponential_quantile(p)).sqrt() * self.scale()
    }
}
