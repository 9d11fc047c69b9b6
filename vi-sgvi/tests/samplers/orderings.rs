//! Which sampler has less noise, where theory says so.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::MeanFieldGaussian;
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{GradientEstimator, Overdispersed, ScoreFunction};

use crate::common::{GaussianTarget, Model, exact_gradient};

/// The variances of one gradient on the Gaussian target.
fn variance<E>(estimator: &E, params: &Array1<f64>) -> Array1<f64>
where
    E: for<'a> GradientEstimator<GaussianTarget, MeanFieldGaussian>,
{
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let exact = model.mean_field_gradient(params);
    check_estimator(estimator, &model, &family, params, &exact, 400, StreamKey::from_seed(16_180)).variance
}

/// At the mean of a symmetric target the log ratio is even: nothing of the gradient in the location is left.
#[test]
fn antithetic_pairs_cancel_the_noise_of_locations() {
    let target = GaussianTarget::correlated();
    let at = |shift: f64| {
        let location = target.mean.mapv(|m| m + shift);
        location.into_iter().chain([-0.9, 0.2, 0.6]).collect::<Array1<f64>>()
    };
    let locations = |v: &Array1<f64>| v.slice(ndarray::s![..3]).sum();
    let plain = variance(&ScoreFunction::naive(20), &at(0.0));
    let pairs = variance(&ScoreFunction::naive(20).antithetic(), &at(0.0));
    assert!(locations(&pairs) < 1e-20 * locations(&plain), "{pairs} {plain}");
    let plain = variance(&ScoreFunction::leave_one_out(20), &at(0.05));
    let pairs = variance(&ScoreFunction::leave_one_out(20).antithetic(), &at(0.05));
    assert!(locations(&pairs) < 0.1 * locations(&plain), "{pairs} {plain}");
}

/// On a line, with 2 × 64 points less than 0.4 of the variance, and with 2 × 512 less than 0.6 of that again. Three dimensions:
/// see the orderings of the contract.
#[test]
fn quasi_monte_carlo_gains_most_on_a_line() {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z[0] * z[0]
    }
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    let model = Model { space, log_joint };
    let family = MeanFieldGaussian::new(&model.space).unwrap();
    let params = array![0.4, -0.5];
    let exact = exact_gradient(&model, &family, &params);
    let key = StreamKey::from_seed(57_721);
    let mut last = 0.4;
    for s in [128, 1024] {
        let plain = ScoreFunction::leave_one_out(s);
        let quasi = check_estimator(&plain.quasi_monte_carlo(2), &model, &family, &params, &exact, 400, key);
        let plain = check_estimator(&plain, &model, &family, &params, &exact, 400, key);
        let ratio = quasi.variance.sum() / plain.variance.sum();
        assert!(ratio < last, "S = {s} on a line: {ratio}");
        last = 0.6 * ratio;
    }
}

/// With a log ratio that is nearly constant the variance of the naive gradient in the location is E_q[u y²] of its size:
/// √τ (2 − 1/τ)^{−3/2}, 0.770 at τ = 2 and 0.795 at τ = 1.5; that in the log scale has E_q[u (y² − 1)²].
#[test]
fn overdispersion_helps_the_naive_estimator_by_the_known_factor() {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z[0] * z[0] + 60.0
    }
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    let model = Model { space, log_joint };
    let family = MeanFieldGaussian::new(&model.space).unwrap();
    let params = array![0.0, 0.0];
    let exact = exact_gradient(&model, &family, &params);
    let key = StreamKey::from_seed(57_721);
    let plain = check_estimator(&ScoreFunction::naive(10), &model, &family, &params, &exact, 4_000, key);
    for dispersion in [1.5, 2.0f64] {
        let sampler = Overdispersed::new(dispersion).unwrap();
        let wide = ScoreFunction::naive(10).with_sampler(sampler);
        let wide = check_estimator(&wide, &model, &family, &params, &exact, 4_000, key);
        let ratio = wide.variance[0] / plain.variance[0];
        let known = dispersion.sqrt() * (2.0 - 1.0 / dispersion).powf(-1.5);
        // A ratio of two variances of 4000 near-normal values: standard error 2 √(1/4000) of itself, five of them.
        assert!((ratio / known - 1.0).abs() < 0.16, "τ = {dispersion}: {ratio}, expected {known}");
        assert!(wide.variance[1] < 0.7 * plain.variance[1], "τ = {dispersion}");
    }
}
