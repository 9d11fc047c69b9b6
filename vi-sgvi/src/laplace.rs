//! Laplace's approximation.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, SymmetricEigen};
use vi_core::{Exec, GradLogJoint, Outcome, StreamKey, run};
use vi_families::FullRankGaussian;

use crate::error::{NamedValues, SgviError, require};
use crate::estimator::Evaluations;
use crate::pathfinder::CompactGaussian;
use crate::posterior::SgviPosterior;
use crate::quasi_newton::{Lbfgs, LbfgsState, LogJointObjective, Stationary, random_start};
use crate::workspace::matrix_mut;

/// The step of the differences, in standard deviations.
const STEP: f64 = 1e-4;
/// Newton steps after the ascent end when the next is expected to add less than this, in nats.
const EXACT: f64 = 1e-15;
/// A curvature this much smaller than the largest is none.
const FLAT: f64 = 1e-9;

/// Laplace's approximation: the Gaussian with the mode and the curvature of the log joint.
///
/// ```text
/// q = N(ẑ, Σ),   ẑ = argmax log p(x, z),   Σ⁻¹ = −∇² log p(x, ẑ)
/// ```
/// The mode is found by [`Lbfgs`] and sharpened by Newton steps. Second derivatives are central differences of the
/// gradient along the axes of the Gaussian itself, so that neither correlations nor scales cost digits.
/// Requirements: `M: GradLogJoint` on ℝᴰ. Cost: the ascent, and 2D gradients for every Newton step, two at least; memory
/// O(D²).
///
/// The mode depends on the coordinates: that of log τ is not the image of that of τ.
///
/// Source: Tierney & Kadane 1986, section 2; MacKay 2003, chapter 27.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Laplace {
    /// Steps that the ascent remembers; by default 10.
    pub memory: usize,
    /// Budget of the ascent; by default 2000 iterations.
    pub n_iterations: u64,
    /// Budget of Newton steps after it; by default 10.
    pub n_newton: usize,
}

impl Default for Laplace {
    fn default() -> Self {
        Self { memory: 10, n_iterations: 2000, n_newton: 10 }
    }
}

/// What [`Laplace`] found.
#[derive(Clone, Debug)]
pub struct LaplaceFit {
    /// q.
    pub posterior: SgviPosterior<FullRankGaussian>,
    /// ẑ (D).
    pub mode: Array1<f64>,
    /// Σ (D, D).
    pub covariance: Array2<f64>,
    /// log p(x, ẑ).
    pub log_joint: f64,
    /// Laplace's approximation of the log evidence: no bound.
    ///
    /// ```text
    /// log p(x, ẑ) + D/2 log 2π + ½ log |Σ|
    /// ```
    pub log_evidence: f64,
    /// How the ascent ended.
    pub outcome: Outcome,
    /// Evaluations of the model.
    pub evaluations: Evaluations,
}

impl Laplace {
    /// Starts at a point drawn from the uniform distribution on (−2, 2)ᴰ under `key`.
    ///
    /// # Errors
    /// As for [`Laplace::fit_from`].
    pub fn fit<M>(&self, model: &M, key: StreamKey, exec: Exec<'_>) -> Result<LaplaceFit, SgviError>
    where
        M: GradLogJoint + ?Sized,
    {
        let ascent = Lbfgs::new(LogJointObjective(model), self.memory)?;
        let start = random_start(&ascent, model.dim(), key)?;
        self.climb(model, &ascent, start, exec)
    }

    /// Starts at `start` (D).
    ///
    /// # Errors
    /// [`SgviError::ModeNotFound`] when the budget ends before the log joint is stationary, as it does where it has no
    /// maximum; [`SgviError::IndefiniteHessian`] names a direction in which it does not fall off;
    /// [`SgviError::NonFiniteStart`]; [`SgviError::NoAscent`]; [`SgviError::Family`] for a model that is not on ℝᴰ.
    pub fn fit_from<M>(
        &self,
        model: &M,
        start: &ArrayRef1<f64>,
        exec: Exec<'_>,
    ) -> Result<LaplaceFit, SgviError>
    where
        M: GradLogJoint + ?Sized,
    {
        let ascent = Lbfgs::new(LogJointObjective(model), self.memory)?;
        let start = ascent.start(start.to_owned())?;
        self.climb(model, &ascent, start, exec)
    }

    fn climb<M: GradLogJoint + ?Sized>(
        &self,
        model: &M,
        ascent: &Lbfgs<LogJointObjective<'_, M>>,
        mut state: LbfgsState,
        exec: Exec<'_>,
    ) -> Result<LaplaceFit, SgviError> {
        require(self.n_newton > 0, "laplace.n_newton", self.n_newton as f64, "≥ 1")?;
        let family = FullRankGaussian::new(model.parameters())?;
        // Nothing of the ascent is random.
        let (key, iterations) = (StreamKey::from_seed(0), 0..self.n_iterations);
        let outcome =
            run(ascent, &mut state, key, iterations, &Stationary::default(), &mut []).map_err(Box::new)?;
        if !outcome.converged() {
            return Err(not_found(model, &state, outcome.next));
        }
        let (covariance, log_det) = sharpen(model, &mut state, self.n_newton, exec)?;
        let log_evidence = state.value + 0.5 * (model.dim() as f64 * std::f64::consts::TAU.ln() + log_det);
        let params = family.params_from_mean_covariance(&state.position, &covariance)?;
        Ok(LaplaceFit {
            posterior: SgviPosterior::new(family, params, model.parameters().clone())?,
            mode: state.position,
            covariance,
            log_joint: state.value,
            log_evidence,
            outcome,
            evaluations: Evaluations { n_gradient: state.n_gradient, ..Evaluations::default() },
        })
    }
}

fn not_found<M: GradLogJoint + ?Sized>(model: &M, state: &LbfgsState, n_iterations: u64) -> SgviError {
    SgviError::ModeNotFound {
        n_iterations,
        log_joint: state.value,
        expected_improvement: state.expected_improvement(),
        at: NamedValues::new(model.parameters().names(), &state.position),
    }
}

/// Newton steps until the mode stands; returns Σ and log |Σ| there.
fn sharpen<M: GradLogJoint + ?Sized>(
    model: &M,
    state: &mut LbfgsState,
    n_newton: usize,
    exec: Exec<'_>,
) -> Result<(Array2<f64>, f64), SgviError> {
    let mut axes = Array2::from_diag(&first_scales(state));
    let mut last = f64::INFINITY;
    for i in 0.. {
        let mut precision = curvature(model, &state.position, &axes, exec)?;
        state.n_gradient += 2 * model.dim() as u64;
        to_unit_diagonal(&mut axes, &mut precision);
        let factor = positive_definite(model, &axes, &precision)?;
        // Σ = B W⁻¹ Bᵀ = B′B′ᵀ with B′ = B L⁻ᵀ: the axes of the Gaussian found so far.
        let mut next = Array2::eye(model.dim());
        factor.solve_lower_transposed_matrix_inplace(&mut next);
        axes = axes.dot(&next);
        let step = axes.dot(&axes.t().dot(&state.grad));
        let expected = 0.5 * step.dot(&state.grad);
        // The first differences were along the coordinates; rounding ends what does not shrink any more.
        if i > 0 && (expected <= EXACT || (expected >= 0.25 * last && expected < 1e-10)) {
            let covariance = axes.dot(&axes.t());
            let log_det = Cholesky::factor(&covariance).map_or(f64::NAN, |f| f.log_det());
            return Ok((covariance, log_det));
        }
        if i >= n_newton || !move_by(model, state, &step) {
            return Err(not_found(model, state, i as u64));
        }
        last = expected;
    }
    unreachable!("the loop ends by returning")
}

/// The standard deviation of every coordinate given the others, as the ascent has learned them.
fn first_scales(state: &LbfgsState) -> Array1<f64> {
    match CompactGaussian::after(&state.position, &state.grad, &state.history) {
        Some(gaussian) => gaussian.precisions().mapv(|p| p.sqrt().recip()),
        None => state.history.diagonal.mapv(f64::sqrt),
    }
}

/// Moves along a Newton step, as far as the log joint does not fall.
fn move_by<M: GradLogJoint + ?Sized>(model: &M, state: &mut LbfgsState, step: &ArrayRef1<f64>) -> bool {
    const N_HALVINGS: i32 = 30;
    let allowed = state.value - 1e-12 * state.value.abs().max(1.0);
    let mut grad = Array1::zeros(step.len());
    for i in 0..N_HALVINGS {
        let position = &state.position + &(step * 0.5_f64.powi(i));
        let value = model.log_joint_and_grad(&position, &mut grad);
        state.n_gradient += 1;
        if value >= allowed && grad.iter().all(|g| g.is_finite()) {
            (state.position, state.value, state.grad) = (position, value, grad);
            return true;
        }
    }
    false
}

/// W = −Bᵀ ∇² log p B at `at`, by central differences of the gradient along the columns of B.
fn curvature<M: GradLogJoint + ?Sized>(
    model: &M,
    at: &ArrayRef1<f64>,
    axes: &ArrayRef2<f64>,
    exec: Exec<'_>,
) -> Result<Array2<f64>, SgviError> {
    let d = model.dim();
    let mut grads = Array2::<f64>::zeros((2 * d, d));
    let rows = grads.as_slice_mut().expect("a new array is contiguous");
    let point =
        |i: usize| &at.view() + &(&axes.column(i / 2) * if i.is_multiple_of(2) { STEP } else { -STEP });
    exec.for_each_chunk(rows, d, |items, rows| {
        let (mut z, mut values) = (Array2::zeros((items.len(), d)), Array1::zeros(items.len()));
        for (mut row, i) in z.rows_mut().into_iter().zip(items) {
            row.assign(&point(i));
        }
        model.log_joint_and_grad_batch(&z, &mut values, &mut matrix_mut(rows, d));
    });
    if let Some(i) = grads.rows().into_iter().position(|g| g.iter().any(|v| !v.is_finite())) {
        let value = grads.row(i).iter().copied().find(|v| !v.is_finite()).unwrap_or(f64::NAN);
        return Err(SgviError::NonFiniteStart {
            value,
            at: NamedValues::new(model.parameters().names(), &point(i)),
        });
    }
    let mut differences = Array2::zeros((d, d));
    for j in 0..d {
        let difference = &grads.row(2 * j + 1) - &grads.row(2 * j);
        differences.row_mut(j).assign(&(difference / (2.0 * STEP)));
    }
    let w = differences.dot(axes);
    Ok(0.5 * (&w + &w.t()))
}

/// Axes of another length, along which the curvature is 1 where it is positive.
fn to_unit_diagonal(axes: &mut Array2<f64>, w: &mut Array2<f64>) {
    let lengths = w.diag().mapv(|v| if v > 0.0 { v.sqrt().recip() } else { 1.0 });
    for (i, length) in lengths.iter().enumerate() {
        axes.column_mut(i).mapv_inplace(|v| v * length);
        w.row_mut(i).mapv_inplace(|v| v * length);
        w.column_mut(i).mapv_inplace(|v| v * length);
    }
}

/// The factor of W, or the direction in which W is not positive.
fn positive_definite<M: GradLogJoint + ?Sized>(
    model: &M,
    axes: &ArrayRef2<f64>,
    w: &ArrayRef2<f64>,
) -> Result<Cholesky, SgviError> {
    let flat = |direction: &ArrayRef1<f64>, curvature: f64| {
        let along = axes.dot(direction);
        let length = along.dot(&along).sqrt();
        SgviError::IndefiniteHessian {
            curvature: curvature / (length * length),
            direction: NamedValues::new(model.parameters().names(), &(along / length)),
        }
    };
    let Ok(eigen) = SymmetricEigen::factor(w) else {
        return Err(flat(&Array1::ones(w.nrows()), f64::NAN));
    };
    let order = |i: &usize, j: &usize| eigen.values()[*i].total_cmp(&eigen.values()[*j]);
    let (Some(least), Some(most)) = ((0..w.nrows()).min_by(order), (0..w.nrows()).max_by(order)) else {
        return Cholesky::factor(w).map_err(|_| flat(&Array1::zeros(0), f64::NAN));
    };
    let value = eigen.values()[least];
    if value <= FLAT * eigen.values()[most].max(0.0) {
        return Err(flat(&eigen.vectors().column(least), value));
    }
    Cholesky::factor(w).map_err(|_| flat(&eigen.vectors().column(least), value))
}
