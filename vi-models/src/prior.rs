//! Priors of single parameters, for models that do not need conjugacy.
//!
//! Every proper prior is normalised on its support. Half-distributions therefore carry log 2 more than the full
//! density that some programs (Stan among them) leave untruncated.

use std::f64::consts::{LN_2, PI};

use serde::{Deserialize, Serialize};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, positive};

/// The prior of a real parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RealPrior {
    /// Density 1 everywhere: improper.
    Flat,
    /// N(mean, sd²).
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation > 0.
        sd: f64,
    },
    /// location + scale · t(dof).
    StudentT {
        /// Degrees of freedom ν > 0.
        dof: f64,
        /// Location.
        location: f64,
        /// Scale > 0.
        scale: f64,
    },
}

impl RealPrior {
    pub(crate) fn check(&self, model: &'static str, name: &str) -> Result<(), ModelError> {
        match *self {
            RealPrior::Flat => Ok(()),
            RealPrior::Normal { mean, sd } => {
                finite(model, &format!("{name}.normal.mean"), mean)?;
                positive(model, &format!("{name}.normal.sd"), sd)
            }
            RealPrior::StudentT { dof, location, scale } => {
                positive(model, &format!("{name}.student_t.dof"), dof)?;
                finite(model, &format!("{name}.student_t.location"), location)?;
                positive(model, &format!("{name}.student_t.scale"), scale)
            }
        }
    }

    /// log p(x).
    pub fn log_prob(&self, x: f64) -> f64 {
        self.log_constant() + self.log_kernel(x)
    }

    /// The part of log p(x) that does not depend on x.
    pub(crate) fn log_constant(&self) -> f64 {
        match *self {
            RealPrior::Flat => 0.0,
            RealPrior::Normal { sd, .. } => -0.5 * LOG_2_PI - sd.ln(),
            RealPrior::StudentT { dof, scale, .. } => student_constant(dof, scale),
        }
    }

    /// log p(x) without its constant.
    pub(crate) fn log_kernel(&self, x: f64) -> f64 {
        match *self {
            RealPrior::Flat => 0.0,
            RealPrior::Normal { mean, sd } => -0.5 * ((x - mean) / sd).powi(2),
            RealPrior::StudentT { dof, location, scale } => student_kernel((x - location) / scale, dof),
        }
    }

    /// d log p / dx.
    pub(crate) fn derivative(&self, x: f64) -> f64 {
        match *self {
            RealPrior::Flat => 0.0,
            RealPrior::Normal { mean, sd } => (mean - x) / (sd * sd),
            RealPrior::StudentT { dof, location, scale } => {
                student_derivative((x - location) / scale, dof) / scale
            }
        }
    }

    /// Where the density is highest, and minus the second derivative of its logarithm there.
    pub(crate) fn centre(&self) -> (f64, f64) {
        match *self {
            RealPrior::Flat => (0.0, 0.0),
            RealPrior::Normal { mean, sd } => (mean, (sd * sd).recip()),
            RealPrior::StudentT { dof, location, scale } => (location, (dof + 1.0) / (dof * scale * scale)),
        }
    }
}

/// The prior of a positive parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PositivePrior {
    /// Density 1 on the half-line: improper.
    Flat,
    /// |N(0, scale²)|.
    HalfNormal {
        /// Scale > 0.
        scale: f64,
    },
    /// |Cauchy(0, scale)|.
    HalfCauchy {
        /// Scale > 0.
        scale: f64,
    },
    /// |scale · t(dof)|.
    HalfStudentT {
        /// Degrees of freedom ν > 0.
        dof: f64,
        /// Scale > 0.
        scale: f64,
    },
    /// Gamma(shape, rate).
    Gamma {
        /// Shape > 0.
        shape: f64,
        /// Rate > 0.
        rate: f64,
    },
}

impl PositivePrior {
    pub(crate) fn check(&self, model: &'static str, name: &str) -> Result<(), ModelError> {
        match *self {
            PositivePrior::Flat => Ok(()),
            PositivePrior::HalfNormal { scale } => {
                positive(model, &format!("{name}.half_normal.scale"), scale)
            }
            PositivePrior::HalfCauchy { scale } => {
                positive(model, &format!("{name}.half_cauchy.scale"), scale)
            }
            PositivePrior::HalfStudentT { dof, scale } => {
                positive(model, &format!("{name}.half_student_t.dof"), dof)?;
                positive(model, &format!("{name}.half_student_t.scale"), scale)
            }
            PositivePrior::Gamma { shape, rate } => {
                positive(model, &format!("{name}.gamma.shape"), shape)?;
                positive(model, &format!("{name}.gamma.rate"), rate)
            }
        }
    }

    /// log p(x); −∞ for x ≤ 0.
    pub fn log_prob(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return f64::NEG_INFINITY;
        }
        self.log_constant() + self.log_kernel(x)
    }

    /// The part of log p(x) that does not depend on x.
    pub(crate) fn log_constant(&self) -> f64 {
        match *self {
            PositivePrior::Flat => 0.0,
            PositivePrior::HalfNormal { scale } => LN_2 - 0.5 * LOG_2_PI - scale.ln(),
            PositivePrior::HalfCauchy { scale } => LN_2 - PI.ln() - scale.ln(),
            PositivePrior::HalfStudentT { dof, scale } => LN_2 + student_constant(dof, scale),
            PositivePrior::Gamma { shape, rate } => shape * rate.ln() - log_gamma(shape),
        }
    }

    /// log p(x) without its constant, for x > 0.
    pub(crate) fn log_kernel(&self, x: f64) -> f64 {
        match *self {
            PositivePrior::Flat => 0.0,
            PositivePrior::HalfNormal { scale } => -0.5 * (x / scale).powi(2),
            PositivePrior::HalfCauchy { scale } => student_kernel(x / scale, 1.0),
            PositivePrior::HalfStudentT { dof, scale } => student_kernel(x / scale, dof),
            PositivePrior::Gamma { shape, rate } => (shape - 1.0) * x.ln() - rate * x,
        }
    }

    /// d log p / dx for x > 0.
    pub(crate) fn derivative(&self, x: f64) -> f64 {
        match *self {
            PositivePrior::Flat => 0.0,
            PositivePrior::HalfNormal { scale } => -x / (scale * scale),
            PositivePrior::HalfCauchy { scale } => student_derivative(x / scale, 1.0) / scale,
            PositivePrior::HalfStudentT { dof, scale } => student_derivative(x / scale, dof) / scale,
            PositivePrior::Gamma { shape, rate } => (shape - 1.0) / x - rate,
        }
    }
}

fn student_constant(dof: f64, scale: f64) -> f64 {
    log_gamma(0.5 * (dof + 1.0)) - log_gamma(0.5 * dof) - 0.5 * (dof * PI).ln() - scale.ln()
}

fn student_kernel(t: f64, dof: f64) -> f64 {
    -0.5 * (dof + 1.0) * (t * t / dof).ln_1p()
}

fn student_derivative(t: f64, dof: f64) -> f64 {
    -(dof + 1.0) * t / (dof + t * t)
}
