//! The Gibbs sampler.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_core::{ConditionallyConjugate, Exec};
use vi_mcmc::{Gibbs, McmcSettings};

use super::{Context, Fitted, chains};
use crate::config::GibbsSettings;
use crate::error::LabError;

pub(crate) fn fit<M>(model: &M, settings: &GibbsSettings, context: &Context<'_>) -> Result<Fitted, LabError>
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    let GibbsSettings { n_chains, n_warmup, n_draws, thin } = *settings;
    let kernel = Gibbs::new(model, Exec::local());
    chains::run(&kernel, &McmcSettings { n_chains, n_warmup, n_draws, thin }, None, context)
}
