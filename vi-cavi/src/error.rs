//! What can go wrong in coordinate ascent.

use vi_core::{ConjugateError, RunError};

/// Why coordinate ascent failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaviError {
    /// A complete conditional could not be formed.
    #[error(transparent)]
    Conditional(#[from] ConjugateError),
    /// The ELBO fell when one block was updated: that block's conditional, its expectation or the bound is
    /// wrong.
    #[error(
        "the ELBO fell by {amount:e} nats when block {block} was updated: {before} before, {after} after"
    )]
    ElboFell {
        /// The block that was updated.
        block: String,
        /// The ELBO before the update, in nats.
        before: f64,
        /// The ELBO after it, in nats.
        after: f64,
        /// How far it fell: `before − after`.
        amount: f64,
    },
    /// The ELBO fell over a sweep whose blocks were not checked one by one.
    #[error(
        "the ELBO fell by {amount:e} nats over a sweep: {before} before, {after} after \
         (check_blocks = true names the block)"
    )]
    SweepFell {
        /// The ELBO before the sweep, in nats.
        before: f64,
        /// The ELBO after it, in nats.
        after: f64,
        /// How far it fell: `before − after`.
        amount: f64,
    },
    /// A factor is not the optimum of its block: its conditional, its density, its draws or the log joint are wrong.
    #[error(
        "block {block} is not at its optimum: E[log p(x, z)] - log q(z) differs by {amount:e} nats between draws of the \
         block, and rounding explains {allowed:e}"
    )]
    NotStationary {
        /// The block that was updated.
        block: String,
        /// The largest less the smallest of the differences, in nats.
        amount: f64,
        /// What rounding may amount to, in nats.
        allowed: f64,
    },
    /// Updating a block a second time changes its factor: its conditional depends on its own statistics or factor.
    #[error(
        "updating block {block} again, with nothing else changed, changes log q of its draws by {amount:e} nats, and \
         rounding explains {allowed:e}"
    )]
    UpdateNotRepeatable {
        /// The block that was updated.
        block: String,
        /// By how much, in nats.
        amount: f64,
        /// What rounding may amount to, in nats.
        allowed: f64,
    },
    /// The ELBO is not a number, or infinite, after a block was updated.
    #[error("the ELBO is {elbo} after the update of block {block}")]
    NonFiniteElbo {
        /// The block updated last.
        block: String,
        /// The ELBO.
        elbo: f64,
    },
    /// The ELBO on all data is not finite after a step on a minibatch.
    #[error("the ELBO on all data is {elbo} after {n_steps} steps")]
    NonFiniteGlobalElbo {
        /// Steps done.
        n_steps: u64,
        /// The ELBO.
        elbo: f64,
    },
    /// The ELBO of the start is not finite.
    #[error("the ELBO is {elbo} at the start, before any update")]
    NonFiniteStart {
        /// The ELBO.
        elbo: f64,
    },
    /// A setting outside its domain.
    #[error("{setting} = {value}, but it must be {requirement}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// The domain in words.
        requirement: &'static str,
    },
    /// One of several restarts failed.
    #[error("restart {restart}: {source}")]
    Restart {
        /// The restart, counted from 0.
        restart: usize,
        /// Its error.
        source: Box<RunError<CaviError>>,
    },
}
