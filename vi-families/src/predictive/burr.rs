//! The Burr XII distribution: a Weibull or Rayleigh whose rate is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::numerics::softplus_scalar;

use super::PredictiveDistribution;
use crate::distributions::{exponential_quantile, log_exp_m1};
use crate::draw::{exp_inside, standard_exponential};
use crate::error::FamilyError;
use crate::special::log_beta;
use crate::validate::positive;

const FAMILY: &str = "Burr";

/// The Burr XII (Singh-Maddala) distribution on (0, ∞).
///
/// ```text
/// p(x) = shape · tail / x · u (1 + u)^(−tail − 1)      u = (x/scale)^shape
/// ```
/// The law of a Weibull variable of known shape whose scale^(−shape) is Gamma(tail, rate = scale^shape): u is Lomax
/// (Burr 1942; Kleiber & Kotz 2003, section 6.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Burr {
    shape: f64,
    tail: f64,
    scale: f64,
}

impl Burr {
    /// The distribution with this shape, tail and scale; the tail index is shape · tail.
    ///
    /// # Errors
    /// [`FamilyError`] unless all are finite and positive.
    pub fn from_shape_tail_scale(shape: f64, tail: f64, scale: f64) -> Result<Self, FamilyError> {
        let (shape, tail) = (positive(FAMILY, "shape", shape)?, positive(FAMILY, "tail", tail)?);
        Ok(Self { shape, tail, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The second shape, of the tail.
    pub fn tail(&self) -> f64 {
        self.tail
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// log u.
    fn log_power(&self, x: f64) -> f64 {
        let ratio = x / self.scale;
        // A subnormal ratio has lost digits too.
        let inside = ratio.is_normal();
        self.shape * if inside { ratio.ln() } else { x.ln() - self.scale.ln() }
    }

    /// log p(x); −∞ outside (0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x <= 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let t = self.log_power(x);
        let constant = self.shape.ln() + self.tail.ln() - x.ln();
        // t − (tail + 1) log(1 + eᵗ) without the difference of large numbers.
        constant - softplus_scalar(-t) - self.tail * softplus_scalar(t)
    }

    /// log `E[xʳ]` = r log scale + log tail + log B(tail − r/shape, 1 + r/shape) for r < shape · tail.
    fn log_moment(&self, r: f64) -> f64 {
        let step = r / self.shape;
        r * self.scale.ln() + self.tail.ln() + log_beta(self.tail - step, 1.0 + step)
    }

    /// `E[x]`; ∞ unless shape · tail > 1.
    pub fn mean(&self) -> f64 {
        if self.shape * self.tail > 1.0 { self.log_moment(1.0).exp() } else { f64::INFINITY }
    }

    /// `Var[x]`; ∞ unless shape · tail > 2.
    pub fn variance(&self) -> f64 {
        if self.shape * self.tail > 2.0 {
            let log_mean = self.log_moment(1.0);
            (2.0 * log_mean + log_exp_m1(self.log_moment(2.0) - 2.0 * log_mean)).exp()
        } else {
            f64::INFINITY
        }
    }

    /// P(x̂ ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -(-self.tail * softplus_scalar(self.log_power(x))).exp_m1() }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { (-self.tail * softplus_scalar(self.log_power(x))).exp() }
    }

    /// The x with P(x̂ ≤ x) = `p`; NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        let t = log_exp_m1(exponential_quantile(p) / self.tail);
        self.scale * (t / self.shape).exp()
    }

    /// One draw, by the inverse of the CDF; where it would leave (0, ∞) it is the nearest normal number inside.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let unit = standard_exponential(rng);
        exp_inside(self.scale.ln() + log_exp_m1(unit / self.tail) / self.shape)
    }
}

impl PredictiveDistribution for Burr {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
