//! Ranks of a communicator simulated by threads.

use std::sync::{Barrier, Mutex};

use vi_core::{CommError, Communicator, Exec};

#[derive(Debug)]
struct Board {
    barrier: Barrier,
    values: Mutex<Vec<Vec<f64>>>,
}

#[derive(Debug)]
struct Rank<'a> {
    board: &'a Board,
    rank: usize,
    size: usize,
}

impl Communicator for Rank<'_> {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.size
    }
    fn all_gather(&self, mine: &[f64], all: &mut [f64]) -> Result<(), CommError> {
        self.board.values.lock().unwrap()[self.rank] = mine.to_vec();
        self.board.barrier.wait();
        all.copy_from_slice(&self.board.values.lock().unwrap().concat());
        self.board.barrier.wait();
        Ok(())
    }
}

/// What `f` returns on each of `size` ranks.
pub(crate) fn on_ranks<T: Send>(size: usize, f: impl Fn(Exec<'_>) -> T + Sync) -> Vec<T> {
    let board = Board { barrier: Barrier::new(size), values: Mutex::new(vec![Vec::new(); size]) };
    std::thread::scope(|scope| {
        let (f, board) = (&f, &board);
        let ranks: Vec<_> = (0..size)
            .map(|rank| scope.spawn(move || f(Exec::with_communicator(&Rank { board, rank, size }))))
            .collect();
        ranks.into_iter().map(|r| r.join().unwrap()).collect()
    })
}
