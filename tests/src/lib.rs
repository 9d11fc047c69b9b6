//! Claims that cross crates: agreement of methods, known posteriors, determinism, resuming.
//!
//! The claims are the integration tests in `tests/`; this library holds what they share.

pub mod best_gaussians;
pub mod exact_elbo;
mod optima_values;
pub mod posteriors;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The numbers of threads between which results may not differ in a bit.
pub const THREADS: [usize; 4] = [1, 2, 3, 7];

/// A pool of `n` threads.
///
/// # Panics
/// If the system gives no threads.
pub fn pool(n: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(n).build().expect("threads can be started")
}

/// The bit patterns of values, so that an assertion compares bits and not numbers.
pub fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|v| v.to_bits()).collect()
}

/// Runs `f` under every number of [`THREADS`] and asserts that the bits of its result are the same.
///
/// # Panics
/// If they differ, naming the number of threads.
pub fn assert_same_bits_for_any_threads(what: &str, f: impl Fn() -> Vec<f64> + Send + Sync) {
    let one = bits(&pool(1).install(&f));
    assert!(!one.is_empty(), "{what}: nothing to compare");
    for n in &THREADS[1..] {
        assert!(one == bits(&pool(*n).install(&f)), "{what}: {n} threads give other bits than 1");
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeDoctests;
