//! Distributions on the line, on intervals and on the circle.

mod beta;
mod continuous_bernoulli;
mod gaussian;
mod laplace;

pub use beta::Beta;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use gaussian::Gaussian;
pub use laplace::Laplace;

pub(crate) use gaussian::LOG_TWO_PI;
