//! Distributions on the line, on intervals and on the circle.

mod arc;
mod beta;
mod continuous_bernoulli;
mod gaussian;
mod gaussian_piece;
mod laplace;
pub(super) mod polar;
mod root;
mod truncated_gaussian;
mod von_mises;

pub use beta::Beta;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use gaussian::Gaussian;
pub use laplace::Laplace;
pub use truncated_gaussian::TruncatedGaussian;
pub use von_mises::VonMises;

pub(crate) use gaussian::LOG_TWO_PI;
pub(in crate::distributions) use gaussian::precision_gap;
pub(super) use von_mises::LARGEST_CONCENTRATION;
