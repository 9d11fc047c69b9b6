//! How much work a bench does.

use serde::{Deserialize, Serialize};

use crate::averaging::Averaging;
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;
use crate::optimizer::{AnyOptimizer, AscentRule};

/// Settings of a bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BenchSettings {
    /// Gradients of every candidate at every point; by default 400.
    pub n_replicates: u64,
    /// Estimates that a candidate with a memory makes before each of them, so that it has one; by default 20.
    pub n_warmup: u64,
    /// Resamples of the bootstrap; by default 400.
    pub n_bootstrap: usize,
    /// The probability that all intervals leave out, and that a test rejects what holds; by default 0.05.
    pub level: f64,
    /// Log joints that a log joint with its gradient is worth; by default 2.
    pub gradient_work: f64,
    /// Log joints that the log ratios of all blocks of the model, once each, are worth; by default 1.
    pub blocks_work: f64,
    /// Blocks of the model ([`vi_core::LocalLogJoint::n_blocks`]); by default its dimension.
    pub n_blocks: Option<usize>,
    /// The race that follows; by default there is one.
    pub race: Option<RaceSettings>,
}

impl Default for BenchSettings {
    fn default() -> Self {
        Self {
            n_replicates: 400,
            n_warmup: 20,
            n_bootstrap: 400,
            level: 0.05,
            gradient_work: 2.0,
            blocks_work: 1.0,
            n_blocks: None,
            race: Some(RaceSettings::default()),
        }
    }
}

/// Settings of a race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RaceSettings {
    /// Seeds; by default 8.
    pub n_seeds: u32,
    /// Log joints, or what is worth them, that every candidate may spend for each seed; by default 100 000.
    pub budget: f64,
    /// How often the ELBO is evaluated on the way, evenly in the logarithm of the budget; by default 10.
    pub n_milestones: u32,
    /// Samples of each evaluation, which costs no one anything; by default 2000.
    pub n_evaluate: usize,
    /// Optimizer; by default Adam with a decaying learning rate.
    pub optimizer: AnyOptimizer,
    /// Average of the iterates that is evaluated; by default the tail average.
    pub averaging: Averaging,
}

impl Default for RaceSettings {
    fn default() -> Self {
        Self {
            n_seeds: 8,
            budget: 100_000.0,
            n_milestones: 10,
            n_evaluate: 2000,
            optimizer: AnyOptimizer::default(),
            averaging: Averaging::Tail,
        }
    }
}

impl BenchSettings {
    /// Whether all settings are in their domains.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the one that is not.
    pub fn validate(&self) -> Result<(), SgviError> {
        let at_least = |name, value: f64, least: f64, words| require(value >= least, name, value, words);
        at_least("n_replicates", self.n_replicates as f64, 8.0, "at least 8")?;
        at_least("n_bootstrap", self.n_bootstrap as f64, 20.0, "at least 20")?;
        require(self.level > 0.0 && self.level < 1.0, "level", self.level, "in (0, 1)")?;
        at_least("gradient_work", self.gradient_work, 0.0, "finite and ≥ 0")?;
        at_least("blocks_work", self.blocks_work, 0.0, "finite and ≥ 0")?;
        at_least("n_blocks", self.n_blocks.unwrap_or(1) as f64, 1.0, "at least 1")?;
        let Some(race) = &self.race else { return Ok(()) };
        at_least("race.n_seeds", f64::from(race.n_seeds), 2.0, "at least 2")?;
        require(race.budget > 0.0, "race.budget", race.budget, "finite and > 0")?;
        at_least("race.n_milestones", f64::from(race.n_milestones), 1.0, "at least 1")?;
        at_least("race.n_evaluate", race.n_evaluate as f64, 2.0, "at least 2")?;
        race.averaging.validate()?;
        race.optimizer.check()
    }

    /// Evaluations in log joints, for a model of dimension `dim`.
    pub(super) fn work(&self, cost: Evaluations, dim: usize) -> f64 {
        let per_block = self.blocks_work / self.n_blocks.unwrap_or(dim).max(1) as f64;
        cost.n_log_joint as f64
            + self.gradient_work * cost.n_gradient as f64
            + per_block * cost.n_log_joint_block as f64
    }
}
