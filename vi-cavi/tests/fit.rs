//! Restarts, stop rules, resuming, and the same bits for any number of threads.

mod common;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Fault, Pair, Spins};
use vi_cavi::{Cavi, CaviError, CaviSettings, CaviState, ElboTolerance, Fit, FitOf, StateOf, fit};
use vi_core::{Exec, NeverStop, Observer, ObserverError, StopOnFlag, StopReason, StreamKey, run};

fn key() -> StreamKey {
    StreamKey::from_seed(11)
}

fn restarts(n: u32) -> CaviSettings {
    CaviSettings { n_restarts: n, ..CaviSettings::default() }
}

#[test]
fn the_best_of_all_restarts_is_kept_and_all_are_reported() {
    let model = Spins::new(2.0, 0.1);
    let result = fit(&model, &restarts(12), key(), Exec::local()).unwrap();
    assert_eq!(result.restarts.len(), 12);
    assert!(result.restarts.iter().all(|r| r.converged() && r.n_iterations() > 1));
    let elbos: Vec<f64> = result.restarts.iter().map(|r| r.elbo).collect();
    let (low, high) = elbos.iter().fold((f64::MAX, f64::MIN), |(l, h), &e| (l.min(e), h.max(e)));
    // Two optima, told apart by 4h·m ≈ 0.37 nats, with m the magnetisation.
    assert!(high - low > 0.3, "{elbos:?}");
    assert_eq!(result.elbo(), high);
    assert_eq!(result.best, elbos.iter().position(|&e| e == high).unwrap());
    assert!(result.state.stats[0] > 0.9);
    assert!(high < model.log_evidence());
    assert!(result.converged());
}

#[test]
fn every_restart_is_the_run_of_its_own_key() {
    let model = Spins::new(2.0, 0.1);
    let result = fit(&model, &restarts(3), key(), Exec::local()).unwrap();
    let cavi = Cavi::new(&model, Exec::local());
    for (r, restart) in result.restarts.iter().enumerate() {
        let key = key().role(vi_core::Role::Chain(r as u32));
        let mut state = cavi.init(key.role(vi_core::Role::Init)).unwrap();
        run(&cavi, &mut state, key, 0..2000, &ElboTolerance { relative: 1e-9 }, &mut []).unwrap();
        assert_eq!(state.elbo_trace, restart.elbo_trace);
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let model = Spins::new(2.0, 0.1);
    let run_on = |threads| -> FitOf<Spins> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&model, &restarts(9), key(), Exec::local()).unwrap())
    };
    let one = run_on(1);
    for threads in [2, 3, 7] {
        assert_eq!(run_on(threads), one);
    }
}

#[test]
fn a_budget_that_ends_first_is_not_convergence() {
    let model = Pair::new(-0.9, Fault::None);
    let settings = CaviSettings { max_iterations: 3, ..CaviSettings::default() };
    let result = fit(&model, &settings, key(), Exec::local()).unwrap();
    assert!(!result.converged());
    assert_eq!(*result.reason(), StopReason::Budget);
    assert_eq!(result.restarts[0].n_iterations(), 3);
}

/// Raises a flag after a given iteration, as ctrl-C would.
struct RaiseAt<'a>(u64, &'a AtomicBool);

impl<'m, M: vi_core::ConditionallyConjugate> Observer<Cavi<'m, M>> for RaiseAt<'_> {
    fn observe(&mut self, t: u64, _: &StateOf<M>, _: &vi_cavi::CaviInfo) -> Result<(), ObserverError> {
        if t == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[test]
fn an_interrupted_fit_resumed_from_its_serialised_state_ends_in_the_same_bits() {
    let model = Pair::new(-1.2, Fault::None);
    let unbroken = fit(&model, &CaviSettings::default(), key(), Exec::local()).unwrap();
    let flag = AtomicBool::new(false);
    let interrupt = StopOnFlag(&flag);
    let broken = Fit::new(&model, &CaviSettings::default(), key())
        .stop(&interrupt)
        .observe(|_| vec![Box::new(RaiseAt(4, &flag))])
        .run()
        .unwrap();
    assert_eq!(*broken.reason(), StopReason::Interrupted);
    assert_eq!(broken.restarts[0].n_iterations(), 5);
    let saved = serde_json::to_string(&broken.state).unwrap();
    let resumed = Fit::new(&model, &CaviSettings::default(), key())
        .resume(move |_| {
            let state: CaviState<_, _> = serde_json::from_str(&saved).unwrap();
            Some((state, 5))
        })
        .run()
        .unwrap();
    assert_eq!(resumed, unbroken);
}

/// Writes down the restarts and iterations that it sees.
struct Log<'a>(usize, &'a Mutex<Vec<(usize, u64)>>);

impl<'m, M: vi_core::ConditionallyConjugate> Observer<Cavi<'m, M>> for Log<'_> {
    fn observe(&mut self, t: u64, _: &StateOf<M>, _: &vi_cavi::CaviInfo) -> Result<(), ObserverError> {
        self.1.lock().unwrap().push((self.0, t));
        Ok(())
    }
}

#[test]
fn each_restart_has_its_own_observers() {
    let model = Spins::new(2.0, 0.1);
    let seen = Mutex::new(Vec::new());
    let settings = CaviSettings { max_iterations: 2, tolerance: 0.0, ..restarts(3) };
    Fit::new(&model, &settings, key()).observe(|r| vec![Box::new(Log(r, &seen))]).run().unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
}

#[test]
fn a_failed_restart_is_named_with_its_iteration() {
    let model = Pair::new(-0.9, Fault::WrongSign);
    let error = fit(&model, &restarts(2), key(), Exec::local()).unwrap_err();
    assert!(matches!(error, CaviError::Restart { restart: 0, .. }));
    let message = error.to_string();
    assert!(message.starts_with("restart 0: iteration "), "{message}");
    assert!(message.contains("block Second"), "{message}");
}

#[test]
fn settings_are_checked_and_unknown_keys_refused() {
    let message = |s: CaviSettings| s.validate().unwrap_err().to_string();
    assert_eq!(message(restarts(0)), "n_restarts = 0, but it must be at least 1");
    let s = CaviSettings { tolerance: -1.0, ..CaviSettings::default() };
    assert_eq!(message(s), "tolerance = -1, but it must be finite and ≥ 0");
    let s = CaviSettings { max_iterations: 0, ..CaviSettings::default() };
    assert_eq!(message(s), "max_iterations = 0, but it must be at least 1");
    let parsed: CaviSettings = serde_json::from_str(r#"{"n_restarts": 4}"#).unwrap();
    assert_eq!(parsed, restarts(4));
    let error = serde_json::from_str::<CaviSettings>(r#"{"n_restart": 4}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `n_restart`"), "{error}");
}

#[test]
fn stopping_at_k_and_going_on_is_the_unbroken_run() {
    let model = Pair::new(-0.9, Fault::None);
    let cavi = Cavi::new(&model, Exec::local());
    let mut unbroken = cavi.init(key()).unwrap();
    run(&cavi, &mut unbroken, key(), 0..20, &NeverStop, &mut []).unwrap();
    let mut state = cavi.init(key()).unwrap();
    run(&cavi, &mut state, key(), 0..7, &NeverStop, &mut []).unwrap();
    run(&cavi, &mut state, key(), 7..20, &NeverStop, &mut []).unwrap();
    assert_eq!(state, unbroken);
}
