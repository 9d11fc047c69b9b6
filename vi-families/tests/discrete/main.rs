//! The distributions of truth values, categories and counts, their conjugate pairs and predictive distributions.
//!
//! Parameters and keys are drawn from fixed seeds; see `check_exponential_family` for the false-alarm rates.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared by several test binaries, each with its own needs")]
mod common;
mod conjugacy;
mod contract;
mod reference;
mod values;

use proptest::prelude::*;
use vi_core::StreamKey;

/// Values of one distribution, by mpmath.
struct Case {
    parameters: &'static [f64],
    entropy: f64,
    /// k, log p(k), P(z ≤ k), P(z > k).
    points: &'static [(f64, f64, f64, f64)],
}

/// Values of one distribution of vectors of counts, by mpmath.
struct VectorCase {
    n: u64,
    parameters: &'static [f64],
    /// NaN where it is not compared.
    entropy: f64,
    /// z, log p(z).
    points: &'static [(&'static [f64], f64)],
}

/// The configuration of all tests, with little shrinking: some cases sum many probabilities.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { max_shrink_iters: 20, ..common::config(cases) }
}

/// Anything an algorithm gone wrong may hand over: huge, tiny, signed zeros, infinities, NaN, and plain values.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn key() -> StreamKey {
    StreamKey::from_seed(20)
}

/// Asserts equality up to `bound`, relative.
fn assert_close(what: &str, value: f64, expected: f64, bound: f64) {
    let close = (value - expected).abs() <= bound * expected.abs() || value == expected;
    assert!(close, "{what} is {value:e}, expected {expected:e}");
}
