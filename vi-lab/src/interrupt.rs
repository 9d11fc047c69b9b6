//! Asking a run to stop after the current iteration.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Raised by ctrl-C, by a program, or by itself after a number of iterations.
#[derive(Debug)]
pub struct Interrupt {
    raised: AtomicBool,
    remaining: AtomicU64,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupt {
    /// Not raised.
    pub fn new() -> Self {
        Self::after_iterations(u64::MAX)
    }

    /// Raises itself after this many iterations, counted over all methods and chains.
    pub fn after_iterations(n: u64) -> Self {
        Self { raised: AtomicBool::new(n == 0), remaining: AtomicU64::new(n) }
    }

    /// Asks the run to stop after the current iteration.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// The flag that stop rules look at.
    pub fn flag(&self) -> &AtomicBool {
        &self.raised
    }

    /// Counts an iteration.
    pub(crate) fn tick(&self) {
        let before = self.remaining.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if before == Ok(1) {
            self.raise();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_itself_after_the_iterations_asked_for() {
        let interrupt = Interrupt::after_iterations(2);
        interrupt.tick();
        assert!(!interrupt.is_raised());
        interrupt.tick();
        assert!(interrupt.is_raised());
    }
}
