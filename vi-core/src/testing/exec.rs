//! Communicators, and ranks that are threads.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use ndarray::{Array1, ArrayRef1};

use crate::communicator::{CommError, Communicator};
use crate::exec::{CHUNK, Exec};

/// One of several ranks that are threads of this process; every pair is joined by a channel.
struct ThreadRank {
    rank: usize,
    to: Vec<Mutex<Sender<Vec<f64>>>>,
    from: Vec<Mutex<Receiver<Vec<f64>>>>,
}

impl std::fmt::Debug for ThreadRank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ThreadRank({} of {})", self.rank, self.to.len())
    }
}

/// A rank that is gone has closed its channels.
fn gone(rank: usize) -> CommError {
    CommError::Transport { message: format!("rank {rank} has ended") }
}

impl Communicator for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn all_gather(&self, mine: &[f64], all: &mut [f64]) -> Result<(), CommError> {
        let expected = mine.len() * self.size();
        if all.len() != expected {
            return Err(CommError::BufferLength { expected, actual: all.len() });
        }
        for (r, to) in self.to.iter().enumerate() {
            let to = to.lock().map_err(|_| gone(r))?;
            to.send(mine.to_vec()).map_err(|_| gone(r))?;
        }
        for (r, (from, part)) in self.from.iter().zip(all.chunks_exact_mut(mine.len().max(1))).enumerate() {
            let theirs = from.lock().map_err(|_| gone(r))?.recv().map_err(|_| gone(r))?;
            if theirs.len() != part.len() {
                return Err(CommError::BufferLength { expected: part.len(), actual: theirs.len() });
            }
            part.copy_from_slice(&theirs);
        }
        Ok(())
    }
}

/// Runs `f` on `size` ranks, each a thread of its own, and returns what they returned.
///
/// This is how a test sees what a program does on a cluster.
///
/// # Panics
/// If `f` panics on a rank.
pub fn simulate_ranks<R: Send>(size: usize, f: impl Fn(Exec<'_>) -> R + Sync) -> Vec<R> {
    let mut ranks: Vec<ThreadRank> =
        (0..size).map(|rank| ThreadRank { rank, to: Vec::new(), from: Vec::new() }).collect();
    for sender in 0..size {
        for receiver in 0..size {
            let (to, from) = channel();
            ranks[sender].to.push(Mutex::new(to));
            ranks[receiver].from.push(Mutex::new(from));
        }
    }
    std::thread::scope(|scope| {
        let f = &f;
        let threads: Vec<_> =
            ranks.into_iter().map(|rank| scope.spawn(move || f(Exec::with_communicator(&rank)))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    })
}

/// Checks that sums over `exec` have exactly the bits of a serial sum, for several lengths and widths, and
/// that `all_gather` refuses a buffer of the wrong length. Every rank has to make this call.
///
/// # Panics
/// With the length and both values where they differ; if the communicator fails.
pub fn check_exec(exec: Exec<'_>) {
    for n in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK + 3] {
        for width in [1, 3] {
            let mut out = Array1::from_elem(width, f64::NAN);
            exec.sum(n, &mut out, add_terms).unwrap_or_else(|e| panic!("sum of {n} terms: {e}"));
            let expected = serial(n, width);
            let equal = out.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(equal, "sum of {n} terms of width {width}: {out}, serially {expected}");
        }
    }
    let communicator = exec.communicator();
    let refused = communicator.all_gather(&[1.0, 2.0], &mut vec![0.0; 2 * communicator.size() + 1]);
    assert!(
        matches!(refused, Err(CommError::BufferLength { .. })),
        "all_gather into a buffer of the wrong length returned {refused:?}"
    );
}

/// Terms of very different size and sign: every other order of summation gives other bits.
fn add_terms(items: std::ops::Range<usize>, partial: &mut ArrayRef1<f64>) {
    for i in items {
        for (j, p) in partial.iter_mut().enumerate() {
            let x = (i + 1) as f64;
            *p += (x * (j + 1) as f64).sin() * 10f64.powi((i % 13) as i32 - 6);
        }
    }
}

fn serial(n: usize, width: usize) -> Array1<f64> {
    let mut total = Array1::zeros(width);
    for start in (0..n).step_by(CHUNK) {
        let mut partial = Array1::zeros(width);
        add_terms(start..(start + CHUNK).min(n), &mut partial);
        total += &partial;
    }
    total
}
