//! The contract over parameters drawn from extreme ranges: scales over sixteen orders of magnitude, shapes over nine,
//! probabilities down to 10⁻¹² from their ends, condition numbers up to 10⁸, dimensions up to six.
//!
//! Parameters and keys are drawn from fixed seeds. The central limit theorem, which the false-alarm rates of
//! `check_exponential_family` rest on, is far off for rare events and tiny shapes: over other keys a correct
//! family fails more often there.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with tests that draw well-conditioned matrices")]
mod common;
mod many;
mod one;

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::Parametric;
use vi_families::testing::{check_calculus, check_exponential_family, check_parametric};

fn key() -> StreamKey {
    StreamKey::from_seed(25)
}

/// Numbers between 10^`low` and 10^`high`, evenly on the log scale.
fn log_uniform(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low..high).prop_map(|x| 10f64.powf(x))
}

/// Scales and rates between 10⁻⁸ and 10⁸.
fn scale() -> impl Strategy<Value = f64> {
    log_uniform(-8.0, 8.0)
}

/// Shapes between 0.03 and 10⁶: below, draws leave the range of `f64` (see `check_calculus`).
fn shape() -> impl Strategy<Value = f64> {
    log_uniform(-1.5, 6.0)
}

/// Shapes between 10⁻³ and 10⁶, for what needs no draws.
fn any_shape() -> impl Strategy<Value = f64> {
    log_uniform(-3.0, 6.0)
}

/// Log odds of probabilities between 10⁻¹² and 1 − 10⁻¹².
fn logit() -> impl Strategy<Value = f64> {
    -27.6..27.6f64
}

/// `n` numbers of `element`.
fn vector_of(n: usize, element: impl Strategy<Value = f64>) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(element, n).prop_map(Array1::from)
}

/// Directions: vectors that are hardly ever close to zero.
fn direction(p: usize) -> impl Strategy<Value = Array1<f64>> {
    common::vector(p)
}

/// Symmetric positive-definite matrices of order `p`, QDQᵀ with Q a product of reflections and D over four powers of
/// ten, in units over six: condition numbers up to 10¹⁰ and more.
fn conditioned(p: usize) -> impl Strategy<Value = Array2<f64>> {
    let values = vector_of(p, log_uniform(-2.0, 2.0));
    let units = vector_of(p, log_uniform(-3.0, 3.0));
    (values, units, prop::collection::vec(direction(p), 3)).prop_map(move |(values, units, axes)| {
        let mut q: Array2<f64> = Array2::eye(p);
        for v in axes {
            let square = v.dot(&v).max(1e-30);
            let projected = v.dot(&q);
            q -= &Array2::from_shape_fn((p, p), |(i, j)| 2.0 * v[i] * projected[j] / square);
        }
        let entry = |i: usize, j: usize| (0..p).map(|k| q[[i, k]] * values[k] * q[[j, k]]).sum::<f64>();
        Array2::from_shape_fn((p, p), |(i, j)| entry(i.max(j), i.min(j)) * units[i] * units[j])
    })
}

/// The calculus of η and of the usual parameters.
fn check<F: Parametric>(members: &[F]) {
    check_exponential_family(members, key());
    check_parametric(members);
}

/// The same without draws.
fn check_without_draws<F: Parametric>(members: &[F]) {
    check_calculus(members);
    check_parametric(members);
}
