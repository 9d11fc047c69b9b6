//! The adaptive random walk.

use vi_mcmc::{McmcSettings, RandomWalk};

use super::{Context, Fitted, chains};
use crate::config::RandomWalkSettings;
use crate::error::LabError;
use crate::study::Target;

pub(crate) fn fit(
    target: Target<'_>,
    settings: &RandomWalkSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError> {
    let RandomWalkSettings { n_chains, n_warmup, n_draws, thin, .. } = *settings;
    let kernel = RandomWalk::new(target.log_joint, vi_mcmc::RandomWalkSettings::default());
    let kernel = kernel.map_err(|e| context.failed(e))?;
    chains::run(&kernel, &McmcSettings { n_chains, n_warmup, n_draws, thin }, target.reported, context)
}
