//! What the samplers have in common: chains in parallel, each with a checkpoint of its own.

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_core::{NeverStop, ParameterSpace, Posterior, Reported, ReportedPosterior, StopReason};
use vi_mcmc::{ChainResult, MarkovInfo, MarkovKernel, McmcPosterior, McmcSettings, RecordedChain};

use super::context::{Context, Job};
use super::{Fitted, Judged};
use crate::error::LabError;
use crate::result::TraceColumns;

/// All chains of a Markov kernel, resumed where they were left off.
pub(super) fn run<K: MarkovKernel>(
    kernel: &K,
    settings: &McmcSettings,
    reported: Option<&dyn Reported>,
    context: &Context<'_>,
) -> Result<Fitted, LabError>
where
    K::State: Serialize + DeserializeOwned,
{
    let recorded = RecordedChain::new(kernel, *settings).map_err(|e| context.failed(e))?;
    let message = |t: u64, info: &MarkovInfo| {
        let warmup = if t < settings.n_warmup as u64 { "warm-up" } else { "sampling" };
        format!("{warmup}: log joint {:.3}", info.log_joint)
    };
    let chain = |c: u32| -> Result<ChainResult, LabError> {
        let job = Job {
            part: part(c),
            kernel: &recorded,
            key: recorded.step_key(c, context.key),
            budget: recorded.n_iterations(),
            stop: &NeverStop,
            message: &message,
        };
        let done = context.run(&job, || recorded.start(c, context.key))?;
        Ok(recorded.finish(c, done.state, done.outcome.reason))
    };
    all(kernel.parameters(), settings, reported, context, chain)
}

/// The checkpoint of chain `c`.
pub(super) fn part(c: u32) -> String {
    format!("chain-{}", c + 1)
}

/// Runs `chain` for every chain and puts them together.
pub(super) fn all(
    parameters: &ParameterSpace,
    settings: &McmcSettings,
    reported: Option<&dyn Reported>,
    context: &Context<'_>,
    chain: impl Fn(u32) -> Result<ChainResult, LabError> + Send + Sync,
) -> Result<Fitted, LabError> {
    context.progress.start(settings.n_iterations() * settings.n_chains as u64);
    let chains: Vec<Result<ChainResult, LabError>> =
        (0..settings.n_chains as u32).into_par_iter().map(chain).collect();
    let chains = chains.into_iter().collect::<Result<Vec<_>, _>>()?;
    let elapsed_s = context.elapsed_s();
    let posterior = McmcPosterior::from_chains(parameters.clone(), chains);
    let interrupted = posterior.stop_reason() == StopReason::Interrupted;
    let stop_reason = if interrupted { "interrupted" } else { "all draws made" };
    Ok(Fitted {
        converged: None,
        stop_reason: stop_reason.to_owned(),
        interrupted,
        iterations: posterior.n_iterations(),
        elapsed_s,
        n_log_joint: posterior.n_log_joint(),
        n_gradient: posterior.n_gradient(),
        trace: trace(&posterior),
        judged: judge(posterior, reported, context),
        ..Fitted::default()
    })
}

/// log p(x, z) of every draw kept, one column per chain.
fn trace(posterior: &McmcPosterior) -> TraceColumns {
    let log_joint = posterior.log_joint();
    let names: Vec<String> = (1..=log_joint.nrows()).map(|c| format!("log_joint_chain_{c}")).collect();
    let names: Vec<&str> = std::iter::once("draw").chain(names.iter().map(String::as_str)).collect();
    let mut trace = TraceColumns::new(&names);
    for (i, column) in log_joint.columns().into_iter().enumerate() {
        let row: Vec<f64> = std::iter::once((i + 1) as f64).chain(column.iter().copied()).collect();
        trace.push(&row);
    }
    trace
}

fn judge(posterior: McmcPosterior, reported: Option<&dyn Reported>, context: &Context<'_>) -> Judged {
    // R-hat compares halves of chains: fewer draws than four are those of a run interrupted at its start.
    if posterior.all_draws().n_draws() < 4 {
        return Judged::default();
    }
    let draws = match reported {
        Some(map) => ReportedPosterior::new(posterior, map).draws(0, context.evaluation_key),
        None => posterior.draws(0, context.evaluation_key),
    };
    Judged::chains(draws)
}
