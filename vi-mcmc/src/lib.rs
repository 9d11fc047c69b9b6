//! Markov chain Monte Carlo: the baseline that variational approximations are measured against.
//!
//! | a model that is | can be sampled by |
//! |---|---|
//! | [`LogJoint`](vi_core::LogJoint) | [`RandomWalk`], adaptive Metropolis |
//! | [`GradLogJoint`](vi_core::GradLogJoint) | [`Nuts`], the No-U-Turn sampler of nuts-rs |
//! | [`ConditionallyConjugate`](vi_core::ConditionallyConjugate) | [`Gibbs`] |
//!
//! - [`sample`] runs the chains of any [`Sampler`] in parallel and returns an [`McmcPosterior`];
//!   [`Sampler::sample_chain`] runs one. [`McmcSettings`] says how many and how long, [`Control`] watches and
//!   interrupts, [`ChainStats`] tells how each chain went.
//! - [`RandomWalk`] and [`Gibbs`] are [`Kernel`](vi_core::Kernel)s with serialisable states
//!   ([`MarkovKernel`]); a [`RecordedChain`] of either can be stopped, stored and resumed at any iteration.
//!   Chains of [`Nuts`] can be stored when they are complete.
//! - [`McmcError`] shows the [`Point`] at which a model failed.
//!
//! Chain c draws from `key.role(Role::Chain(c))`: the same seed gives the same bits on any number of threads.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod chain;
mod control;
mod density;
mod error;
mod gibbs;
mod markov;
mod nuts;
mod posterior;
mod random_walk;
mod sampler;
mod settings;
mod target;

pub use chain::{ChainResult, ChainStats};
pub use control::{ChainProgress, Control};
pub use error::{McmcError, Point};
pub use gibbs::{Gibbs, GibbsState};
pub use markov::{MarkovInfo, MarkovKernel, RecordedChain, RecordedState};
pub use nuts::{Nuts, NutsSettings};
pub use posterior::McmcPosterior;
pub use random_walk::{RandomWalk, RandomWalkSettings, RandomWalkState};
pub use sampler::{Sampler, sample};
pub use settings::McmcSettings;
