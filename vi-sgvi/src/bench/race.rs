//! ELBO against evaluations and seconds, over several seeds.

use ndarray::Array1;
use vi_core::{Exec, LogJoint, Role, StreamKey};
use vi_families::VariationalFamily;

use super::candidate::{Ascent, Candidate, Step};
use super::{BenchSettings, Progress, RaceSettings, Watch};
use crate::elbo::{Elbo, evaluate_elbo};
use crate::error::SgviError;

/// Where and how far candidates run.
pub(super) struct Race<'a, M: ?Sized, F> {
    pub(super) elbo: Elbo<'a, M, F>,
    pub(super) settings: &'a RaceSettings,
    pub(super) start: &'a Array1<f64>,
}

/// The course of one candidate.
#[derive(Debug)]
pub(super) struct Course {
    /// The ELBO at the start, for every seed: from the samples that all its milestones are evaluated with.
    pub(super) start: Vec<f64>,
    pub(super) milestones: Vec<Passed>,
}

/// One milestone.
#[derive(Debug)]
pub(super) struct Passed {
    /// The share of the budget that the milestone stands for, in log joints.
    pub(super) target: f64,
    pub(super) n_iterations: u64,
    /// Seconds and ELBO of every seed.
    pub(super) seconds: Vec<f64>,
    pub(super) elbos: Vec<f64>,
}

/// Iterations at milestones that divide the budget evenly in its logarithm, the first at a hundredth of it.
fn milestones(settings: &RaceSettings, work: f64) -> Vec<Passed> {
    let n = f64::from(settings.n_milestones);
    let at = |m: u32| {
        let share = if n > 1.0 { 100_f64.powf(f64::from(m) / (n - 1.0) - 1.0) } else { 1.0 };
        // The last one is the budget itself, whatever rounding makes of the power.
        let target = if m + 1 == settings.n_milestones { settings.budget } else { share * settings.budget };
        let n_iterations = ((target / work) as u64).max(1);
        Passed { target, n_iterations, seconds: Vec::new(), elbos: Vec::new() }
    };
    (0..settings.n_milestones).map(at).collect()
}

/// Climbs with every seed; `None` when the watch ended it.
pub(super) fn run<M, F>(
    race: &Race<'_, M, F>,
    (candidate, bench): (&Candidate<'_, M, F>, &BenchSettings),
    key: StreamKey,
    exec: Exec<'_>,
    watch: &mut Watch<'_>,
) -> Result<Option<Course>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let Race { elbo, settings, start } = *race;
    let (model, family) = (elbo.model(), elbo.family());
    let work = bench.work(candidate.cost(elbo), model.dim());
    let evaluate = |params: &Array1<f64>, key: StreamKey| {
        evaluate_elbo(model, family, params, settings.n_evaluate, key.role(Role::Evaluate), exec)
            .map_err(|source| SgviError::Evaluation(Box::new(source)))
    };
    let (mut at_start, mut milestones) = (Vec::new(), milestones(settings, work));
    let n_iterations = milestones.last().map_or(0, |m| m.n_iterations);
    let n_total = n_iterations * u64::from(settings.n_seeds);
    let mut go_on = true;
    for seed in 0..settings.n_seeds {
        let key = key.fold_in(u64::from(seed));
        at_start.push(evaluate(start, key)?.value);
        let (optimizer, averaging) = (settings.optimizer, settings.averaging);
        let ascent = Ascent { n_iterations, optimizer, averaging, key: key.role(Role::Step) };
        candidate.inner().ascend(elbo, start, ascent, exec, &mut |step: &Step<'_>| {
            for milestone in milestones.iter_mut().filter(|m| m.n_iterations == step.t) {
                let value = evaluate(&(step.average)(), key)?;
                milestone.seconds.push(step.elapsed.as_secs_f64());
                milestone.elbos.push(value.value);
            }
            let n_done = u64::from(seed) * n_iterations + step.t;
            go_on = watch(Progress { candidate: candidate.name(), stage: "race", n_done, n_total });
            Ok(go_on)
        })?;
        if !go_on && milestones.iter().any(|m| m.elbos.len() < settings.n_seeds as usize) {
            return Ok(None);
        }
    }
    Ok(Some(Course { start: at_start, milestones }))
}
