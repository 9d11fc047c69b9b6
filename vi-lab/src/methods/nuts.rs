//! NUTS, whose chains are saved when they are complete.

use std::sync::atomic::{AtomicU64, Ordering};

use vi_core::StopReason;
use vi_mcmc::{ChainProgress, ChainResult, Control, McmcSettings, Nuts, Sampler};

use super::{Context, Fitted, chains};
use crate::config::NutsSettings;
use crate::error::LabError;
use crate::study::Target;

pub(crate) fn fit(
    target: Target<'_>,
    settings: &NutsSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError> {
    let Some(gradient) = target.gradient else {
        return Err(context.failed("the model has no gradient"));
    };
    let options = vi_mcmc::NutsSettings {
        target_accept: settings.target_accept,
        max_tree_depth: settings.max_tree_depth,
        ..vi_mcmc::NutsSettings::default()
    };
    let sampler = Nuts::new(gradient, options).map_err(|e| context.failed(e))?;
    let NutsSettings { n_chains, n_warmup, n_draws, .. } = *settings;
    let length = McmcSettings { n_chains, n_warmup, n_draws, thin: 1 };
    let n_divergent = AtomicU64::new(0);
    let chain = |c: u32| -> Result<ChainResult, LabError> {
        let part = chains::part(c);
        let result = match context.saved::<ChainResult>(&part)? {
            Some((n, result)) => {
                context.progress.skip(n);
                result
            }
            None => {
                let show = |p: ChainProgress| watch(context, p);
                let control = Control::none().with_interrupt(context.interrupt.flag()).with_progress(&show);
                let result = sampler.sample_chain(c, &length, context.key, control);
                let result = result.map_err(|e| context.failed(e))?;
                if result.stats.stop_reason != StopReason::Interrupted {
                    context.save(&part, result.stats.n_iterations, &result)?;
                }
                result
            }
        };
        n_divergent.fetch_add(result.stats.n_divergent, Ordering::Relaxed);
        Ok(result)
    };
    let fitted = chains::all(sampler.parameters(), &length, target.reported, context, chain)?;
    Ok(Fitted { n_divergent: Some(n_divergent.into_inner()), ..fitted })
}

fn watch(context: &Context<'_>, p: ChainProgress) {
    context.interrupt.tick();
    context.progress.tick(|| {
        let phase = if p.warmup { "warm-up" } else { "sampling" };
        format!("chain {}: {phase}, {} of {}", p.chain + 1, p.n_done, p.n_iterations)
    });
}
