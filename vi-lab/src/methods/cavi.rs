//! Coordinate-ascent variational inference: plain, with damping and annealing, with moves of components.

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_cavi::{
    Accepted, Ascent, CaviInfo, CaviPosterior, DampedCavi, DampedSettings, ElboTolerance, Move, MoveSettings,
    MoveState, MovingCavi, group_optima,
};
use vi_core::{ConditionallyConjugate, ElboEstimate, Exec, NaturalFactors, Role, SplitMerge, StopReason};

use super::context::{Context, Done, Job};
use super::{Fitted, Judged};
use crate::config::CaviSettings;
use crate::error::LabError;
use crate::result::{FoundOptimum, TraceColumns};

/// Plain coordinate ascent.
pub(crate) fn plain<M>(model: &M, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError>
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    let kernel = settings.engine().kernel(model, Exec::local());
    fit(model, &kernel, settings, context, |_| Vec::new())
}

/// With damping, and from high temperature to low.
pub(crate) fn damped<M>(
    model: &M,
    damped: DampedSettings,
    settings: &CaviSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError>
where
    M: NaturalFactors,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    let kernel = DampedCavi::new(model, damped, &settings.engine(), Exec::local());
    fit(model, &kernel.map_err(|e| context.failed(e))?, settings, context, |_| Vec::new())
}

/// With splits, merges and deletions of components.
pub(crate) fn moving<M>(
    model: &M,
    moves: MoveSettings,
    settings: &CaviSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError>
where
    M: SplitMerge,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    let kernel = MovingCavi::new(model, moves, &settings.engine(), Exec::local());
    let told = |state: &MoveState<_, _>| vec![told_of_moves(state.n_tried, &state.accepted)];
    fit(model, &kernel.map_err(|e| context.failed(e))?, settings, context, told)
}

/// Restarts as in `vi_cavi::Fit`, each with a checkpoint of its own; the best ELBO is kept, all optima are told.
fn fit<M, K>(
    model: &M,
    kernel: &K,
    settings: &CaviSettings,
    context: &Context<'_>,
    remarks: impl Fn(&K::State) -> Vec<String>,
) -> Result<Fitted, LabError>
where
    M: ConditionallyConjugate,
    K: Ascent<Model = M>,
    K::State: Serialize + DeserializeOwned,
{
    context.progress.start(settings.max_iterations * u64::from(settings.n_restarts));
    let restarts: Vec<Result<Done<K::State>, LabError>> =
        (0..settings.n_restarts).into_par_iter().map(|r| restart(kernel, settings, context, r)).collect();
    let restarts = restarts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let iterations = restarts.iter().map(|d| d.outcome.next).sum();
    let elapsed_s = context.elapsed_s();
    let ends: Vec<(f64, bool)> =
        restarts.iter().map(|d| (K::ascent(&d.state).elbo, d.outcome.converged())).collect();
    let optima = group_optima(&ends, settings.same_optimum);
    let best = optima[0].restarts[0];
    let interrupted = restarts.iter().any(|d| d.outcome.reason == StopReason::Interrupted);
    let Some(kept) = restarts.into_iter().nth(best) else { unreachable!("settings ask for a restart") };
    let remarks = remarks(&kept.state);
    let state = K::into_ascent(kept.state);
    let mut trace = TraceColumns::new(&["iteration", "elbo"]);
    for (t, elbo) in state.elbo_trace.iter().enumerate() {
        trace.push(&[(t + 1) as f64, *elbo]);
    }
    let mut stop_reason =
        if interrupted { "interrupted".to_owned() } else { kept.outcome.reason.to_string() };
    if settings.n_restarts > 1 {
        stop_reason += &format!(" (restart {} of {})", best + 1, settings.n_restarts);
    }
    let posterior = CaviPosterior::new(model, state.factors, state.elbo);
    Ok(Fitted {
        converged: Some(kept.outcome.converged() && !interrupted),
        stop_reason,
        interrupted,
        iterations,
        elapsed_s,
        elbo: Some(ElboEstimate::exact(state.elbo)),
        trace,
        remarks,
        optima: optima.iter().map(|o| FoundOptimum::new(o, ends.len())).collect(),
        judged: Judged::variational(context, &posterior, settings.n_draws),
        ..Fitted::default()
    })
}

fn restart<K: Ascent>(
    kernel: &K,
    settings: &CaviSettings,
    context: &Context<'_>,
    r: u32,
) -> Result<Done<K::State>, LabError>
where
    K::State: Serialize + DeserializeOwned,
{
    let key = context.key.role(Role::Chain(r));
    let message =
        |t: u64, info: &CaviInfo| format!("restart {}, sweep {}: ELBO {:.4}", r + 1, t + 1, info.elbo);
    let job = Job {
        part: format!("restart-{}", r + 1),
        kernel,
        key: key.role(Role::Step),
        budget: settings.max_iterations,
        stop: &ElboTolerance { relative: settings.tolerance },
        message: &message,
    };
    context.run(&job, || kernel.start(key.role(Role::Init)))
}

/// How many moves were made, and what they gained.
fn told_of_moves(n_tried: u64, accepted: &[Accepted]) -> String {
    let gained: f64 = accepted.iter().map(|a| a.after - a.before).sum();
    let count = |is: fn(&Move) -> bool| accepted.iter().filter(|a| is(&a.made)).count();
    let kinds = [
        (count(|m| matches!(m, Move::Merge { .. })), "merge"),
        (count(|m| matches!(m, Move::Delete { .. })), "deletion"),
        (count(|m| matches!(m, Move::Split { .. })), "split"),
        (count(|m| matches!(m, Move::MergeSplit { .. })), "merge with a split"),
    ];
    let made = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, kind)| format!("{n} × {kind}"));
    let made: Vec<String> = made.collect();
    if made.is_empty() {
        return format!("{n_tried} moves were tried, and none raised the bound");
    }
    let (n, made) = (accepted.len(), made.join(", "));
    format!("{n} of {n_tried} moves that were tried raised the bound ({made}), by {gained:.4} nats in all")
}
