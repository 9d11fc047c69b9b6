//! The kernel: a step uphill in θ and in λ or ψ from the same points.

use std::fmt;

use ndarray::{Array1, s};
use serde::{Deserialize, Serialize};
use vi_core::{Divergence, ElboEstimate, Exec, Kernel, PlateModel, StopReason, StopRule, StreamKey};
use vi_families::PlateFamily;

use super::divergence::{PlateProgress, ascend};
use super::estimator::PlateEstimator;
use super::gradient::{PlateWorkspace, Request};
use super::objective::PlateElbo;
use super::recognition::Recognition;
use crate::averaging::{Averager, Averaging};
use crate::divergence::divergence;
use crate::error::{SgviError, require};
use crate::optimizer::AscentRule;
use crate::window::{Compare, ElboPlateau, Window, WindowComparison, WindowState};

/// Stochastic-gradient variational EM: maximises the ELBO of a plate over θ and over λ, or the ψ of an encoder.
///
/// ```text
/// θ_{t+1} = ascend(θ_t, ĝ_θ),   λ_{t+1} = ascend(λ_t, ĝ_λ)        both gradients from the same points of q
/// ```
/// Minibatches are drawn without replacement. θ and ψ get the gradient of the batch times N/|B|, which is unbiased; a
/// table's rows move with their own gradients, and rest when they are not drawn. Rows of a table have states of the ascent
/// rule of their own. A natural gradient, which θ and ψ do not have, is refused in the first step.
pub struct VariationalEm<'a, M, F, R, E, O, P> {
    elbo: PlateElbo<'a, M, F, R>,
    estimator: E,
    pub(super) model_optimizer: Option<O>,
    pub(super) optimizer: P,
    batch_size: Option<usize>,
    averaging: Averaging,
    pub(super) window: Window,
    exec: Exec<'a>,
}

impl<M, F, R, E: fmt::Debug, O: fmt::Debug, P: fmt::Debug> fmt::Debug
    for VariationalEm<'_, M, F, R, E, O, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariationalEm")
            .field("estimator", &self.estimator)
            .field("model_optimizer", &self.model_optimizer)
            .field("optimizer", &self.optimizer)
            .field("batch_size", &self.batch_size)
            .finish_non_exhaustive()
    }
}

/// The state of a kernel over this model with these rules for λ or ψ and for θ.
pub(super) type StateOf<M, O, P> =
    PlateState<<M as PlateModel>::Cache, <O as AscentRule>::State, <P as AscentRule>::State>;

impl<'a, M, F, R, E, O, P> VariationalEm<'a, M, F, R, E, O, P>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
    O: AscentRule,
    P: AscentRule,
{
    /// A kernel over all data in every step, `model_optimizer` for θ and `optimizer` for λ or ψ, that reports the last
    /// iterates.
    ///
    /// # Errors
    /// [`SgviError`] when the estimator has too few points, or a setting of an optimizer is outside its domain.
    pub fn new(
        elbo: PlateElbo<'a, M, F, R>,
        estimator: E,
        model_optimizer: O,
        optimizer: P,
    ) -> Result<Self, SgviError> {
        model_optimizer.check()?;
        optimizer.check()?;
        let (minimum, actual) = (estimator.min_points(), estimator.n_points());
        if actual < minimum {
            return Err(SgviError::TooFewSamples { estimator: estimator.name(), minimum, actual });
        }
        Ok(Self {
            elbo,
            estimator,
            model_optimizer: Some(model_optimizer),
            optimizer,
            batch_size: None,
            averaging: Averaging::Last,
            window: Window::default(),
            exec: Exec::local(),
        })
    }

    /// Leaves θ at its start: variational inference alone.
    #[must_use]
    pub fn with_fixed_model(self) -> Self {
        Self { model_optimizer: None, ..self }
    }

    /// Steps on minibatches of `size` data.
    ///
    /// # Errors
    /// [`SgviError::Setting`] unless 1 ≤ size ≤ N.
    pub fn with_batch_size(self, size: usize) -> Result<Self, SgviError> {
        let n = self.elbo.model().n_data();
        if size == 0 || size > n {
            let (name, requirement) = ("batch_size", "at least 1 and at most the number of data");
            return Err(SgviError::Setting { name, value: size as f64, requirement });
        }
        Ok(Self { batch_size: (size < n).then_some(size), ..self })
    }

    /// Reports an average of the iterates.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn with_averaging(self, averaging: Averaging) -> Result<Self, SgviError> {
        averaging.validate()?;
        Ok(Self { averaging, ..self })
    }

    /// Compares other windows of the ELBO trace.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn with_window(self, window: Window) -> Result<Self, SgviError> {
        window.validate()?;
        let traces = window.compare == Compare::Trace;
        require(traces, "window.compare", f64::from(u8::from(!traces)), "`trace` for a plate")?;
        Ok(Self { window, ..self })
    }

    /// Runs on other ranks and threads; the bits of the result stay the same.
    #[must_use]
    pub fn with_exec(self, exec: Exec<'a>) -> Self {
        Self { exec, ..self }
    }

    /// The objective.
    pub fn elbo(&self) -> PlateElbo<'a, M, F, R> {
        self.elbo
    }

    /// Threads and ranks.
    pub fn exec(&self) -> Exec<'a> {
        self.exec
    }

    /// The state before the first iteration, at the starts of model and recognition.
    ///
    /// # Errors
    /// As for [`VariationalEm::init_at`].
    pub fn init(&self, key: StreamKey) -> Result<StateOf<M, O, P>, SgviError> {
        let key = key.role(vi_core::Role::Init);
        let model_params = self.elbo.model().init_model_params(key.fold_in(0));
        self.init_at(model_params, self.elbo.recognition().init(key.fold_in(1)))
    }

    /// The state before the first iteration, at θ and ψ of your own.
    ///
    /// # Errors
    /// [`SgviError`] names an element of θ outside its domain, or the vector of a wrong length.
    pub fn init_at(
        &self,
        model_params: Array1<f64>,
        params: Array1<f64>,
    ) -> Result<StateOf<M, O, P>, SgviError> {
        self.elbo.check_lengths(&model_params, &params)?;
        self.elbo.check_model_params(&model_params)?;
        let (n_states, n_each) = self.groups();
        let averages = self.averaging != Averaging::Last;
        Ok(PlateState {
            model_optimizer: self.model_optimizer.as_ref().map(|o| o.start(model_params.len())),
            optimizers: (0..n_states).map(|_| self.optimizer.start(n_each)).collect(),
            progress: PlateProgress::new(&model_params, &params),
            averagers: averages.then(|| [Averager::new(&model_params), Averager::new(&params)]),
            model_params,
            params,
            elbo_trace: Vec::new(),
            n_log_joint_points: 0,
            window: WindowState::new(self.window),
            workspace: PlateWorkspace::default(),
        })
    }

    /// How many pieces of ψ have an optimizer's state of their own, and their length.
    pub(super) fn groups(&self) -> (usize, usize) {
        let recognition = self.elbo.recognition();
        if R::PER_DATUM {
            (recognition.n_data(), recognition.n_local_params())
        } else {
            (1, recognition.n_params())
        }
    }

    /// θ and ψ that a run reports: the averages of the iterates.
    pub fn averaged_params(&self, state: &StateOf<M, O, P>) -> (Array1<f64>, Array1<f64>) {
        match &state.averagers {
            None => (state.model_params.clone(), state.params.clone()),
            Some([model, params]) => (model.average(self.averaging), params.average(self.averaging)),
        }
    }
}

/// All that [`VariationalEm`] carries from one iteration to the next: `C` is the model's cache, `S` and `T` are the states
/// of the ascent rules.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "S: Serialize, T: Serialize"))]
#[serde(bound(deserialize = "C: Default, S: Deserialize<'de>, T: Deserialize<'de>"))]
pub struct PlateState<C: Default, S, T> {
    /// θ (M).
    pub model_params: Array1<f64>,
    /// λ, row by row, of a table; ψ of an encoder.
    pub params: Array1<f64>,
    /// The ELBO estimate of every iteration, in nats.
    pub elbo_trace: Vec<f64>,
    /// Log joints of one datum at one point, evaluated so far.
    pub n_log_joint_points: u64,
    pub(super) progress: PlateProgress,
    pub(super) model_optimizer: Option<S>,
    pub(super) optimizers: Vec<T>,
    pub(super) averagers: Option<[Averager; 2]>,
    pub(super) window: WindowState,
    #[serde(skip)]
    workspace: PlateWorkspace<C>,
}

impl<C: Default, S: Clone, T: Clone> Clone for PlateState<C, S, T> {
    fn clone(&self) -> Self {
        Self {
            model_params: self.model_params.clone(),
            params: self.params.clone(),
            elbo_trace: self.elbo_trace.clone(),
            n_log_joint_points: self.n_log_joint_points,
            progress: self.progress.clone(),
            model_optimizer: self.model_optimizer.clone(),
            optimizers: self.optimizers.clone(),
            averagers: self.averagers.clone(),
            window: self.window.clone(),
            workspace: PlateWorkspace::default(),
        }
    }
}

/// What an iteration of [`VariationalEm`] reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateInfo {
    /// The ELBO of all data at the parameters from which the step started, from the points of its gradients.
    pub elbo: ElboEstimate,
    /// Euclidean norm of the gradient in θ.
    pub model_grad_norm: f64,
    /// That of the gradient in ψ, or in the λ of the batch.
    pub grad_norm: f64,
    /// At the end of the second and every later window: how it compares with the one before.
    pub window: Option<WindowComparison>,
}

impl StopRule<PlateInfo> for ElboPlateau {
    fn check(&self, _t: u64, info: &PlateInfo) -> Option<StopReason> {
        self.compare(info.window?)
    }
}

impl<M, F, R, E, O, P> Kernel for VariationalEm<'_, M, F, R, E, O, P>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
    O: AscentRule,
    P: AscentRule,
{
    type State = StateOf<M, O, P>;
    type Info = PlateInfo;
    type Error = SgviError;

    /// A divergence is [`SgviError::Diverged`] or [`SgviError::NonFiniteParameter`], and leaves the state at the end of its
    /// best iterations, as if it had begun there.
    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<PlateInfo, SgviError> {
        self.step_here(key, state).map_err(|error| self.told_apart(error, state))
    }

    fn divergence(&self, error: &SgviError) -> Option<Divergence> {
        divergence(error)
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
    fn step_here(&self, key: StreamKey, state: &mut StateOf<M, O, P>) -> Result<PlateInfo, SgviError> {
        let model_names = self.elbo.model().model_parameters();
        let recognition = self.elbo.recognition();
        let request = Request {
            estimator: &self.estimator,
            model_params: &state.model_params,
            params: &state.params,
            with_model: self.model_optimizer.is_some(),
            batch_size: self.batch_size,
            key,
            exec: self.exec,
        };
        let grad = self.elbo.gradient_of_batch(&request, &mut state.workspace)?;
        if let (Some(optimizer), Some(optimizer_state)) = (&self.model_optimizer, &mut state.model_optimizer)
        {
            let name = |i: usize| model_names.names()[i].clone();
            let anchor = &state.progress.model;
            ascend(optimizer, optimizer_state, &grad.model, &mut state.model_params, anchor, name)?;
        }
        let anchor = &state.progress.params;
        let mut squares = grad.shared.dot(&grad.shared);
        let n_batch = self.batch_size.unwrap_or(recognition.n_data());
        if R::PER_DATUM {
            let p = recognition.n_local_params();
            for position in 0..n_batch {
                let (datum, of_datum) = (grad.datum(position), grad.of_datum(position));
                squares += of_datum.dot(&of_datum);
                let name = |i: usize| recognition.param_name(datum * p + i);
                let mut row = state.params.slice_mut(s![datum * p..(datum + 1) * p]);
                let optimizer_state = &mut state.optimizers[datum];
                ascend(&self.optimizer, optimizer_state, &of_datum, &mut row, anchor, name)?;
            }
        } else {
            let name = |i: usize| recognition.param_name(i);
            let optimizer_state = &mut state.optimizers[0];
            ascend(&self.optimizer, optimizer_state, &grad.shared, &mut state.params, anchor, name)?;
        }
        if let Some([model, params]) = &mut state.averagers {
            model.push(self.averaging, &state.model_params);
            params.push(self.averaging, &state.params);
        }
        state.n_log_joint_points += (n_batch * self.estimator.n_points()) as u64;
        state.elbo_trace.push(grad.elbo.value);
        let (elbo, model_grad_norm) = (grad.elbo, grad.model.dot(&grad.model).sqrt());
        self.watch(elbo, state)?;
        let windows = state.window.push(self.window, elbo.value, None);
        Ok(PlateInfo {
            elbo,
            model_grad_norm,
            grad_norm: squares.sqrt(),
            window: windows.map(|(earlier, later)| later.against(&earlier)),
        })
    }
}
