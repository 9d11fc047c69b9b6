//! The model zoo: Bayesian models written once, with every capability they honestly have.

mod checks;
pub mod eight_schools;
mod error;
pub mod gaussian_mixture;
pub mod linear_regression;
pub mod logistic_regression;
pub mod normal_mean_precision;
pub mod regression;
mod scratch;

pub use error::ModelError;
