//! Points of the open unit cube.

use std::cell::Cell;

use ndarray::{ArrayRef1, ArrayViewMut1};
use rand::RngExt;
use vi_core::StreamRng;

/// The middle of one of 2⁵² equal cells of (0, 1): never an end, and 1 − u is exact.
pub(super) fn open_uniform(rng: &mut StreamRng) -> f64 {
    ((rng.random::<u64>() >> 12) as f64 + 0.5) * 2f64.powi(-52)
}

/// Calls `f` with `n` values of unspecified content. They stay allocated for the thread's next call.
pub(super) fn with_scratch<R>(n: usize, f: impl FnOnce(&mut ArrayRef1<f64>) -> R) -> R {
    thread_local! {
        static SCRATCH: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
    }
    let mut scratch = SCRATCH.take();
    scratch.resize(n.max(scratch.len()), 0.0);
    let result = f(&mut ArrayViewMut1::from(&mut scratch[..n]));
    SCRATCH.set(scratch);
    result
}
