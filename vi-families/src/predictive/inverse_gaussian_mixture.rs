//! An inverse Gaussian of known mean whose shape is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::distributions::{Gamma, InverseGaussian, deviance};
use crate::draw::log_gamma_variate;
use crate::error::FamilyError;
use crate::special::log_beta;
use crate::validate::positive;

const FAMILY: &str = "InverseGaussianMixture";

/// The law on (0, ∞) of an inverse Gaussian variable with this mean whose shape is Gamma(shape, rate).
///
/// ```text
/// p(x) = (1 + d/rate)^(−shape − ½) / (B(shape, ½) √(2 rate x³))      d = (x − mean)² / (2 mean² x)
/// ```
/// d is compound Gamma with shape ½, tail index `shape` and scale `rate`. (Banerjee & Bhattacharyya 1979,
/// "Bayesian results for the inverse Gaussian distribution", Technometrics 21:247.) The tail of x falls with
/// x^(−shape − 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InverseGaussianMixture {
    mean: f64,
    mixing: Gamma,
}

impl InverseGaussianMixture {
    /// The distribution with this mean, and shape and rate of the mixing Gamma.
    ///
    /// # Errors
    /// [`FamilyError`] unless all are finite and positive.
    pub fn from_mean_shape_rate(mean: f64, shape: f64, rate: f64) -> Result<Self, FamilyError> {
        let (mean, shape) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "shape", shape)?);
        Ok(Self { mean, mixing: Gamma::from_shape_rate(shape, positive(FAMILY, "rate", rate)?)? })
    }

    /// The law of the shape of the inverse Gaussian.
    pub fn mixing(&self) -> &Gamma {
        &self.mixing
    }

    /// log p(x); −∞ outside (0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x <= 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let (a, b) = (self.mixing.shape(), self.mixing.rate());
        let scale = 0.5 * (std::f64::consts::LN_2 + b.ln()) + 1.5 * x.ln();
        -(a + 0.5) * (deviance(x, self.mean) / b).ln_1p() - log_beta(a, 0.5) - scale
    }

    /// `E[x]`.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// `Var[x]` = mean³ rate / (shape − 1); ∞ for a shape of 1 or less.
    pub fn variance(&self) -> f64 {
        let (a, b) = (self.mixing.shape(), self.mixing.rate());
        if a > 1.0 { self.mean * self.mean * (self.mean * (b / (a - 1.0))) } else { f64::INFINITY }
    }

    /// One draw: a shape, then a value; where it would leave (0, ∞) it is the nearest normal number inside.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let log_shape = log_gamma_variate(self.mixing.shape(), rng) - self.mixing.rate().ln();
        InverseGaussian::draw(self.mean, log_shape, rng)
    }
}

impl PredictiveDistribution for InverseGaussianMixture {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
