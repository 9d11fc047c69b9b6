//! Gradients of a Gaussian target against the closed form.
//!
//! Every comparison asks that the mean of all replicates lie within 5 standard errors of the exact gradient in
//! every coordinate. A correct estimator fails one coordinate with probability 5.7e-7; the seeded comparisons
//! of this file have fewer than 250 coordinates, so that its false-alarm probability is below 1.5e-4.

use crate::common::{Diagonal, GaussianTarget};
use ndarray::{Array1, ArrayRef1, Zip, array};
use vi_core::StreamKey;
use vi_sgvi::testing::{Z_LIMIT, check_estimator, compare_gradient};
use vi_sgvi::{Baseline, Elbo, LeaveOneOut, NoBaseline, Pathwise, ScoreFunction};

const N_REPLICATES: u64 = 400;

/// A λ that is not the optimum, so that no part of the gradient vanishes.
fn params() -> Array1<f64> {
    array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7]
}

fn key(n_samples: usize) -> StreamKey {
    StreamKey::from_seed(20_140_401).fold_in(n_samples as u64)
}

#[test]
fn score_function_with_mean_field() {
    let (model, family, params) = (GaussianTarget::correlated(), Diagonal { dim: 3 }, params());
    let exact = model.mean_field_gradient(&params);
    for s in [2, 5, 10, 100] {
        let naive = ScoreFunction { n_samples: s, baseline: NoBaseline };
        let naive = check_estimator(&naive, &model, &family, &params, &exact, N_REPLICATES, key(s));
        let loo = ScoreFunction { n_samples: s, baseline: LeaveOneOut };
        let loo = check_estimator(&loo, &model, &family, &params, &exact, N_REPLICATES, key(s));
        // With two samples the baseline is a single log ratio: it helps if their squared mean exceeds their
        // variance, as it does here, where they lie around −15, and wherever there are data.
        let ratio = loo.variance.sum() / naive.variance.sum();
        assert!(ratio < 0.5, "S = {s}: variance ratio {ratio}");
    }
}

#[test]
fn pathwise_with_mean_field() {
    let (model, family, params) = (GaussianTarget::correlated(), Diagonal { dim: 3 }, params());
    let exact = model.mean_field_gradient(&params);
    for s in [1, 2, 10, 100] {
        let pathwise = Pathwise { n_samples: s };
        let pathwise = check_estimator(&pathwise, &model, &family, &params, &exact, N_REPLICATES, key(s));
        if s > 1 {
            let elbo = Elbo::new(&model, &family).unwrap();
            let loo = ScoreFunction { n_samples: s, baseline: LeaveOneOut };
            let loo = compare_gradient(&loo, elbo, &params, &exact, N_REPLICATES, key(s)).unwrap();
            let ratio = pathwise.variance.sum() / loo.variance.sum();
            assert!(ratio < 0.5, "S = {s}: variance ratio {ratio}");
        }
    }
}

/// The known bug: the subtracted mean contains the sample itself.
struct MeanOfAll;

impl Baseline for MeanOfAll {
    const NAME: &'static str = "a wrong baseline";
    const MIN_SAMPLES: usize = 1;
    fn weights(&self, log_ratios: &ArrayRef1<f64>, weights: &mut ArrayRef1<f64>) {
        let n = log_ratios.len() as f64;
        let mean = log_ratios.sum() / n;
        Zip::from(weights).and(log_ratios).for_each(|w, f| *w = (f - mean) / n);
    }
}

#[test]
fn a_baseline_that_contains_the_sample_is_found_out() {
    let (model, family, params) = (GaussianTarget::correlated(), Diagonal { dim: 3 }, params());
    let exact = model.mean_field_gradient(&params);
    let elbo = Elbo::new(&model, &family).unwrap();
    // The bias shrinks like 1/S, so that more replicates are needed to see it.
    for (s, n_replicates) in [(2, 400), (5, 2_000), (10, 5_000)] {
        let wrong = ScoreFunction { n_samples: s, baseline: MeanOfAll };
        let wrong = compare_gradient(&wrong, elbo, &params, &exact, n_replicates, key(s)).unwrap();
        let (_, z) = wrong.worst();
        assert!(z > Z_LIMIT, "S = {s}: only {z} standard errors off");
        let shrunk = &exact * ((s - 1) as f64 / s as f64);
        let z = ((&wrong.mean - &shrunk) / &wrong.mcse).mapv(f64::abs);
        assert!(z.iter().all(|&z| z < Z_LIMIT), "S = {s}: not the exact gradient times (S−1)/S: {z}");
    }
}
