//! Buffers of a thread, so that work that needs some memory allocates nothing after the first time.

use std::cell::RefCell;

use ndarray::{ArrayRef1, ArrayViewMut1};

thread_local! {
    /// Those that are not in use, that of the outermost use last.
    static BUFFERS: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `n` values of scratch, whose contents are left over from earlier uses.
///
/// A call within `f` gets another buffer; at every depth the first call allocates, or the first that needs as much.
pub fn with<R>(n: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    let out = f(&mut buffer[..n]);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    out
}

/// Calls `f` with arrays of scratch of these lengths; see [`with`].
pub fn with_arrays<const N: usize, R>(lengths: [usize; N], f: impl FnOnce([&mut [f64]; N]) -> R) -> R {
    with(lengths.iter().sum(), |mut rest| {
        f(lengths.map(|n| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(n);
            rest = tail;
            head
        }))
    })
}

/// Calls `f` with a vector of scratch for calls that size it themselves; see [`with`].
pub fn with_vec<R>(f: impl FnOnce(&mut Vec<f64>) -> R) -> R {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    let out = f(&mut buffer);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    out
}

/// [`with`], as a vector of ndarray.
pub(crate) fn with_vector<R>(n: usize, f: impl FnOnce(&mut ArrayRef1<f64>) -> R) -> R {
    with(n, |values| f(&mut ArrayViewMut1::from(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_within_each_other_keep_their_buffers() {
        let addresses = || {
            with(10, |outer| {
                outer.fill(1.0);
                let inner = with_arrays([3, 4], |[a, b]| {
                    a.fill(2.0);
                    b.fill(3.0);
                    assert_eq!((a.len(), b.len()), (3, 4));
                    a.as_ptr()
                });
                assert!(outer.iter().all(|v| *v == 1.0), "the inner use left the outer buffer alone");
                (outer.as_ptr(), inner)
            })
        };
        assert_eq!(addresses(), addresses(), "the second time nothing is allocated");
    }
}
