//! The kernel: estimate, ascend, average, record.

use std::fmt;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, Kernel, LogJoint, StreamKey};
use vi_families::VariationalFamily;

use crate::averaging::{Averager, Averaging};
use crate::elbo::{Elbo, compare_elbo};
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::importance::Bound;
use crate::optimizer::AscentRule;
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
    averaging: Averaging,
    window: Window,
    exec: Exec<'a>,
}

impl<M: ?Sized, F, E: fmt::Debug, O: fmt::Debug> fmt::Debug for Sgvi<'_, M, F, E, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sgvi")
            .field("estimator", &self.estimator)
            .field("optimizer", &self.optimizer)
            .field("averaging", &self.averaging)
            .field("window", &self.window)
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
            averaging: Averaging::Tail,
            window: Window::default(),
            exec: Exec::local(),
        })
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
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn with_window(self, window: Window) -> Result<Self, SgviError> {
        window.validate()?;
        Ok(Self { window, ..self })
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
            params,
            elbo_trace: Vec::new(),
            evaluations: Evaluations::default(),
            window: WindowState::new(self.window),
            memory: Memory::default(),
            grad: Array1::default(0),
        }
    }

    /// The average of the iterates (P): the λ that a run reports.
    pub fn averaged_params(&self, state: &SgviState<O::State, E::State>) -> Array1<f64> {
        match self.averaging {
            Averaging::Window if !state.window.average().is_empty() => state.window.average().clone(),
            averaging => state.averager.average(averaging),
        }
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
    /// Evaluations of the model so far.
    pub evaluations: Evaluations,
    window: WindowState,
    /// What the estimator remembers.
    pub memory: Memory<E>,
    #[serde(skip)]
    grad: Array1<f64>,
}

/// What an iteration of [`Sgvi`] reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgviInfo {
    /// The ELBO, or [another bound](Sgvi::bound), at the λ from which the step started, from the samples of its gradient.
    pub elbo: ElboEstimate,
    /// Euclidean norm of the gradient estimate.
    pub grad_norm: f64,
    /// At the end of the second and every later window: how it compares with the one before.
    pub window: Option<WindowComparison>,
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

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<SgviInfo, SgviError> {
        self.exec.enter(|| self.step_here(key, state))
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
        let grad = &mut state.grad;
        if grad.len() != state.params.len() {
            *grad = Array1::zeros(state.params.len());
        }
        let elbo =
            self.estimator.estimate(self.elbo, &state.params, key, self.exec, &mut state.memory, grad)?;
        if let Some((parameter, value)) = first_non_finite(self.elbo.family(), grad) {
            return Err(SgviError::NonFiniteGradient { parameter, value });
        }
        self.optimizer.step(self.elbo.family(), &mut state.optimizer, grad, &mut state.params)?;
        if let Some((parameter, value)) = first_non_finite(self.elbo.family(), &state.params) {
            return Err(SgviError::NonFiniteParameter { parameter, value });
        }
        let grad_norm = grad.dot(&*grad).sqrt();
        state.averager.push(self.averaging, &state.params);
        state.evaluations += self.estimator.cost(self.elbo);
        state.elbo_trace.push(elbo.value);
        let window = self.push_window(key, elbo.value, state)?;
        Ok(SgviInfo { elbo, grad_norm, window })
    }
}

/// The first element of a vector over λ that is not finite, with its name.
fn first_non_finite<F: VariationalFamily>(family: &F, values: &ArrayRef1<f64>) -> Option<(String, f64)> {
    let i = values.iter().position(|v| !v.is_finite())?;
    Some((family.param_names()[i].clone(), values[i]))
}
