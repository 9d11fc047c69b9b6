//! Buffers per thread, so that what a chunk of samples needs while it is worked on is allocated once.

use std::cell::RefCell;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `n` values of unspecified content. A call within `f` gets a buffer of its own.
pub(crate) fn with_scratch<R>(n: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    let out = f(&mut buffer[..n]);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    out
}
