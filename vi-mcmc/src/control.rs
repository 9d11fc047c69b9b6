//! Watching and interrupting a run from outside.

use std::sync::atomic::{AtomicBool, Ordering};

/// An iteration of a chain that has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainProgress {
    /// The chain, counted from 0.
    pub chain: u32,
    /// Iterations done, warm-up included.
    pub n_done: u64,
    /// Iterations to do, warm-up included.
    pub n_iterations: u64,
    /// Whether the iteration belonged to the warm-up.
    pub warmup: bool,
    /// Whether the iteration ended in a divergence.
    pub divergent: bool,
}

/// A flag that interrupts the chains and a function that is told of every iteration; both optional, neither
/// changes the draws.
#[derive(Clone, Copy, Default)]
pub struct Control<'a> {
    interrupt: Option<&'a AtomicBool>,
    progress: Option<&'a (dyn Fn(ChainProgress) + Sync)>,
}

impl<'a> Control<'a> {
    /// Nobody watches and nobody interrupts.
    pub fn none() -> Self {
        Self::default()
    }

    /// Ends every chain after the iteration in which the flag is raised.
    #[must_use]
    pub fn with_interrupt(self, flag: &'a AtomicBool) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Calls `progress` after every iteration of every chain, from the threads that run them.
    #[must_use]
    pub fn with_progress(self, progress: &'a (dyn Fn(ChainProgress) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Whether the flag is raised.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Tells of an iteration.
    pub fn report(&self, progress: ChainProgress) {
        if let Some(f) = self.progress {
            f(progress);
        }
    }
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("interrupt", &self.interrupt)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}
