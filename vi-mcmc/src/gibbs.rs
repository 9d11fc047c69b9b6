//! Gibbs sampling of conditionally conjugate models.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, Exec, Kernel, ParameterSpace, StreamKey};

use crate::chain::ChainResult;
use crate::control::Control;
use crate::error::{McmcError, Point};
use crate::markov::{MarkovInfo, MarkovKernel};
use crate::sampler::{Sampler, sample_markov_chain};
use crate::settings::McmcSettings;

/// Gibbs sampling: one iteration draws every block from its complete conditional given the latest draws of
/// the others, in the model's order.
///
/// ```text
/// z_b ~ p(z_b | z_−b, x),   b = 1, …, B
/// ```
/// Block b of an iteration draws from `key.fold_in(b)`. Source: Geman & Geman (1984); Gelfand & Smith (1990).
#[derive(Debug)]
pub struct Gibbs<'a, M> {
    model: &'a M,
    exec: Exec<'a>,
}

/// The state of [`Gibbs`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GibbsState<F, S> {
    /// The complete conditionals from which the blocks were last drawn.
    pub factors: F,
    /// The sufficient statistics of the draws. Before the first iteration: expected under the start.
    pub stats: S,
    /// Iterations done.
    pub iteration: u64,
}

impl<'a, M: ConditionallyConjugate> Gibbs<'a, M> {
    /// Gibbs sampling of `model`, whose blocks are drawn with `exec`.
    ///
    /// Chains that run in parallel need an `exec` of one process.
    pub fn new(model: &'a M, exec: Exec<'a>) -> Self {
        Self { model, exec }
    }
}

impl<M: ConditionallyConjugate> Kernel for Gibbs<'_, M> {
    type State = GibbsState<M::Factors, M::Stats>;
    type Info = MarkovInfo;
    type Error = McmcError;

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<MarkovInfo, McmcError> {
        let (factors, stats) = (&mut state.factors, &mut state.stats);
        for (b, &block) in self.model.blocks().iter().enumerate() {
            self.model.condition(block, stats, factors, self.exec)?;
            self.model.draw(block, factors, key.fold_in(b as u64), stats, self.exec);
        }
        state.iteration += 1;
        let log_joint = self.model.expected_log_joint(&state.stats);
        if !log_joint.is_finite() {
            let mut z = Array1::zeros(self.model.reported().dim());
            self.model.realise(&state.stats, &mut z);
            return Err(McmcError::LogJoint { value: log_joint, z: Point::new(self.model.reported(), &z) });
        }
        Ok(MarkovInfo { log_joint, acceptance: None, step_size: None, n_log_joint: 1 })
    }
}

impl<M: ConditionallyConjugate> MarkovKernel for Gibbs<'_, M> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.reported()
    }

    fn start(&self, _chain: u32, _n_warmup: u64, key: StreamKey) -> Result<Self::State, McmcError> {
        let (factors, stats) = self.model.init(key, self.exec)?;
        Ok(GibbsState { factors, stats, iteration: 0 })
    }

    fn n_log_joint_at_start(&self, _state: &Self::State) -> u64 {
        0
    }

    fn write_draw(&self, state: &Self::State, z: &mut ArrayRef1<f64>) {
        self.model.realise(&state.stats, z);
    }
}

impl<M: ConditionallyConjugate> Sampler for Gibbs<'_, M> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.reported()
    }

    fn sample_chain(
        &self,
        chain: u32,
        settings: &McmcSettings,
        key: StreamKey,
        control: Control<'_>,
    ) -> Result<ChainResult, McmcError> {
        sample_markov_chain(self, chain, settings, key, control)
    }
}
