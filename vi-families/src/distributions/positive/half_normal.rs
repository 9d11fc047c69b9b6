//! The half-normal distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::kl_of_rates;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::{normal_cdf, normal_quantile};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "HalfNormal";
/// ½ log(2/π).
const LOG_BASE: f64 = -0.225_791_352_644_727_44;

/// The half-normal distribution on [0, ∞): the law of |x| for x ~ N(0, scale²).
///
/// ```text
/// p(z) = √(2/π) / scale · exp(−z² / (2 scale²))
/// T(z) = z²      η = −1/(2 scale²) < 0      h(z) = √(2/π)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HalfNormal {
    /// 1 / scale².
    precision: f64,
}

deserialize_checked! {
    HalfNormal { precision: f64 } => Self::from_precision(precision)
}

impl HalfNormal {
    /// The member with this scale, the standard deviation of x.
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

    /// The member with this mean: scale mean · √(π/2).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive, and so is the square of the scale.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Self::from_scale(positive(FAMILY, "mean", mean)? * std::f64::consts::FRAC_PI_2.sqrt())
    }

    /// The member with this variance of z: scale √(variance / (1 − 2/π)).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive, and so is the precision.
    pub fn from_variance(variance: f64) -> Result<Self, FamilyError> {
        Self::from_precision((1.0 - std::f64::consts::FRAC_2_PI) / positive(FAMILY, "variance", variance)?)
    }

    /// The scale: the standard deviation of x.
    pub fn scale(&self) -> f64 {
        1.0 / self.precision.sqrt()
    }

    /// 1 / scale².
    pub fn precision(&self) -> f64 {
        self.precision
    }
}

/// The quantile at scale 1: −Φ⁻¹((1 − p)/2), where 1 − p is exact, and below ½ two Newton steps on the error function.
fn standard_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let mut x = -normal_quantile(0.5 - 0.5 * p);
    if p < 0.5 {
        for _ in 0..2 {
            let density = (LOG_BASE - 0.5 * x * x).exp();
            x -= (libm::erf(x * std::f64::consts::FRAC_1_SQRT_2) - p) / density;
        }
    }
    x
}

impl ExponentialFamily for HalfNormal {
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
        -0.5 * self.precision.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![1.0 / self.precision]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_precision(1.0 / mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[2.0 / self.precision / self.precision]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z * z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z < 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { LOG_BASE }
    }
    fn expected_log_base_measure(&self) -> f64 {
        LOG_BASE
    }
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        (standard_normal(rng).abs() * self.scale()).min(f64::MAX)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&(), z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let scaled = z * self.precision.sqrt();
        h + 0.5 * (self.precision.ln() - scaled * scaled)
    }
    fn entropy(&self) -> f64 {
        0.5 * (1.0 - self.precision.ln()) - LOG_BASE
    }
    fn kl(&self, other: &Self) -> f64 {
        kl_of_rates(0.5, self.precision, other.precision)
    }
}

impl Parametric for HalfNormal {
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

impl Univariate for HalfNormal {
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
        self.scale() * std::f64::consts::FRAC_2_PI.sqrt()
    }
    fn variance(&self) -> f64 {
        (1.0 - std::f64::consts::FRAC_2_PI) / self.precision
    }
    fn mode(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { libm::erf(x * (0.5 * self.precision).sqrt()) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { 2.0 * normal_cdf(-x * self.precision.sqrt()) }
    }
    fn quantile(&self, p: f64) -> f64 {
        self.scale() * standard_quantile(p)
    }
}
