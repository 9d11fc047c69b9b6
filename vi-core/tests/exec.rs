//! Sums and maps have the same bits for any number of threads and ranks.

use ndarray::Array1;
use vi_core::testing::{check_exec, simulate_ranks};
use vi_core::{CHUNK, CommError, Communicator, Exec, Local};

#[path = "support/panics.rs"]
mod panics;

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
            for got in simulate_ranks(size, |exec| map_then_sum(exec, n)) {
                assert_eq!(got, expected, "{size} ranks, n = {n}");
            }
        }
    }
}

/// One pass that maps and sums, over chunks of `chunk` items.
fn map_and_sum(exec: Exec<'_>, n: usize, chunk: usize, width: usize, length: usize) -> Vec<u64> {
    let (mut shared, mut out, mut partials) = (vec![f64::NAN; width * n], Array1::zeros(length), Vec::new());
    // Twice: what stands in the buffers from before must not show.
    for _ in 0..2 {
        exec.map_and_sum_in(n, chunk, &mut shared, &mut out, &mut partials, |items, shared, partial| {
            for (i, item) in items.enumerate() {
                shared[width * i..width * (i + 1)].fill(term(item));
                partial.iter_mut().enumerate().for_each(|(j, p)| *p += term(item + j));
            }
        })
        .unwrap();
    }
    shared.iter().chain(&out).map(|v| v.to_bits()).collect()
}

#[test]
fn a_pass_that_maps_and_sums_has_the_bits_of_a_serial_one() {
    for (n, chunk) in [(0, 4), (1, 4), (4, 4), (5, 4), (37, 5), (300, 64)] {
        for (width, length) in [(2, 3), (0, 3), (2, 0), (1, 2500), (0, 0)] {
            let mut expected: Vec<f64> = (0..n).flat_map(|i| vec![term(i); width]).collect();
            let mut sums = vec![0.0; length];
            for start in (0..n).step_by(chunk) {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum += (start..(start + chunk).min(n)).fold(0.0, |p, i| p + term(i + j));
                }
            }
            expected.extend(&sums);
            let expected: Vec<u64> = expected.iter().map(|v| v.to_bits()).collect();
            for threads in [1, 2, 3, 7] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let got = pool.install(|| map_and_sum(Exec::local(), n, chunk, width, length));
                assert!(got == expected, "{threads} threads, n = {n}, chunk = {chunk}, {width}, {length}");
            }
            for size in [2, 3, 5] {
                for got in simulate_ranks(size, |exec| map_and_sum(exec, n, chunk, width, length)) {
                    assert!(got == expected, "{size} ranks, n = {n}, chunk = {chunk}, {width}, {length}");
                }
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

#[test]
fn sums_are_the_serial_sums_on_every_rank() {
    check_exec(Exec::local());
    check_exec(Exec::with_communicator(&Local));
    for size in [1, 2, 3, 5] {
        simulate_ranks(size, check_exec);
    }
    for threads in [1, 2, 3, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| check_exec(Exec::local()));
    }
}

#[test]
fn scalars_and_chunks() {
    let exec = Exec::local();
    assert_eq!(exec.sum_scalar(1000, |items| items.map(|i| i as f64).sum()).unwrap(), 499_500.0);
    assert_eq!(exec.sum_scalar(0, |_| f64::NAN).unwrap(), 0.0);
    let mut rows = vec![0.0; 2 * (CHUNK + 3)];
    exec.for_each_chunk(&mut rows, 2, |items, rows| {
        for (row, i) in rows.chunks_exact_mut(2).zip(items) {
            row.copy_from_slice(&[i as f64, -(i as f64)]);
        }
    });
    assert!(rows.chunks_exact(2).enumerate().all(|(i, row)| row == [i as f64, -(i as f64)]));
}

/// Ranks in the wrong order: what a communicator that ignores ranks would deliver.
#[derive(Debug)]
struct Backwards<'a>(&'a dyn Communicator);

impl Communicator for Backwards<'_> {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn all_gather(&self, mine: &[f64], all: &mut [f64]) -> Result<(), CommError> {
        self.0.all_gather(mine, all)?;
        let parts: Vec<Vec<f64>> = all.chunks_exact(mine.len()).map(<[f64]>::to_vec).collect();
        all.copy_from_slice(&parts.into_iter().rev().collect::<Vec<_>>().concat());
        Ok(())
    }
}

#[test]
fn a_communicator_that_mixes_up_ranks_is_found() {
    let texts = simulate_ranks(2, |exec| {
        panics::message(|| check_exec(Exec::with_communicator(&Backwards(exec.communicator()))))
    });
    assert!(texts.iter().all(|text| text.starts_with("sum of 1 terms of width 1: ")), "{texts:?}");
}

/// A rank that ends early is an error on the others, not a wait without end.
#[test]
fn a_rank_that_is_gone_is_an_error() {
    let results = simulate_ranks(3, |exec| {
        if exec.communicator().rank() == 1 {
            return Ok(0.0);
        }
        exec.sum_scalar(500, |items| items.len() as f64)
    });
    assert_eq!(results[1].as_ref().unwrap(), &0.0);
    for rank in [0, 2] {
        // Which of the others is missed first depends on the threads.
        let message = results[rank].as_ref().unwrap_err().to_string();
        assert!(message.starts_with("communication between ranks failed: rank "), "{message}");
        assert!(message.ends_with(" has ended"), "{message}");
    }
}

#[test]
fn a_buffer_of_the_wrong_length_is_refused() {
    let error = Local.all_gather(&[1.0], &mut [0.0; 2]).unwrap_err();
    assert_eq!(error.to_string(), "all_gather: buffer has length 2, expected 1 (ranks × values per rank)");
}

#[test]
fn entering_moves_onto_the_pool_once() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let outside = std::thread::current().id();
    // The global pool, or this thread itself where there is one core.
    let inside = Exec::local().enter(|| (std::thread::current().id(), rayon::current_num_threads()));
    assert_eq!(inside.0 == outside, inside.1 == 1);
    pool.install(|| {
        let here = std::thread::current().id();
        assert_eq!(Exec::local().enter(|| std::thread::current().id()), here);
    });
}
