//! Limited-memory quasi-Newton ascent of a smooth function.
//!
//! No maintained crate serves here: `argmin-math` 0.5 has no ndarray 0.17, and Pathfinder needs the gradients along the
//! whole trajectory.

mod history;
mod line_search;
mod start;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, Kernel, StopReason, StopRule, StreamKey};

use crate::error::{NamedValues, SgviError};
pub(crate) use history::History;
use line_search::{Along, search};
pub(crate) use start::random_start;

/// A smooth function f on ℝⁿ, to be maximised.
pub trait SmoothObjective: Send + Sync {
    /// Its arguments by name (n).
    fn names(&self) -> Vec<String>;
    /// Returns f(x) and overwrites `grad` (n) with ∇f(x). What is not finite ends a step, not the ascent.
    fn value_and_grad(&self, x: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64;
}

impl<F: SmoothObjective> SmoothObjective for &F {
    fn names(&self) -> Vec<String> {
        F::names(self)
    }
    fn value_and_grad(&self, x: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        F::value_and_grad(self, x, grad)
    }
}

/// The log joint of a model as a function of z.
#[derive(Debug)]
pub struct LogJointObjective<'a, M: ?Sized>(pub &'a M);

impl<M: GradLogJoint + ?Sized> SmoothObjective for LogJointObjective<'_, M> {
    fn names(&self) -> Vec<String> {
        self.0.parameters().names().to_vec()
    }
    fn value_and_grad(&self, x: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.0.log_joint_and_grad(x, grad)
    }
}

/// Ascent by limited-memory BFGS with a line search that ends at the strong Wolfe conditions.
///
/// ```text
/// x_{t+1} = x_t + a H_t ∇f(x_t),      f(x_{t+1}) ≥ f(x_t) + c₁ a f′,   |f′(a)| ≤ c₂ |f′(0)|
/// ```
/// H_t is made from the last `memory` steps, and starts from a diagonal that is learned as well, so that coordinates may
/// have scales of their own. A function of which H_t knows the curvature is climbed in whole steps.
///
/// Nothing is random: the key of a step is not used.
///
/// Sources: Nocedal & Wright 2006, algorithms 3.5, 3.6 and 7.4, c₁ = 10⁻⁴, c₂ = 0.9; the diagonal: Gilbert & Lemaréchal
/// 1989, eq. 4.9.
#[derive(Debug)]
pub struct Lbfgs<F> {
    objective: F,
    memory: usize,
}

/// All that [`Lbfgs`] carries from one iteration to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LbfgsState {
    /// x (n).
    pub position: Array1<f64>,
    /// f(x).
    pub value: f64,
    /// ∇f(x) (n).
    pub grad: Array1<f64>,
    /// Evaluations of f with its gradient so far.
    pub n_gradient: u64,
    pub(crate) history: History,
}

/// What an iteration of [`Lbfgs`] reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsInfo {
    /// f after the step.
    pub value: f64,
    /// By how much the step raised it.
    pub improvement: f64,
    /// By how much the next step should raise it, if H is right: ½ ∇fᵀ H ∇f at the new point, in units of f.
    pub expected_improvement: f64,
    /// The change of f that rounding hides.
    pub resolution: f64,
}

/// Stops at a point from which no step is expected to raise f by more than a tolerance, whatever the scales of x.
///
/// ```text
/// ½ ∇fᵀ H ∇f ≤ max(tolerance, resolution of f)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stationary {
    /// The tolerance, in units of f; by default 10⁻⁹.
    pub tolerance: f64,
}

impl Default for Stationary {
    fn default() -> Self {
        Self { tolerance: 1e-9 }
    }
}

impl StopRule<LbfgsInfo> for Stationary {
    fn check(&self, _t: u64, info: &LbfgsInfo) -> Option<StopReason> {
        (info.expected_improvement <= self.tolerance.max(info.resolution)).then(|| StopReason::Converged {
            rule: format!("the next step is expected to add {:.1e}", info.expected_improvement),
        })
    }
}

impl<F: SmoothObjective> Lbfgs<F> {
    /// Ascent of `objective`, remembering the last `memory` steps.
    ///
    /// # Errors
    /// [`SgviError::Setting`] without memory.
    pub fn new(objective: F, memory: usize) -> Result<Self, SgviError> {
        crate::error::require(memory > 0, "lbfgs.memory", memory as f64, "≥ 1")?;
        Ok(Self { objective, memory })
    }

    /// The state before the first iteration.
    ///
    /// # Errors
    /// [`SgviError::NonFiniteStart`] when f or its gradient is not finite there.
    pub fn start(&self, position: Array1<f64>) -> Result<LbfgsState, SgviError> {
        let mut grad = Array1::zeros(position.len());
        let value = self.objective.value_and_grad(&position, &mut grad);
        if !value.is_finite() || grad.iter().any(|g| !g.is_finite()) {
            let at = NamedValues::new(&self.objective.names(), &position);
            return Err(SgviError::NonFiniteStart { value, at });
        }
        let history = History::new(position.len());
        Ok(LbfgsState { position, value, grad, n_gradient: 1, history })
    }

    /// One line search along `direction`; `None` when it finds nothing better.
    fn try_step(&self, state: &mut LbfgsState, direction: &ArrayRef1<f64>, first: f64) -> Option<Along> {
        let slope = state.grad.dot(direction);
        if !(slope > 0.0 && slope.is_finite()) {
            return None;
        }
        let mut n_gradient = 0;
        let found = search(state.value, slope, first, resolution(state.value), |step| {
            let position = &state.position + &(direction * step);
            let mut grad = Array1::zeros(position.len());
            if is_too_far(&state.position, &position) {
                let nan = f64::NAN;
                return Along { step, value: nan, slope: nan, position, grad };
            }
            n_gradient += 1;
            let value = self.objective.value_and_grad(&position, &mut grad);
            let slope = grad.dot(direction);
            Along { step, value, slope, position, grad }
        });
        state.n_gradient += n_gradient;
        found
    }
}

/// Whether a coordinate grew more than a hundredfold: no curvature met so far reaches as far, and a model may have
/// overflown on the way and say anything.
fn is_too_far(from: &ArrayRef1<f64>, to: &ArrayRef1<f64>) -> bool {
    from.iter().zip(to).any(|(from, to)| (to - from).abs() > 100.0 * (1.0 + from.abs()))
}

/// The change of a sum of about this size that rounding hides.
fn resolution(value: f64) -> f64 {
    16.0 * f64::EPSILON * value.abs().max(1.0)
}

impl<F: SmoothObjective> Kernel for Lbfgs<F> {
    type State = LbfgsState;
    type Info = LbfgsInfo;
    type Error = SgviError;

    /// # Errors
    /// [`SgviError::NoAscent`] when no step along the gradient raises f, although one should.
    fn step(&self, _key: StreamKey, state: &mut LbfgsState) -> Result<LbfgsInfo, SgviError> {
        let before = state.value;
        let direction = state.history.times(&state.grad);
        let first = if state.history.is_empty() { 1.0_f64.min(1.0 / norm(&state.grad)) } else { 1.0 };
        let mut found = self.try_step(state, &direction, first);
        if found.is_none() && !state.history.is_empty() && state.expected_improvement() > resolution(before) {
            // What was remembered misleads here: begin again along the gradient.
            state.history = History::new(state.position.len());
            let gradient = state.grad.clone();
            found = self.try_step(state, &gradient, 1.0_f64.min(1.0 / norm(&gradient)));
        }
        let Some(Along { value, position, grad, .. }) = found else {
            let expected_improvement = state.expected_improvement();
            if expected_improvement > 1e-6_f64.max(resolution(before)) {
                let at = NamedValues::new(&self.objective.names(), &state.position);
                return Err(SgviError::NoAscent { value: before, expected_improvement, at });
            }
            // Rounding hides what is left.
            let resolution = resolution(before).max(expected_improvement);
            return Ok(LbfgsInfo { value: before, improvement: 0.0, expected_improvement, resolution });
        };
        state.history.push(&position - &state.position, &state.grad - &grad, self.memory);
        (state.position, state.value, state.grad) = (position, value, grad);
        Ok(LbfgsInfo {
            value,
            improvement: value - before,
            expected_improvement: state.expected_improvement(),
            resolution: resolution(value),
        })
    }
}

impl LbfgsState {
    /// ½ ∇fᵀ H ∇f.
    pub fn expected_improvement(&self) -> f64 {
        0.5 * self.grad.dot(&self.history.times(&self.grad))
    }
}

fn norm(x: &ArrayRef1<f64>) -> f64 {
    x.dot(x).sqrt()
}
