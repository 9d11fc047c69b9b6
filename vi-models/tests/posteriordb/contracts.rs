//! Every contract that a model claims.

use ndarray::array;
use vi_core::testing::{check_batch, check_gradient, check_gradient_batch, check_predictive};
use vi_core::{GradLogJoint, LogJoint, Predictive, StreamKey};
use vi_models::gaussian_regression::{GaussianRegression, GaussianRegressionPriors};
use vi_models::prior::{PositivePrior, RealPrior};
use vi_models::regression::RegressionData;

use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(15)
}

fn check<M: GradLogJoint + Predictive>(model: &M) {
    check_gradient(model, 5, key());
    check_batch(model, key());
    check_gradient_batch(model, key());
    check_predictive(model, key());
}

/// A few points, coefficients under every kind of prior.
fn small(noise: PositivePrior, coefficients: RealPrior, intercept: RealPrior) -> GaussianRegression {
    let x = array![[0.5, -0.2], [1.5, 0.3], [-0.7, 1.0], [0.1, 0.4], [-1.1, -0.9]];
    let data = RegressionData::with_intercept(x, array![1.9, 2.2, -0.8, 0.7, -0.4]).unwrap();
    let priors = GaussianRegressionPriors { coefficients, intercept: Some(intercept), noise };
    GaussianRegression::new(data, priors).unwrap()
}

#[test]
fn regression_under_every_prior() {
    let normal = RealPrior::Normal { mean: 0.5, sd: 0.7 };
    let student = RealPrior::StudentT { dof: 2.5, location: -0.3, scale: 0.4 };
    for (noise, coefficients, intercept) in [
        (PositivePrior::Flat, RealPrior::Flat, normal),
        (PositivePrior::HalfNormal { scale: 0.8 }, normal, student),
        (PositivePrior::HalfCauchy { scale: 0.3 }, student, RealPrior::Flat),
        (PositivePrior::HalfStudentT { dof: 4.0, scale: 0.6 }, normal, normal),
        (PositivePrior::Gamma { shape: 2.5, rate: 3.0 }, student, normal),
    ] {
        check(&small(noise, coefficients, intercept));
    }
}

#[test]
fn regressions_of_posteriordb() {
    for model in [data::blr(), data::diamonds(), data::autoregression()] {
        check_gradient(&model, 3, key());
        check_batch(&model, key());
        check_gradient_batch(&model, key());
    }
    assert_eq!(data::kidscore().parameters().names(), ["beta[1]", "beta[2]", "beta[3]", "sigma"]);
    assert_eq!(data::diamonds().parameters().names(), ["b[1]", "b[2]", "Intercept", "sigma"]);
    assert_eq!(data::kilpisjarvi().parameters().names(), ["alpha", "beta", "sigma"]);
    assert_eq!(data::autoregression().parameters().names()[5..], ["beta[5]", "sigma"]);
}

/// The pointwise densities and the priors add up to the log joint.
#[test]
fn regression_is_likelihood_times_prior() {
    let student = RealPrior::StudentT { dof: 2.5, location: -0.3, scale: 0.4 };
    let noise = PositivePrior::Gamma { shape: 2.5, rate: 3.0 };
    let model = small(noise, student, RealPrior::Flat);
    let z = array![0.3, -0.2, 0.9, 0.6];
    let mut pointwise = ndarray::Array1::zeros(5);
    model.log_likelihood_pointwise(model.observed(), &z, &mut pointwise);
    let priors = student.log_prob(-0.2) + student.log_prob(0.9) + noise.log_prob(0.6);
    approx::assert_relative_eq!(model.log_joint(&z), pointwise.sum() + priors, max_relative = 1e-12);
    assert_eq!(model.log_joint(&array![0.3, -0.2, 0.9, -0.1]), f64::NEG_INFINITY);
    assert!(model.log_joint(&array![f64::NAN, -0.2, 0.9, 0.1]).is_nan());
}
