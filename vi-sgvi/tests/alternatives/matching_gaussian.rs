//! On a Gaussian posterior score matching finds it, whatever its scales and correlations; bits; counts.

use vi_core::testing::check_kernel;
use vi_core::{Counted, Exec, NeverStop, StreamKey, run};
use vi_sgvi::{
    BatchAndMatch, GaussianScoreMatching, MatchRule, ScoreMatching, ScoreMatchingSettings, fit_score_matching,
};

use crate::common::Gaussian;

/// Runs from the standard Gaussian; returns the errors of mean and covariance in standard deviations.
fn errors_after<R: MatchRule>(target: &Gaussian, rule: R, n_batch: usize, n_iterations: u64) -> (f64, f64) {
    let kernel = ScoreMatching::new(target, rule, n_batch).unwrap();
    let mut state = kernel.init();
    let key = StreamKey::from_seed(11).fold_in(n_batch as u64);
    run(&kernel, &mut state, key, 0..n_iterations, &NeverStop, &mut []).unwrap();
    assert_eq!(state.evaluations.n_gradient, n_batch as u64 * n_iterations);
    target.errors_of(&state.mean, &state.factor)
}

fn check_exact<R: MatchRule + Copy>(target: &Gaussian, rule: R, n_batch: usize, n_iterations: u64) {
    let (mean, covariance) = errors_after(target, rule, n_batch, n_iterations);
    let (name, dim) = (rule.name(), target.mean.len());
    assert!(
        mean < 1e-6 && covariance < 1e-6,
        "{name}, D = {dim}, B = {n_batch}: mean off by {mean:.1e}, covariance by {covariance:.1e}"
    );
}

// Correlations 0.999 and scales of 1e4 beside 1, started at the standard Gaussian. One draw is enough, and needs patience.
#[test]
fn batch_and_match_is_exact_on_gaussians() {
    for (dim, n_batch, n_iterations) in
        [(2, 1, 600), (2, 5, 60), (10, 1, 3000), (10, 4, 300), (10, 20, 60), (50, 100, 60)]
    {
        check_exact(&Gaussian::ill_conditioned(dim), BatchAndMatch::gaussian(), n_batch, n_iterations);
    }
}

#[test]
fn gaussian_score_matching_is_exact_on_gaussians() {
    for (dim, n_batch, n_iterations) in [(2, 1, 600), (2, 5, 300), (10, 1, 3000), (10, 10, 600)] {
        check_exact(&Gaussian::ill_conditioned(dim), GaussianScoreMatching, n_batch, n_iterations);
    }
}

#[test]
#[ignore = "long: run in release"]
fn fifty_dimensions_from_one_draw_and_from_sixty() {
    check_exact(&Gaussian::ill_conditioned(50), BatchAndMatch::gaussian(), 1, 12_000);
    check_exact(&Gaussian::ill_conditioned(50), GaussianScoreMatching, 1, 12_000);
    check_exact(&Gaussian::ill_conditioned(50), GaussianScoreMatching, 60, 1500);
}

// From far away a batch of twice the dimension arrives in a few dozen iterations, where small ones wander for thousands.
#[test]
fn a_large_batch_arrives_from_far_away() {
    for dim in [2, 10, 50] {
        check_exact(&Gaussian::far_away(dim), BatchAndMatch::gaussian(), 2 * dim, 100);
    }
}

// The learning rate that falls as 1/(t + 1) still converges: only more slowly.
#[test]
fn the_falling_schedule_gets_there_as_well() {
    let (mean, covariance) = errors_after(&Gaussian::ill_conditioned(10), BatchAndMatch::default(), 20, 1000);
    assert!(mean < 1e-3 && covariance < 1e-3, "mean off by {mean:.1e}, covariance by {covariance:.1e}");
}

#[test]
fn bits_do_not_depend_on_threads_nor_on_a_stop() {
    // More than two chunks of draws.
    let target = Gaussian::ill_conditioned(3);
    let key = StreamKey::from_seed(12);
    let kernel = ScoreMatching::new(&target, BatchAndMatch::default(), 150).unwrap();
    check_kernel(&kernel, &kernel.init(), key, 7);
    let kernel = ScoreMatching::new(&target, GaussianScoreMatching, 150).unwrap();
    check_kernel(&kernel, &kernel.init(), key, 7);
}

// At q = p every log ratio is log p(x) = 0: the bound is exact and its error a rounding error.
#[test]
fn a_fit_stops_counts_and_is_worth_the_evidence() {
    let target = Counted::new(Gaussian::ill_conditioned(10));
    let settings = ScoreMatchingSettings { n_batch: 20, ..ScoreMatchingSettings::default() };
    let fit = fit_score_matching(
        &target,
        BatchAndMatch::gaussian(),
        &settings,
        StreamKey::from_seed(13),
        Exec::local(),
    )
    .unwrap();
    assert!(fit.outcome.converged(), "{}", fit.outcome.reason);
    assert!(fit.outcome.next < 300, "{}", fit.outcome.next);
    assert!(fit.elbo.value.abs() < 1e-6 && fit.elbo.mcse < 1e-6, "{:?}", fit.elbo);
    assert_eq!(fit.evaluations.n_gradient, target.n_gradient());
    assert_eq!(fit.evaluations.n_log_joint, target.n_log_joint());
    assert_eq!(fit.elbo_trace.len() as u64, fit.outcome.next);
}

#[test]
fn a_start_of_ones_own_is_the_start() {
    let target = Gaussian::ill_conditioned(4);
    let kernel = ScoreMatching::new(&target, BatchAndMatch::gaussian(), 3).unwrap();
    let mut state = kernel.init_at(&target.mean, &target.covariance()).unwrap();
    let info = run_one(&kernel, &mut state);
    assert!(info < 1e-8, "the posterior matches itself: {info:e}");
    let (mean, covariance) = target.errors_of(&state.mean, &state.factor);
    assert!(mean < 1e-9 && covariance < 1e-9, "and stays: {mean:e}, {covariance:e}");
}

fn run_one<R: MatchRule>(
    kernel: &ScoreMatching<'_, Gaussian, R>,
    state: &mut vi_sgvi::ScoreMatchingState,
) -> f64 {
    use vi_core::Kernel;
    kernel.step(StreamKey::from_seed(14), state).unwrap().score_divergence
}
