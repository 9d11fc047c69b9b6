//! Gradients of a model of coupled bits against enumeration.
//!
//! As for the Gaussian target, a mean may lie 5 standard errors off; 240 coordinates make the false-alarm
//! probability of this file at most 1.4e-4.

use ndarray::{ArrayRef1, array};
use vi_core::{LogJoint, StreamKey};
use vi_families::{ProductFamily, VariationalFamily};
use vi_sgvi::testing::{Z_LIMIT, check_estimator, compare_gradient};
use vi_sgvi::{Elbo, GradientEstimator, SameSampleControlVariate, ScoreFunction};

use crate::common::{BitProduct, Ising, exact_gradient_by_enumeration};

fn check_both<F: VariationalFamily>(model: &Ising, family: &F, params: &ArrayRef1<f64>) {
    let exact = exact_gradient_by_enumeration(model, family, params);
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient would test nothing: {exact}");
    for s in [2, 5, 10, 100] {
        let key = StreamKey::from_seed(14_010_118).fold_in(s as u64);
        let naive = check_estimator(&ScoreFunction::naive(s), model, family, params, &exact, 400, key);
        let loo = check_estimator(&ScoreFunction::leave_one_out(s), model, family, params, &exact, 400, key);
        let ratio = loo.variance.sum() / naive.variance.sum();
        assert!(ratio < 0.5, "S = {s}: leave-one-out has {ratio} times the variance of naive");
    }
}

#[test]
fn product_of_bernoullis() {
    let model = Ising::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    assert_eq!(family.n_params(), 5);
    check_both(&model, &family, &array![0.3, -0.7, 0.9, 0.1, -0.2]);
}

#[test]
fn product_of_bernoullis_of_a_user() {
    check_both(&Ising::five_bits(), &BitProduct { dim: 5 }, &array![0.3, -0.7, 0.9, 0.1, -0.2]);
}

/// Every baseline, with the whole log ratio and with that of each bit: the variances of both, of one gradient.
fn variances<A, B>(whole: &A, local: &B, s: usize) -> (f64, f64)
where
    A: for<'a> GradientEstimator<Ising, ProductFamily>,
    B: for<'a> GradientEstimator<Ising, ProductFamily>,
{
    let model = Ising::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.3, -0.7, 0.9, 0.1, -0.2];
    let exact = exact_gradient_by_enumeration(&model, &family, &params);
    let key = StreamKey::from_seed(14_010_118).fold_in(s as u64);
    let whole = check_estimator(whole, &model, &family, &params, &exact, 400, key);
    let local = check_estimator(local, &model, &family, &params, &exact, 400, key);
    (whole.variance.sum(), local.variance.sum())
}

#[test]
fn baselines_with_and_without_rao_blackwellisation() {
    for s in [2, 3, 10, 100] {
        let plain = ScoreFunction::naive(s);
        let naive = variances(&plain, &plain.rao_blackwellized(), s);
        let plain = ScoreFunction::moving_average(s);
        let moving = variances(&plain, &plain.rao_blackwellized(), s);
        let plain = ScoreFunction::leave_one_out(s);
        let loo = variances(&plain, &plain.rao_blackwellized(), s);
        let plain = ScoreFunction::control_variate(s);
        let optimal = variances(&plain, &plain.rao_blackwellized(), s);
        assert!(naive.1 < 0.2 * naive.0 && loo.1 < loo.0, "S = {s}: {naive:?} {loo:?}");
        assert!(moving.0 < 0.3 * naive.0, "S = {s}: {moving:?} {naive:?}");
        assert!(s < 10 || optimal.1 < optimal.0 && optimal.0 < naive.0, "S = {s}: {optimal:?} {naive:?}");
    }
}

#[test]
fn coefficients_from_the_same_samples_are_biased_and_say_so() {
    let model = Ising::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.3, -0.7, 0.9, 0.1, -0.2];
    let exact = exact_gradient_by_enumeration(&model, &family, &params);
    let elbo = Elbo::new(&model, &family).unwrap();
    let labelled = ScoreFunction::new(3, SameSampleControlVariate);
    assert!(GradientEstimator::<Ising, ProductFamily>::bias(&labelled).is_some());
    let key = StreamKey::from_seed(5);
    let (_, z) = compare_gradient(&labelled, elbo, &params, &exact, 4_000, key).unwrap().worst();
    assert!(z > Z_LIMIT, "only {z} standard errors off");
}
