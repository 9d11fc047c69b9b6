//! Diagnostics of posterior draws: have the chains mixed, how many independent draws are they worth, and can
//! an approximation be trusted?
//!
//! | question | answer |
//! |---|---|
//! | do the chains agree? | [`rhat`] |
//! | how many draws are they worth, for the centre and for the tails? | [`ess_bulk`], [`ess_tail`], [`ess_mean`], [`ess_quantile`] |
//! | how far off is a mean, a standard deviation, a quantile? | [`mcse_mean`], [`mcse_sd`], [`mcse_quantile`] |
//! | is a variational approximation close enough to be corrected? | [`psis`] and its [`Psis::khat`] |
//! | all of it in one table | [`summarise`] for chains, [`summarise_independent`] for independent draws |
//!
//! Functions of draws take one coordinate as (chains, draws), for instance
//! [`Draws::coordinate`](vi_core::Draws::coordinate). They return `NaN` where the answer does not exist, which
//! every function documents; quantiles are those of type 7 of Hyndman & Fan (1996) throughout.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod error;
mod ess;
mod mcse;
mod pareto;
mod psis;
mod rank;
mod rhat;
mod summary;

pub use error::DiagnosticsError;
pub use ess::{ess_bulk, ess_mean, ess_quantile, ess_tail};
pub use mcse::{mcse_mean, mcse_quantile, mcse_sd};
pub use psis::{Psis, importance_ess, psis, psis_with_efficiency};
pub use rhat::rhat;
pub use summary::{Summary, summarise, summarise_independent};
