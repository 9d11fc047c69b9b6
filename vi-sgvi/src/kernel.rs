//! The kernel: estimate, ascend, average, record.

use std::fmt;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Divergence, ElboEstimate, Exec, Kernel, LogJoint, StreamKey};
use vi_families::VariationalFamily;

use crate::averaging::{Averager, Averaging};
use crate::clipping::Clipping;
use crate::divergence::{Progress, divergence};
use crate::elbo::{Elbo, compare_elbo};
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::history::History;
use crate::importance::Bound;
use crate::optimizer::AscentRule;
use crate::stationarity::{Stationarity, StationarityCheck};
use crate::window::{Compare, Window, WindowComparison, WindowState};

/// The tag of the key under which windows are compared, beside those of the samples of a step.
const COMPARE: u64 = 0x434f_4d50_4152_4521;

/// Stochastic-gradient variational inference: maximises the ELBO over λ with unbiased gradient estimates.
///
/// ```text
/// λ_{t+1} = ascend(λ_t, ĝ_t),   E[ĝ_t] = ∇_λ ELBO(λ_t)
/// ```
/// Run it with [`vi_core::run`] and the stop rule [`crate::ElboPlateau`], or in one call with [`crate::fit`].
pub struct Sgvi<'a, M: ?Sized, F, E, O> {
    elbo: Elbo<'a, M, F>,
    estimator: E,
    optimizer: O,
    clipping: Clipping,
    averaging: Averaging,
    window: Window,
    stationarity: Option<Stationarity>,
    exec: Exec<'a>,
}

impl<M: ?Sized, F, E: fmt::Debug, O: fmt::Debug> fmt::Debug for Sgvi<'_, M, F, E, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sgvi")
            .field("estimator", &self.estimator)
            .field("optimizer", &self.optimizer)
            .field("clipping", &self.clipping)
            .field("averaging", &self.averaging)
            .field("window", &self.window)
            .field("stationarity", &self.stationarity)
            .finish_non_exhaustive()
    }
}

impl<'a, M, F, E, O> Sgvi<'a, M, F, E, O>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
    O: AscentRule,
{
    /// A kernel with tail averaging on the threads of the current pool.
    ///
    /// # Errors
    /// [`SgviError::Dimension`] when model and family do not fit, [`SgviError::Setting`] for settings of the
    /// optimizer outside their domain.
    pub fn new(model: &'a M, family: &'a F, estimator: E, optimizer: O) -> Result<Self, SgviError> {
        optimizer.check()?;
        Ok(Self {
            elbo: Elbo::new(model, family)?,
            estimator,
            optimizer,
            clipping: Clipping::None,
            averaging: Averaging::Tail,
            window: Window::default(),
            stationarity: None,
            exec: Exec::local(),
        })
    }

    /// Cuts gradients, which biases them.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn with_clipping(self, clipping: Clipping) -> Result<Self, SgviError> {
        clipping.validate()?;
        Ok(Self { clipping, ..self })
    }

    /// Reports another average of the iterates.
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
    /// [`SgviError::Setting`] names the setting outside its domain, or one that judges by the ELBO where the estimator
    /// [ascends another bound](Self::bound).
    pub fn with_window(self, window: Window) -> Result<Self, SgviError> {
        window.validate()?;
        if let Compare::Averages { n_samples } = window.compare {
            self.require_elbo("window.compare.averages.n_samples", n_samples as f64)?;
        }
        Ok(Self { window, ..self })
    }

    /// Watches the iterates for [`Stationarity`], and reports the average of the later half of them, whatever the averaging.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain; the estimator has to ascend the ELBO.
    pub fn with_stationarity(self, stationarity: Stationarity) -> Result<Self, SgviError> {
        stationarity.validate()?;
        self.require_elbo("stationarity.tolerance", stationarity.tolerance)?;
        Ok(Self { stationarity: Some(stationarity), ..self })
    }

    /// Averages of iterates are judged by their ELBO, which says little of a run up another bound.
    fn require_elbo(&self, name: &'static str, value: f64) -> Result<(), SgviError> {
        match self.bound() {
            Bound::Elbo => Ok(()),
            Bound::Importance(_) => {
                let requirement = "left out where the estimator ascends another bound than the ELBO";
                Err(SgviError::Setting { name, value, requirement })
            }
        }
    }

    /// Runs on other ranks and threads; the bits of the result stay the same.
    #[must_use]
    pub fn with_exec(self, exec: Exec<'a>) -> Self {
        Self { exec, ..self }
    }

    /// The objective.
    pub fn elbo(&self) -> Elbo<'a, M, F> {
        self.elbo
    }

    /// What the estimator ascends: what the trace and [`SgviInfo::elbo`] show.
    pub fn bound(&self) -> Bound {
        self.estimator.bound()
    }

    /// What biases the steps of this kernel, in words: the estimator, if it is biased, and clipping, if there is any.
    pub fn biases(&self) -> Vec<String> {
        let estimator = self.estimator.bias().map(|bias| format!("{}: {bias}", self.estimator.name()));
        let clipping = match self.clipping {
            Clipping::None => None,
            Clipping::MaxNorm(norm) => Some(format!("gradients longer than {norm} are cut to that length")),
        };
        estimator.into_iter().chain(clipping).collect()
    }

    /// Threads and ranks.
    pub fn exec(&self) -> Exec<'a> {
        self.exec
    }

    /// The state before the first iteration, at the family's default start.
    pub fn init(&self) -> SgviState<O::State, E::State> {
        self.start(self.elbo.family().init())
    }

    /// The state before the first iteration, at a start of your own (P).
    ///
    /// # Errors
    /// [`SgviError::Family`] when the start is outside its domain.
    pub fn init_at(&self, params: &ArrayRef1<f64>) -> Result<SgviState<O::State, E::State>, SgviError> {
        self.elbo.family().bind(params)?;
        Ok(self.start(params.to_owned()))
    }

    fn start(&self, params: Array1<f64>) -> SgviState<O::State, E::State> {
        SgviState {
            averager: Averager::new(&params),
            optimizer: self.optimizer.start(params.len()),
            progress: Progress::new(&params),
            history: self.stationarity.map(|rule| History::new(rule.batch, params.len())),
            params,
            elbo_trace: Vec::new(),
            n_clipped: 0,
            evaluations: Evaluations::default(),
            window: WindowState::new(self.window),
            memory: Memory::default(),
            grad: Array1::default(0),
        }
    }

    /// The average of the iterates (P): the λ that a run reports.
    pub fn averaged_params(&self, state: &SgviState<O::State, E::State>) -> Array1<f64> {
        if let Some(average) = state.history.as_ref().and_then(History::average) {
            return average;
        }
        match self.averaging {
            Averaging::Window if !state.window.average().is_empty() => state.window.average().clone(),
            averaging => state.averager.average(averaging),
        }
    }

    /// Takes the iterate of this step into the history, and looks at it when it is time.
    fn push_history(
        &self,
        key: StreamKey,
        elbo: f64,
        state: &mut SgviState<O::State, E::State>,
    ) -> Result<Option<StationarityCheck>, SgviError> {
        let (Some(rule), Some(history)) = (self.stationarity, &mut state.history) else { return Ok(None) };
        if !history.push(&state.params, elbo) {
            return Ok(None);
        }
        let (check, n_log_joint) = rule.look(self.elbo, history, key, self.exec)?;
        history.n_content = if rule.is_content(&check) { history.n_content + 1 } else { 0 };
        state.evaluations += Evaluations { n_log_joint, ..Evaluations::default() };
        Ok(Some(check))
    }

    /// Takes the estimate and the iterate of this step into the window, and compares it with the one before when it ends.
    fn push_window(
        &self,
        key: StreamKey,
        elbo: f64,
        state: &mut SgviState<O::State, E::State>,
    ) -> Result<Option<WindowComparison>, SgviError> {
        let averages = self.averaging == Averaging::Window || self.window.compare != Compare::Trace;
        let iterate = averages.then_some(&*state.params);
        let Some((earlier, later)) = state.window.push(self.window, elbo, iterate) else { return Ok(None) };
        Ok(Some(match self.window.compare {
            Compare::Trace => later.against(&earlier),
            Compare::Averages { n_samples } => {
                let (from, to) = (&earlier.iterates, &later.iterates);
                let comparison =
                    compare_elbo(self.elbo, from, to, n_samples, key.fold_in(COMPARE), self.exec)
                        .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
                let n_log_joint = 2 * n_samples as u64;
                state.evaluations += Evaluations { n_log_joint, ..Evaluations::default() };
                later.with_averages(comparison)
            }
        }))
    }
}

/// All that [`Sgvi`] carries from one iteration to the next; `S` is the optimizer's state, `E` the estimator's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SgviState<S, E = ()> {
    /// The current λ (P).
    pub params: Array1<f64>,
    /// What the optimizer remembers.
    pub optimizer: S,
    /// The running average of the iterates.
    pub averager: Averager,
    /// The estimate of the ELBO, or of [another bound](Sgvi::bound), of every iteration, in nats.
    pub elbo_trace: Vec<f64>,
    /// Steps so far whose gradient was cut, and thereby biased.
    pub n_clipped: u64,
    /// Evaluations of the model so far.
    pub evaluations: Evaluations,
    window: WindowState,
    progress: Progress,
    /// The iterates in batches, when they are watched for stationarity.
    history: Option<History>,
    /// What the estimator remembers.
    pub memory: Memory<E>,
    #[serde(skip)]
    grad: Array1<f64>,
}

impl<S, E> SgviState<S, E> {
    /// λ before the first iteration (P).
    pub(crate) fn start(&self) -> &Array1<f64> {
        self.progress.start()
    }

    /// Whether a run that ends at this ELBO could have ended below where it began.
    pub(crate) fn doubts(&self, end: ElboEstimate) -> bool {
        self.progress.doubts(end)
    }
}

/// What an iteration of [`Sgvi`] reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgviInfo {
    /// The ELBO, or [another bound](Sgvi::bound), at the λ from which the step started, from the samples of its gradient.
    pub elbo: ElboEstimate,
    /// Euclidean norm of the gradient estimate, before it was cut.
    pub grad_norm: f64,
    /// At the end of the second and every later window: how it compares with the one before.
    pub window: Option<WindowComparison>,
    /// At every look at the iterates, if they are watched: what it found.
    pub stationarity: Option<StationarityCheck>,
}

impl<M, F, E, O> Kernel for Sgvi<'_, M, F, E, O>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
    O: AscentRule,
{
    type State = SgviState<O::State, E::State>;
    type Info = SgviInfo;
    type Error = SgviError;

    /// A divergence is [`SgviError::Diverged`] or [`SgviError::NonFiniteParameter`], and leaves the state at the end of its
    /// best iterations, as if it had begun there.
    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<SgviInfo, SgviError> {
        self.exec.enter(|| self.step_here(key, state)).map_err(|error| self.told_apart(error, state))
    }

    fn divergence(&self, error: &SgviError) -> Option<Divergence> {
        divergence(error)
    }
}

impl<M, F, E, O> Sgvi<'_, M, F, E, O>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
    O: AscentRule,
{
    fn step_here(
        &self,
        key: StreamKey,
        state: &mut SgviState<O::State, E::State>,
    ) -> Result<SgviInfo, SgviError> {
        let (family, dim) = (self.elbo.family(), self.elbo.family().dim());
        let grad = &mut state.grad;
        if grad.len() != state.params.len() {
            *grad = Array1::zeros(state.params.len());
        }
        let cost = self.estimator.cost_after(self.elbo, &state.memory.state);
        let elbo =
            self.estimator.estimate(self.elbo, &state.params, key, self.exec, &mut state.memory, grad)?;
        if let Some((parameter, value)) = first_non_finite(family, grad) {
            return Err(SgviError::NonFiniteGradient { parameter, value });
        }
        if !elbo.value.is_finite() {
            return Err(SgviError::NonFiniteElbo { value: elbo.value });
        }
        let grad_norm = grad.dot(&*grad).sqrt();
        state.n_clipped += u64::from(self.clipping.cut(grad_norm, grad));
        self.optimizer.step(family, &mut state.optimizer, grad, &mut state.params)?;
        if let Some((parameter, value)) = first_non_finite(family, &state.params) {
            return Err(SgviError::NonFiniteParameter { parameter, value });
        }
        if let Some(i) = state.progress.lost(&state.params) {
            return Err(self.diverged(i, state.params[i], "it ran away".to_owned()));
        }
        state.averager.push(self.averaging, &state.params);
        state.evaluations += cost;
        state.elbo_trace.push(elbo.value);
        if let Some(evidence) = state.progress.push(&state.elbo_trace, elbo, dim, &state.params) {
            let i = state.progress.moved_most(&state.params);
            return Err(self.diverged(i, state.params[i], evidence));
        }
        let window = self.push_window(key, elbo.value, state)?;
        let stationarity = self.push_history(key, elbo.value, state)?;
        Ok(SgviInfo { elbo, grad_norm, window, stationarity })
    }

    fn diverged(&self, i: usize, value: f64, evidence: String) -> SgviError {
        SgviError::Diverged { parameter: self.elbo.family().param_names()[i].clone(), value, evidence }
    }

    /// An error, told apart from a divergence that showed itself by it; after a divergence the state goes back.
    fn told_apart(&self, error: SgviError, state: &mut SgviState<O::State, E::State>) -> SgviError {
        let dim = self.elbo.family().dim();
        let error = match error {
            SgviError::Diverged { .. } | SgviError::NonFiniteParameter { .. } => error,
            error if state.progress.explains(&error, &state.elbo_trace, dim) => {
                let i = state.progress.moved_most(&state.params);
                self.diverged(i, state.params[i], error.to_string())
            }
            error => return error,
        };
        let best = state.progress.params();
        state.params.assign(best);
        state.averager = Averager::new(best);
        state.optimizer = self.optimizer.start(best.len());
        state.window = WindowState::new(self.window);
        state.history = self.stationarity.map(|rule| History::new(rule.batch, best.len()));
        state.memory = Memory::default();
        error
    }
}

/// The first element of a vector over λ that is not finite, with its name.
fn first_non_finite<F: VariationalFamily>(family: &F, values: &ArrayRef1<f64>) -> Option<(String, f64)> {
    let i = values.iter().position(|v| !v.is_finite())?;
    Some((family.param_names()[i].clone(), values[i]))
}
