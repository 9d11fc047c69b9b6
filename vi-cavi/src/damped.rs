//! Coordinate ascent with damping, and from high temperature to low.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, Kernel, NaturalFactors, Role, StreamKey};

use crate::ascent::Ascent;
use crate::error::CaviError;
use crate::kernel::{Cavi, CaviInfo, Holds, StateOf};
use crate::settings::{CaviSettings, require};

/// The inverse temperature β by sweep: from β₀ up to 1 in equal ratios, then 1.
///
/// ```text
/// β = β₀^(1 − j/J),   j = ⌊sweep / sweeps_each⌋ < J = n_temperatures;   afterwards 1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Annealing {
    /// β₀ in (0, 1]; 0.3 by default.
    pub start: f64,
    /// J ≥ 1; 20 by default.
    pub n_temperatures: u32,
    /// Sweeps at each temperature, at least 1; 5 by default.
    pub sweeps_each: u32,
    /// ε in [0, 1); 0.02 by default: how much of a random start of the model is mixed into every factor in the first sweep at each
    /// temperature but the last.
    ///
    /// ```text
    /// η_b ← (1 − ε) η_b* + ε η_b of a start
    /// ```
    /// Where the flat objective has one optimum all components of a mixture are it, and exact updates do not tell them apart
    /// again as it cools: that point of rest is left only by what differs between components.
    pub perturbation: f64,
}

impl Default for Annealing {
    fn default() -> Self {
        Self { start: 0.3, n_temperatures: 20, sweeps_each: 5, perturbation: 0.02 }
    }
}

impl Annealing {
    /// β of the sweep after `n_sweeps`.
    pub fn inverse_temperature(&self, n_sweeps: u64) -> f64 {
        let step = n_sweeps / u64::from(self.sweeps_each);
        if step >= u64::from(self.n_temperatures) {
            return 1.0;
        }
        self.start.powf(1.0 - step as f64 / f64::from(self.n_temperatures))
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        let start = self.start > 0.0 && self.start <= 1.0;
        require(start, "annealing.start", self.start, "above 0 and at most 1")?;
        let (n, each) = (self.n_temperatures, self.sweeps_each);
        require(n > 0, "annealing.n_temperatures", f64::from(n), "at least 1")?;
        require(each > 0, "annealing.sweeps_each", f64::from(each), "at least 1")?;
        let perturbation = (0.0..1.0).contains(&self.perturbation);
        require(perturbation, "annealing.perturbation", self.perturbation, "at least 0 and below 1")
    }
}

/// How [`DampedCavi`] departs from plain coordinate ascent: by default not at all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DampedSettings {
    /// ρ in (0, 1]: how far a factor goes towards its optimum; 1 by default.
    pub rate: f64,
    /// Temperatures above 1 in the beginning; none by default.
    pub annealing: Option<Annealing>,
}

impl Default for DampedSettings {
    fn default() -> Self {
        Self { rate: 1.0, annealing: None }
    }
}

impl DampedSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        require(self.rate > 0.0 && self.rate <= 1.0, "rate", self.rate, "above 0 and at most 1")?;
        self.annealing.map_or(Ok(()), |a| a.validate())
    }
}

/// Coordinate ascent that goes part of the way, or whose factors are flattened in the beginning.
///
/// ```text
/// damping     η_b ← (1 − ρ) η_b + ρ η_b*
/// annealing   η_b* is that of q_b ∝ exp(β E_{q_−b}[log p(x, z)]),   the optimum of E_q[log p(x, z)] + (1/β) H[q]
/// ```
/// Damping has the fixed points of coordinate ascent, and its ELBO does not fall: along the way from η to η* the divergence
/// KL(q_b ‖ q_b*) falls, because its derivative in ρ is −(1 − ρ) (η* − η)ᵀ F (η* − η), with F the Fisher information.
/// At small β the objective has few optima, often one; its optimum is followed as β rises to 1. The ELBO that is
/// reported is always the one at β = 1. While β < 1 it may fall and is not checked, and no tolerance ends the run; afterwards
/// everything is as in coordinate ascent.
///
/// Blocks whose factors give no access to natural parameters ([`NaturalFactors::n_natural`] is 0) are not damped.
///
/// Source: Katahira, Watanabe & Okada, "Deterministic annealing variant of variational Bayes method", J. Phys. Conf. Ser. 95
/// (2008) 012015; Ueda & Nakano, "Deterministic annealing EM algorithm", Neural Networks 11 (1998).
pub struct DampedCavi<'a, M> {
    cavi: Cavi<'a, M>,
    settings: DampedSettings,
}

impl<M> std::fmt::Debug for DampedCavi<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DampedCavi").field("cavi", &self.cavi).field("settings", &self.settings).finish()
    }
}

impl<'a, M: NaturalFactors> DampedCavi<'a, M> {
    /// Over `model`, with the checks of `cavi` where they hold.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn new(
        model: &'a M,
        settings: DampedSettings,
        cavi: &CaviSettings,
        exec: Exec<'a>,
    ) -> Result<Self, CaviError> {
        settings.validate()?;
        Ok(Self { cavi: cavi.kernel(model, exec), settings })
    }

    /// β of the sweep after `n_sweeps`.
    fn inverse_temperature(&self, n_sweeps: usize) -> f64 {
        self.settings.annealing.map_or(1.0, |a| a.inverse_temperature(n_sweeps as u64))
    }

    /// A random start, and how much of it the sweep after `n_sweeps` mixes in.
    fn perturbation(&self, n_sweeps: usize, key: StreamKey) -> Result<Option<(f64, M::Factors)>, CaviError> {
        let Some(annealing) = self.settings.annealing else { return Ok(None) };
        let first = (n_sweeps as u64).is_multiple_of(u64::from(annealing.sweeps_each));
        if !first || annealing.perturbation == 0.0 || self.inverse_temperature(n_sweeps) == 1.0 {
            return Ok(None);
        }
        let (start, _) = self.cavi.model().init(key.role(Role::Init), self.cavi.exec())?;
        Ok(Some((annealing.perturbation, start)))
    }

    fn update(
        &self,
        block: M::Block,
        beta: f64,
        perturbation: Option<&(f64, M::Factors)>,
        state: &mut StateOf<M>,
    ) -> Result<(), CaviError> {
        let (model, exec, rate) = (self.cavi.model(), self.cavi.exec(), self.settings.rate);
        let mixes = rate < 1.0 || perturbation.is_some();
        let n = if mixes { model.n_natural(block) } else { 0 };
        let mut old = Array1::zeros(n);
        if n > 0 {
            model.natural(block, &state.factors, &mut old);
        }
        if beta < 1.0 {
            model.condition_tempered(block, beta, &state.stats, &mut state.factors, exec)?;
        } else {
            model.condition(block, &state.stats, &mut state.factors, exec)?;
        }
        if n > 0 {
            let mut eta = Array1::zeros(n);
            model.natural(block, &state.factors, &mut eta);
            eta.zip_mut_with(&old, |new, old| *new = old + rate * (*new - old));
            if let Some((weight, start)) = perturbation {
                model.natural(block, start, &mut old);
                eta.zip_mut_with(&old, |eta, start| *eta += weight * (start - *eta));
            }
            model.set_natural(block, &eta, &mut state.factors)?;
        }
        model.expect(block, &state.factors, &mut state.stats, exec);
        Ok(())
    }
}

impl<M: NaturalFactors> Kernel for DampedCavi<'_, M> {
    type State = StateOf<M>;
    type Info = CaviInfo;
    type Error = CaviError;

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<CaviInfo, CaviError> {
        let beta = self.inverse_temperature(state.elbo_trace.len());
        let cold = beta == 1.0;
        let optimal = cold && self.settings.rate == 1.0;
        let holds = Holds { monotone: cold, optimal, can_converge: cold };
        let perturbation = self.perturbation(state.elbo_trace.len(), key)?;
        self.cavi
            .sweep(key, state, holds, |block, state| self.update(block, beta, perturbation.as_ref(), state))
    }
}

impl<M: NaturalFactors> Ascent for DampedCavi<'_, M> {
    type Model = M;

    fn exec(&self) -> Exec<'_> {
        self.cavi.exec()
    }

    fn start(&self, key: StreamKey) -> Result<StateOf<M>, CaviError> {
        self.cavi.init(key)
    }

    fn last(&self, state: &StateOf<M>) -> Option<CaviInfo> {
        let before = state.elbo_trace.len().checked_sub(1)?;
        state.last(self.inverse_temperature(before) == 1.0)
    }

    fn ascent(state: &StateOf<M>) -> &StateOf<M> {
        state
    }

    fn into_ascent(state: StateOf<M>) -> StateOf<M> {
        state
    }
}
