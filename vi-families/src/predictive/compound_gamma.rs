//! The compound Gamma distribution: a Gamma of known shape whose rate is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use super::lomax::log_1p_ratio;
use crate::draw::{exp_inside, log_gamma_variate};
use crate::error::FamilyError;
use crate::special::{log_beta, regularized_beta, regularized_beta_upper};
use crate::validate::positive;

const FAMILY: &str = "CompoundGamma";

/// The compound Gamma distribution on (0, ∞): the beta prime distribution with a scale.
///
/// ```text
/// p(x) = u^shape (1 + u)^(−shape − tail) / (x B(shape, tail))      u = x/scale
/// ```
/// The law of a Gamma variable of known shape whose rate is Gamma(tail, rate = scale) (Dubey 1970, "Compound gamma,
/// beta and F distributions", Metrika 16:27); [`Lomax`](crate::Lomax) for a shape of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompoundGamma {
    shape: f64,
    tail: f64,
    scale: f64,
}

/// P(v ≤ u) for a beta prime variable v with these shapes: for each u from the smaller of v/(1 + v) and 1/(1 + v).
pub(super) fn beta_prime_cdf(shape: f64, tail: f64, u: f64) -> f64 {
    if u > 1.0 {
        regularized_beta_upper(tail, shape, 1.0 / (1.0 + u))
    } else {
        regularized_beta(shape, tail, u / (1.0 + u))
    }
}

/// P(v > u), as [`beta_prime_cdf`].
pub(super) fn beta_prime_survival(shape: f64, tail: f64, u: f64) -> f64 {
    if u > 1.0 {
        regularized_beta(tail, shape, 1.0 / (1.0 + u))
    } else {
        regularized_beta_upper(shape, tail, u / (1.0 + u))
    }
}

impl CompoundGamma {
    /// The distribution with this shape, tail index and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless all are finite and positive.
    pub fn from_shape_tail_scale(shape: f64, tail: f64, scale: f64) -> Result<Self, FamilyError> {
        let (shape, tail) = (positive(FAMILY, "shape", shape)?, positive(FAMILY, "tail", tail)?);
        Ok(Self { shape, tail, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The shape: the density is of order x^(shape − 1) at zero.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The tail index: the density is of order x^(−tail − 1) at infinity.
    pub fn tail(&self) -> f64 {
        self.tail
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// log p(x); −∞ outside (0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x <= 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        // log[u/(1 + u)] and log[1/(1 + u)], each without cancellation.
        let (below, above) = (log_1p_ratio(self.scale, x), log_1p_ratio(x, self.scale));
        -self.shape * below - self.tail * above - x.ln() - log_beta(self.shape, self.tail)
    }

    /// `E[x]` = shape · scale / (tail − 1); ∞ for a tail index of 1 or less.
    pub fn mean(&self) -> f64 {
        if self.tail > 1.0 { self.scale * (self.shape / (self.tail - 1.0)) } else { f64::INFINITY }
    }

    /// `Var[x]`; ∞ for a tail index of 2 or less.
    ///
    /// ```text
    /// scale² shape (shape + tail − 1) / ((tail − 1)² (tail − 2))
    /// ```
    pub fn variance(&self) -> f64 {
        let (k, a) = (self.shape, self.tail);
        if a > 2.0 {
            self.mean() * (self.scale * ((k + a - 1.0) / (a - 1.0) / (a - 2.0)))
        } else {
            f64::INFINITY
        }
    }

    /// P(x̂ ≤ x), with its relative accuracy where it is small.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { beta_prime_cdf(self.shape, self.tail, x / self.scale) }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { beta_prime_survival(self.shape, self.tail, x / self.scale) }
    }

    /// One draw: a ratio of Gamma variables; where it would leave (0, ∞) it is the nearest normal number inside.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let numerator = log_gamma_variate(self.shape, rng);
        exp_inside(self.scale.ln() + numerator - log_gamma_variate(self.tail, rng))
    }
}

impl PredictiveDistribution for CompoundGamma {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
