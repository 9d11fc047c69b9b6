//! Exponential-family distributions, and the variational families built from them.
//!
//! | where | what |
//! |---|---|
//! | [`ExponentialFamily`] | the contract: η, A, ∇A and its inverse, Fisher, T, entropy, divergences, fits |
//! | [`Parametric`] | the usual parameters and an unconstrained form, with Jacobians, Fisher information and scores |
//! | [`Univariate`], [`Multivariate`] | mean, variance, mode, support, CDF and quantiles |
//! | [`ImplicitReparameterized`] | derivatives of draws with respect to parameters |
//! | [`LogProbSlice`], [`SampleSlice`], `Gamma::log_prob_each`, … | the same on slices, vectorised, without allocation |
//! | [`SufficientStats`] | weighted, mergeable sums of T, and the maximum-likelihood member |
//! | [`ConjugateLikelihood`], [`Observed`], [`PredictiveDistribution`] | posteriors, evidences, predictive distributions; [`UniformBound`] |
//! | [`Bernoulli`] [`Categorical`] [`Binomial`] [`Geometric`] [`NegativeBinomial`] [`Poisson`] [`Multinomial`] | its members, one file each: discrete |
//! | [`Exponential`] [`Gamma`] [`InverseGamma`] [`ChiSquared`] [`InverseGaussian`] [`HalfNormal`] [`LogNormal`] [`Pareto`] [`Weibull`] [`Rayleigh`] | positive |
//! | [`Gaussian`] [`Laplace`] [`TruncatedGaussian`] [`Beta`] [`ContinuousBernoulli`] [`VonMises`] | on the line, an interval, the circle |
//! | [`MvGaussian`] [`DiagonalGaussian`] [`Dirichlet`] [`VonMisesFisher`] [`Wishart`] [`InverseWishart`] [`MatrixGaussian`] | vectors and matrices |
//! | [`NormalGamma`] [`NormalInverseGamma`] [`NormalWishart`] [`NormalInverseWishart`] | a location with its precision or covariance |
//! | [`VariationalFamily`], [`VariationalDistribution`], [`Reparameterized`], [`DifferentiableDensity`] | the contract of q_λ with unconstrained λ |
//! | [`MeanFieldGaussian`], [`FullRankGaussian`], [`LowRankGaussian`], [`BlockDiagonalGaussian`], [`GaussianMixture`], [`StudentTMeanField`], [`LearnedStudentTMeanField`], [`ProductFamily`] | its members |
//! | [`NearGaussian`] | members near a given Gaussian, and coordinates of λ that go with it |
//! | [`UniformTransport`], [`Disperse`], [`DisperseFactors`] | members as images of the unit cube; members with heavier tails, as proposals |
//! | [`PlateFamily`] | one member for every datum: [`BernoulliPlate`], [`GaussianPlate`], [`EachMember`] of any variational family |
//! | [`NaturalConditionals`], [`Conjugate`], [`Factor`] | conditionally conjugate models from their natural parameters |
//! | [`special`] | log Γ and its derivatives, incomplete gamma and beta and their inverses, Bessel I, the normal distribution function |
//! | [`symmetric`] | how symmetric matrices stand in vectors of parameters |
//! | `testing` (feature) | contract checks, for your families too |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod conjugacy;
mod conjugate;
mod coordinates;
mod counts;
mod deserialize;
mod distributions;
mod draw;
mod error;
mod exponential_family;
mod factor;
mod factor_kind;
mod implicit;
mod multivariate;
mod parametric;
mod plate;
mod positive_definite;
mod predictive;
mod slices;
mod solve;
pub mod special;
mod sufficient;
pub mod symmetric;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod triangular;
mod univariate;
mod validate;
mod variational;

pub use conjugacy::*;
pub use conjugate::{Conjugate, NaturalConditionals};
pub use coordinates::Coordinates;
pub use distributions::*;
pub use draw::log_gamma_variate;
pub use error::FamilyError;
pub use exponential_family::ExponentialFamily;
pub use factor::Factor;
pub use implicit::ImplicitReparameterized;
pub use multivariate::Multivariate;
pub use parametric::{ParameterBlock, Parametric};
pub use plate::{BernoulliPlate, EachMember, GammaPlate, GaussianPlate, PlateFamily};
pub use predictive::*;
pub use slices::{LogProbSlice, SampleSlice, fill_standard_normal};
pub use sufficient::SufficientStats;
pub use univariate::Univariate;
pub use variational::{
    BlockDiagonalGaussian, BlockDiagonalGaussianMember, Damping, DifferentiableDensity, Disperse,
    DisperseFactors, FactorizedDistribution, FullRankGaussian, FullRankGaussianMember, GaussianMixture,
    GaussianMixtureMember, GaussianTarget, GaussianTransport, LearnedStudentTMeanField,
    LearnedStudentTMeanFieldMember, LowRankGaussian, LowRankGaussianMember, MeanFieldGaussian,
    MeanFieldGaussianMember, MeasureValuedDistribution, MixtureComponent, MixtureFamily, NearGaussian,
    ProductFamily, ProductMember, Reparameterized, StudentTMeanField, StudentTMeanFieldMember,
    UniformTransport, VariationalDistribution, VariationalFamily,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
