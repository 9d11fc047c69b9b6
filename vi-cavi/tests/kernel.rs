//! The kernel on models whose optimum is known, and on models that are wrong on purpose.

mod common;

use approx::assert_relative_eq;
use common::{Fault, Pair};
use vi_cavi::{Cavi, CaviError, CaviInfo, CheckStationary, ElboTolerance};
use vi_core::{Exec, Kernel, NeverStop, Posterior, RunError, StopReason, StopRule, StreamKey, run};

fn key() -> StreamKey {
    StreamKey::from_seed(3)
}

/// By the bound alone: what else is checked has its own tests.
fn by_bound(model: &Pair) -> Cavi<'_, Pair> {
    Cavi::new(model, Exec::local()).with_check_stationary(CheckStationary::Never)
}

fn first_error(model: &Pair) -> CaviError {
    let cavi = by_bound(model);
    let mut state = cavi.init(key()).unwrap();
    match run(&cavi, &mut state, key(), 0..100, &NeverStop, &mut []) {
        Err(RunError::Kernel { source, .. }) => source,
        other => panic!("a faulty model went through: {other:?}"),
    }
}

#[test]
fn reaches_the_mean_field_optimum_with_every_constant() {
    let model = Pair::new(-0.9, Fault::None);
    let cavi = Cavi::new(&model, Exec::local());
    let mut state = cavi.init(key()).unwrap();
    let stop = ElboTolerance { relative: 1e-15 };
    let outcome = run(&cavi, &mut state, key(), 0..500, &stop, &mut []).unwrap();
    assert!(outcome.converged());
    assert_relative_eq!(state.elbo, model.optimum(), epsilon = 1e-12);
    assert!(state.elbo < model.log_evidence);
    assert_relative_eq!(state.factors[0].mean, 1.5, epsilon = 1e-6);
    assert_relative_eq!(state.factors[1].mean, -0.5, epsilon = 1e-6);
    assert_eq!((state.factors[0].precision, state.factors[1].precision), (2.0, 1.0));
    assert_eq!(state.elbo_trace.len() as u64, outcome.next);
    assert!(state.elbo_start < state.elbo_trace[0]);
    assert!(state.elbo_trace.windows(2).all(|w| w[1] >= w[0] - 1e-12));
}

#[test]
fn a_wrong_conditional_is_caught_and_its_block_named() {
    match first_error(&Pair::new(-0.9, Fault::WrongSign)) {
        CaviError::ElboFell { block, before, after, amount } => {
            assert_eq!(block, "Second");
            assert!(after < before);
            assert_eq!(amount, before - after);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn without_block_checks_a_fall_over_a_sweep_is_caught() {
    let right = Pair::new(-0.9, Fault::None);
    let optimum = vi_cavi::fit(&right, &Default::default(), key(), Exec::local()).unwrap().state;
    let wrong = Pair::new(-0.9, Fault::WrongPrecision);
    let mut state = optimum.clone();
    let unchecked = Cavi::new(&wrong, Exec::local()).with_check_blocks(false);
    let error = unchecked.step(key(), &mut state).unwrap_err();
    // The fall is KL(N(m, 1/2) ‖ N(m, 1)).
    let kl = 0.5 * (2f64.ln() - 0.5);
    assert!(matches!(error, CaviError::SweepFell { amount, .. } if (amount - kl).abs() < 1e-8), "{error}");
    assert!(error.to_string().contains("check_blocks = true"));
    let error = Cavi::new(&wrong, Exec::local()).step(key(), &mut optimum.clone()).unwrap_err();
    assert!(matches!(&error, CaviError::ElboFell { block, .. } if block == "Second"), "{error}");
}

#[test]
fn only_block_checks_see_a_fall_that_the_rest_of_the_sweep_makes_good() {
    // A coupling with the wrong sign in one conditional still has the right fixed point here.
    let model = Pair::new(-0.9, Fault::WrongSign);
    let cavi = by_bound(&model).with_check_blocks(false);
    let mut state = cavi.init(key()).unwrap();
    assert!(run(&cavi, &mut state, key(), 0..100, &NeverStop, &mut []).is_ok());
    assert!(matches!(first_error(&model), CaviError::ElboFell { .. }));
}

#[test]
fn a_bound_that_is_not_a_number_names_the_block() {
    let model = Pair::new(-0.9, Fault::Nan);
    for check_blocks in [true, false] {
        let cavi = Cavi::new(&model, Exec::local()).with_check_blocks(check_blocks);
        let error = cavi.step(key(), &mut cavi.init(key()).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the ELBO is NaN after the update of block Second");
    }
}

#[test]
fn a_start_without_a_finite_bound_is_refused() {
    let model = Pair { log_evidence: f64::INFINITY, ..Pair::new(0.5, Fault::None) };
    let error = Cavi::new(&model, Exec::local()).init(key()).unwrap_err();
    assert_eq!(error.to_string(), "the ELBO is inf at the start, before any update");
}

#[test]
fn warm_start_computes_the_statistics_itself() {
    let model = Pair::new(0.7, Fault::None);
    let cavi = Cavi::new(&model, Exec::local());
    let state = cavi.init(key()).unwrap();
    let stale = common::Moments { first: [9.0; 2], second: [f64::NAN; 2] };
    assert_eq!(cavi.warm_start(state.factors.clone(), stale).unwrap(), state);
}

#[test]
fn elbo_tolerance_is_relative_to_one_plus_the_elbo() {
    let rule = ElboTolerance { relative: 1e-3 };
    let info = |elbo, change| CaviInfo { elbo, change, n_sweeps: 1, can_converge: true };
    assert!(rule.check(0, &info(-99.0, 0.09)).is_some());
    assert!(rule.check(0, &info(-99.0, 0.11)).is_none());
    assert!(rule.check(0, &info(0.0, 0.9e-3)).is_some());
    assert!(rule.check(0, &CaviInfo { can_converge: false, ..info(0.0, 0.0) }).is_none());
    let Some(StopReason::Converged { rule }) = rule.check(0, &info(-99.0, 0.09)) else { panic!() };
    assert!(rule.contains("9.0e-2"), "{rule}");
}

#[test]
fn posterior_draws_and_density_are_those_of_the_factors() {
    let model = Pair::new(-0.9, Fault::None);
    let fit = vi_cavi::fit(&model, &Default::default(), key(), Exec::local()).unwrap();
    let posterior = fit.posterior(&model);
    let n = 4000;
    let draws = posterior.draws(n, key());
    assert_eq!((draws.n_chains(), draws.n_draws()), (1, n));
    // Each mean is off by more than 5 standard errors with probability 6e-7.
    for (summary, f) in draws.summaries().iter().zip(&fit.state.factors) {
        let se = (1.0 / (f.precision * n as f64)).sqrt();
        assert!((summary.mean - f.mean).abs() < 5.0 * se, "{summary:?}");
    }
    // E_q[log p − log q] from draws is the ELBO; 5 standard errors again.
    let ratios: ndarray::Array1<f64> = draws
        .values()
        .index_axis(ndarray::Axis(0), 0)
        .rows()
        .into_iter()
        .map(|z| {
            let stats = common::Moments { first: [z[0], z[1]], second: [z[0] * z[0], z[1] * z[1]] };
            vi_core::ConditionallyConjugate::expected_log_joint(&model, &stats)
                - posterior.log_prob(&z).unwrap()
        })
        .collect();
    let estimate = vi_core::ElboEstimate::from_log_ratios(&ratios);
    assert!((estimate.value - fit.elbo()).abs() < 5.0 * estimate.mcse, "{estimate:?} {}", fit.elbo());
}
