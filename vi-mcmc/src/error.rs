//! What can go wrong while sampling, with the point where it did.

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, ParameterError, ParameterSpace, RunError};

/// How many coordinates of a point are printed.
const N_SHOWN: usize = 20;

/// A point of the support with the names of its coordinates; prints as `mu = 1.5, tau = 2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    names: Vec<String>,
    values: Vec<f64>,
}

impl Point {
    /// The point `z` (D) of a space.
    pub fn new(space: &ParameterSpace, z: &ArrayRef1<f64>) -> Self {
        Self { names: space.names().to_vec(), values: z.to_vec() }
    }

    /// The names of the coordinates.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of the coordinates.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, value)) in self.names.iter().zip(&self.values).take(N_SHOWN).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} = {value}")?;
        }
        match self.values.len().saturating_sub(N_SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Why sampling failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McmcError {
    /// A setting is outside its domain.
    #[error("{name} = {value}, but it must be {requirement}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its domain in words.
        requirement: &'static str,
    },
    /// A variable cannot be sampled on ℝᴰ, or a start lies outside its support.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The log joint is NaN or +∞ at a point of the support: a fault of the model.
    #[error("log joint is {value} at {z}")]
    LogJoint {
        /// Its value.
        value: f64,
        /// Where.
        z: Point,
    },
    /// The log joint is finite but its gradient is NaN: a fault of the model.
    #[error("gradient of the log joint in {coordinate} is NaN at {z}")]
    Gradient {
        /// The coordinate on the unconstrained scale.
        coordinate: String,
        /// Where.
        z: Point,
    },
    /// No random start has a finite log joint.
    #[error("none of {n_tries} random starts has a finite log joint and gradient; the last: {value} at {z}")]
    NoStart {
        /// The number of starts tried.
        n_tries: u64,
        /// The log joint at the last of them.
        value: f64,
        /// The last of them.
        z: Point,
    },
    /// The log joint is not finite at a start that was given.
    #[error("log joint is {value} at the given start {z}")]
    Start {
        /// The log joint there.
        value: f64,
        /// The start.
        z: Point,
    },
    /// The log joint does not change with a coordinate around a start: NUTS cannot tell its scale.
    #[error("log joint does not depend on {coordinate} around {z}")]
    Flat {
        /// The coordinate on the unconstrained scale.
        coordinate: String,
        /// The start.
        z: Point,
    },
    /// The array of starts has the wrong shape.
    #[error("starts have shape {actual:?}, expected {expected:?} (chains, variables)")]
    StartShape {
        /// Shape required.
        expected: (usize, usize),
        /// Shape found.
        actual: (usize, usize),
    },
    /// A complete conditional could not be formed.
    #[error(transparent)]
    Conjugate(#[from] ConjugateError),
    /// nuts-rs failed for a reason of its own.
    #[error("nuts-rs: {message}")]
    Nuts {
        /// What it said.
        message: String,
    },
    /// An iteration failed.
    #[error("iteration {iteration}: {source}")]
    Iteration {
        /// The iteration, counted from 0 with the warm-up.
        iteration: u64,
        /// Why.
        source: Box<McmcError>,
    },
    /// An observer of a chain failed.
    #[error("iteration {iteration}: {source}")]
    Observer {
        /// The iteration, counted from 0 with the warm-up.
        iteration: u64,
        /// Its error.
        source: vi_core::ObserverError,
    },
    /// A chain failed.
    #[error("chain {chain}: {source}")]
    Chain {
        /// The chain, counted from 0.
        chain: u32,
        /// Why.
        source: Box<McmcError>,
    },
}

impl From<RunError<McmcError>> for McmcError {
    fn from(error: RunError<McmcError>) -> Self {
        match error {
            RunError::Kernel { iteration, source } => Self::Iteration { iteration, source: Box::new(source) },
            RunError::Observer { iteration, source } => Self::Observer { iteration, source },
            other => Self::Nuts { message: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use vi_core::{Parameter, Support};

    #[test]
    fn long_points_are_cut() {
        let space = ParameterSpace::new([Parameter::vector("x", 22, Support::Real)]).unwrap();
        let text = Point::new(&space, &Array1::zeros(22)).to_string();
        assert!(text.starts_with("x[1] = 0, x[2] = 0, ") && text.ends_with("x[20] = 0 and 2 more"), "{text}");
    }
}
