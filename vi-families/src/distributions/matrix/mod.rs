//! Distributions on matrices.

mod wishart;

pub use wishart::Wishart;

pub(crate) use wishart::entry_covariance;
