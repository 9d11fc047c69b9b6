//! Coordinate-ascent variational inference.

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_cavi::{Cavi, CaviInfo, CaviPosterior, ElboTolerance, StateOf};
use vi_core::{ConditionallyConjugate, ElboEstimate, Exec, Role};

use super::context::{Context, Done, Job};
use super::{Fitted, Judged};
use crate::config::CaviSettings;
use crate::error::LabError;
use crate::result::TraceColumns;

/// Restarts as in `vi_cavi::fit`, each with a checkpoint of its own; the best ELBO is kept.
pub(crate) fn fit<M>(model: &M, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError>
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    context.progress.start(settings.max_iterations * u64::from(settings.n_restarts));
    let restarts: Vec<Result<Done<StateOf<M>>, LabError>> =
        (0..settings.n_restarts).into_par_iter().map(|r| restart(model, settings, context, r)).collect();
    let restarts = restarts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let iterations = restarts.iter().map(|d| d.outcome.next).sum();
    let elapsed_s = context.elapsed_s();
    // The first of equals, as in `vi_cavi::fit`.
    let mut best = 0;
    for (r, done) in restarts.iter().enumerate() {
        if done.state.elbo > restarts[best].state.elbo {
            best = r;
        }
    }
    let interrupted = restarts.iter().any(|d| d.outcome.reason == vi_core::StopReason::Interrupted);
    let Some(kept) = restarts.into_iter().nth(best) else { unreachable!("settings ask for a restart") };
    let mut trace = TraceColumns::new(&["iteration", "elbo"]);
    for (t, elbo) in kept.state.elbo_trace.iter().enumerate() {
        trace.push(&[(t + 1) as f64, *elbo]);
    }
    let mut stop_reason =
        if interrupted { "interrupted".to_owned() } else { kept.outcome.reason.to_string() };
    if settings.n_restarts > 1 {
        stop_reason += &format!(" (restart {} of {})", best + 1, settings.n_restarts);
    }
    let posterior = CaviPosterior::new(model, kept.state.factors, kept.state.elbo);
    Ok(Fitted {
        converged: Some(kept.outcome.converged() && !interrupted),
        stop_reason,
        interrupted,
        iterations,
        elapsed_s,
        elbo: Some(ElboEstimate::exact(kept.state.elbo)),
        trace,
        judged: Judged::variational(context, &posterior, settings.n_draws),
        ..Fitted::default()
    })
}

fn restart<M>(
    model: &M,
    settings: &CaviSettings,
    context: &Context<'_>,
    r: u32,
) -> Result<Done<StateOf<M>>, LabError>
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    let kernel = Cavi::new(model, Exec::local());
    let key = context.key.role(Role::Chain(r));
    let message =
        |t: u64, info: &CaviInfo| format!("restart {}, sweep {}: ELBO {:.4}", r + 1, t + 1, info.elbo);
    let job = Job {
        part: format!("restart-{}", r + 1),
        kernel: &kernel,
        key: key.role(Role::Step),
        budget: settings.max_iterations,
        stop: &ElboTolerance { relative: settings.tolerance },
        message: &message,
    };
    context.run(&job, || kernel.init(key.role(Role::Init)))
}
