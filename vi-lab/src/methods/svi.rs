//! Stochastic variational inference: natural-gradient steps on minibatches.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_cavi::{CaviPosterior, Svi, SviInfo, SviTolerance};
use vi_core::{ElboEstimate, Exchangeable, Exec, Role, StopReason};

use super::context::{Context, Job};
use super::{Fitted, Judged};
use crate::config::SviSettings;
use crate::error::LabError;
use crate::result::TraceColumns;

/// One run as in `vi_cavi::fit_stochastic`, with a checkpoint; the local factors are completed at its end.
pub(crate) fn fit<M>(model: &M, settings: &SviSettings, context: &Context<'_>) -> Result<Fitted, LabError>
where
    M: Exchangeable,
    M::Globals: Serialize + DeserializeOwned,
{
    let (engine, key) = (settings.engine(), context.key);
    let failed = |e: vi_cavi::CaviError| context.failed(e);
    let kernel = Svi::new(model, &engine, key.role(Role::Data), Exec::local()).map_err(failed)?;
    let (n_batches, budget) = (kernel.n_batches(), engine.n_epochs.saturating_mul(kernel.n_batches()));
    context.progress.start(budget);
    let message = |_: u64, info: &SviInfo| {
        let elbo = info.elbo.map_or(String::new(), |elbo| format!(": ELBO {elbo:.4}"));
        format!("epoch {:.2}, rate {:.4}{elbo}", info.epochs, info.rate)
    };
    let job = Job {
        part: "fit".to_owned(),
        kernel: &kernel,
        key: key.role(Role::Step),
        budget,
        stop: &SviTolerance { relative: engine.tolerance },
        message: &message,
    };
    let done = context.run(&job, || kernel.init(key.role(Role::Init)))?;
    let (state, outcome) = (done.state, done.outcome);
    let (factors, stats) = model.complete(&state.globals, Exec::local()).map_err(|e| context.failed(e))?;
    let elbo = model.elbo(&factors, &stats);
    let elapsed_s = context.elapsed_s();
    let mut trace = TraceColumns::new(&["iteration", "elbo"]);
    for (n_steps, elbo) in &state.elbo_trace {
        trace.push(&[*n_steps as f64, *elbo]);
    }
    let epochs = state.n_steps as f64 / n_batches as f64;
    let of_batches = format!(
        "{epochs:.2} passes over {} data in batches of {}",
        model.n_data(),
        engine.batch_size.min(model.n_data())
    );
    let posterior = CaviPosterior::new(model, factors, elbo);
    Ok(Fitted {
        converged: Some(outcome.converged()),
        stop_reason: outcome.reason.to_string(),
        interrupted: outcome.reason == StopReason::Interrupted,
        iterations: outcome.next,
        elapsed_s,
        elbo: Some(ElboEstimate::exact(elbo)),
        trace,
        remarks: vec![of_batches],
        judged: Judged::variational(context, &posterior, settings.n_draws),
        ..Fitted::default()
    })
}
