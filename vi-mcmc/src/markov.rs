//! Kernels whose state is a draw, and chains of them that record what they visit.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Kernel, ParameterSpace, Role, StopReason, StreamKey};

use crate::chain::{ChainResult, ChainStats};
use crate::error::McmcError;
use crate::settings::McmcSettings;

/// What one iteration of a Markov kernel reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarkovInfo {
    /// log p(x, z) at the new state, with respect to the natural support.
    pub log_joint: f64,
    /// The probability with which the move was accepted; `None` where moves always are.
    pub acceptance: Option<f64>,
    /// The scale of the proposal.
    pub step_size: Option<f64>,
    /// Log joints evaluated.
    pub n_log_joint: u64,
}

/// A kernel that leaves the posterior invariant once its warm-up is over.
pub trait MarkovKernel: Kernel<Info = MarkovInfo, Error = McmcError> {
    /// The variables drawn, on their natural support.
    fn parameters(&self) -> &ParameterSpace;

    /// The state of `chain` before its first iteration; the first `n_warmup` iterations may adapt.
    /// `key` is the chain's own.
    ///
    /// # Errors
    /// [`McmcError`] when there is no point to start from.
    fn start(&self, chain: u32, n_warmup: u64, key: StreamKey) -> Result<Self::State, McmcError>;

    /// Log joints evaluated by [`MarkovKernel::start`].
    fn n_log_joint_at_start(&self, state: &Self::State) -> u64;

    /// Overwrites `z` (D) with the draw that `state` is.
    fn write_draw(&self, state: &Self::State, z: &mut ArrayRef1<f64>);
}

/// One chain of a Markov kernel: a kernel that also records its draws, so that a checkpoint of its state is
/// all there is to resume from.
///
/// ```text
/// let mut state = chain.start(c, key)?;
/// run(&chain, &mut state, chain.step_key(c, key), 0..chain.n_iterations(), …)?;
/// let result = chain.finish(c, state, outcome.reason);
/// ```
/// is what [`Sampler::sample_chain`](crate::Sampler::sample_chain) does, with the same bits.
#[derive(Clone, Debug)]
pub struct RecordedChain<'a, K> {
    kernel: &'a K,
    settings: McmcSettings,
}

/// The state of a [`RecordedChain`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedState<S> {
    /// The kernel's state.
    pub kernel: S,
    /// Iterations done.
    pub n_done: u64,
    draws: Vec<f64>,
    log_joint: Vec<f64>,
    sum_acceptance: Option<f64>,
    step_size: Option<f64>,
    n_log_joint: u64,
}

impl<'a, K: MarkovKernel> RecordedChain<'a, K> {
    /// A chain of this length.
    ///
    /// # Errors
    /// [`McmcError::Setting`].
    pub fn new(kernel: &'a K, settings: McmcSettings) -> Result<Self, McmcError> {
        settings.validate()?;
        Ok(Self { kernel, settings })
    }

    /// Iterations to do, warm-up included.
    pub fn n_iterations(&self) -> u64 {
        self.settings.n_iterations()
    }

    /// The state of chain `c` of a run with this key before its first iteration.
    ///
    /// # Errors
    /// [`McmcError`] when there is no point to start from.
    pub fn start(&self, chain: u32, key: StreamKey) -> Result<RecordedState<K::State>, McmcError> {
        let key = key.role(Role::Chain(chain)).role(Role::Init);
        let kernel = self.kernel.start(chain, self.settings.n_warmup as u64, key)?;
        Ok(RecordedState {
            n_log_joint: self.kernel.n_log_joint_at_start(&kernel),
            kernel,
            n_done: 0,
            draws: Vec::new(),
            log_joint: Vec::new(),
            sum_acceptance: None,
            step_size: None,
        })
    }

    /// The key under which [`vi_core::run`] runs chain `c` of a run with this key.
    pub fn step_key(&self, chain: u32, key: StreamKey) -> StreamKey {
        key.role(Role::Chain(chain)).role(Role::Step)
    }

    /// What chain `c` leaves behind.
    pub fn finish(&self, chain: u32, state: RecordedState<K::State>, stop_reason: StopReason) -> ChainResult {
        let n_draws = state.log_joint.len();
        let n_after = state.n_done.saturating_sub(self.settings.n_warmup as u64);
        let shape = (n_draws, self.kernel.parameters().dim());
        let stats = ChainStats {
            chain,
            n_iterations: state.n_done,
            n_draws,
            n_divergent: 0,
            n_divergent_warmup: 0,
            n_max_tree_depth: 0,
            acceptance: state.sum_acceptance.map(|sum| sum / n_after as f64),
            step_size: state.step_size,
            n_log_joint: state.n_log_joint,
            n_gradient: 0,
            stop_reason,
        };
        ChainResult {
            draws: Array2::from_shape_vec(shape, state.draws).expect("D values were recorded per draw"),
            log_joint: Array1::from_vec(state.log_joint),
            stats,
        }
    }
}

impl<K: MarkovKernel> Kernel for RecordedChain<'_, K> {
    type State = RecordedState<K::State>;
    type Info = MarkovInfo;
    type Error = McmcError;

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<MarkovInfo, McmcError> {
        let info = self.kernel.step(key, &mut state.kernel)?;
        let t = state.n_done;
        state.n_done += 1;
        state.n_log_joint += info.n_log_joint;
        state.step_size = info.step_size;
        if t >= self.settings.n_warmup as u64
            && let Some(acceptance) = info.acceptance
        {
            state.sum_acceptance = Some(state.sum_acceptance.unwrap_or(0.0) + acceptance);
        }
        if self.settings.is_kept(t) {
            let mut z = Array1::zeros(self.kernel.parameters().dim());
            self.kernel.write_draw(&state.kernel, &mut z);
            state.draws.extend(z);
            state.log_joint.push(info.log_joint);
        }
        Ok(info)
    }
}
