//! A whole fit by stochastic variational inference.

use serde::{Deserialize, Serialize};
use vi_core::{Exchangeable, Exec, Observer, Outcome, Role, RunError, StopRule, StreamKey, run};

use super::kernel::{Svi, SviInfo, SviState, SviTolerance};
use super::settings::SviSettings;
use crate::error::CaviError;
use crate::posterior::CaviPosterior;

/// A finished fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SviFit<G> {
    /// The final state.
    pub state: SviState<G>,
    /// Why it ended, and where to go on.
    pub outcome: Outcome,
}

impl<G: Clone + Send + Sync> SviFit<G> {
    /// The fitted factors as a posterior over the variables of `model`, with the optimal local factors of all data.
    ///
    /// # Errors
    /// [`CaviError::Conditional`] when local factors cannot be formed.
    pub fn posterior<'a, M>(&self, model: &'a M, exec: Exec<'_>) -> Result<CaviPosterior<'a, M>, CaviError>
    where
        M: Exchangeable<Globals = G>,
    {
        let (factors, stats) = model.complete(&self.state.globals, exec)?;
        let elbo = model.elbo(&factors, &stats);
        Ok(CaviPosterior::new(model, factors, elbo))
    }
}

/// Fits `model` by stochastic variational inference.
///
/// It starts from `key.role(Role::Init)`, and its batches come from `key.role(Role::Data)`. `stop` is a rule beside the
/// tolerance of the settings, `resume` a saved state and its next step.
///
/// # Errors
/// [`CaviError::Setting`] for settings outside their domain, or the error of a step with its number.
pub fn fit_stochastic<M: Exchangeable>(
    model: &M,
    settings: &SviSettings,
    key: StreamKey,
    exec: Exec<'_>,
    resume: Option<(SviState<M::Globals>, u64)>,
    stop: &dyn StopRule<SviInfo>,
    observers: &mut [&mut dyn for<'k> Observer<Svi<'k, M>>],
) -> Result<SviFit<M::Globals>, RunError<CaviError>> {
    let at_start = |source| RunError::Kernel { iteration: 0, source };
    let kernel = Svi::new(model, settings, key.role(Role::Data), exec).map_err(at_start)?;
    let (mut state, next) = match resume {
        Some(saved) => saved,
        None => (kernel.init(key.role(Role::Init)).map_err(at_start)?, 0),
    };
    let mut observers: Vec<&mut dyn Observer<Svi<'_, M>>> =
        observers.iter_mut().map(|o| &mut **o as &mut dyn Observer<Svi<'_, M>>).collect();
    let iterations = next..(settings.n_epochs * kernel.n_batches()).max(next);
    let stop = (SviTolerance { relative: settings.tolerance }, stop);
    let outcome = run(&kernel, &mut state, key.role(Role::Step), iterations, &stop, &mut observers)?;
    Ok(SviFit { state, outcome })
}
