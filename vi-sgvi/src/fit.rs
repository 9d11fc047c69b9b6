//! From settings to a posterior in one call.

use ndarray::{Array1, ArrayRef1};
use vi_core::{
    ElboEstimate, Exec, LogJoint, NeverStop, Observer, Outcome, Role, StopReason, StopRule, StreamKey, run,
};
use vi_families::VariationalFamily;

use crate::elbo::{ElboComparison, compare_elbo, evaluate_elbo};
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator};
use crate::importance::Bound;
use crate::kernel::{Sgvi, SgviInfo, SgviState};
use crate::optimizer::{AnyOptimizer, AnyOptimizerState, AscentRule};
use crate::posterior::SgviPosterior;
use crate::settings::SgviSettings;

/// A fitted q with the account of how it came about.
#[derive(Clone, Debug)]
pub struct SgviFit<F> {
    /// q at the averaged λ; after a divergence, at the λ that the run had reached in its best iterations.
    pub posterior: SgviPosterior<F>,
    /// The ELBO of `posterior`, from samples that no iteration has seen.
    pub elbo: ElboEstimate,
    /// How the run ended; `outcome.converged()` is false when the budget ended first or the run diverged.
    pub outcome: Outcome,
    /// The ELBO estimate of every iteration.
    pub elbo_trace: Vec<f64>,
    /// What biased the steps, in words; empty for an unbiased estimator without clipping.
    pub biases: Vec<String>,
    /// Steps whose gradient was cut ([`crate::Clipping`]).
    pub n_clipped: u64,
    /// Evaluations of the model, the final one of the ELBO included.
    pub evaluations: Evaluations,
}

/// What a run comes to.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The reported λ (P).
    pub params: Array1<f64>,
    /// How the run ended.
    pub outcome: Outcome,
    /// The ELBO at `params`, from samples that no iteration has seen.
    pub elbo: ElboEstimate,
    /// Log joints that the look cost.
    pub n_log_joint: u64,
}

/// Fits q_λ to a model.
///
/// Iterations draw from `key.role(Role::Step)`, the final evaluation of the ELBO from
/// `key.role(Role::Evaluate)`.
///
/// A run that diverges is no error but an outcome, [`vi_core::StopReason::Diverged`].
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
    /// Runs from the default start until the stop rule of the settings is met, the budget is used up, or `interrupt` (for
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
        self.fit_from(self.init(), settings, key, interrupt, observers)
    }

    /// As [`Sgvi::fit`], from a start of your own (P).
    ///
    /// # Errors
    /// As for [`fit`]; [`SgviError::Family`] when the start is outside its domain.
    pub fn fit_at(
        &self,
        params: &ArrayRef1<f64>,
        settings: &SgviSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<SgviInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<SgviFit<F>, SgviError> {
        self.fit_from(self.init_at(params)?, settings, key, interrupt, observers)
    }

    fn fit_from(
        &self,
        mut state: SgviState<AnyOptimizerState, E::State>,
        settings: &SgviSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<SgviInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<SgviFit<F>, SgviError> {
        let iterations = 0..settings.n_iterations;
        let rule: &dyn StopRule<SgviInfo> = match &settings.stationarity {
            Some(stationarity) => stationarity,
            None => &settings.tolerance,
        };
        let stop = (rule, interrupt);
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
    /// samples under `key.role(Role::Evaluate)`, [settled](Self::settle).
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
        let Settled { params, outcome, elbo, n_log_joint } =
            self.settle(&state, outcome, n_evaluate, key.role(Role::Evaluate))?;
        let mut evaluations = state.evaluations;
        evaluations += Evaluations { n_log_joint, ..Evaluations::default() };
        let posterior = SgviPosterior::new(family.clone(), params, model.parameters().clone())?;
        let (elbo_trace, n_clipped) = (state.elbo_trace, state.n_clipped);
        let biases = self.biases();
        Ok(SgviFit { posterior, elbo, outcome, elbo_trace, biases, n_clipped, evaluations })
    }

    /// The λ that a run comes to and how it ended, after a look at its ELBO from `n_evaluate` samples under `key`.
    ///
    /// A run up the ELBO that stands still where it is lower than at the start, by more than three standard errors of a comparison
    /// under common random numbers, has not converged: its outcome becomes [`StopReason::Diverged`], and λ is the start.
    ///
    /// # Errors
    /// [`SgviError::Evaluation`] when the log joint is not finite under the averaged q.
    pub fn settle(
        &self,
        state: &SgviState<O::State, E::State>,
        mut outcome: Outcome,
        n_evaluate: usize,
        key: StreamKey,
    ) -> Result<Settled, SgviError> {
        let (model, family, exec) = (self.elbo().model(), self.elbo().family(), self.exec());
        let mut params = self.averaged_params(state);
        let evaluated = |e| SgviError::Evaluation(Box::new(e));
        let mut elbo = evaluate_elbo(model, family, &params, n_evaluate, key, exec).map_err(evaluated)?;
        let mut n_log_joint = n_evaluate as u64;
        // Where another bound is ascended, a lower ELBO is no loss.
        if self.bound() == Bound::Elbo && outcome.converged() && state.doubts(elbo) {
            let start = state.start();
            let gain = compare_elbo(self.elbo(), start, &params, n_evaluate, key, exec).map_err(evaluated)?;
            n_log_joint += 2 * n_evaluate as u64;
            if gain.improvement + 3.0 * gain.mcse < 0.0 {
                outcome.reason = self.fell_below_start(&params, state, gain, outcome.next);
                params.assign(start);
                elbo = evaluate_elbo(model, family, &params, n_evaluate, key, exec).map_err(evaluated)?;
                n_log_joint += n_evaluate as u64;
            }
        }
        Ok(Settled { params, outcome, elbo, n_log_joint })
    }

    /// What a run comes to that stands still below where it began.
    fn fell_below_start(
        &self,
        params: &ArrayRef1<f64>,
        state: &SgviState<O::State, E::State>,
        gain: ElboComparison,
        next: u64,
    ) -> StopReason {
        let moved = |i: usize| (params[i] - state.start()[i]).abs();
        let i = (0..params.len()).max_by(|&i, &j| moved(i).total_cmp(&moved(j))).unwrap_or(0);
        StopReason::Diverged {
            iteration: next.saturating_sub(1),
            parameter: self.elbo().family().param_names()[i].clone(),
            value: params[i],
            evidence: format!(
                "it stands still where the ELBO is {:.3e} ± {:.1e} nats below that of the start",
                -gain.improvement, gain.mcse
            ),
        }
    }
}
