//! The inverse Gaussian distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;

use super::inverse_gaussian_tails::tails;
use super::numerics::quantile_on_positive;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::LOG_TWO_PI;
use crate::distributions::real::precision_gap;
use crate::draw::{exp_inside, standard_normal};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::scaled_exponential_integral;
use crate::univariate::Univariate;
use crate::validate::{domain, length, no_member, positive};

const FAMILY: &str = "InverseGaussian";

/// The inverse Gaussian (Wald) distribution on (0, ∞).
///
/// ```text
/// p(z) = √(shape / (2π z³)) exp(−shape (z − mean)² / (2 mean² z))
/// T(z) = (z, 1/z)      η = (−shape/(2 mean²), −shape/2)      h(z) = (2π z³)^(−1/2)
/// ```
/// η is inside the negative quadrant; its edge η₁ = 0, the Lévy law without mean, does not belong to the family
/// (Seshadri 1999, "The Inverse Gaussian Distribution", chapter 1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InverseGaussian {
    mean: f64,
    shape: f64,
}

deserialize_checked! {
    InverseGaussian { mean: f64, shape: f64 } => Self::from_mean_shape(mean, shape)
}

/// (x − mean)² / (2 mean² x), what the shape multiplies in the exponent.
pub(crate) fn deviance(x: f64, mean: f64) -> f64 {
    let d = (x - mean) / mean;
    0.5 * d * (d / x)
}

impl InverseGaussian {
    /// The member with this mean and shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so are shape / mean and shape / mean².
    pub fn from_mean_shape(mean: f64, shape: f64) -> Result<Self, FamilyError> {
        let (mean, shape) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "shape", shape)?);
        positive(FAMILY, "shape/mean", shape / mean)?;
        positive(FAMILY, "shape/mean²", shape / mean / mean)?;
        Ok(Self { mean, shape })
    }

    /// The member with this mean and variance, mean³ / shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so is the shape.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let variance = positive(FAMILY, "variance", variance)?;
        Self::from_mean_shape(mean, positive(FAMILY, "mean", mean)? * mean * (mean / variance))
    }

    /// `E[z]`.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// `E[1/z]` = 1/mean + 1/shape.
    pub fn expected_reciprocal(&self) -> f64 {
        1.0 / self.mean + 1.0 / self.shape
    }

    /// `E[log z]`.
    ///
    /// ```text
    /// log mean − eˣ E₁(x)      x = 2 shape / mean
    /// ```
    pub fn expected_log(&self) -> f64 {
        self.mean.ln() - scaled_exponential_integral(2.0 * (self.shape / self.mean))
    }
}

impl InverseGaussian {
    /// A draw, also for shapes outside the range of numbers: of the two roots of χ² = shape (z − mean)²/(mean² z)
    /// with their probabilities (Michael, Schucany & Haas 1976).
    pub(crate) fn draw(mean: f64, log_shape: f64, rng: &mut StreamRng) -> f64 {
        let normal = standard_normal(rng);
        let w = normal * normal * (mean.ln() - log_shape).exp();
        // The larger root over the mean; the smaller one is its reciprocal, without the difference in its formula.
        let log_ratio = if w < 1e300 { (0.5 * (w + w.sqrt() * (w + 4.0).sqrt())).ln_1p() } else { w.ln() };
        let below = rng.random::<f64>() * (1.0 + (-log_ratio).exp()) < 1.0;
        exp_inside(mean.ln() + if below { -log_ratio } else { log_ratio })
    }

    /// P(z ≤ x) and P(z > x).
    fn tails(&self, x: f64) -> (f64, f64) {
        if x <= 0.0 {
            (0.0, 1.0)
        } else if x == f64::INFINITY {
            (1.0, 0.0)
        } else {
            tails(x / self.mean, self.shape / self.mean)
        }
    }
}

impl ExponentialFamily for InverseGaussian {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![-0.5 * (self.shape / self.mean / self.mean), -0.5 * self.shape]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        if eta[0].is_nan() || eta[0] >= 0.0 {
            return Err(domain(FAMILY, "natural parameter[0]", eta[0], "finite and < 0"));
        }
        Self::from_mean_shape((eta[1] / eta[0]).sqrt(), -2.0 * eta[1])
    }
    fn log_partition(&self) -> f64 {
        -self.shape / self.mean - 0.5 * self.shape.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean, self.expected_reciprocal()]
    }
    /// The mean is μ₁, and the shape 1/(μ₂ − 1/μ₁): digits are lost when it is large beside the mean.
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        // μ₁μ₂ − 1 with a single rounding.
        let excess = mu[0].mul_add(mu[1], -1.0);
        Self::from_mean_shape(mu[0], mu[0] / excess).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (m, l) = (self.mean, self.shape);
        array![[m * m * (m / l), -m / l], [-m / l, (1.0 / m + 2.0 / l) / l]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![*z, 1.0 / z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { -0.5 * LOG_TWO_PI - 1.5 * z.ln() }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * LOG_TWO_PI - 1.5 * self.expected_log()
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        Self::draw(self.mean, self.shape.ln(), rng)
    }

    // The centred form: the three terms of η·T − A cancel when the shape is large beside the mean.
    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&(), z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        h + 0.5 * self.shape.ln() - self.shape * deviance(*z, self.mean)
    }
    fn entropy(&self) -> f64 {
        0.5 * (1.0 + LOG_TWO_PI - self.shape.ln()) + 1.5 * self.expected_log()
    }
    fn kl(&self, other: &Self) -> f64 {
        let d = (self.mean - other.mean) / other.mean;
        0.5 * ((other.shape / self.mean) * d * d + precision_gap(self.shape, other.shape))
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let d = (self.mean - other.mean) / other.mean;
        let quadratic = (other.shape / self.mean) * d * d + other.shape / self.shape;
        0.5 * (other.shape.ln() - quadratic) + self.expected_log_base_measure()
    }
}

impl Parametric for InverseGaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "mean", coordinates: Coordinates::Positive { n: 1 } },
            ParameterBlock { name: "shape", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.mean, self.shape]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_mean_shape(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let (m, l) = (self.mean, self.shape);
        array![[l / m / m / m, -0.5 / m / m], [0.0, -0.5]]
    }
}

impl Univariate for InverseGaussian {
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
        self.mean
    }
    fn variance(&self) -> f64 {
        self.mean * self.mean * (self.mean / self.shape)
    }
    fn mode(&self) -> f64 {
        let q = 1.5 * (self.mean / self.shape);
        self.mean / (q.hypot(1.0) + q)
    }
    fn cdf(&self, x: f64) -> f64 {
        self.tails(x).0
    }
    fn survival(&self, x: f64) -> f64 {
        self.tails(x).1
    }
    /// The x with P(z ≤ x) = `p`, by a bracketed Newton iteration on the logarithm of the smaller tail.
    fn quantile(&self, p: f64) -> f64 {
        let log_density = |x: f64| self.log_prob(&x);
        quantile_on_positive(p, self.mode(), |x| self.tails(x), log_density)
    }
}
