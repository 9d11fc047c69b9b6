//! One buffer per thread, so that evaluating a wrapped model allocates nothing after the first time.

use std::cell::Cell;

use ndarray::{ArrayRef1, ArrayViewMut1};

thread_local! {
    static BUFFER: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// Calls `f` with `n` values of scratch, whose contents are left over from earlier uses.
///
/// The buffer is taken out while it is in use: a call within `f` gets one of its own.
pub(crate) fn with<R>(n: usize, f: impl FnOnce(&mut ArrayRef1<f64>) -> R) -> R {
    let mut buffer = BUFFER.take();
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    let out = f(&mut ArrayViewMut1::from(&mut buffer[..n]));
    BUFFER.set(buffer);
    out
}
