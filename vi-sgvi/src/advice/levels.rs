//! Sample averages of the ELBO, climbed one after another with four times as many draws.

use ndarray::Array1;
use vi_core::{Exec, GradLogJoint, Outcome, Role, StopReason, StreamKey, run};
use vi_families::{GaussianTarget, NearGaussian, Reparameterized};

use super::{Account, AdviceSettings};
use crate::elbo::{Elbo, compare_elbo};
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;
use crate::quasi_newton::{Lbfgs, Stationary};
use crate::sample_average::{SampleAverage, matched_noise};

/// Steps that the ascent remembers: the chart makes them few.
const MEMORY: usize = 20;
/// When an ascent ends, in nats: far below what the draws leave open.
const STATIONARY: f64 = 1e-5;
/// Draws by which two levels are compared.
const N_COMPARE: usize = 4000;
/// The tag of the keys of these comparisons, beside those of the levels.
const COMPARE: u64 = 0x4c45_5645_4c21;

/// The λ reached, and how.
pub(super) struct Climbed {
    pub(super) params: Array1<f64>,
    pub(super) outcome: Outcome,
}

/// What is left after a level, from its improvement on the one before with a quarter of its draws.
///
/// ```text
/// ELBO* − ELBO(λ_S) ≈ c/S   ⇒   ELBO* − ELBO(λ_S) ≈ (ELBO(λ_S) − ELBO(λ_{S/4})) / 3
/// ```
struct Left {
    value: f64,
    error: f64,
}

pub(super) fn climb<M, F>(
    elbo: Elbo<'_, M, F>,
    target: &GaussianTarget,
    settings: &AdviceSettings,
    key: StreamKey,
    exec: Exec<'_>,
    account: &mut Account,
    evaluations: &mut Evaluations,
) -> Result<Climbed, SgviError>
where
    M: GradLogJoint + ?Sized,
    F: NearGaussian,
    for<'a> F::Member<'a>: Reparameterized,
{
    let AdviceSettings { n_samples, max_samples, tolerance, n_iterations, .. } = *settings;
    let power_of_two = n_samples.is_power_of_two() && n_samples >= 4;
    require(power_of_two, "advice.n_samples", n_samples as f64, "a power of two ≥ 4")?;
    require(tolerance > 0.0, "advice.tolerance", tolerance, "finite and > 0")?;
    let near = elbo.family().params_near(target)?;
    let noise_dim = elbo.family().bind(&near)?.noise_dim();
    // Second moments are exact from four draws a dimension on.
    let mut n = n_samples.max((4 * noise_dim.min(512)).next_power_of_two());
    let step_key = key.role(Role::Step);
    let mut nu = Array1::zeros(near.len());
    let (mut last, mut n_done) = (None::<Array1<f64>>, 0);
    for level in 0.. {
        let noise = matched_noise(n, noise_dim, step_key.fold_in(level))?;
        let objective = SampleAverage { elbo, target, near: &near, noise: &noise, exec };
        let ascent = Lbfgs::new(&objective, MEMORY)?;
        // Where the end of the level before is no start for these draws, the start is.
        let mut state = ascent.start(nu).or_else(|_| ascent.start(Array1::zeros(near.len())))?;
        let stop = Stationary { tolerance: STATIONARY };
        let budget = n_done..n_done + n_iterations;
        let ended = run(&ascent, &mut state, step_key, budget, &stop, &mut []);
        evaluations.n_gradient += state.n_gradient * n as u64;
        let params = objective.params(&state.position);
        let rest = objective.natural_improvement(&params)?;
        evaluations.n_gradient += n as u64;
        let (text, ended_well) = match &ended {
            Ok(outcome) => {
                n_done = outcome.next;
                (outcome.reason.to_string(), outcome.converged())
            }
            Err(error) => (error.to_string(), false),
        };
        let stationary = ended_well && rest <= tolerance;
        account.push("draws", n.to_string(), format!("{text}; a natural step would add {rest:.1e}"));
        let left = match last.as_ref().filter(|_| stationary) {
            Some(last) => {
                Some(left(elbo, last, &params, key.role(Role::Evaluate).fold_in(COMPARE + level), exec)?)
            }
            None => None,
        };
        evaluations.n_log_joint += if left.is_some() { 2 * N_COMPARE as u64 } else { 0 };
        if let Some(Left { value, error }) = left.filter(|l| l.value.abs() + l.error <= tolerance) {
            let rule = format!(
                "{n} draws left {value:.1e} ± {error:.1e} nats to the best of the family (tolerance {tolerance:.1e})"
            );
            account.push("stop", "more draws would not help", rule.clone());
            return Ok(Climbed {
                params,
                outcome: Outcome { next: n_done, reason: StopReason::Converged { rule } },
            });
        }
        if 4 * n > max_samples {
            account.push("stop", "the most draws allowed", format!("{n} draws, max_samples = {max_samples}"));
            return Ok(Climbed { params, outcome: Outcome { next: n_done, reason: StopReason::Budget } });
        }
        n *= 4;
        last = Some(params);
        nu = state.position;
    }
    unreachable!("the loop ends by returning")
}

fn left<M, F>(
    elbo: Elbo<'_, M, F>,
    from: &Array1<f64>,
    to: &Array1<f64>,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<Left, SgviError>
where
    M: GradLogJoint + ?Sized,
    F: NearGaussian,
{
    let comparison = compare_elbo(elbo, from, to, N_COMPARE, key, exec)
        .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
    Ok(Left { value: comparison.improvement / 3.0, error: 2.0 * comparison.mcse / 3.0 })
}
