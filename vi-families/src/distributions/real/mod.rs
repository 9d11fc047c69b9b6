//! Distributions on the line, on intervals and on the circle.

mod beta;
mod gaussian;

pub use beta::Beta;
pub use gaussian::Gaussian;

pub(crate) use gaussian::LOG_TWO_PI;
