//! The distributions, one file each.

mod bernoulli;
mod beta;
mod categorical;
mod dirichlet;
mod gamma;
mod gaussian;
mod inverse_gamma;
mod mv_gaussian;
mod normal_gamma;
mod normal_wishart;
mod wishart;

pub use bernoulli::Bernoulli;
pub use beta::Beta;
pub use categorical::Categorical;
pub use dirichlet::Dirichlet;
pub use gamma::Gamma;
pub use gaussian::Gaussian;
pub use inverse_gamma::InverseGamma;
pub use mv_gaussian::MvGaussian;
pub use normal_gamma::NormalGamma;
pub use normal_wishart::NormalWishart;
pub use wishart::Wishart;

pub(crate) use dirichlet::expected_log as dirichlet_expected_log;
pub(crate) use gaussian::LOG_TWO_PI;
