//! The half-Student-t distribution: a half-normal whose precision is Gamma.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::compound_gamma::{beta_prime_cdf, beta_prime_survival};
use super::{PredictiveDistribution, StudentT};
use crate::error::FamilyError;
use crate::special::log_beta;
use crate::validate::positive;

const FAMILY: &str = "HalfStudentT";

/// The half-Student-t distribution on [0, ∞): the law of |x| for a Student-t x centred at zero.
///
/// ```text
/// p(x) = 2 / (√dof B(dof/2, ½) scale) · (1 + x²/(dof scale²))^(−(dof + 1)/2)
/// ```
/// The law of a half-normal variable whose precision is Gamma(dof/2, rate = dof scale²/2) (Gelman 2006, section 3.2,
/// also as a prior of standard deviations).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalfStudentT {
    signed: StudentT,
}

impl HalfStudentT {
    /// The distribution with these degrees of freedom and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_dof_scale(dof: f64, scale: f64) -> Result<Self, FamilyError> {
        let (dof, scale) = (positive(FAMILY, "dof", dof)?, positive(FAMILY, "scale", scale)?);
        Ok(Self { signed: StudentT::from_location_scale_dof(0.0, scale, dof)? })
    }

    /// The degrees of freedom.
    pub fn dof(&self) -> f64 {
        self.signed.dof()
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.signed.scale()
    }

    /// log p(x); −∞ outside [0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x < 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        std::f64::consts::LN_2 + self.signed.log_prob(x)
    }

    /// `E[x]` = 2 scale √dof / ((dof − 1) B(dof/2, ½)); ∞ for one degree of freedom or less.
    pub fn mean(&self) -> f64 {
        let dof = self.dof();
        if dof > 1.0 {
            2.0 * self.scale() * dof.sqrt() * (-log_beta(0.5 * dof, 0.5)).exp() / (dof - 1.0)
        } else {
            f64::INFINITY
        }
    }

    /// `Var[x]` = scale² dof/(dof − 2) − `E[x]`²; ∞ for two degrees of freedom or less.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        if self.dof() > 2.0 { self.signed.variance() - mean * mean } else { f64::INFINITY }
    }

    /// x²/(dof scale²), which is beta prime with shapes ½ and dof/2.
    fn square_ratio(&self, x: f64) -> f64 {
        let ratio = x / self.scale();
        ratio * (ratio / self.dof())
    }

    /// P(x̂ ≤ x), with its relative accuracy where it is small.
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { beta_prime_cdf(0.5, 0.5 * self.dof(), self.square_ratio(x)) }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { beta_prime_survival(0.5, 0.5 * self.dof(), self.square_ratio(x)) }
    }

    /// One draw; where it would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.signed.sample(rng).abs()
    }
}

impl PredictiveDistribution for HalfStudentT {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
