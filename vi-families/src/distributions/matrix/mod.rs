//! Distributions on matrices.

mod inverse_wishart;
mod wishart;

pub use inverse_wishart::InverseWishart;
pub use wishart::Wishart;

pub(crate) use wishart::entry_covariance;
