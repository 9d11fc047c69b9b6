//! Divergence of θ and of λ or ψ, one of which may run away while the other stands still.

use ndarray::{Array1, ArrayRef1, ArrayView1};
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Outcome, PlateLogJoint, PlateModel, StopReason, StreamKey};
use vi_families::PlateFamily;

use super::estimator::PlateEstimator;
use super::evaluate::{PlateEvaluation, evaluate_plate};
use super::kernel::{PlateState, StateOf, VariationalEm};
use super::point_mass::PointMass;
use super::recognition::Recognition;
use crate::averaging::Averager;
use crate::divergence::{Anchor, Block, Level};
use crate::error::SgviError;
use crate::optimizer::AscentRule;
use crate::window::WindowState;

/// What is remembered to know a divergence, and where to go back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlateProgress {
    level: Level,
    /// Of θ.
    pub(super) model: Anchor,
    /// Of λ or ψ.
    pub(super) params: Anchor,
}

impl PlateProgress {
    pub(super) fn new(model_params: &ArrayRef1<f64>, params: &ArrayRef1<f64>) -> Self {
        Self { level: Level::default(), model: Anchor::new(model_params), params: Anchor::new(params) }
    }
}

/// One step of an ascent rule, between finite gradients and finite parameters that are not lost.
pub(super) fn ascend<O: AscentRule>(
    optimizer: &O,
    state: &mut O::State,
    grad: &ArrayView1<'_, f64>,
    params: &mut ArrayRef1<f64>,
    anchor: &Anchor,
    name: impl Fn(usize) -> String,
) -> Result<(), SgviError> {
    let not_finite = |values: &ArrayRef1<f64>| values.iter().position(|v| !v.is_finite());
    if let Some(i) = not_finite(grad) {
        return Err(SgviError::NonFiniteGradient { parameter: name(i), value: grad[i] });
    }
    optimizer.step(&PointMass { n_params: params.len() }, state, grad, params)?;
    if let Some(i) = not_finite(params) {
        return Err(SgviError::NonFiniteParameter { parameter: name(i), value: params[i] });
    }
    match anchor.lost(params) {
        None => Ok(()),
        Some(i) => {
            let evidence = "it ran away".to_owned();
            Err(SgviError::Diverged { parameter: name(i), value: params[i], evidence })
        }
    }
}

impl<M, F, R, E, O, P> VariationalEm<'_, M, F, R, E, O, P>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
    O: AscentRule,
    P: AscentRule,
{
    /// Coordinates of all z.
    fn dim(&self) -> usize {
        self.elbo().model().n_data() * self.elbo().family().dim()
    }

    /// Takes in the last estimate of the trace and the parameters after its step; a fall is an error.
    pub(super) fn watch(
        &self,
        estimate: ElboEstimate,
        state: &mut StateOf<M, O, P>,
    ) -> Result<(), SgviError> {
        let PlateState { progress, model_params, params, elbo_trace, .. } = state;
        match progress.level.push(elbo_trace, estimate, self.dim()) {
            Block::Fallen(evidence) => return Err(self.diverged(state, evidence)),
            Block::Best => {
                progress.model.keep(model_params);
                progress.params.keep(params);
            }
            Block::Middling => {}
        }
        Ok(())
    }

    /// The element of θ and ψ that moved most since the best iterations, with what was seen.
    fn diverged(&self, state: &StateOf<M, O, P>, evidence: String) -> SgviError {
        let PlateState { progress, model_params, params, .. } = state;
        let (i, in_model) = progress.model.moved_most(model_params);
        let (j, in_params) = progress.params.moved_most(params);
        let (parameter, value) = if in_model > in_params {
            (self.elbo().model().model_parameters().names()[i].clone(), model_params[i])
        } else {
            (self.elbo().recognition().param_name(j), params[j])
        };
        SgviError::Diverged { parameter, value, evidence }
    }

    /// An error, told apart from a divergence that showed itself by it; after a divergence the state goes back.
    pub(super) fn told_apart(&self, error: SgviError, state: &mut StateOf<M, O, P>) -> SgviError {
        let PlateProgress { level, model, params } = &state.progress;
        let far = |z: f64| model.is_far(z) && params.is_far(z);
        let of_datum = match &error {
            SgviError::Datum { source, .. } => source,
            error => error,
        };
        let error = match &error {
            SgviError::Diverged { .. } | SgviError::NonFiniteParameter { .. } => error,
            _ if level.explains(of_datum, &state.elbo_trace, self.dim(), &far) => {
                self.diverged(state, error.to_string())
            }
            _ => return error,
        };
        state.model_params.assign(model.best());
        state.params.assign(params.best());
        let (n_states, n_each) = self.groups();
        state.model_optimizer = self.model_optimizer.as_ref().map(|o| o.start(state.model_params.len()));
        state.optimizers = (0..n_states).map(|_| self.optimizer.start(n_each)).collect();
        if let Some(averagers) = &mut state.averagers {
            *averagers = [Averager::new(&state.model_params), Averager::new(&state.params)];
        }
        state.window = WindowState::new(self.window);
        error
    }

    /// What a run comes to, after a look at its bound from `n` points of every datum under `key`: one that stands still where
    /// the bound is lower than at the start, by more than three standard errors, has not converged.
    pub(super) fn settle(
        &self,
        state: &StateOf<M, O, P>,
        mut outcome: Outcome,
        n: usize,
        key: StreamKey,
    ) -> Result<PlateSettled, SgviError> {
        let (model_params, params) = self.averaged_params(state);
        let evaluation = self.evaluate(&model_params, &params, n, key)?;
        let end = self.with_prior(&model_params, evaluation.elbo)?;
        let at_end = PlateSettled { model_params, params, evaluation, outcome: outcome.clone() };
        if !outcome.converged() || !state.progress.level.doubts(end) {
            return Ok(at_end);
        }
        let PlateProgress { model, params, .. } = &state.progress;
        let evaluation = self.evaluate(model.start(), params.start(), n, key)?;
        let start = self.with_prior(model.start(), evaluation.elbo)?;
        let (loss, mcse) = (start.value - end.value, start.mcse.hypot(end.mcse));
        if loss <= 3.0 * mcse {
            return Ok(at_end);
        }
        let evidence =
            format!("it stands still where the ELBO is {loss:.3e} ± {mcse:.1e} nats below that of the start");
        if let SgviError::Diverged { parameter, value, evidence } = self.diverged(state, evidence) {
            let iteration = outcome.next.saturating_sub(1);
            outcome.reason = StopReason::Diverged { iteration, parameter, value, evidence };
        }
        let (model_params, params) = (model.start().clone(), params.start().clone());
        Ok(PlateSettled { model_params, params, evaluation, outcome })
    }

    fn evaluate(
        &self,
        model_params: &ArrayRef1<f64>,
        params: &ArrayRef1<f64>,
        n: usize,
        key: StreamKey,
    ) -> Result<PlateEvaluation, SgviError> {
        evaluate_plate(self.elbo(), model_params, params, n, key, self.exec())
            .map_err(|source| SgviError::Evaluation(Box::new(source)))
    }

    /// The bound of an evaluation with log p(θ), as a trace has it.
    fn with_prior(&self, model_params: &Array1<f64>, elbo: ElboEstimate) -> Result<ElboEstimate, SgviError> {
        let mut cache = M::Cache::default();
        let log_prior = self.elbo().model().at(model_params, &mut cache)?.log_prior();
        Ok(ElboEstimate { value: elbo.value + log_prior, ..elbo })
    }
}

/// Where a run ended, and how.
pub(super) struct PlateSettled {
    pub(super) model_params: Array1<f64>,
    pub(super) params: Array1<f64>,
    pub(super) evaluation: PlateEvaluation,
    pub(super) outcome: Outcome,
}
