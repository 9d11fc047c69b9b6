//! Distributions on matrices.

mod inverse_wishart;
mod matrix_gaussian;
mod row_covariance;
mod wishart;

pub use inverse_wishart::InverseWishart;
pub use matrix_gaussian::MatrixGaussian;
pub use row_covariance::RowCovariance;
pub use wishart::Wishart;

pub(in crate::distributions) use wishart::check_dof;
pub(crate) use wishart::entry_covariance;
