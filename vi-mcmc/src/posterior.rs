//! The chains together: a posterior.

use ndarray::{Array2, Array3, ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{Draws, ParameterSpace, Posterior, StopReason, StreamKey};

use crate::chain::{ChainResult, ChainStats};

/// The draws of several chains and how each went.
///
/// Whether they have converged is not decided here: ask the R̂ of `vi-diagnostics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McmcPosterior {
    draws: Draws,
    log_joint: Array2<f64>,
    chains: Vec<ChainStats>,
}

impl McmcPosterior {
    /// Puts chains together, in this order.
    ///
    /// If some were interrupted, chains without any draw are left out of the draws and the others are cut to
    /// the shortest; [`McmcPosterior::chains`] still has them all.
    ///
    /// # Panics
    /// If a chain's draws do not have one column per coordinate of `parameters`.
    pub fn from_chains(parameters: ParameterSpace, chains: Vec<ChainResult>) -> Self {
        let kept: Vec<&ChainResult> = chains.iter().filter(|c| c.stats.n_draws > 0).collect();
        let n_draws = kept.iter().map(|c| c.stats.n_draws).min().unwrap_or(0);
        let mut values = Array3::zeros((kept.len(), n_draws, parameters.dim()));
        let mut log_joint = Array2::zeros((kept.len(), n_draws));
        for (c, chain) in kept.iter().enumerate() {
            assert_eq!(chain.draws.ncols(), parameters.dim(), "chain {}: columns", chain.stats.chain);
            values.slice_mut(s![c, .., ..]).assign(&chain.draws.slice(s![..n_draws, ..]));
            log_joint.row_mut(c).assign(&chain.log_joint.slice(s![..n_draws]));
        }
        let draws = Draws::new(parameters, values);
        Self { draws, log_joint, chains: chains.into_iter().map(|c| c.stats).collect() }
    }

    /// All draws, without the copy that [`Posterior::draws`] makes.
    pub fn all_draws(&self) -> &Draws {
        &self.draws
    }

    /// log p(x, z) at every draw, (chains, draws): see [`ChainResult::log_joint`].
    pub fn log_joint(&self) -> &Array2<f64> {
        &self.log_joint
    }

    /// How each chain went.
    pub fn chains(&self) -> &[ChainStats] {
        &self.chains
    }

    /// Divergences after the warm-up, all chains.
    pub fn n_divergent(&self) -> u64 {
        self.chains.iter().map(|c| c.n_divergent).sum()
    }

    /// Trajectories cut at the greatest tree depth after the warm-up, all chains.
    pub fn n_max_tree_depth(&self) -> u64 {
        self.chains.iter().map(|c| c.n_max_tree_depth).sum()
    }

    /// Iterations done, warm-up included, all chains.
    pub fn n_iterations(&self) -> u64 {
        self.chains.iter().map(|c| c.n_iterations).sum()
    }

    /// Log joints evaluated without a gradient, all chains.
    pub fn n_log_joint(&self) -> u64 {
        self.chains.iter().map(|c| c.n_log_joint).sum()
    }

    /// Log joints evaluated with their gradient, all chains.
    pub fn n_gradient(&self) -> u64 {
        self.chains.iter().map(|c| c.n_gradient).sum()
    }

    /// [`StopReason::Interrupted`] if any chain was.
    pub fn stop_reason(&self) -> StopReason {
        let interrupted = self.chains.iter().any(|c| c.stop_reason == StopReason::Interrupted);
        if interrupted { StopReason::Interrupted } else { StopReason::Budget }
    }
}

impl Posterior for McmcPosterior {
    fn parameters(&self) -> &ParameterSpace {
        self.draws.parameters()
    }

    fn draws(&self, _n: usize, _key: StreamKey) -> Draws {
        self.draws.clone()
    }

    fn log_prob(&self, _z: &ArrayRef1<f64>) -> Option<f64> {
        None
    }
}
