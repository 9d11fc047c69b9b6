//! Deterministic parallel execution: work is cut into chunks of a fixed size, chunks write disjoint rows
//! in parallel, and sums are folded serially in the order of chunks.
//!
//! The bits of a result depend on `n` and [`CHUNK`], never on the number of threads or ranks. Threads are
//! those of the rayon pool in whose scope the call is made (`ThreadPool::install`).

use std::ops::Range;

use ndarray::{Array1, ArrayRef1};
use rayon::prelude::*;

use crate::communicator::{CommError, Communicator, Local};

/// Items per chunk. Part of the reproducibility contract: changing it changes bits.
pub const CHUNK: usize = 64;

/// Where and how parallel work is executed: the threads of the current pool × the ranks of a communicator.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    communicator: &'a dyn Communicator,
}

static LOCAL: Local = Local;

impl Default for Exec<'_> {
    fn default() -> Self {
        Self::local()
    }
}

impl<'a> Exec<'a> {
    /// One process, all threads of the current rayon pool.
    pub fn local() -> Self {
        Self { communicator: &LOCAL }
    }

    /// Several ranks that all make the same calls with the same arguments.
    pub fn with_communicator(communicator: &'a dyn Communicator) -> Self {
        Self { communicator }
    }

    /// The communicator.
    pub fn communicator(&self) -> &'a dyn Communicator {
        self.communicator
    }

    /// Fills `rows`, `width` values per item, `CHUNK` items at a time: `f(items, their rows)`.
    ///
    /// Runs on this rank only; every item is computed by exactly one call, which sees the same range
    /// whatever the number of threads.
    ///
    /// # Panics
    /// If `rows.len()` is not a multiple of `width`.
    pub fn for_each_chunk<F>(&self, rows: &mut [f64], width: usize, f: F)
    where
        F: Fn(Range<usize>, &mut [f64]) + Sync,
    {
        if width == 0 || rows.is_empty() {
            return;
        }
        assert_eq!(rows.len() % width, 0, "rows: length {} is no multiple of the width {width}", rows.len());
        rows.par_chunks_mut(CHUNK * width).enumerate().for_each(|(c, chunk)| {
            let start = c * CHUNK;
            f(start..start + chunk.len() / width, chunk);
        });
    }

    /// Overwrites `out` with Σ over `n` items, `f(items, partial)` adding a chunk's items to a zeroed partial.
    ///
    /// ```text
    /// out = Σ_c partial_c,   partial_c = Σ_{i ∈ chunk c} term_i,   folded in the order c = 0, 1, 2, …
    /// ```
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    pub fn sum<F>(&self, n: usize, out: &mut ArrayRef1<f64>, f: F) -> Result<(), CommError>
    where
        F: Fn(Range<usize>, &mut ArrayRef1<f64>) + Sync,
    {
        let width = out.len();
        out.fill(0.0);
        if n == 0 || width == 0 {
            return Ok(());
        }
        let n_chunks = n.div_ceil(CHUNK);
        let (rank, size) = (self.communicator.rank(), self.communicator.size());
        // Rank r computes chunks r·per .. (r+1)·per; the tail rank's missing chunks stay zero and unread.
        let per_rank = n_chunks.div_ceil(size);
        let first = rank * per_rank;
        let mut mine = vec![0.0; per_rank * width];
        mine.par_chunks_mut(width).enumerate().for_each(|(i, row)| {
            let c = first + i;
            if c < n_chunks {
                let mut view = ndarray::ArrayViewMut1::from(row);
                f(c * CHUNK..((c + 1) * CHUNK).min(n), &mut view);
            }
        });
        if size == 1 {
            fold_rows(&mine, n_chunks, out);
        } else {
            let mut all = vec![0.0; mine.len() * size];
            self.communicator.all_gather(&mine, &mut all)?;
            fold_rows(&all, n_chunks, out);
        }
        Ok(())
    }

    /// The sum of `n` scalar terms, in the same fixed order as [`Exec::sum`].
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    pub fn sum_scalar<F>(&self, n: usize, f: F) -> Result<f64, CommError>
    where
        F: Fn(Range<usize>) -> f64 + Sync,
    {
        let mut out = Array1::zeros(1);
        self.sum(n, &mut out, |items, partial| partial[0] = f(items))?;
        Ok(out[0])
    }
}

fn fold_rows(rows: &[f64], n_rows: usize, out: &mut ArrayRef1<f64>) {
    for row in rows.chunks_exact(out.len()).take(n_rows) {
        for (o, r) in out.iter_mut().zip(row) {
            *o += r;
        }
    }
}
