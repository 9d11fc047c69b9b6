//! Distributions on (0, ∞) and its parts.

mod chi_squared;
mod exponential;
mod gamma;
mod half_normal;
mod inverse_gamma;
mod inverse_gaussian;
mod inverse_gaussian_tails;
mod log_normal;
mod numerics;
mod pareto;
mod rayleigh;
pub(in crate::distributions) mod unit_gamma;
mod weibull;

pub use chi_squared::ChiSquared;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use half_normal::HalfNormal;
pub use inverse_gamma::InverseGamma;
pub use inverse_gaussian::InverseGaussian;
pub use log_normal::LogNormal;
pub use pareto::Pareto;
pub use rayleigh::Rayleigh;
pub use weibull::Weibull;

pub(crate) use inverse_gaussian::deviance;
pub(crate) use numerics::{EULER, exponential_quantile, log_exp_m1};
pub(crate) use pareto::log_ratio;
