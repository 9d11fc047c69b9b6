//! Settings of the methods over complete conditionals: coordinate ascent, its stochastic form, Gibbs sampling.

use serde::{Deserialize, Serialize};
use vi_cavi::{Annealing, CaviError, CheckStationary, DampedSettings, LearningRate, MoveSettings};

use super::Owner;
use super::method::N_DRAWS;
use crate::error::ConfigError;

/// How far a factor goes towards its optimum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Damping {
    /// ρ in (0, 1]: 1 is all the way.
    pub rate: f64,
}

impl Default for Damping {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

/// Settings of CAVI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaviSettings {
    /// Sweeps at most, for each restart.
    pub max_iterations: u64,
    /// Relative change of the ELBO below which a restart has converged.
    pub tolerance: f64,
    /// Starts; the best ELBO is kept, and all optima are reported.
    pub n_restarts: u32,
    /// Ends whose ELBOs differ by no more than this, relative to 1 + |ELBO|, are one optimum.
    pub same_optimum: f64,
    /// Whether the ELBO is checked after every block.
    pub check_blocks: bool,
    /// When it is checked that a new factor is the optimum of its block.
    pub check_stationary: CheckStationary,
    /// Whether the model's own moves of several blocks at once follow every sweep; they do when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expansion: Option<bool>,
    /// Factors that go part of the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damping: Option<Damping>,
    /// Temperatures above 1 in the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annealing: Option<Annealing>,
    /// Splits, merges and deletions of components where the ascent comes to rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moves: Option<MoveSettings>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for CaviSettings {
    fn default() -> Self {
        let inner = vi_cavi::CaviSettings::default();
        Self {
            max_iterations: inner.max_iterations,
            tolerance: inner.tolerance,
            n_restarts: inner.n_restarts,
            same_optimum: inner.same_optimum,
            check_blocks: inner.check_blocks,
            check_stationary: inner.check_stationary,
            expansion: None,
            damping: None,
            annealing: None,
            moves: None,
            n_draws: N_DRAWS,
        }
    }
}

impl CaviSettings {
    /// As the engine takes them.
    pub(crate) fn engine(&self) -> vi_cavi::CaviSettings {
        vi_cavi::CaviSettings {
            max_iterations: self.max_iterations,
            tolerance: self.tolerance,
            n_restarts: self.n_restarts,
            check_blocks: self.check_blocks,
            check_stationary: self.check_stationary,
            expansion: self.expansion.unwrap_or(true),
            same_optimum: self.same_optimum,
        }
    }

    /// Damping and annealing, where either is asked for.
    pub(crate) fn damped(&self) -> Option<DampedSettings> {
        (self.damping.is_some() || self.annealing.is_some()).then(|| DampedSettings {
            rate: self.damping.map_or(1.0, |damping| damping.rate),
            annealing: self.annealing,
        })
    }

    pub(super) fn check(&self, owner: &Owner) -> Result<(), ConfigError> {
        let told = |prefix: &str, result: Result<(), CaviError>| owner.engine(prefix, result);
        told("", self.engine().validate())?;
        if let Some(Damping { rate }) = self.damping {
            told("damping.", DampedSettings { rate, annealing: None }.validate())?;
        }
        told("", self.annealing.map_or(Ok(()), |annealing| annealing.validate()))?;
        told("", self.moves.map_or(Ok(()), |moves| moves.validate()))?;
        if self.moves.is_some() && self.damped().is_some() {
            let other = if self.annealing.is_some() { "`annealing`" } else { "`damping`" };
            let requirement = "left away: sweeps between moves are plain ones";
            return Err(owner.domain("moves", format!("given with {other}"), requirement));
        }
        at_least_two_draws(self.n_draws, owner)
    }
}

/// Settings of stochastic variational inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SviSettings {
    /// Data in a step.
    pub batch_size: usize,
    /// Passes over the data at most.
    pub n_epochs: u64,
    /// How far a step goes.
    pub rate: LearningRate,
    /// Steps between evaluations of the ELBO on all data; 0 is once per epoch.
    pub evaluate_every: u64,
    /// Relative change of the ELBO between two evaluations below which the run has come to rest.
    pub tolerance: f64,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for SviSettings {
    fn default() -> Self {
        let vi_cavi::SviSettings { batch_size, n_epochs, rate, evaluate_every, tolerance } =
            vi_cavi::SviSettings::default();
        Self { batch_size, n_epochs, rate, evaluate_every, tolerance, n_draws: N_DRAWS }
    }
}

impl SviSettings {
    /// As the engine takes them.
    pub(crate) fn engine(&self) -> vi_cavi::SviSettings {
        let Self { batch_size, n_epochs, rate, evaluate_every, tolerance, .. } = *self;
        vi_cavi::SviSettings { batch_size, n_epochs, rate, evaluate_every, tolerance }
    }

    pub(super) fn check(&self, owner: &Owner) -> Result<(), ConfigError> {
        owner.engine("", self.engine().validate())?;
        at_least_two_draws(self.n_draws, owner)
    }
}

fn at_least_two_draws(n: usize, owner: &Owner) -> Result<(), ConfigError> {
    if n >= 2 { Ok(()) } else { Err(owner.domain("n_draws", n.to_string(), "at least 2")) }
}

/// Settings of the Gibbs sampler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GibbsSettings {
    /// Chains.
    pub n_chains: usize,
    /// Sweeps that are thrown away, per chain.
    pub n_warmup: usize,
    /// Draws kept per chain.
    pub n_draws: usize,
    /// Sweeps per draw kept.
    pub thin: usize,
}

impl Default for GibbsSettings {
    fn default() -> Self {
        Self { n_chains: 4, n_warmup: 1000, n_draws: 2000, thin: 1 }
    }
}

/// A key of CAVI that asks something of the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaviKey {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: &'static str,
}

/// What models have for the keys of CAVI, as `vi-lab models` calls it.
pub(crate) const NATURAL: &str = "natural parameters of its factors";
pub(crate) const MOVES: &str = "moves of components";
pub(crate) const EXPANSION: &str = "parameter expansion";
pub(crate) const EXCHANGEABLE: &str = "exchangeable data";

/// The keys of CAVI that not every model with complete conditionals can take.
pub(crate) const CAVI_KEYS: [CaviKey; 4] = [
    CaviKey { name: "damping", about: "{ rate }: how far a factor goes towards its optimum", needs: NATURAL },
    CaviKey {
        name: "annealing",
        about: "{ start, n_temperatures, sweeps_each, perturbation }: deterministic annealing",
        needs: NATURAL,
    },
    CaviKey {
        name: "moves",
        about: "{ tolerance, n_refine, max_merges, max_deletes, n_attempts, min_gain }: splits, merges and deletions that \
                raise the bound",
        needs: MOVES,
    },
    CaviKey {
        name: "expansion",
        about: "whether rotations and translations of factors follow every sweep; they do unless it is false",
        needs: EXPANSION,
    },
];

impl CaviSettings {
    /// Those of [`CAVI_KEYS`] that are given.
    pub(crate) fn given(&self) -> impl Iterator<Item = CaviKey> {
        let given = [
            self.damping.is_some(),
            self.annealing.is_some(),
            self.moves.is_some(),
            self.expansion.is_some(),
        ];
        CAVI_KEYS.into_iter().zip(given).filter(|(_, given)| *given).map(|(key, _)| key)
    }
}
