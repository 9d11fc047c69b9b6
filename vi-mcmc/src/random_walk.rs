//! Adaptive random-walk Metropolis.

use ndarray::{Array1, Array2, ArrayRef1, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use vi_core::linalg::Cholesky;
use vi_core::{Kernel, LogJoint, ParameterSpace, StreamKey};

use crate::chain::ChainResult;
use crate::control::Control;
use crate::error::McmcError;
use crate::markov::{MarkovInfo, MarkovKernel};
use crate::sampler::{Sampler, sample_markov_chain};
use crate::settings::{McmcSettings, check_open};
use crate::target::Target;

/// How [`RandomWalk`] proposes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomWalkSettings {
    /// The acceptance rate that the scale is adapted to; 0.234 by default (Roberts, Gelman & Gilks 1997).
    pub target_acceptance: f64,
}

impl Default for RandomWalkSettings {
    fn default() -> Self {
        Self { target_acceptance: 0.234 }
    }
}

/// Random-walk Metropolis on the unconstrained scale, whose proposal learns the posterior covariance and the
/// right scale during the warm-up and then stays as it is.
///
/// ```text
/// u′ = u + s L ε,   ε ~ N(0, I),   L Lᵀ ≈ Cov[u | x],   accepted with probability min(1, p(x, u′)/p(x, u))
/// ```
/// Source: Haario, Saksman & Tamminen (2001), Bernoulli 7(2); scale by Robbins–Monro steps, Andrieu & Thoms
/// (2008), Statistics and Computing 18, algorithm 4.
#[derive(Clone, Debug)]
pub struct RandomWalk<M> {
    target: Target<M>,
    settings: RandomWalkSettings,
}

/// The state of [`RandomWalk`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomWalkState {
    /// The current point, unconstrained (D′).
    pub u: Array1<f64>,
    /// Iterations done.
    pub iteration: u64,
    /// Iterations that adapt the proposal.
    pub n_warmup: u64,
    /// log s.
    pub log_scale: f64,
    /// L, lower triangular (D′, D′).
    pub factor: Array2<f64>,
    log_joint: f64,
    log_det: f64,
    n_log_joint_at_start: u64,
    mean: Array1<f64>,
    covariance: Array2<f64>,
    /// Iterations since the estimates last began to forget.
    window: u64,
}

impl<M: LogJoint> RandomWalk<M> {
    /// A random walk over `model`.
    ///
    /// # Errors
    /// [`McmcError::Parameter`] names a discrete variable, [`McmcError::Setting`] a wrong setting.
    pub fn new(model: M, settings: RandomWalkSettings) -> Result<Self, McmcError> {
        let requirement = "between 0 and 1, both excluded";
        check_open("target_acceptance", settings.target_acceptance, (0.0, 1.0), requirement)?;
        Ok(Self { target: Target::new(model)?, settings })
    }

    /// Starts chain c at row c of `starts` (chains, D), on the natural support, instead of at random.
    ///
    /// # Errors
    /// [`McmcError::StartShape`] if the number of columns is wrong.
    pub fn with_starts(mut self, starts: Array2<f64>) -> Result<Self, McmcError> {
        self.target.set_starts(starts)?;
        Ok(self)
    }

    /// Learns from the point that the iteration ended at.
    fn adapt(&self, state: &mut RandomWalkState, acceptance: f64) {
        let d = self.target.dim();
        let k = state.window as f64;
        state.log_scale += (k + 1.0).powf(-0.6) * (acceptance - self.settings.target_acceptance);
        // Weights that grow linearly in time: the later the draw, the closer the chain is to the posterior.
        // What an earlier window learnt counts like D′ draws.
        let weight = 2.0 / (k + 2.0 + d as f64);
        let deviation = &state.u - &state.mean;
        state.mean.scaled_add(weight, &deviation);
        for (i, mut row) in state.covariance.rows_mut().into_iter().enumerate() {
            for (c, dev) in row.iter_mut().zip(&deviation) {
                *c += weight * (deviation[i] * dev - *c);
            }
        }
        state.window += 1;
        let done = state.iteration + 1;
        let begins_window = [8, 4, 2].iter().any(|&part| done == state.n_warmup / part);
        if begins_window {
            if done == state.n_warmup / 8 {
                state.log_scale = initial_log_scale(d);
            }
            state.window = 0;
            state.mean.assign(&state.u);
        }
        // The first window finds the posterior with steps of one shape; its covariance is the second's prior.
        if done >= state.n_warmup / 8 && (begins_window || done.is_multiple_of(d as u64)) {
            refactor(state);
        }
    }
}

/// 2.38/√D′, the optimum for Gaussian posteriors (Gelman, Roberts & Gilks 1996).
fn initial_log_scale(d: usize) -> f64 {
    (2.38 / (d as f64).sqrt()).ln()
}

/// Takes over the learnt covariance, if rounding has left it positive definite.
fn refactor(state: &mut RandomWalkState) {
    if let Ok(cholesky) = Cholesky::factor(&state.covariance) {
        state.factor.assign(cholesky.l());
    }
}

impl<M: LogJoint> Kernel for RandomWalk<M> {
    type State = RandomWalkState;
    type Info = MarkovInfo;
    type Error = McmcError;

    fn step(&self, key: StreamKey, state: &mut RandomWalkState) -> Result<MarkovInfo, McmcError> {
        let mut rng = key.rng(0);
        let noise: Array1<f64> = (0..self.target.dim()).map(|_| rng.sample(StandardNormal)).collect();
        let scale = state.log_scale.exp();
        let mut proposal = state.u.clone();
        for (i, p) in proposal.iter_mut().enumerate() {
            *p += scale * state.factor.slice(s![i, ..=i]).dot(&noise.slice(s![..=i]));
        }
        let log_joint = self.target.log_joint(&proposal)?;
        let acceptance = (log_joint - state.log_joint).min(0.0).exp();
        if rng.random::<f64>() < acceptance {
            state.log_det = self.target.log_det(&proposal);
            state.u = proposal;
            state.log_joint = log_joint;
        }
        if state.iteration < state.n_warmup {
            self.adapt(state, acceptance);
        }
        state.iteration += 1;
        Ok(MarkovInfo {
            log_joint: state.log_joint - state.log_det,
            acceptance: Some(acceptance),
            step_size: Some(scale),
            n_log_joint: 1,
        })
    }
}

impl<M: LogJoint> MarkovKernel for RandomWalk<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.target.space()
    }

    fn start(&self, chain: u32, n_warmup: u64, key: StreamKey) -> Result<RandomWalkState, McmcError> {
        let mut n_log_joint_at_start = 0;
        let (u, log_joint) = self.target.start(chain, key, |u| {
            n_log_joint_at_start += 1;
            self.target.log_joint(u)
        })?;
        let d = self.target.dim();
        Ok(RandomWalkState {
            log_det: self.target.log_det(&u),
            mean: u.clone(),
            u,
            iteration: 0,
            n_warmup,
            log_scale: initial_log_scale(d),
            factor: Array2::eye(d),
            log_joint,
            n_log_joint_at_start,
            covariance: Array2::eye(d),
            window: 0,
        })
    }

    fn n_log_joint_at_start(&self, state: &RandomWalkState) -> u64 {
        state.n_log_joint_at_start
    }

    fn write_draw(&self, state: &RandomWalkState, z: &mut ArrayRef1<f64>) {
        self.target.constrain(&state.u, z);
    }
}

impl<M: LogJoint> Sampler for RandomWalk<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.target.space()
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
