//! Distributions on vectors.

mod diagonal_gaussian;
mod dirichlet;
mod mv_gaussian;

pub use diagonal_gaussian::DiagonalGaussian;
pub use dirichlet::Dirichlet;
pub use mv_gaussian::MvGaussian;

pub(crate) use dirichlet::expected_log as dirichlet_expected_log;
