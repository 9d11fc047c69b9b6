//! The Lomax distribution: an exponential whose rate is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::distributions::exponential_quantile;
use crate::draw::standard_exponential;
use crate::error::FamilyError;
use crate::validate::positive;

const FAMILY: &str = "Lomax";

/// The Lomax distribution (Pareto II) on [0, ∞).
///
/// ```text
/// p(x) = shape/scale · (1 + x/scale)^(−shape − 1)
/// ```
/// The law of an exponential variable whose rate is Gamma(shape, rate = scale) (Johnson, Kotz & Balakrishnan 1994,
/// chapter 20).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lomax {
    shape: f64,
    scale: f64,
}

/// log(1 + x / scale) for x ≥ 0, where the ratio overflows too.
pub(super) fn log_1p_ratio(x: f64, scale: f64) -> f64 {
    let ratio = x / scale;
    if ratio.is_finite() { ratio.ln_1p() } else { x.ln() - scale.ln() }
}

impl Lomax {
    /// The distribution with this shape and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_shape_scale(shape: f64, scale: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive(FAMILY, "shape", shape)?, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The shape, the tail index.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// log p(x); −∞ outside [0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x < 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        self.shape.ln() - self.scale.ln() - (self.shape + 1.0) * log_1p_ratio(x, self.scale)
    }

    /// `E[x]` = scale / (shape − 1); ∞ for a shape of 1 or less.
    pub fn mean(&self) -> f64 {
        if self.shape > 1.0 { self.scale / (self.shape - 1.0) } else { f64::INFINITY }
    }

    /// `Var[x]`; ∞ for a shape of 2 or less.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        if self.shape > 2.0 { mean * mean * (self.shape / (self.shape - 2.0)) } else { f64::INFINITY }
    }

    /// P(x̂ ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -(-self.shape * log_1p_ratio(x, self.scale)).exp_m1() }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { (-self.shape * log_1p_ratio(x, self.scale)).exp() }
    }

    /// The x with P(x̂ ≤ x) = `p`; NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        self.scale * (exponential_quantile(p) / self.shape).exp_m1()
    }

    /// One draw, by the inverse of the CDF; where it would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let unit = standard_exponential(rng);
        (self.scale * (unit / self.shape).exp_m1()).min(f64::MAX)
    }
}

impl PredictiveDistribution for Lomax {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
