//! The univariate Gaussian.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::{log_1p_minus, normal_cdf, normal_quantile};
use crate::univariate::Univariate;
use crate::validate::{finite, length, no_member, positive};

const FAMILY: &str = "Gaussian";
pub(crate) const LOG_TWO_PI: f64 = 1.837_877_066_409_345_6;

/// The Gaussian N(mean, variance) on ℝ.
///
/// ```text
/// T(z) = (z, z²)      η = (mean/variance, −1/(2 variance))      h(z) = (2π)^(−1/2)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gaussian {
    mean: f64,
    precision: f64,
}

deserialize_checked! {
    Gaussian { mean: f64, precision: f64 } => Self::from_mean_precision(mean, precision)
}

impl Gaussian {
    /// The member with this mean and standard deviation.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the standard deviation finite and positive.
    pub fn from_mean_sd(mean: f64, sd: f64) -> Result<Self, FamilyError> {
        positive(FAMILY, "sd", sd)?;
        positive(FAMILY, "sd²", sd * sd)?;
        Self::new(mean, 1.0 / (sd * sd))
    }

    /// The member with this mean and variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the variance finite and positive.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let variance = positive(FAMILY, "variance", variance)?;
        Self::new(mean, 1.0 / variance)
    }

    /// The member with this mean and precision, the reciprocal of the variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the precision finite and positive.
    pub fn from_mean_precision(mean: f64, precision: f64) -> Result<Self, FamilyError> {
        let precision = positive(FAMILY, "precision", precision)?;
        Self::new(mean, precision)
    }

    /// The member in canonical form, by precision · mean and precision: the coefficients of z and −z²/2 in the log
    /// density (Koller & Friedman 2009, section 7.1.2).
    ///
    /// # Errors
    /// [`FamilyError`] unless the precision is finite and positive and both the product and the mean finite.
    pub fn from_canonical(precision_mean: f64, precision: f64) -> Result<Self, FamilyError> {
        finite(FAMILY, "precision · mean", precision_mean)?;
        let precision = positive(FAMILY, "precision", precision)?;
        Self::new(precision_mean / precision, precision)
    }

    fn new(mean: f64, precision: f64) -> Result<Self, FamilyError> {
        finite(FAMILY, "mean", mean)?;
        finite(FAMILY, "mean / variance", mean * precision)?;
        Ok(Self { mean, precision })
    }

    /// `E[z]`.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// `Var[z]`.
    pub fn variance(&self) -> f64 {
        1.0 / self.precision
    }

    /// The standard deviation.
    pub fn sd(&self) -> f64 {
        1.0 / self.precision.sqrt()
    }

    /// 1 / `Var[z]`.
    pub fn precision(&self) -> f64 {
        self.precision
    }

    /// precision · mean, the linear coefficient of the canonical form.
    pub fn precision_mean(&self) -> f64 {
        self.precision * self.mean
    }

    /// `E[z²]`.
    pub fn expected_square(&self) -> f64 {
        self.mean * self.mean + 1.0 / self.precision
    }
}

/// r − 1 − log r for r = other/precision, with its digits where the two are close; twice the divergence between
/// Gaussians of these precisions.
pub(in crate::distributions) fn precision_gap(precision: f64, other: f64) -> f64 {
    let excess = (other - precision) / precision;
    if excess == f64::INFINITY {
        return excess;
    }
    // Far below, 1 + excess has lost the digits of the ratio.
    if excess < -0.5 { excess - (other.ln() - precision.ln()) } else { -log_1p_minus(excess) }
}

impl ExponentialFamily for Gaussian {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![self.mean * self.precision, -0.5 * self.precision]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        let precision = -2.0 * eta[1];
        Self::from_mean_precision(eta[0] / precision, precision)
    }
    fn log_partition(&self) -> f64 {
        0.5 * (self.precision * self.mean * self.mean - self.precision.ln())
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean, self.expected_square()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        Self::from_mean_variance(mu[0], mu[1] - mu[0] * mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (m, v) = (self.mean, self.variance());
        array![[v, 2.0 * m * v], [2.0 * m * v, 2.0 * v * v + 4.0 * m * m * v]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![*z, z * z]
    }
    fn log_base_measure_given(_: &(), _z: &f64) -> f64 {
        -0.5 * LOG_TWO_PI
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * LOG_TWO_PI
    }
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.mean + self.sd() * standard_normal(rng)
    }

    // The centred forms keep their digits when the mean is large beside the standard deviation.
    fn log_prob(&self, z: &f64) -> f64 {
        let d = z - self.mean;
        0.5 * (self.precision.ln() - LOG_TWO_PI - self.precision * d * d)
    }
    fn entropy(&self) -> f64 {
        0.5 * (1.0 + LOG_TWO_PI - self.precision.ln())
    }
    fn kl(&self, other: &Self) -> f64 {
        let d = self.mean - other.mean;
        0.5 * (other.precision * d * d + precision_gap(self.precision, other.precision))
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let d = self.mean - other.mean;
        0.5 * (other.precision.ln() - LOG_TWO_PI - other.precision * (d * d + self.variance()))
    }
}

/// θ = (mean, variance).
impl Parametric for Gaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "mean", coordinates: Coordinates::Real { n: 1 } },
            ParameterBlock { name: "variance", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.mean, self.variance()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_mean_variance(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let p = self.precision;
        array![[p, -self.mean * p * p], [0.0, 0.5 * p * p]]
    }
}

impl Univariate for Gaussian {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        1.0 / self.precision
    }
    fn mode(&self) -> f64 {
        self.mean
    }
    fn cdf(&self, x: f64) -> f64 {
        normal_cdf((x - self.mean) * self.precision.sqrt())
    }
    fn survival(&self, x: f64) -> f64 {
        normal_cdf((self.mean - x) * self.precision.sqrt())
    }
    fn quantile(&self, p: f64) -> f64 {
        self.mean + self.sd() * normal_quantile(p)
    }
}

#[cfg(test)]
mod tests {
    use super::precision_gap;

    /// r − 1 − log r at 50 digits.
    #[test]
    fn the_gap_keeps_its_digits_at_every_ratio() {
        for (precision, other, expected) in [
            (2e10, 1.0, 22.7189981105504),
            (1.0, 2e10, 19999999975.281002),
            (1.0, 0.49, 0.20334988787746477),
            (1.0, 1.0 + 2f64.powi(-30), 4.3368086872493727e-19),
        ] {
            let gap = precision_gap(precision, other);
            assert!((gap / expected - 1.0).abs() < 1e-14, "{precision}, {other}: {gap}, expected {expected}");
        }
    }
}
