//! Means and variances of posteriors that are known.
//!
//! Every check is at 4 Monte Carlo standard errors: a right sampler fails one with probability 6·10⁻⁵, and one
//! of the about 50 checks of this file with probability 0.3 % if the seed is changed.

mod support;

use ndarray::array;
use rand::RngExt;
use rand_distr::{Gamma, StandardNormal};
use support::{Moments, SemiConjugate, constrained, gaussian};
use vi_core::{Exec, Kernel, StreamKey};
use vi_diagnostics::{mcse_mean, rhat};
use vi_mcmc::{
    Control, Gibbs, GibbsState, McmcPosterior, McmcSettings, Nuts, NutsSettings, RandomWalk,
    RandomWalkSettings, Sampler, sample,
};

fn run<S: Sampler>(sampler: &S, n_warmup: usize, n_draws: usize, thin: usize) -> McmcPosterior {
    let settings = McmcSettings { n_chains: 4, n_warmup, n_draws, thin };
    sample(sampler, &settings, StreamKey::from_seed(20), Control::none()).unwrap()
}

#[track_caller]
fn check(posterior: &McmcPosterior, truth: &Moments) {
    let draws = posterior.all_draws();
    for (d, name) in draws.parameters().names().iter().enumerate() {
        let x = draws.coordinate(d);
        assert!(rhat(&x) < 1.02, "{name}: rhat {}", rhat(&x));
        let square = x.mapv(|v| (v - truth.mean[d]).powi(2));
        for (what, values, expected) in
            [("mean", x.to_owned(), truth.mean[d]), ("variance", square, truth.variance[d])]
        {
            let mean = values.mean().unwrap();
            let z = (mean - expected) / mcse_mean(&values);
            assert!(z.abs() < 4.0, "{what} of {name}: {mean}, expected {expected}, z = {z}");
        }
    }
}

#[test]
fn nuts_on_a_correlated_gaussian() {
    let (model, truth) = gaussian();
    let posterior = run(&Nuts::new(model, NutsSettings::default()).unwrap(), 500, 1000, 1);
    check(&posterior, &truth);
    assert_eq!(posterior.n_divergent(), 0);
    for chain in posterior.chains() {
        let acceptance = chain.acceptance.unwrap();
        assert!((0.65..0.97).contains(&acceptance), "target 0.8, found {acceptance}");
    }
}

#[test]
fn nuts_on_constrained_supports() {
    let (model, truth) = constrained();
    let posterior = run(&Nuts::new(model, NutsSettings::default()).unwrap(), 500, 1000, 1);
    check(&posterior, &truth);
    for z in posterior.all_draws().values().rows() {
        assert!(posterior.all_draws().parameters().check(&z).is_ok(), "{z}");
    }
}

#[test]
fn random_walk_on_a_correlated_gaussian() {
    let (model, truth) = gaussian();
    let posterior = run(&RandomWalk::new(model, RandomWalkSettings::default()).unwrap(), 4000, 1000, 10);
    check(&posterior, &truth);
    for chain in posterior.chains() {
        let acceptance = chain.acceptance.unwrap();
        assert!((0.15..0.33).contains(&acceptance), "target 0.234, found {acceptance}");
    }
}

#[test]
fn random_walk_on_constrained_supports() {
    let (model, truth) = constrained();
    let posterior = run(&RandomWalk::new(model, RandomWalkSettings::default()).unwrap(), 2000, 1000, 10);
    check(&posterior, &truth);
}

/// E and Var of μ and τ by integrating μ out in closed form and τ by the trapezoidal rule.
fn quadrature(model: &SemiConjugate) -> Moments {
    let n = model.y.len() as f64;
    let sum: f64 = model.y.iter().sum();
    let squares: f64 = model.y.iter().map(|y| y * y).sum();
    let mut totals = [0.0; 5];
    for i in 1..200_000 {
        let tau = i as f64 * 1e-4;
        let precision = model.p + n * tau;
        let mean = (model.p * model.m + tau * sum) / precision;
        let log_weight = (model.a - 1.0 + 0.5 * n) * tau.ln() - model.b * tau - 0.5 * tau * squares
            + 0.5 * precision * mean * mean
            - 0.5 * precision.ln();
        let w = log_weight.exp();
        for (total, f) in totals.iter_mut().zip([1.0, mean, mean * mean + 1.0 / precision, tau, tau * tau]) {
            *total += w * f;
        }
    }
    let [mu, mu2, tau, tau2] = [1, 2, 3, 4].map(|i| totals[i] / totals[0]);
    Moments { mean: array![mu, tau], variance: array![mu2 - mu * mu, tau2 - tau * tau] }
}

#[test]
fn gibbs_on_a_semi_conjugate_model() {
    let model = SemiConjugate::new(vec![1.1, 2.3, -0.4, 1.9, 0.8, 3.1]);
    let gibbs = Gibbs::new(&model, Exec::local());
    let posterior = run(&gibbs, 100, 2000, 1);
    check(&posterior, &quadrature(&model));
    let z = posterior.all_draws().values();
    let direct = model.log_joint((z[(1, 7, 0)], z[(1, 7, 0)].powi(2)), (z[(1, 7, 1)], z[(1, 7, 1)].ln()));
    assert!((posterior.log_joint()[(1, 7)] - direct).abs() < 1e-12);
    assert_eq!(posterior.n_log_joint(), 4 * 2100);
}

/// Geweke (2004): Gibbs sweeps that alternate with new data have the prior as their stationary law.
#[test]
fn gibbs_passes_the_joint_distribution_test() {
    let key = StreamKey::from_seed(5);
    let exec = Exec::local();
    let mut model = SemiConjugate::new(vec![0.0; 3]);
    let mut state =
        GibbsState { factors: [(0.0, 1.0); 2], stats: [(0.5, 0.25), (1.5, 1.5f64.ln())], iteration: 0 };
    let n = 20_000;
    let mut draws = ndarray::Array2::zeros((2, n));
    for t in 0..n {
        let mut rng = key.rng(t as u64);
        let [(mu, _), (tau, _)]: [(f64, f64); 2] = state.stats;
        for y in &mut model.y {
            *y = mu + rng.sample::<f64, _>(StandardNormal) / tau.sqrt();
        }
        Gibbs::new(&model, exec).step(key.fold_in(t as u64), &mut state).unwrap();
        draws[(0, t)] = state.stats[0].0;
        draws[(1, t)] = state.stats[1].0;
    }
    let prior: Moments = Moments { mean: array![0.5, 1.5], variance: array![1.0, 0.75] };
    for d in 0..2 {
        let x = draws.row(d).to_owned().insert_axis(ndarray::Axis(0));
        let square = x.mapv(|v| (v - prior.mean[d]).powi(2));
        for (values, expected) in [(x, prior.mean[d]), (square, prior.variance[d])] {
            let z = (values.mean().unwrap() - expected) / mcse_mean(&values);
            assert!(z.abs() < 4.0, "coordinate {d}: expected {expected}, z = {z}");
        }
    }
    // The prior that the test compares with is the model's.
    assert!(Gamma::new(model.a, 1.0 / model.b).is_ok() && model.a / model.b == 1.5 && model.m == 0.5);
}
