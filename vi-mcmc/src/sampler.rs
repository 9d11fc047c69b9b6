//! Samplers: anything that can run a chain, and the function that runs several.

use rayon::prelude::*;
use vi_core::{Observer, ObserverError, ParameterSpace, StopReason, StopRule, StreamKey, run};

use crate::chain::ChainResult;
use crate::control::{ChainProgress, Control};
use crate::error::McmcError;
use crate::markov::{MarkovInfo, MarkovKernel, RecordedChain};
use crate::posterior::McmcPosterior;
use crate::settings::McmcSettings;

/// A method that draws from a posterior by running chains.
pub trait Sampler: Send + Sync {
    /// The variables drawn, on their natural support.
    fn parameters(&self) -> &ParameterSpace;

    /// Runs chain `chain` of a run whose key is `key`.
    ///
    /// The result depends on nothing but the sampler, the settings, the key and the number of the chain: a
    /// caller can store finished chains, run the missing ones later, and put them together with
    /// [`McmcPosterior::from_chains`].
    ///
    /// # Errors
    /// [`McmcError`].
    fn sample_chain(
        &self,
        chain: u32,
        settings: &McmcSettings,
        key: StreamKey,
        control: Control<'_>,
    ) -> Result<ChainResult, McmcError>;
}

/// Runs all chains on the threads of the current rayon pool.
///
/// Chain c draws from `key.role(Role::Chain(c))`, so the bits do not depend on the number of threads. An
/// interrupted run keeps what it has: see [`McmcPosterior::from_chains`].
///
/// # Errors
/// That of the first chain that failed, wrapped in [`McmcError::Chain`], or [`McmcError::Setting`].
pub fn sample<S: Sampler + ?Sized>(
    sampler: &S,
    settings: &McmcSettings,
    key: StreamKey,
    control: Control<'_>,
) -> Result<McmcPosterior, McmcError> {
    settings.validate()?;
    let chains: Vec<Result<ChainResult, McmcError>> = (0..settings.n_chains as u32)
        .into_par_iter()
        .map(|chain| {
            let wrap = |source| McmcError::Chain { chain, source: Box::new(source) };
            sampler.sample_chain(chain, settings, key, control).map_err(wrap)
        })
        .collect();
    let chains: Vec<ChainResult> = chains.into_iter().collect::<Result<_, _>>()?;
    Ok(McmcPosterior::from_chains(sampler.parameters().clone(), chains))
}

/// Runs one chain of a Markov kernel through [`vi_core::run`].
pub(crate) fn sample_markov_chain<K: MarkovKernel>(
    kernel: &K,
    chain: u32,
    settings: &McmcSettings,
    key: StreamKey,
    control: Control<'_>,
) -> Result<ChainResult, McmcError> {
    let recorded = RecordedChain::new(kernel, *settings)?;
    let mut state = recorded.start(chain, key)?;
    if control.is_interrupted() {
        return Ok(recorded.finish(chain, state, StopReason::Interrupted));
    }
    let iterations = 0..recorded.n_iterations();
    let mut report = Report { chain, settings: *settings, control };
    let step_key = recorded.step_key(chain, key);
    let outcome =
        run(&recorded, &mut state, step_key, iterations, &Interrupted(control), &mut [&mut report])?;
    Ok(recorded.finish(chain, state, outcome.reason))
}

/// Tells the caller's progress function of every iteration.
struct Report<'a> {
    chain: u32,
    settings: McmcSettings,
    control: Control<'a>,
}

impl<K: MarkovKernel> Observer<RecordedChain<'_, K>> for Report<'_> {
    fn observe(
        &mut self,
        t: u64,
        _: &<RecordedChain<'_, K> as vi_core::Kernel>::State,
        _: &MarkovInfo,
    ) -> Result<(), ObserverError> {
        self.control.report(ChainProgress {
            chain: self.chain,
            n_done: t + 1,
            n_iterations: self.settings.n_iterations(),
            warmup: t < self.settings.n_warmup as u64,
            divergent: false,
        });
        Ok(())
    }
}

struct Interrupted<'a>(Control<'a>);

impl<I> StopRule<I> for Interrupted<'_> {
    fn check(&self, _: u64, _: &I) -> Option<StopReason> {
        self.0.is_interrupted().then_some(StopReason::Interrupted)
    }
}
