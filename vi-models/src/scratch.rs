//! One buffer per thread, so that a log joint allocates nothing after its first evaluation.

use std::cell::Cell;

thread_local! {
    static BUFFER: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// Calls `f` with `n` values of scratch, left over from earlier uses.
///
/// The buffer is taken out while it is in use: a call within `f` gets one of its own.
pub(crate) fn with<R>(n: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    let mut buffer = BUFFER.take();
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    let out = f(&mut buffer[..n]);
    BUFFER.set(buffer);
    out
}
