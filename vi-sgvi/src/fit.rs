//! From settings to a posterior in one call.

use vi_core::{ElboEstimate, Exec, LogJoint, NeverStop, Observer, Outcome, Role, StopRule, StreamKey, run};
use vi_families::VariationalFamily;

use crate::elbo::evaluate_elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator};
use crate::kernel::{Sgvi, SgviInfo, SgviState};
use crate::optimizer::{AnyOptimizer, AscentRule};
use crate::posterior::SgviPosterior;
use crate::settings::SgviSettings;

/// A fitted q with the account of how it came about.
#[derive(Clone, Debug)]
pub struct SgviFit<F> {
    /// q at the averaged λ.
    pub posterior: SgviPosterior<F>,
    /// The ELBO of `posterior`, from samples that no iteration has seen.
    pub elbo: ElboEstimate,
    /// How the run ended; `outcome.converged()` is false when the budget ended first.
    pub outcome: Outcome,
    /// The ELBO estimate of every iteration.
    pub elbo_trace: Vec<f64>,
    /// Evaluations of the model, the final one of the ELBO included.
    pub evaluations: Evaluations,
}

/// Fits q_λ to a model.
///
/// Iterations draw from `key.role(Role::Step)`, the final evaluation of the ELBO from
/// `key.role(Role::Evaluate)`.
///
/// # Errors
/// [`SgviError::Run`] names the iteration in which the run failed; other variants come from settings or from
/// the final evaluation.
pub fn fit<M, F, E>(
    model: &M,
    family: &F,
    estimator: E,
    settings: &SgviSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<SgviFit<F>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily + Clone,
    E: GradientEstimator<M, F>,
{
    let kernel = settings.kernel(model, family, estimator, exec)?;
    kernel.fit(settings, key, &NeverStop, &mut [])
}

impl<M, F, E> Sgvi<'_, M, F, E, AnyOptimizer>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily + Clone,
    E: GradientEstimator<M, F>,
{
    /// Runs from the default start until the trace is flat, the budget is used up, or `interrupt` (for
    /// instance [`vi_core::StopOnFlag`]) says so, with observers watching.
    ///
    /// `settings` are those that made the kernel.
    ///
    /// # Errors
    /// As for [`fit`].
    pub fn fit(
        &self,
        settings: &SgviSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<SgviInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<SgviFit<F>, SgviError> {
        let mut state = self.init();
        let iterations = 0..settings.n_iterations;
        let stop = (settings.tolerance, interrupt);
        let outcome =
            run(self, &mut state, key.role(Role::Step), iterations, &stop, observers).map_err(Box::new)?;
        self.finish(state, outcome, settings.n_evaluate, key)
    }
}

impl<M, F, E, O> Sgvi<'_, M, F, E, O>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily + Clone,
    E: GradientEstimator<M, F>,
    O: AscentRule,
{
    /// Turns the state at the end of a run into a result: q at the averaged λ, and its ELBO from `n_evaluate`
    /// samples under `key.role(Role::Evaluate)`.
    ///
    /// # Errors
    /// [`SgviError::Evaluation`] when the log joint is not finite under the averaged q.
    pub fn finish(
        &self,
        state: SgviState<O::State, E::State>,
        outcome: Outcome,
        n_evaluate: usize,
        key: StreamKey,
    ) -> Result<SgviFit<F>, SgviError> {
        let (model, family) = (self.elbo().model(), self.elbo().family());
        let params = self.averaged_params(&state);
        let elbo = evaluate_elbo(model, family, &params, n_evaluate, key.role(Role::Evaluate), self.exec())
            .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
        let mut evaluations = state.evaluations;
        evaluations += Evaluations { n_log_joint: n_evaluate as u64, ..Evaluations::default() };
        let posterior = SgviPosterior::new(family.clone(), params, model.parameters().clone())?;
        Ok(SgviFit { posterior, elbo, outcome, elbo_trace: state.elbo_trace, evaluations })
    }
}
