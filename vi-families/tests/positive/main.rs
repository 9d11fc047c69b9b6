//! The distributions on (0, ∞), their conjugate pairs and predictive distributions.
//!
//! Parameters and keys are drawn from fixed seeds; see `check_exponential_family` for the false-alarm rates.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared by several test binaries, each with its own needs")]
mod common;
mod conjugate;
mod contract;
mod predictive;
mod predictive_values;
mod reference;
mod values;

use common::config;
use proptest::prelude::*;
use vi_core::StreamKey;

/// Values of one distribution, by mpmath.
struct Case {
    parameters: &'static [f64],
    entropy: f64,
    /// x, log p(x), P(z ≤ x), P(z > x).
    points: &'static [(f64, f64, f64, f64)],
}

/// Numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive() -> impl Strategy<Value = f64> {
    (-2.5..2.5f64).prop_map(f64::exp)
}

/// Numbers between 10^−12 and 10^12, evenly on the log scale.
fn extreme() -> impl Strategy<Value = f64> {
    (-12.0..12.0f64).prop_map(|e| 10f64.powf(e))
}

/// Anything an algorithm gone wrong may hand over: huge, tiny, signed zeros, infinities, NaN, and plain values.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn key() -> StreamKey {
    StreamKey::from_seed(20)
}

/// Asserts equality up to 10⁻¹², relative or, below one, absolute.
fn assert_close(what: &str, value: f64, expected: f64) {
    assert_within(what, value, expected, 1e-12 * expected.abs().max(1.0));
}

fn assert_within(what: &str, value: f64, expected: f64, bound: f64) {
    let close = (value - expected).abs() <= bound || value == expected;
    assert!(close, "{what} is {value:e}, expected {expected:e}");
}
