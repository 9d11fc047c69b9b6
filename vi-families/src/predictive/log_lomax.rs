//! The log-Lomax distribution: a Pareto whose shape is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::{Lomax, PredictiveDistribution};
use crate::distributions::log_ratio;
use crate::error::FamilyError;
use crate::validate::positive;

const FAMILY: &str = "LogLomax";

/// The law of minimum · eʸ on [minimum, ∞) for y ~ [`Lomax`](shape, scale).
///
/// ```text
/// p(x) = shape / (scale · x) · (1 + log(x/minimum)/scale)^(−shape − 1)
/// ```
/// The law of a Pareto variable with this minimum whose shape is Gamma(shape, rate = scale). It has no moments:
/// the tail falls with a power of log x only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLomax {
    minimum: f64,
    log_excess: Lomax,
}

impl LogLomax {
    /// The distribution with this minimum, and shape and scale of log(x / minimum).
    ///
    /// # Errors
    /// [`FamilyError`] unless all are finite and positive.
    pub fn from_minimum_shape_scale(minimum: f64, shape: f64, scale: f64) -> Result<Self, FamilyError> {
        let minimum = positive(FAMILY, "minimum", minimum)?;
        let (shape, scale) = (positive(FAMILY, "shape", shape)?, positive(FAMILY, "scale", scale)?);
        Ok(Self { minimum, log_excess: Lomax::from_shape_scale(shape, scale)? })
    }

    /// The smallest possible value.
    pub fn minimum(&self) -> f64 {
        self.minimum
    }

    /// The law of log(x / minimum).
    pub fn log_excess(&self) -> &Lomax {
        &self.log_excess
    }

    /// log p(x); −∞ outside [minimum, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x < self.minimum || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        self.log_excess.log_prob(log_ratio(x, self.minimum)) - x.ln()
    }

    /// `E[x]`, always ∞.
    pub fn mean(&self) -> f64 {
        f64::INFINITY
    }

    /// `Var[x]`, always ∞.
    pub fn variance(&self) -> f64 {
        f64::INFINITY
    }

    /// P(x̂ ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= self.minimum { 0.0 } else { self.log_excess.cdf(log_ratio(x, self.minimum)) }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= self.minimum { 1.0 } else { self.log_excess.survival(log_ratio(x, self.minimum)) }
    }

    /// The x with P(x̂ ≤ x) = `p`; NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        self.minimum + self.minimum * self.log_excess.quantile(p).exp_m1()
    }

    /// One draw; where it would overflow, as the tail often does, it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        (self.minimum + self.minimum * self.log_excess.sample(rng).exp_m1()).min(f64::MAX)
    }
}

impl PredictiveDistribution for LogLomax {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
