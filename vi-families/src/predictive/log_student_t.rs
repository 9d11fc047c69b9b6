//! The log-Student-t distribution: a log-normal whose precision on the log scale is Gamma.

use vi_core::StreamRng;

use super::PredictiveDistribution;
use super::half_student_t::{student_t_log_prob, student_t_variate};
use crate::draw::exp_inside;
use crate::error::FamilyError;
use crate::validate::{finite, positive};

const FAMILY: &str = "LogStudentT";

/// The law of eʸ on (0, ∞) for y = location + scale · t, t a standard Student-t.
///
/// ```text
/// p(x) = (1 + t²/dof)^(−(dof + 1)/2) / (x √dof B(dof/2, ½) scale)      t = (log x − location)/scale
/// ```
/// The law of a log-normal variable with log-mean `location` whose precision on the log scale is
/// Gamma(dof/2, rate = dof scale²/2). It has no moments: the tail falls with a power of log x only.
#[derive(Clone, Debug, PartialEq)]
pub struct LogStudentT {
    dof: f64,
    location: f64,
    scale: f64,
}

impl LogStudentT {
    /// The distribution with these degrees of freedom, and location and scale of log x.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the others finite and positive.
    pub fn from_dof_location_scale(dof: f64, location: f64, scale: f64) -> Result<Self, FamilyError> {
        let location = finite(FAMILY, "location", location)?;
        Ok(Self { dof: positive(FAMILY, "dof", dof)?, location, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The degrees of freedom.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// The location of log x, also its median.
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The scale of log x.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// log p(x); −∞ outside (0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x <= 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let log = x.ln();
        student_t_log_prob(log - self.location, self.dof, self.scale) - log
    }

    /// `E[x]`, always ∞.
    pub fn mean(&self) -> f64 {
        f64::INFINITY
    }

    /// `Var[x]`, always ∞.
    pub fn variance(&self) -> f64 {
        f64::INFINITY
    }

    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞).
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        exp_inside(self.location + self.scale * student_t_variate(self.dof, rng))
    }
}

impl PredictiveDistribution for LogStudentT {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
