//! All optima with their frequency, progress, and resuming when some restarts had ended.

use std::sync::Mutex;

use vi_cavi::{CaviSettings, Fit, FitOf, fit};
use vi_core::checkpoint::{self, Header};
use vi_core::{Checkpointer, Exec, StreamKey};

use crate::common::Spins;
use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(11)
}

fn restarts(n: u32) -> CaviSettings {
    CaviSettings { n_restarts: n, ..CaviSettings::default() }
}

#[test]
fn two_optima_are_found_with_their_frequencies_and_their_states() {
    let model = Spins::new(2.0, 0.1);
    let seen = Mutex::new(Vec::new());
    let fit: FitOf<Spins> = Fit::new(&model, &restarts(40), key())
        .finished(|r, restart| seen.lock().unwrap().push((r, restart.elbo)))
        .run()
        .unwrap();
    assert_eq!(fit.optima.len(), 2);
    let counts: Vec<usize> = fit.optima.iter().map(|o| o.restarts.len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 40);
    // A start in (−2, 2) goes to the better optimum if it lies above the unstable fixed point at −0.1, so with
    // probability 0.53: fewer than 8 or more than 32 of 40 with probability 2e-4.
    assert!((8..=32).contains(&counts[0]), "{counts:?}");
    assert!((fit.optima[0].frequency(40) + fit.optima[1].frequency(40) - 1.0).abs() < 1e-15);
    assert_eq!(fit.optima[0].elbo, fit.elbo());
    assert_eq!(fit.optima[0].restarts[0], fit.best);
    assert!(fit.state_of(0).stats[0] > 0.9 && fit.state_of(1).stats[0] < -0.9);
    assert!(fit.optima[0].elbo - fit.optima[1].elbo > 0.3);
    for optimum in &fit.optima {
        assert_eq!(optimum.n_converged, optimum.restarts.len());
        assert!(optimum.restarts.iter().all(|r| (fit.restarts[*r].elbo - optimum.elbo).abs() < 1e-5));
    }
    let mut seen = seen.into_inner().unwrap();
    seen.sort_by_key(|(r, _)| *r);
    let all: Vec<_> = fit.restarts.iter().enumerate().map(|(r, restart)| (r, restart.elbo)).collect();
    assert_eq!(seen, all);
}

#[test]
fn permutations_of_labels_are_one_optimum() {
    let model = data::small_mixture();
    let fit = fit(&model, &restarts(6), key(), Exec::local()).unwrap();
    let best = &fit.optima[0];
    assert!(best.restarts.len() > 1, "{:?}", fit.optima);
    let weights = |r: usize| fit.restarts[r].elbo;
    assert!(best.restarts.iter().all(|r| (weights(*r) - best.elbo).abs() < 1e-3));
}

#[test]
fn a_fit_resumed_when_some_restarts_had_converged_ends_in_the_same_bits() {
    let model = Spins::new(2.0, 0.1);
    let settings = restarts(8);
    let unbroken = fit(&model, &settings, key(), Exec::local()).unwrap();
    let lengths: Vec<u64> = unbroken.restarts.iter().map(|r| r.n_iterations()).collect();
    let (low, high) = (*lengths.iter().min().unwrap(), *lengths.iter().max().unwrap());
    assert!(low < high, "{lengths:?}");
    let directory = tempfile::tempdir().unwrap();
    let path = |r: usize| directory.path().join(format!("restart-{r}.ckpt"));
    let header = Header::new("cavi", checkpoint::fingerprint(&settings));
    // Some have ended by then, others have not.
    let short = CaviSettings { max_iterations: low, ..settings.clone() };
    let broken = Fit::new(&model, &short, key())
        .observe(|r| vec![Box::new(Checkpointer::new(path(r), header.clone(), 0))])
        .run()
        .unwrap();
    let ended = broken.restarts.iter().filter(|r| r.converged()).count();
    assert!(ended > 0 && ended < 8, "{ended}");
    let resumed = Fit::new(&model, &settings, key())
        .resume(|r| {
            let (next, state) = checkpoint::read(&path(r), &header).unwrap();
            Some((state, next))
        })
        .run()
        .unwrap();
    assert_eq!(resumed, unbroken);
}
