//! From settings to a posterior in one call.

use serde::{Deserialize, Serialize};
use vi_core::{Exec, GradLogJoint, NeverStop, Observer, Outcome, Role, StopRule, StreamKey, run};
use vi_families::FullRankGaussian;

use super::kernel::{ScoreMatching, ScoreMatchingInfo, ScoreMatchingState};
use super::rule::MatchRule;
use crate::elbo::evaluate_elbo;
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;
use crate::fit::SgviFit;
use crate::posterior::SgviPosterior;
use crate::window::{ElboPlateau, Window};

/// Settings of [`fit_score_matching`]; the rule is a type and is chosen in code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreMatchingSettings {
    /// Draws B of an iteration; by default 32.
    pub n_batch: usize,
    /// Budget of iterations; by default 2000. A run that uses it up is reported as not converged.
    pub n_iterations: u64,
    /// Windows of the ELBO trace that are compared; by default of 50 iterations at first.
    pub window: Window,
    /// When the difference of two windows counts as none.
    pub tolerance: ElboPlateau,
    /// Samples of the final evaluation of the ELBO; by default 10 000.
    pub n_evaluate: usize,
}

impl Default for ScoreMatchingSettings {
    fn default() -> Self {
        Self {
            n_batch: 32,
            n_iterations: 2000,
            window: Window { length: 50, ..Window::default() },
            tolerance: ElboPlateau::default(),
            n_evaluate: 10_000,
        }
    }
}

/// Fits a Gaussian with full covariance to a model by matching scores.
///
/// Iterations draw from `key.role(Role::Step)`, the final evaluation of the ELBO from `key.role(Role::Evaluate)`. The result
/// is q after the last iteration.
///
/// # Errors
/// [`SgviError::Run`] names the iteration in which the run failed; other variants come from settings or from the final
/// evaluation.
pub fn fit_score_matching<M, R>(
    model: &M,
    rule: R,
    settings: &ScoreMatchingSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<SgviFit<FullRankGaussian>, SgviError>
where
    M: GradLogJoint + ?Sized,
    R: MatchRule,
{
    let kernel = ScoreMatching::new(model, rule, settings.n_batch)?;
    let kernel = kernel.with_window(settings.window)?.with_exec(exec);
    kernel.fit(settings, key, &NeverStop, &mut [])
}

impl<M: GradLogJoint + ?Sized, R: MatchRule> ScoreMatching<'_, M, R> {
    /// Runs from the standard Gaussian until the trace is flat, the budget is used up, or `interrupt` says so, with
    /// observers watching. `settings` are those that made the kernel.
    ///
    /// # Errors
    /// As for [`fit_score_matching`].
    pub fn fit(
        &self,
        settings: &ScoreMatchingSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<ScoreMatchingInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<SgviFit<FullRankGaussian>, SgviError> {
        settings.tolerance.validate()?;
        require(settings.n_evaluate >= 2, "n_evaluate", settings.n_evaluate as f64, "≥ 2")?;
        let mut state = self.init();
        let iterations = 0..settings.n_iterations;
        let stop = (settings.tolerance, interrupt);
        let outcome =
            run(self, &mut state, key.role(Role::Step), iterations, &stop, observers).map_err(Box::new)?;
        self.finish(state, outcome, settings.n_evaluate, key)
    }

    /// Turns the state at the end of a run into a result, with the ELBO from `n_evaluate` samples under
    /// `key.role(Role::Evaluate)`.
    ///
    /// # Errors
    /// [`SgviError::Evaluation`] when the log joint is not finite under q.
    pub fn finish(
        &self,
        state: ScoreMatchingState,
        outcome: Outcome,
        n_evaluate: usize,
        key: StreamKey,
    ) -> Result<SgviFit<FullRankGaussian>, SgviError> {
        let params = self.params(&state);
        let (model, family, role) = (self.model(), self.family(), key.role(Role::Evaluate));
        let elbo = evaluate_elbo(model, family, &params, n_evaluate, role, self.exec())
            .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
        let mut evaluations = state.evaluations;
        evaluations += Evaluations { n_log_joint: n_evaluate as u64, ..Evaluations::default() };
        let posterior = SgviPosterior::new(family.clone(), params, model.parameters().clone())?;
        let biases = vec!["steps match scores; they do not ascend the ELBO".to_owned()];
        let elbo_trace = state.elbo_trace;
        Ok(SgviFit { posterior, elbo, outcome, elbo_trace, biases, n_clipped: 0, evaluations })
    }
}
