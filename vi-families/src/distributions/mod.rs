//! The distributions, one file each, by what they are distributions of.

mod by_expectation;
mod discrete;
mod joint;
mod matrix;
mod positive;
mod real;
mod vector;

pub use discrete::*;
pub use joint::*;
pub use matrix::*;
pub use positive::*;
pub use real::*;
pub use vector::*;

pub(crate) use matrix::entry_covariance;
pub(crate) use positive::{EULER, deviance, exponential_quantile, log_exp_m1, log_ratio};
pub(crate) use real::LOG_TWO_PI;
pub(crate) use vector::dirichlet_expected_log;
