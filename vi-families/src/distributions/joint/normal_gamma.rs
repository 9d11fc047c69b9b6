//! The normal-Gamma distribution of a mean and a precision.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::real::precision_gap;
use crate::distributions::{Gamma, LOG_TWO_PI};
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::trigamma;
use crate::validate::{finite, length, no_member, positive};

const FAMILY: &str = "NormalGamma";

/// The normal-Gamma distribution of (μ, τ): τ ~ Gamma(shape, rate), μ | τ ~ N(mean, 1/(count · τ)).
///
/// ```text
/// T(μ, τ) = (log τ, τ, τμ, τμ²)
/// η = (shape − ½, −rate − ½ count · mean², count · mean, −½ count)      h = (2π)^(−1/2)
/// ```
/// The conjugate prior of a Gaussian with unknown mean and precision (Murphy 2007, "Conjugate Bayesian analysis
/// of the Gaussian distribution", section 3). Every finite mean and positive count, shape and rate is a member.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NormalGamma {
    mean: f64,
    count: f64,
    precision: Gamma,
}

deserialize_checked! {
    NormalGamma { mean: f64, count: f64, precision: Gamma } => Self::from_mean_count_shape_rate(mean, count, precision.shape(), precision.rate())
}

impl NormalGamma {
    /// The member with this location, pseudo-count, and shape and rate of the precision.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the others finite and positive.
    pub fn from_mean_count_shape_rate(
        mean: f64,
        count: f64,
        shape: f64,
        rate: f64,
    ) -> Result<Self, FamilyError> {
        finite(FAMILY, "mean", mean)?;
        finite(FAMILY, "count · mean²", count * mean * mean)?;
        Ok(Self {
            mean,
            count: positive(FAMILY, "count", count)?,
            precision: Gamma::from_shape_rate(
                positive(FAMILY, "shape", shape)?,
                positive(FAMILY, "rate", rate)?,
            )?,
        })
    }

    /// The member with this location, pseudo-count, and shape and scale of the precision; the scale is the
    /// reciprocal of the rate.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the others finite and positive.
    pub fn from_mean_count_shape_scale(
        mean: f64,
        count: f64,
        shape: f64,
        scale: f64,
    ) -> Result<Self, FamilyError> {
        Self::from_mean_count_shape_rate(mean, count, shape, 1.0 / positive(FAMILY, "scale", scale)?)
    }

    /// The member with this location, pseudo-count, and degrees of freedom ν and mean `E[τ]` of the precision, whose
    /// law is the scaled χ²: shape ν/2, rate ν/(2 `E[τ]`).
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the others finite and positive.
    pub fn from_mean_count_dof_expected_precision(
        mean: f64,
        count: f64,
        dof: f64,
        expected_precision: f64,
    ) -> Result<Self, FamilyError> {
        let half = 0.5 * positive(FAMILY, "dof", dof)?;
        let rate = half / positive(FAMILY, "expected_precision", expected_precision)?;
        Self::from_mean_count_shape_rate(mean, count, half, rate)
    }

    /// `E[μ]`, the location.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The pseudo-count κ of the location.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The shape of the precision.
    pub fn shape(&self) -> f64 {
        self.precision.shape()
    }

    /// The rate of the precision.
    pub fn rate(&self) -> f64 {
        self.precision.rate()
    }

    /// The scale 1 / rate of the precision.
    pub fn scale(&self) -> f64 {
        self.precision.scale()
    }

    /// The degrees of freedom 2 · shape of the precision.
    pub fn dof(&self) -> f64 {
        2.0 * self.precision.shape()
    }

    /// The marginal law of τ.
    pub fn precision_marginal(&self) -> &Gamma {
        &self.precision
    }

    /// `E[τ]` = shape / rate.
    pub fn expected_precision(&self) -> f64 {
        self.precision.mean()
    }

    /// `E[log τ]` = ψ(shape) − log rate.
    pub fn expected_log_precision(&self) -> f64 {
        self.precision.expected_log()
    }

    /// `E[τ (x − μ)²]` = `E[τ]` (x − mean)² + 1/count.
    pub fn expected_square(&self, x: f64) -> f64 {
        let d = x - self.mean;
        self.expected_precision() * d * d + 1.0 / self.count
    }
}

impl ExponentialFamily for NormalGamma {
    type Value = (f64, f64);
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        4
    }
    fn natural(&self) -> Array1<f64> {
        let (m, k) = (self.mean, self.count);
        array![self.shape() - 0.5, -self.rate() - 0.5 * k * m * m, k * m, -0.5 * k]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 4)?;
        let count = positive(FAMILY, "count", -2.0 * eta[3])?;
        let mean = finite(FAMILY, "mean", eta[2] / count)?;
        Self::from_mean_count_shape_rate(mean, count, eta[0] + 0.5, -eta[1] - 0.5 * eta[2] * mean)
    }
    fn log_partition(&self) -> f64 {
        self.precision.log_partition() - 0.5 * self.count.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        let (m, t) = (self.mean, self.expected_precision());
        array![self.expected_log_precision(), t, t * m, t * m * m + 1.0 / self.count]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 4)?;
        let none = |_| no_member(FAMILY, mu);
        let precision = Gamma::from_mean_params(&array![mu[0], mu[1]]).map_err(none)?;
        let mean = mu[2] / mu[1];
        let count = 1.0 / (mu[3] - mu[2] * mean);
        Self::from_mean_count_shape_rate(mean, count, precision.shape(), precision.rate()).map_err(none)
    }
    /// The covariance of T, from μ = m + ε / √(κτ) with ε ~ N(0, 1) independent of τ.
    fn fisher(&self) -> Array2<f64> {
        let (m, k) = (self.mean, self.count);
        let (t, v, c) = (self.expected_precision(), self.precision.variance(), 1.0 / self.rate());
        let mm = m * m;
        array![
            [trigamma(self.shape()), c, c * m, c * mm],
            [c, v, v * m, v * mm],
            [c * m, v * m, v * mm + t / k, v * mm * m + 2.0 * m * t / k],
            [c * mm, v * mm, v * mm * m + 2.0 * m * t / k, v * mm * mm + 4.0 * mm * t / k + 2.0 / (k * k)],
        ]
    }
    fn sufficient_stats_given(_: &(), z: &(f64, f64)) -> Array1<f64> {
        let (mu, tau) = *z;
        array![tau.ln(), tau, tau * mu, tau * mu * mu]
    }
    fn log_base_measure_given(_: &(), z: &(f64, f64)) -> f64 {
        Gamma::log_base_measure_given(&(), &z.1) - 0.5 * LOG_TWO_PI
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * LOG_TWO_PI
    }
    /// One draw; where a coordinate would leave the range of `f64` it is the nearest number inside.
    fn sample(&self, rng: &mut StreamRng) -> (f64, f64) {
        let tau = self.precision.sample(rng);
        // Root by root: the product of count and τ may underflow.
        let mu = self.mean + standard_normal(rng) / self.count.sqrt() / tau.sqrt();
        (mu.clamp(f64::MIN, f64::MAX), tau)
    }

    // Sums over the two stages: the location enters through differences only.
    fn log_prob(&self, z: &(f64, f64)) -> f64 {
        let (mu, tau) = *z;
        let log_precision = self.precision.log_prob(&tau);
        if log_precision == f64::NEG_INFINITY {
            return log_precision;
        }
        // Root by root, as for draws.
        let d = self.count.sqrt() * (tau.sqrt() * (mu - self.mean));
        let conditional = self.count.ln() + tau.ln() - LOG_TWO_PI - d * d;
        log_precision + 0.5 * conditional
    }
    fn entropy(&self) -> f64 {
        let conditional = 1.0 + LOG_TWO_PI - self.count.ln() - self.expected_log_precision();
        self.precision.entropy() + 0.5 * conditional
    }
    fn kl(&self, other: &Self) -> f64 {
        let d = self.mean - other.mean;
        let conditional =
            other.count * self.expected_precision() * d * d + precision_gap(self.count, other.count);
        self.precision.kl(&other.precision) + 0.5 * conditional
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let conditional = other.count.ln() + self.expected_log_precision()
            - LOG_TWO_PI
            - other.count * self.expected_square(other.mean);
        self.precision.expected_log_prob(&other.precision) + 0.5 * conditional
    }
}

/// θ = (mean, count, shape, rate).
impl Parametric for NormalGamma {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let positive = |name| ParameterBlock { name, coordinates: Coordinates::Positive { n: 1 } };
        let mean = ParameterBlock { name: "mean", coordinates: Coordinates::Real { n: 1 } };
        vec![mean, positive("count"), positive("shape"), positive("rate")]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.mean, self.count, self.shape(), self.rate()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameters", theta.len(), 4)?;
        Self::from_mean_count_shape_rate(theta[0], theta[1], theta[2], theta[3])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let (m, k) = (self.mean, self.count);
        array![
            [0.0, 0.0, 1.0, 0.0],
            [-k * m, -0.5 * m * m, 0.0, -1.0],
            [k, m, 0.0, 0.0],
            [0.0, -0.5, 0.0, 0.0],
        ]
    }
}

impl Multivariate for NormalGamma {
    /// Exists for a shape above ½: μ has a Student-t law of 2 · shape degrees of freedom.
    fn expected_value(&self) -> Option<(f64, f64)> {
        (self.shape() > 0.5).then(|| (self.mean, self.expected_precision()))
    }
    /// Exist for a shape above 1.
    fn marginal_variances(&self) -> Option<(f64, f64)> {
        let excess = self.shape() - 1.0;
        (excess > 0.0).then(|| (self.rate() / excess / self.count, self.precision.variance()))
    }
    /// Exists for a shape above ½.
    fn joint_mode(&self) -> Option<(f64, f64)> {
        let excess = self.shape() - 0.5;
        (excess > 0.0).then(|| (self.mean, excess / self.rate()))
    }
    fn support(&self) -> String {
        "ℝ × (0, ∞)".to_owned()
    }
}
