//! Solves with the Fisher information, and steps in natural parameters.

use ndarray::{Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, LinalgError};

use crate::error::FamilyError;
use crate::validate::{FINITE, domain};

/// What is added to the diagonal of the Fisher information before it is inverted.
///
/// ```text
/// F + relative · diag F + absolute · I
/// ```
/// The relative part does not depend on the units of λ and bounds what nearly collinear parameters do (shape and rate
/// of a Gamma, a factor that can be turned); the absolute part bounds steps where the information itself vanishes (the
/// logit of an all but certain bit), but slows locations whose scale is large.
///
/// Source: Marquardt 1963; for natural gradients Martens & Grosse 2015, section 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Damping {
    /// The share of the diagonal that is added to it; by default 0.
    pub relative: f64,
    /// What is added to every element of the diagonal; by default 0.
    pub absolute: f64,
}

impl Damping {
    /// No damping.
    pub const NONE: Self = Self { relative: 0.0, absolute: 0.0 };

    /// The damped element of the diagonal.
    pub fn diagonal(&self, value: f64) -> f64 {
        value + self.extra(value)
    }

    /// What is added to the element `value` of the diagonal.
    pub fn extra(&self, value: f64) -> f64 {
        self.relative * value + self.absolute
    }

    /// Whether nothing is added.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// Pivots of a matrix with unit diagonal below this are rounding errors.
const SINGULAR: f64 = 1e-13;

/// The Fisher information has no inverse: element `index` of λ, with the pivot where it fails.
pub(super) fn singular(index: usize, value: f64) -> FamilyError {
    FamilyError::SingularFisher { index, value }
}

/// The error of a part of λ that starts at `start`, as one of the whole λ.
pub(super) fn shifted(error: FamilyError, start: usize) -> FamilyError {
    match error {
        FamilyError::SingularFisher { index, value } => singular(start + index, value),
        other => other,
    }
}

/// grad / (one element of a diagonal Fisher information, damped).
pub(super) fn solve_one(index: usize, fisher: f64, damping: Damping, grad: f64) -> Result<f64, FamilyError> {
    let pivot = damping.diagonal(fisher);
    if pivot > 0.0 && pivot.is_finite() { Ok(grad / pivot) } else { Err(singular(index, pivot)) }
}

/// The solve of order two with F = (F₁₁, F₁₂; F₁₂, F₂₂).
pub(super) fn solve_two(
    fisher: [f64; 3],
    damping: Damping,
    grad: [f64; 2],
) -> Result<[f64; 2], (usize, f64)> {
    let [a, b, c] = [damping.diagonal(fisher[0]), fisher[1], damping.diagonal(fisher[2])];
    if !(a > 0.0 && a.is_finite()) {
        return Err((0, a));
    }
    // The pivot of the matrix with unit diagonal.
    let pivot = 1.0 - (b / a) * (b / c);
    if !(c > 0.0 && c.is_finite() && pivot > SINGULAR) {
        return Err((1, pivot.min(c)));
    }
    let second = (grad[1] - b / a * grad[0]) / (c * pivot);
    Ok([(grad[0] - b * second) / a, second])
}

/// The solve with diag(d) − c u uᵀ (Sherman & Morrison 1950), given what is left of one: 1 − c Σ u²/d.
///
/// `of(i)` is (dᵢ, uᵢ), damping included.
pub(super) fn solve_less_rank_one(
    of: impl Fn(usize) -> (f64, f64),
    c: f64,
    rest: f64,
    grad: &[f64],
    out: &mut [f64],
) -> Result<(), FamilyError> {
    let mut common = 0.0;
    for (i, g) in grad.iter().enumerate() {
        let (d, u) = of(i);
        if !(d > 0.0 && d.is_finite()) {
            return Err(singular(i, d));
        }
        common += u * (g / d);
    }
    if !(rest > 0.0 && rest.is_finite()) {
        return Err(singular(grad.len() - 1, rest));
    }
    common *= c / rest;
    for (i, (o, g)) in out.iter_mut().zip(grad).enumerate() {
        let (d, u) = of(i);
        *o = (g + u * common) / d;
    }
    Ok(())
}

/// The same, with 1 − c Σ u²/d by subtraction.
pub(super) fn solve_less_rank_one_by_difference(
    of: impl Fn(usize) -> (f64, f64),
    c: f64,
    grad: &[f64],
    out: &mut [f64],
) -> Result<(), FamilyError> {
    let taken = |i| {
        let (d, u) = of(i);
        c * u * (u / d)
    };
    let rest = 1.0 - (0..grad.len()).map(taken).sum::<f64>();
    let rest = if rest > SINGULAR { rest } else { rest.min(0.0) };
    solve_less_rank_one(of, c, rest, grad, out)
}

/// The solve with a dense Fisher information, brought to unit diagonal first so that the units of λ do not matter.
pub(super) fn solve_dense(
    mut fisher: Array2<f64>,
    damping: Damping,
    grad: &ArrayRef1<f64>,
    out: &mut ArrayRef1<f64>,
) -> Result<(), FamilyError> {
    let n = grad.len();
    assert_eq!(fisher.dim(), (n, n), "natural gradient: the Fisher information has the wrong shape");
    for i in 0..n {
        let pivot = damping.diagonal(fisher[[i, i]]);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(singular(i, pivot));
        }
        // `out` holds the inverse roots of the diagonal while the matrix is scaled.
        (fisher[[i, i]], out[i]) = (pivot, pivot.sqrt().recip());
    }
    for ((i, j), value) in fisher.indexed_iter_mut() {
        *value = if i == j { 1.0 } else { *value * out[i] * out[j] };
    }
    let factor = Cholesky::factor(&fisher).map_err(|e| match e {
        LinalgError::NotPositiveDefinite { pivot, value } => singular(pivot, value),
        LinalgError::NonFinite { row, value, .. } => singular(row, value),
        _ => singular(0, f64::NAN),
    })?;
    let pivots = factor.l().diag();
    if let Some(i) = pivots.iter().position(|l| l * l <= SINGULAR) {
        return Err(singular(i, pivots[i] * pivots[i]));
    }
    let roots = out.to_owned();
    out.zip_mut_with(grad, |o, g| *o *= g);
    factor.solve_inplace(out);
    *out *= &*roots;
    Ok(())
}

/// `step`, halved until it is admissible, and how often it was.
///
/// Ends, because natural domains are open and hold the start; an error stands where overflow keeps it from ending.
pub(super) fn halved(
    family: &'static str,
    step: f64,
    admissible: impl Fn(f64) -> bool,
) -> Result<(f64, u32), FamilyError> {
    const LIMIT: u32 = 1100;
    let (mut step, mut n_halvings) = (step, 0);
    while !admissible(step) {
        if n_halvings == LIMIT {
            return Err(domain(family, "step in natural parameters", step, "admissible at some length"));
        }
        (step, n_halvings) = (0.5 * step, n_halvings + 1);
    }
    Ok((step, n_halvings))
}

/// Checks the arguments of a step.
pub(super) fn check_step(
    family: &'static str,
    n_params: usize,
    params: &ArrayRef1<f64>,
    natural_gradient: &ArrayRef1<f64>,
    out: &ArrayRef1<f64>,
) -> Result<(), FamilyError> {
    let lengths = (params.len(), natural_gradient.len(), out.len());
    assert_eq!(lengths, (n_params, n_params, n_params), "{family}: wrong length");
    match natural_gradient.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(domain(family, format!("natural gradient[{i}]"), natural_gradient[i], FINITE)),
        None => Ok(()),
    }
}

/// The step of one Gaussian in its natural parameters, in terms free of cancellation.
///
/// ```text
/// τ′ = τ (1 − 2ρ ñ_s)      m′ = m + ρ ñ_m τ/τ′      log s′ = log s − ½ log(1 − 2ρ ñ_s)
/// ```
/// Returns (m′, log s′) and how often ρ was halved for τ′ > 0.
pub(super) fn gaussian_step(
    family: &'static str,
    [mean, log_scale]: [f64; 2],
    [by_mean, by_log_scale]: [f64; 2],
    step: f64,
) -> Result<([f64; 2], u32), FamilyError> {
    let (step, n_halvings) = halved(family, step, |step| 1.0 - 2.0 * step * by_log_scale > 0.0)?;
    let change = -2.0 * step * by_log_scale;
    Ok(([mean + step * by_mean / (1.0 + change), log_scale - 0.5 * change.ln_1p()], n_halvings))
}

/// The step of a natural parameter that is ± e^λ: λ′ = λ + log(1 + ρ ñ).
pub(super) fn log_step(
    family: &'static str,
    params: &[f64],
    natural_gradient: &[f64],
    step: f64,
    out: &mut [f64],
) -> Result<u32, FamilyError> {
    let inside = |step: f64| natural_gradient.iter().all(|n| 1.0 + step * n > 0.0);
    let (step, n_halvings) = halved(family, step, inside)?;
    for ((o, p), n) in out.iter_mut().zip(params).zip(natural_gradient) {
        *o = p + (step * n).ln_1p();
    }
    Ok(n_halvings)
}
