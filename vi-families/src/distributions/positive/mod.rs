//! Distributions on (0, ∞) and its parts.

mod exponential;
mod gamma;
mod inverse_gamma;
mod numerics;
mod pareto;
mod rayleigh;
mod weibull;

pub use exponential::Exponential;
pub use gamma::Gamma;
pub use inverse_gamma::InverseGamma;
pub use pareto::Pareto;
pub use rayleigh::Rayleigh;
pub use weibull::Weibull;
