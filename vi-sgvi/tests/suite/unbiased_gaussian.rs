//! Gradients of a Gaussian target against the closed form.
//!
//! Every comparison asks that the mean of all replicates lie within 5 standard errors of the exact gradient in
//! every coordinate. A correct estimator fails one coordinate with probability 5.7e-7; the seeded comparisons
//! of this file have 252 coordinates, so that its false-alarm probability is below 1.5e-4.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::{FullRankGaussian, MeanFieldGaussian, Reparameterized, VariationalFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{Elbo, GradientEstimator, Memory, Pathwise, ScoreFunction};

use crate::common::{Diagonal, GaussianTarget};

const N_REPLICATES: u64 = 400;

/// A λ that is not the optimum, so that no part of the gradient vanishes.
fn mean_field_params() -> Array1<f64> {
    array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7]
}

fn full_rank_params() -> Array1<f64> {
    array![0.0, 0.3, 1.0, -0.4, 0.3, 0.2, -0.5, 0.1, 0.7]
}

fn key(n_samples: usize) -> StreamKey {
    StreamKey::from_seed(20_140_401).fold_in(n_samples as u64)
}

/// Both score-function estimators and the pathwise one are unbiased, and in this order less noisy.
fn check_all<F>(model: &GaussianTarget, family: &F, params: &ArrayRef1<f64>, exact: &ArrayRef1<f64>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    for s in [2, 5, 10, 100] {
        let naive = ScoreFunction::naive(s);
        let naive = check_estimator(&naive, model, family, params, exact, N_REPLICATES, key(s));
        let loo = ScoreFunction::leave_one_out(s);
        let loo = check_estimator(&loo, model, family, params, exact, N_REPLICATES, key(s));
        let pathwise = Pathwise::new(s);
        let pathwise = check_estimator(&pathwise, model, family, params, exact, N_REPLICATES, key(s));
        // With two samples the baseline is a single log ratio: it helps if their squared mean exceeds their
        // variance, as it does here, where they lie around −15, and wherever there are data.
        let ratio = loo.variance.sum() / naive.variance.sum();
        assert!(ratio < 0.5, "S = {s}: leave-one-out has {ratio} times the variance of naive");
        let ratio = pathwise.variance.sum() / loo.variance.sum();
        assert!(ratio < 0.5, "S = {s}: pathwise has {ratio} times the variance of leave-one-out");
    }
}

#[test]
fn mean_field() {
    let (model, params) = (GaussianTarget::correlated(), mean_field_params());
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    check_all(&model, &family, &params, &model.mean_field_gradient(&params));
}

#[test]
fn mean_field_of_a_user() {
    let (model, params) = (GaussianTarget::correlated(), mean_field_params());
    check_all(&model, &Diagonal { dim: 3 }, &params, &model.mean_field_gradient(&params));
}

#[test]
fn full_rank() {
    let (model, params) = (GaussianTarget::correlated(), full_rank_params());
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    check_all(&model, &family, &params, &model.full_rank_gradient(&params));
}

/// The spread of 400 ELBO estimates over the standard error that they report on average.
fn spread_over_reported_error<E>(estimator: &E) -> f64
where
    E: GradientEstimator<GaussianTarget, Diagonal>,
{
    let (model, family, params) = (GaussianTarget::correlated(), Diagonal { dim: 3 }, mean_field_params());
    let elbo = Elbo::new(&model, &family).unwrap();
    let (mut memory, mut grad) = (Memory::default(), Array1::zeros(6));
    let estimates = (0..N_REPLICATES).map(|r| {
        let key = StreamKey::from_seed(5).fold_in(r);
        estimator.estimate(elbo, &params, key, Exec::local(), &mut memory, &mut grad).unwrap()
    });
    let (values, errors): (Vec<f64>, Vec<f64>) = estimates.map(|e| (e.value, e.mcse)).unzip();
    Array1::from_vec(values).std(1.0) / Array1::from_vec(errors).mean().unwrap()
}

#[test]
fn reported_errors_are_those_of_independent_samples() {
    // Three chunks: streams used twice would make the spread larger than reported. The ratio has a standard
    // error of 1/√800, so that the bound is five of them and more.
    let ratio = spread_over_reported_error(&ScoreFunction::leave_one_out(192));
    assert!((ratio - 1.0).abs() < 0.2, "score function: {ratio}");
    let ratio = spread_over_reported_error(&Pathwise::new(192));
    assert!((ratio - 1.0).abs() < 0.2, "pathwise: {ratio}");
}
