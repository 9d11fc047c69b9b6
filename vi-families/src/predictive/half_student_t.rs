//! The half-Student-t distribution: a half-normal whose precision is Gamma.

use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::draw::{log_gamma_variate, standard_normal};
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
#[derive(Clone, Debug, PartialEq)]
pub struct HalfStudentT {
    dof: f64,
    scale: f64,
}

/// log p(x) of a Student-t centred at zero.
pub(super) fn student_t_log_prob(x: f64, dof: f64, scale: f64) -> f64 {
    let ratio = x / scale / dof.sqrt();
    let log_tail = if ratio.abs() < 1e150 {
        (ratio * ratio).ln_1p()
    } else {
        // The square, or the ratio itself, may overflow.
        2.0 * (x.abs().ln() - scale.ln()) - dof.ln()
    };
    -scale.ln() - 0.5 * dof.ln() - log_beta(0.5 * dof, 0.5) - 0.5 * (dof + 1.0) * log_tail
}

/// A standard Student-t draw, possibly infinite where the degrees of freedom are few.
pub(super) fn student_t_variate(dof: f64, rng: &mut StreamRng) -> f64 {
    let log_sd = 0.5 * ((0.5 * dof).ln() - log_gamma_variate(0.5 * dof, rng));
    standard_normal(rng) * log_sd.exp().min(f64::MAX)
}

impl HalfStudentT {
    /// The distribution with these degrees of freedom and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_dof_scale(dof: f64, scale: f64) -> Result<Self, FamilyError> {
        Ok(Self { dof: positive(FAMILY, "dof", dof)?, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The degrees of freedom.
    pub fn dof(&self) -> f64 {
        self.dof
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
        std::f64::consts::LN_2 + student_t_log_prob(x, self.dof, self.scale)
    }

    /// `E[x]` = 2 scale √dof / ((dof − 1) B(dof/2, ½)); ∞ for one degree of freedom or less.
    pub fn mean(&self) -> f64 {
        let dof = self.dof;
        if dof > 1.0 {
            2.0 * self.scale * dof.sqrt() * (-log_beta(0.5 * dof, 0.5)).exp() / (dof - 1.0)
        } else {
            f64::INFINITY
        }
    }

    /// `Var[x]` = scale² dof/(dof − 2) − `E[x]`²; ∞ for two degrees of freedom or less.
    pub fn variance(&self) -> f64 {
        let (s, mean) = (self.scale, self.mean());
        if self.dof > 2.0 { s * s * (self.dof / (self.dof - 2.0)) - mean * mean } else { f64::INFINITY }
    }

    /// One draw; where it would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        (self.scale * student_t_variate(self.dof, rng).abs()).min(f64::MAX)
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
