//! Distributions on (0, ∞) and its parts.

mod gamma;
mod inverse_gamma;

pub use gamma::Gamma;
pub use inverse_gamma::InverseGamma;
