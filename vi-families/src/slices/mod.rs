//! Many values, or many members, in one call: nothing is allocated, and where a type says so the loops vectorise on
//! the CPU at hand.
//!
//! | what | where |
//! |---|---|
//! | one member, many values | [`LogProbSlice`] |
//! | parameters of their own for every value | [`Gamma::log_prob_each`](crate::Gamma::log_prob_each) and its like |
//! | many draws | [`SampleSlice`], [`fill_standard_normal`] |
//! | `E[log θ]` of many Dirichlets | [`Dirichlet::expected_log_rows`](crate::Dirichlet::expected_log_rows) |
//! | log π, π, entropy of many categoricals | [`Categorical::log_probabilities_rows`](crate::Categorical::log_probabilities_rows) and its like |
//! | log Γ, ψ, ψ′ | `vi_core::numerics::{log_gamma, digamma, trigamma}` |
//!
//! Which families have what stands in the documentation of [`LogProbSlice`].

mod counts;
mod dirichlet;
mod each;
mod log_prob;
mod parameters;
mod sample;

pub use log_prob::LogProbSlice;
pub use sample::{SampleSlice, fill_standard_normal};
