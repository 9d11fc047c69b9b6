//! What one chain leaves behind.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use vi_core::StopReason;

/// How one chain went. Counts of draws and divergences are after the warm-up unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainStats {
    /// The chain, counted from 0.
    pub chain: u32,
    /// Iterations done, warm-up included.
    pub n_iterations: u64,
    /// Draws kept.
    pub n_draws: usize,
    /// Iterations whose trajectory diverged; 0 for samplers that cannot diverge.
    pub n_divergent: u64,
    /// The same during the warm-up, where a few are normal.
    pub n_divergent_warmup: u64,
    /// Iterations whose trajectory was cut at the greatest tree depth.
    pub n_max_tree_depth: u64,
    /// Mean acceptance probability; `None` for Gibbs, and before the end of the warm-up.
    pub acceptance: Option<f64>,
    /// The step size (NUTS) or the scale of the proposal (random walk) at the end.
    pub step_size: Option<f64>,
    /// Evaluations of the log joint without a gradient, warm-up and start included. A Gibbs sweep counts one,
    /// for the trace.
    pub n_log_joint: u64,
    /// Evaluations of the log joint with its gradient, warm-up and start included.
    pub n_gradient: u64,
    /// Why the chain ended: [`StopReason::Budget`] or [`StopReason::Interrupted`].
    pub stop_reason: StopReason,
}

/// The draws of one chain. It can be stored and put back together with others by
/// [`McmcPosterior::from_chains`](crate::McmcPosterior::from_chains).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainResult {
    /// Draws on the natural support, (n_draws, D).
    pub draws: Array2<f64>,
    /// log p(x, z) at every draw (n_draws), with respect to the natural support. Gibbs: of all blocks, the
    /// auxiliary ones included.
    pub log_joint: Array1<f64>,
    /// How it went.
    pub stats: ChainStats,
}
