//! Distributions on vectors.

mod diagonal_gaussian;
mod dirichlet;
mod mv_gaussian;
mod von_mises_fisher;

pub use diagonal_gaussian::DiagonalGaussian;
pub use dirichlet::Dirichlet;
pub use mv_gaussian::MvGaussian;
pub use von_mises_fisher::VonMisesFisher;

pub(crate) use dirichlet::expected_log as dirichlet_expected_log;
