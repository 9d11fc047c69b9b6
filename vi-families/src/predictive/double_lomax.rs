//! The double Lomax distribution: a Laplace whose rate is Gamma.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::{Lomax, PredictiveDistribution};
use crate::error::FamilyError;
use crate::validate::{finite, positive};

const FAMILY: &str = "DoubleLomax";

/// The law of location ± y on ℝ, both signs alike, for y ~ [`Lomax`](shape, scale).
///
/// ```text
/// p(x) = shape / (2 scale) · (1 + |x − location|/scale)^(−shape − 1)
/// ```
/// The law of a Laplace variable whose reciprocal scale is Gamma(shape, rate = scale).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoubleLomax {
    location: f64,
    distance: Lomax,
}

impl DoubleLomax {
    /// The distribution with this location, and shape and scale of the distance from it.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the others finite and positive.
    pub fn from_location_shape_scale(location: f64, shape: f64, scale: f64) -> Result<Self, FamilyError> {
        let location = finite(FAMILY, "location", location)?;
        let (shape, scale) = (positive(FAMILY, "shape", shape)?, positive(FAMILY, "scale", scale)?);
        Ok(Self { location, distance: Lomax::from_shape_scale(shape, scale)? })
    }

    /// The location, also the median and the mode.
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The law of |x − location|.
    pub fn distance(&self) -> &Lomax {
        &self.distance
    }

    /// log p(x); −∞ at ±∞.
    pub fn log_prob(&self, x: f64) -> f64 {
        self.distance.log_prob((x - self.location).abs()) - std::f64::consts::LN_2
    }

    /// `E[x]`, the location; NaN for a shape of 1 or less.
    pub fn mean(&self) -> f64 {
        if self.distance.shape() > 1.0 { self.location } else { f64::NAN }
    }

    /// `Var[x]` = 2 scale² / ((shape − 1)(shape − 2)); ∞ for a shape of 2 or less, NaN for 1 or less.
    pub fn variance(&self) -> f64 {
        let (shape, scale) = (self.distance.shape(), self.distance.scale());
        if shape > 2.0 {
            2.0 * (scale / (shape - 1.0)) * (scale / (shape - 2.0))
        } else if shape > 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        }
    }

    /// P(x̂ ≤ x), with its relative accuracy where it is small.
    pub fn cdf(&self, x: f64) -> f64 {
        let tail = 0.5 * self.distance.survival((x - self.location).abs());
        if x > self.location { 1.0 - tail } else { tail }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        let tail = 0.5 * self.distance.survival((x - self.location).abs());
        if x > self.location { tail } else { 1.0 - tail }
    }

    /// The x with P(x̂ ≤ x) = `p`; NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        // (2p)^(−1/shape) − 1 is the distance below the median, and the same with 1 − p above it.
        let distance =
            |tail: f64| self.distance.scale() * (-(2.0 * tail).ln() / self.distance.shape()).exp_m1();
        if !(0.0..=1.0).contains(&p) {
            f64::NAN
        } else if p > 0.5 {
            self.location + distance(1.0 - p)
        } else {
            self.location - distance(p)
        }
    }

    /// One draw; where it would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let distance = self.distance.sample(rng);
        let x = self.location + if rng.random::<bool>() { distance } else { -distance };
        x.clamp(f64::MIN, f64::MAX)
    }
}

impl PredictiveDistribution for DoubleLomax {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
