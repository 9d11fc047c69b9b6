//! Exponential-family distributions, and the variational families built from them.
//!
//! | where | what |
//! |---|---|
//! | [`ExponentialFamily`] | the contract: η, A, ∇A and its inverse, Fisher, T, entropy, KL |
//! | [`Gaussian`] [`MvGaussian`] [`Gamma`] [`InverseGamma`] [`Beta`] [`Dirichlet`] [`Bernoulli`] [`Categorical`] [`NormalGamma`] [`Wishart`] [`NormalWishart`] | its members, one file each |
//! | [`VariationalFamily`], [`VariationalDistribution`], [`Reparameterized`] | the contract of q_λ with unconstrained λ |
//! | [`MeanFieldGaussian`], [`FullRankGaussian`], [`ProductFamily`] | its members |
//! | [`NaturalConditionals`], [`Conjugate`], [`Factor`] | conditionally conjugate models from their natural parameters |
//! | [`special`] | log Γ, digamma, trigamma, their multivariate forms, log B |
//! | [`symmetric`] | how symmetric matrices stand in vectors of parameters |
//! | `testing` (feature) | contract checks, for your families too |
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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
