//! Exponential-family distributions, and the variational families built from them.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod conjugate;
mod distributions;
mod draw;
mod error;
mod exponential_family;
mod factor;
mod solve;
pub mod special;
pub mod symmetric;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod triangular;
mod validate;
mod variational;

pub use conjugate::{Conjugate, NaturalConditionals};
pub use distributions::{
    Bernoulli, Beta, Categorical, Dirichlet, Gamma, Gaussian, InverseGamma, MvGaussian, NormalGamma,
    NormalWishart, Wishart,
};
pub use error::FamilyError;
pub use exponential_family::ExponentialFamily;
pub use factor::Factor;
pub use variational::{
    FullRankGaussian, FullRankGaussianMember, MeanFieldGaussian, MeanFieldGaussianMember, ProductFamily,
    ProductMember, Reparameterized, VariationalDistribution, VariationalFamily,
};
