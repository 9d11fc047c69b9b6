//! Points of the open unit cube.

use ndarray::{ArrayRef1, ArrayViewMut1};
use rand::RngExt;
use vi_core::StreamRng;

use vi_core::scratch;

/// The middle of one of 2⁵² equal cells of (0, 1): never an end, and 1 − u is exact.
pub(super) fn open_uniform(rng: &mut StreamRng) -> f64 {
    ((rng.random::<u64>() >> 12) as f64 + 0.5) * 2f64.powi(-52)
}

/// Calls `f` with room for `n` uniforms, of unspecified content.
pub(super) fn with_uniforms<R>(n: usize, f: impl FnOnce(&mut ArrayRef1<f64>) -> R) -> R {
    scratch::with(n, |u| f(&mut ArrayViewMut1::from(u)))
}
