//! Sums and maps have the same bits for any number of threads and ranks.

use std::sync::{Barrier, Mutex};

use ndarray::Array1;
use vi_core::{CommError, Communicator, Exec};

/// Ranks as threads of one process.
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

fn on_ranks<T: Send>(size: usize, f: impl Fn(Exec<'_>) -> T + Sync) -> Vec<T> {
    let board = Board { barrier: Barrier::new(size), values: Mutex::new(vec![Vec::new(); size]) };
    std::thread::scope(|scope| {
        let (f, board) = (&f, &board);
        let ranks: Vec<_> = (0..size)
            .map(|rank| scope.spawn(move || f(Exec::with_communicator(&Rank { board, rank, size }))))
            .collect();
        ranks.into_iter().map(|r| r.join().unwrap()).collect()
    })
}

fn term(i: usize) -> f64 {
    (i as f64 * 0.7).sin() * 10f64.powi((i % 9) as i32 - 4)
}

/// A map whose values each rank then sums with the rows it kept for itself.
fn map_then_sum(exec: Exec<'_>, n: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut shared, mut own) = (vec![f64::NAN; 2 * n], vec![f64::NAN; 3 * n]);
    exec.map_chunks(n, &mut shared, &mut own, |items, shared, own| {
        for (i, item) in items.enumerate() {
            shared[2 * i] = term(item);
            shared[2 * i + 1] = item as f64;
            own[3 * i..3 * (i + 1)].fill(term(item + 1));
        }
    })
    .unwrap();
    let mut out = Array1::zeros(2);
    exec.sum_in(n, &mut out, &mut Vec::new(), |items, partial| {
        for i in items {
            partial[0] += shared[2 * i];
            partial[1] += own[3 * i];
        }
    })
    .unwrap();
    (shared.iter().map(|v| v.to_bits()).collect(), out.iter().map(|v| v.to_bits()).collect())
}

#[test]
fn bits_depend_on_neither_threads_nor_ranks() {
    for n in [1, 63, 64, 65, 500] {
        let expected = map_then_sum(Exec::local(), n);
        assert!(expected.0.iter().all(|b| !f64::from_bits(*b).is_nan()));
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(
                pool.install(|| map_then_sum(Exec::local(), n)),
                expected,
                "{threads} threads, n = {n}"
            );
        }
        for size in [2, 3, 5] {
            for got in on_ranks(size, |exec| map_then_sum(exec, n)) {
                assert_eq!(got, expected, "{size} ranks, n = {n}");
            }
        }
    }
}

#[test]
fn an_array_without_width_is_left_out() {
    let mut shared = vec![0.0; 130];
    let mut own: Vec<f64> = Vec::new();
    let exec = Exec::local();
    exec.map_chunks(130, &mut shared, &mut own, |items, shared, own| {
        assert!(own.is_empty());
        items.zip(shared).for_each(|(i, v)| *v = i as f64);
    })
    .unwrap();
    assert!(shared.iter().enumerate().all(|(i, v)| *v == i as f64));
    exec.map_chunks(130, &mut own, &mut shared, |_, _, own| own.fill(1.0)).unwrap();
    assert!(shared.iter().all(|v| *v == 1.0));
}
