//! Core of `vi`: what every method of Bayesian variational inference shares.
//!
//! A model says what it knows as traits; a method asks for what it needs as a bound; one loop drives them all;
//! every fitted result is a [`Posterior`].
//!
//! # Map
//!
//! | | |
//! |---|---|
//! | **Models** | [`LogJoint`] is log p(x, z) with the data inside. More knowledge is more traits: [`GradLogJoint`], [`LocalLogJoint`] (terms by block), [`Subsample`] (minibatches), [`Predictive`], [`KnownPosterior`], [`Reported`] (reparametrised), [`ConditionallyConjugate`] (complete conditionals, for coordinate ascent and Gibbs), [`NaturalFactors`] (damping, annealing), [`Exchangeable`] (stochastic variational inference), [`SplitMerge`] (moves between optima) |
//! | **Plates** | [`PlateModel`]: latent variables of every datum, parameters θ that all data share and that are learned; [`PlateJoint`] at fixed θ |
//! | **Gradients** | by hand, or from `AutoGrad` (feature `autodiff`) |
//! | **Layout of z** | [`ParameterSpace`], [`Parameter`], [`Support`] |
//! | **Onto ℝᴰ** | [`Unconstrained`] wraps a model, [`Bijection`] maps points, gradients and densities |
//! | **Randomness** | [`StreamKey`]: a stream is named by (seed, role, iteration, sample); no generator is ever saved |
//! | **Parallel work** | [`Exec`]: fixed chunks, fixed order of sums, over threads and the ranks of a [`Communicator`] |
//! | **The loop** | [`run`] drives a [`Kernel`]; [`StopRule`]s end it; [`Observer`]s watch it: [`Trace`], [`Every`], [`Checkpointer`] |
//! | **Files** | [`checkpoint`]: versioned, checksummed, atomic; a resumed run ends in the bits of an unbroken one |
//! | **Results** | [`Posterior`], [`Draws`], [`ElboEstimate`], [`log_ratios`]; [`Counted`] counts evaluations |
//! | **Numbers** | [`linalg`] (Cholesky, matrix products), [`numerics`] (vectorised exp, log, softplus, …) |
//! | **Memory** | [`scratch`]: a buffer per thread |
//! | **Contract checks** | `testing` (feature `testing`): one line covers a new model, kernel or communicator |
//!
//! # Conventions
//! `f64` only. Rows are samples or data. Log densities carry every constant, in nats; `elbo` is maximised. −∞ is
//! zero density; NaN is a fault, and whoever meets it says where. Shape mistakes panic, everything else is an
//! error with names and values.
//!
//! # Features
//! - `autodiff`: `AutoGrad`, through the crate `echidna`.
//! - `testing`: the contract checks.
//! - `lapack`: LAPACK (OpenBLAS of the system) behind [`linalg`].
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "autodiff")]
mod autograd;
mod bijector;
pub mod checkpoint;
mod communicator;
mod components;
mod conjugate;
mod counted;
mod exchangeable;
mod exec;
mod kernel;
mod key;
pub mod linalg;
mod model;
mod natural;
pub mod numerics;
mod parameter;
mod plate;
mod posterior;
pub mod scratch;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod trace;
mod unconstrained;

#[cfg(feature = "autodiff")]
#[cfg_attr(docsrs, doc(cfg(feature = "autodiff")))]
pub use autograd::{AutoGrad, Scalar, ScalarLogJoint, log_sum_exp};
pub use bijector::Bijection;
pub use checkpoint::Checkpointer;
pub use communicator::{CommError, Communicator, Local};
pub use components::{FactorsAndStats, SplitMerge};
pub use conjugate::{ConditionallyConjugate, ConjugateError};
pub use counted::Counted;
pub use exchangeable::{Batch, Exchangeable};
pub use exec::{CHUNK, Exec};
pub use kernel::{
    Divergence, Kernel, NeverStop, Observer, ObserverError, Outcome, RunError, StopOnFlag, StopReason,
    StopRule, run,
};
pub use key::{Role, StreamKey, StreamRng};
pub use model::{
    GaussianExpectation, GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint, Predictive, Reported,
    Subsample,
};
pub use natural::NaturalFactors;
pub use parameter::{Parameter, ParameterError, ParameterSpace, Support};
pub use plate::{PlateError, PlateJoint, PlateLogJoint, PlateModel, check_model_params, plate_space};
pub use posterior::{
    Draws, ElboEstimate, ParameterSummary, Posterior, ReportedPosterior, log_ratios, quantile_sorted,
};
pub use trace::{Every, Trace, TraceTable};
pub use unconstrained::Unconstrained;

#[cfg(all(doctest, feature = "autodiff", feature = "testing"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
