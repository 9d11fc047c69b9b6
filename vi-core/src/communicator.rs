//! How ranks exchange numbers. One process is a communicator of size 1.

/// A failure of the exchange between ranks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommError {
    /// The receiving buffer has not `size × mine.len()` places.
    #[error("all_gather: buffer has length {actual}, expected {expected} (ranks × values per rank)")]
    BufferLength {
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// The transport failed.
    #[error("communication between ranks failed: {message}")]
    Transport {
        /// What the transport reported.
        message: String,
    },
}

/// A group of ranks that run the same program.
///
/// There is a gather and no reduce: the order of a sum must be ours, or its bits depend on the number of
/// ranks.
pub trait Communicator: Send + Sync + std::fmt::Debug {
    /// This process's number, `0 ≤ rank < size`.
    fn rank(&self) -> usize;
    /// The number of processes.
    fn size(&self) -> usize;
    /// Gathers every rank's `mine` into `all`, in the order of ranks.
    ///
    /// # Errors
    /// [`CommError`] when a length is wrong or the transport fails.
    fn all_gather(&self, mine: &[f64], all: &mut [f64]) -> Result<(), CommError>;
}

/// The communicator of a single process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Communicator for Local {
    fn rank(&self) -> usize {
        0
    }
    fn size(&self) -> usize {
        1
    }
    fn all_gather(&self, mine: &[f64], all: &mut [f64]) -> Result<(), CommError> {
        if mine.len() != all.len() {
            return Err(CommError::BufferLength { expected: mine.len(), actual: all.len() });
        }
        all.copy_from_slice(mine);
        Ok(())
    }
}
