//! The loop, its stop rules and its observers.

use std::sync::atomic::AtomicBool;

use vi_core::testing::check_kernel;
use vi_core::{
    Divergence, Every, Kernel, NeverStop, Observer, ObserverError, Outcome, RunError, StopOnFlag, StopReason,
    StopRule, StreamKey, Trace, TraceTable, run,
};

/// Halves its state; fails below a limit.
#[derive(Debug)]
struct Halve {
    limit: f64,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is too small")]
struct TooSmall(f64);

impl Kernel for Halve {
    type State = f64;
    type Info = f64;
    type Error = TooSmall;
    fn step(&self, _key: StreamKey, x: &mut f64) -> Result<f64, TooSmall> {
        *x /= 2.0;
        if *x < self.limit { Err(TooSmall(*x)) } else { Ok(*x) }
    }
}

const FREE: Halve = Halve { limit: 0.0 };

struct Below(f64);

impl StopRule<f64> for Below {
    fn check(&self, _t: u64, x: &f64) -> Option<StopReason> {
        (*x < self.0).then(|| StopReason::Converged { rule: format!("x < {}", self.0) })
    }
}

/// What was observed, and how it ended.
#[derive(Debug, Default)]
struct Log(Vec<u64>, Option<(u64, StopReason)>);

impl Observer<Halve> for Log {
    fn observe(&mut self, t: u64, _x: &f64, _info: &f64) -> Result<(), ObserverError> {
        self.0.push(t);
        Ok(())
    }
    fn finish(&mut self, next: u64, _x: &f64, reason: &StopReason) -> Result<(), ObserverError> {
        self.1 = Some((next, reason.clone()));
        Ok(())
    }
}

fn key() -> StreamKey {
    StreamKey::from_seed(1)
}

#[test]
fn a_budget_that_ends_first_is_not_convergence() {
    let mut log = Log::default();
    let outcome = run(&FREE, &mut 1.0, key(), 0..3, &Below(0.01), &mut [&mut log]).unwrap();
    assert_eq!(outcome, Outcome { next: 3, reason: StopReason::Budget });
    assert!(!outcome.converged());
    assert_eq!((log.0, log.1), (vec![0, 1, 2], Some((3, StopReason::Budget))));
}

#[test]
fn a_rule_ends_the_run_after_the_iteration_that_met_it() {
    let mut x = 1.0;
    let outcome = run(&FREE, &mut x, key(), 0..100, &Below(0.2), &mut []).unwrap();
    assert_eq!((outcome.next, x), (3, 0.125));
    assert!(outcome.converged());
    assert_eq!(outcome.reason.to_string(), "converged: x < 0.2");
}

#[test]
fn of_two_rules_the_first_that_wants_to_stops_the_run() {
    let flag = AtomicBool::new(true);
    let outcome = run(&FREE, &mut 1.0, key(), 0..9, &(Below(0.6), StopOnFlag(&flag)), &mut []).unwrap();
    assert_eq!(outcome.reason, StopReason::Converged { rule: "x < 0.6".into() });
    let outcome = run(&FREE, &mut 1.0, key(), 0..9, &(Below(0.2), &StopOnFlag(&flag)), &mut []).unwrap();
    assert_eq!((outcome.next, outcome.reason), (1, StopReason::Interrupted));
}

#[test]
fn errors_name_the_iteration() {
    let error = run(&Halve { limit: 0.2 }, &mut 1.0, key(), 0..9, &NeverStop, &mut []).unwrap_err();
    assert_eq!(error.to_string(), "iteration 2: 0.125 is too small");
    struct Refuses;
    impl Observer<Halve> for Refuses {
        fn observe(&mut self, t: u64, _x: &f64, _info: &f64) -> Result<(), ObserverError> {
            if t == 1 { Err("disk full".into()) } else { Ok(()) }
        }
    }
    let error = run(&FREE, &mut 1.0, key(), 0..9, &NeverStop, &mut [&mut Refuses]).unwrap_err();
    assert!(matches!(error, RunError::Observer { iteration: 1, .. }));
    assert_eq!(error.to_string(), "iteration 1: disk full");
}

fn trace() -> Trace<Halve> {
    Trace::<Halve>::new().column("x", |x, _| *x).column("minus", |_, info| -info)
}

#[test]
fn a_trace_records_its_columns() {
    let mut trace = trace();
    run(&FREE, &mut 1.0, key(), 0..3, &NeverStop, &mut [&mut trace]).unwrap();
    let table = trace.into_table();
    assert_eq!(table.columns(), ["x", "minus"]);
    assert_eq!(table.iterations(), [0, 1, 2]);
    assert_eq!(table.rows(), [[0.5, -0.5], [0.25, -0.25], [0.125, -0.125]]);
    assert_eq!(table.column("minus").unwrap(), [-0.5, -0.25, -0.125]);
    assert_eq!(table.column("nothing"), None);
}

#[test]
fn a_resumed_trace_replaces_what_is_run_again() {
    let mut whole = trace();
    run(&FREE, &mut 1.0, key(), 0..6, &NeverStop, &mut [&mut whole]).unwrap();
    let mut first = trace();
    run(&FREE, &mut 1.0, key(), 0..4, &NeverStop, &mut [&mut first]).unwrap();
    // The checkpoint is of iteration 2, older than the trace.
    let mut second = trace().continuing(first.into_table());
    run(&FREE, &mut 0.25, key(), 2..6, &NeverStop, &mut [&mut second]).unwrap();
    assert_eq!(second.table(), whole.table());
}

#[test]
#[should_panic(expected = "the columns of the earlier trace are others")]
fn a_trace_does_not_go_on_with_another() {
    let _ = trace().continuing(TraceTable::default());
}

#[test]
fn every_shows_every_nth_iteration_and_the_end() {
    let mut every = Every::new(3, Log::default());
    run(&FREE, &mut 1.0, key(), 0..8, &NeverStop, &mut [&mut every]).unwrap();
    assert_eq!(every.inner().0, [2, 5]);
    assert_eq!(every.into_inner().1, Some((8, StopReason::Budget)));
}

#[test]
fn a_kernel_that_keeps_the_contract_passes() {
    check_kernel(&FREE, &1.0, key(), 20);
}

/// A kernel that counts its own calls carries state outside `State`.
#[derive(Debug, Default)]
struct Secretive(std::sync::atomic::AtomicU64);

impl Kernel for Secretive {
    type State = u64;
    type Info = ();
    type Error = TooSmall;
    fn step(&self, _key: StreamKey, x: &mut u64) -> Result<(), TooSmall> {
        *x += self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}

#[test]
#[should_panic(expected = "2 threads end in other bits than one")]
fn a_kernel_with_state_of_its_own_fails() {
    check_kernel(&Secretive::default(), &0, key(), 20);
}

/// A state that forgets something when it is written out.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Forgetful {
    sum: u64,
    #[serde(skip)]
    step: u64,
}

impl Kernel for Forgetful {
    type State = Forgetful;
    type Info = ();
    type Error = TooSmall;
    fn step(&self, _key: StreamKey, x: &mut Forgetful) -> Result<(), TooSmall> {
        x.step += 1;
        x.sum += x.step;
        Ok(())
    }
}

#[test]
#[should_panic(expected = "stopped at iteration 6 and resumed")]
fn a_state_that_forgets_fails() {
    check_kernel(&Forgetful::default(), &Forgetful::default(), key(), 20);
}

#[test]
#[should_panic(expected = "20 iterations left the state as it was")]
fn a_kernel_that_does_nothing_fails() {
    #[derive(Debug)]
    struct Idle;
    impl Kernel for Idle {
        type State = u64;
        type Info = ();
        type Error = TooSmall;
        fn step(&self, _key: StreamKey, _x: &mut u64) -> Result<(), TooSmall> {
            Ok(())
        }
    }
    check_kernel(&Idle, &0, key(), 20);
}

/// Halves its state, and knows that it diverges below a limit.
struct Diverges(Halve);

impl Kernel for Diverges {
    type State = f64;
    type Info = f64;
    type Error = TooSmall;
    fn step(&self, key: StreamKey, x: &mut f64) -> Result<f64, TooSmall> {
        self.0.step(key, x)
    }
    fn divergence(&self, error: &TooSmall) -> Option<Divergence> {
        Some(Divergence { parameter: "x".into(), value: error.0, evidence: error.to_string() })
    }
}

#[test]
fn a_divergence_is_an_outcome_whatever_the_rule() {
    #[derive(Default)]
    struct Ends(Vec<u64>, Option<(u64, StopReason)>);
    impl Observer<Diverges> for Ends {
        fn observe(&mut self, t: u64, _x: &f64, _info: &f64) -> Result<(), ObserverError> {
            self.0.push(t);
            Ok(())
        }
        fn finish(&mut self, next: u64, _x: &f64, reason: &StopReason) -> Result<(), ObserverError> {
            self.1 = Some((next, reason.clone()));
            Ok(())
        }
    }
    let mut ends = Ends::default();
    let kernel = Diverges(Halve { limit: 0.2 });
    let outcome = run(&kernel, &mut 1.0, key(), 0..9, &NeverStop, &mut [&mut ends]).unwrap();
    let reason = StopReason::Diverged {
        iteration: 2,
        parameter: "x".into(),
        value: 0.125,
        evidence: "0.125 is too small".into(),
    };
    assert_eq!(outcome, Outcome { next: 2, reason: reason.clone() });
    assert!(!outcome.converged() && reason.is_diverged());
    assert_eq!((ends.0, ends.1), (vec![0, 1], Some((2, reason.clone()))));
    assert_eq!(reason.to_string(), "diverged in iteration 2: x = 1.250e-1; 0.125 is too small");
}
