//! Buffers of members, so that binding a family again and again allocates once.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Buffers that a thread keeps at most: those of a few members that are alive together.
const N_KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// A vector whose memory goes back to its thread when it is dropped, for the next one.
#[derive(Debug)]
pub(crate) struct Recycled(Vec<f64>);

impl Recycled {
    /// An empty vector with room for `n` values.
    pub(crate) fn with_capacity(n: usize) -> Self {
        let mut values = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten().unwrap_or_default();
        values.clear();
        values.reserve(n);
        Self(values)
    }

    /// The values in order.
    pub(crate) fn collect(values: impl ExactSizeIterator<Item = f64>) -> Self {
        let mut out = Self::with_capacity(values.len());
        out.0.extend(values);
        out
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        // At the end of a thread there is nobody left to keep it.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < N_KEPT {
                free.push(values);
            }
        });
    }
}

impl Clone for Recycled {
    fn clone(&self) -> Self {
        Self::collect(self.iter().copied())
    }
}

impl Deref for Recycled {
    type Target = Vec<f64>;

    fn deref(&self) -> &Vec<f64> {
        &self.0
    }
}

impl DerefMut for Recycled {
    fn deref_mut(&mut self) -> &mut Vec<f64> {
        &mut self.0
    }
}
