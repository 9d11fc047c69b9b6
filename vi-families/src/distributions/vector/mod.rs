//! Distributions on vectors.

mod dirichlet;
mod mv_gaussian;

pub use dirichlet::Dirichlet;
pub use mv_gaussian::MvGaussian;

pub(crate) use dirichlet::expected_log as dirichlet_expected_log;
