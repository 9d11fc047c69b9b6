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

    /// Calls `f` on a thread of the current pool: the parallel calls inside it are then handed over to other threads
    /// without waking this one each time. On a thread of a pool, or with one thread, it is a plain call; so it is with
    /// several ranks, whose communicator may be bound to the thread that made it.
    pub fn enter<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        let inside = rayon::current_thread_index().is_some() || rayon::current_num_threads() == 1;
        if inside || self.communicator.size() > 1 {
            return f();
        }
        rayon::scope(|_| f())
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
        for_each_part(rows, CHUNK * width, |c, chunk| {
            let start = c * CHUNK;
            f(start..start + chunk.len() / width, chunk);
        });
    }

    /// Computes `n` items, `CHUNK` at a time, shared among threads and ranks: `f(items, their shared values,
    /// their own values)`.
    ///
    /// `shared` (n × any width) is known to every rank afterwards. `own` (n × any width) stays with the rank
    /// that computes an item; elsewhere it is left as it was. A chunk's values are contiguous, so `f` may lay
    /// them out as it likes. [`Exec::sum`] and [`Exec::sum_in`] give every rank the same chunks again. On one
    /// rank nothing is allocated.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    ///
    /// # Panics
    /// If the length of `shared` or `own` is not a multiple of `n`.
    pub fn map_chunks<F>(&self, n: usize, shared: &mut [f64], own: &mut [f64], f: F) -> Result<(), CommError>
    where
        F: Fn(Range<usize>, &mut [f64], &mut [f64]) + Sync,
    {
        if n == 0 {
            return Ok(());
        }
        assert_eq!(shared.len() % n, 0, "shared: length {} is no multiple of n = {n}", shared.len());
        assert_eq!(own.len() % n, 0, "own: length {} is no multiple of n = {n}", own.len());
        let (width, own_width) = (shared.len() / n, own.len() / n);
        let split = self.split(n, CHUNK);
        let items = split.items(n, CHUNK);
        let call = |c: usize, shared: &mut [f64], own: &mut [f64]| {
            f(c * CHUNK..((c + 1) * CHUNK).min(n), shared, own);
        };
        let mine = &mut shared[items.start * width..items.end * width];
        let own = &mut own[items.start * own_width..items.end * own_width];
        match (width, own_width) {
            (0, 0) => {}
            (_, 0) => for_each_part(mine, CHUNK * width, |i, part| call(split.first + i, part, &mut [])),
            (0, _) => for_each_part(own, CHUNK * own_width, |i, part| call(split.first + i, &mut [], part)),
            _ => for_each_pair((mine, CHUNK * width), (own, CHUNK * own_width), |i, shared, own| {
                call(split.first + i, shared, own);
            }),
        }
        self.share(shared, items.start * width..items.end * width, split.per_rank * CHUNK * width)
    }

    /// Makes the values of all ranks known to every one: `mine` are those of this rank, `room` the most that a rank has.
    fn share(&self, shared: &mut [f64], mine: Range<usize>, room: usize) -> Result<(), CommError> {
        if self.communicator.size() > 1 && !shared.is_empty() {
            let mut padded = vec![0.0; room];
            padded[..mine.len()].copy_from_slice(&shared[mine]);
            let mut all = vec![0.0; room * self.communicator.size()];
            self.communicator.all_gather(&padded, &mut all)?;
            // Only the last chunk is short and ranks hold consecutive chunks, so the padding is all at the end.
            shared.copy_from_slice(&all[..shared.len()]);
        }
        Ok(())
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
        self.sum_in(n, out, &mut Vec::new(), f)
    }

    /// [`Exec::sum`] with the partials in a buffer of the caller's, so that a repeated sum allocates nothing
    /// on one rank.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    pub fn sum_in<F>(
        &self,
        n: usize,
        out: &mut ArrayRef1<f64>,
        partials: &mut Vec<f64>,
        f: F,
    ) -> Result<(), CommError>
    where
        F: Fn(Range<usize>, &mut ArrayRef1<f64>) + Sync,
    {
        let width = out.len();
        out.fill(0.0);
        if n == 0 || width == 0 {
            return Ok(());
        }
        let n_chunks = n.div_ceil(CHUNK);
        let split = self.split(n, CHUNK);
        // The tail rank's missing chunks stay zero and unread.
        partials.clear();
        partials.resize(split.per_rank * width, 0.0);
        for_each_part(partials, width, |i, row| {
            let c = split.first + i;
            if c < n_chunks {
                let mut view = ndarray::ArrayViewMut1::from(row);
                f(c * CHUNK..((c + 1) * CHUNK).min(n), &mut view);
            }
        });
        self.fold(partials, n_chunks, out)
    }

    /// Adds the partials of all ranks to `out`, in the order of chunks.
    fn fold(&self, partials: &[f64], n_chunks: usize, out: &mut ArrayRef1<f64>) -> Result<(), CommError> {
        let size = self.communicator.size();
        if size == 1 {
            fold_rows(partials, n_chunks, out);
        } else {
            let mut all = vec![0.0; partials.len() * size];
            self.communicator.all_gather(partials, &mut all)?;
            fold_rows(&all, n_chunks, out);
        }
        Ok(())
    }

    /// [`Exec::map_chunks`] and [`Exec::sum_in`] in one pass, with chunks of a size of the caller's:
    /// `f(items, their shared values, partial)` adds the items of a chunk to a zeroed partial.
    ///
    /// `shared` (n × any width) is known to every rank afterwards, `out` is overwritten with the sum of the partials
    /// in the order of chunks. Bits depend on `n` and `chunk`. On one rank nothing is allocated once `partials` has
    /// its size, which is that of `out` for every chunk.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    ///
    /// # Panics
    /// If `chunk` is zero, or the length of `shared` is not a multiple of `n`.
    pub fn map_and_sum_in<F>(
        &self,
        n: usize,
        chunk: usize,
        shared: &mut [f64],
        out: &mut ArrayRef1<f64>,
        partials: &mut Vec<f64>,
        f: F,
    ) -> Result<(), CommError>
    where
        F: Fn(Range<usize>, &mut [f64], &mut ArrayRef1<f64>) + Sync,
    {
        out.fill(0.0);
        if n == 0 {
            return Ok(());
        }
        assert_eq!(shared.len() % n, 0, "shared: length {} is no multiple of n = {n}", shared.len());
        let (width, length) = (shared.len() / n, out.len());
        let split = self.split(n, chunk);
        let items = split.items(n, chunk);
        // The tail rank's missing partials stay unread.
        partials.resize(split.per_rank * length, 0.0);
        let call = |i: usize, shared: &mut [f64], partial: &mut [f64]| {
            let c = split.first + i;
            if c < split.end {
                partial.fill(0.0);
                f(c * chunk..((c + 1) * chunk).min(n), shared, &mut ndarray::ArrayViewMut1::from(partial));
            }
        };
        let mine = &mut shared[items.start * width..items.end * width];
        match (width, length) {
            (0, 0) => return Ok(()),
            (_, 0) => for_each_part(mine, chunk * width, |i, rows| call(i, rows, &mut [])),
            (0, _) => for_each_part(partials, length, |i, partial| call(i, &mut [], partial)),
            _ => for_each_pair((mine, chunk * width), (partials, length), call),
        }
        self.share(shared, items.start * width..items.end * width, split.per_rank * chunk * width)?;
        if length > 0 { self.fold(partials, n.div_ceil(chunk), out) } else { Ok(()) }
    }

    /// Rank r computes chunks r·per_rank .. (r+1)·per_rank, as far as there are any.
    fn split(&self, n: usize, chunk: usize) -> Split {
        let n_chunks = n.div_ceil(chunk);
        let per_rank = n_chunks.div_ceil(self.communicator.size());
        let first = (self.communicator.rank() * per_rank).min(n_chunks);
        Split { per_rank, first, end: (first + per_rank).min(n_chunks) }
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

struct Split {
    per_rank: usize,
    first: usize,
    end: usize,
}

impl Split {
    /// The items of this rank's chunks.
    fn items(&self, n: usize, chunk: usize) -> Range<usize> {
        (self.first * chunk).min(n)..(self.end * chunk).min(n)
    }
}

/// Parts of `size` values in parallel. A single part is done where it stands: waking a thread costs more.
fn for_each_part(values: &mut [f64], size: usize, f: impl Fn(usize, &mut [f64]) + Sync) {
    if values.len() <= size || rayon::current_num_threads() == 1 {
        values.chunks_mut(size).enumerate().for_each(|(i, part)| f(i, part));
    } else {
        values.par_chunks_mut(size).enumerate().for_each(|(i, part)| f(i, part));
    }
}

/// Parts of two arrays, number i of one with number i of the other.
fn for_each_pair(
    (a, size_a): (&mut [f64], usize),
    (b, size_b): (&mut [f64], usize),
    f: impl Fn(usize, &mut [f64], &mut [f64]) + Sync,
) {
    if a.len() <= size_a || rayon::current_num_threads() == 1 {
        a.chunks_mut(size_a).zip(b.chunks_mut(size_b)).enumerate().for_each(|(i, (a, b))| f(i, a, b));
    } else {
        let pairs = a.par_chunks_mut(size_a).zip(b.par_chunks_mut(size_b));
        pairs.enumerate().for_each(|(i, (a, b))| f(i, a, b));
    }
}

/// Columns folded by one thread at a time; every column is folded in the order of rows, whoever does it.
const FOLD_COLUMNS: usize = 1024;

fn fold_rows(rows: &[f64], n_rows: usize, out: &mut ArrayRef1<f64>) {
    let width = out.len();
    let rows = &rows[..n_rows * width];
    if let Some(out) = out.as_slice_mut() {
        for_each_part(out, FOLD_COLUMNS, |i, part| {
            let columns = i * FOLD_COLUMNS..i * FOLD_COLUMNS + part.len();
            for row in rows.chunks_exact(width) {
                for (o, r) in part.iter_mut().zip(&row[columns.clone()]) {
                    *o += r;
                }
            }
        });
        return;
    }
    for row in rows.chunks_exact(width) {
        for (o, r) in out.iter_mut().zip(row) {
            *o += r;
        }
    }
}
