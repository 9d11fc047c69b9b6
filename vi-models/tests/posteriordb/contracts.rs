//! Every contract that a model claims.

use ndarray::{Array1, array};
use vi_core::testing::{check_batch, check_gradient, check_gradient_batch, check_predictive, check_reported};
use vi_core::{GradLogJoint, LogJoint, Predictive, StreamKey};
use vi_models::garch::Garch;
use vi_models::gaussian_process::{GaussianProcessPoisson, GaussianProcessPriors, GaussianProcessRegression};
use vi_models::gaussian_regression::{GaussianRegression, GaussianRegressionPriors};
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};
use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
use vi_models::prior::{PositivePrior, RealPrior};
use vi_models::regression::RegressionData;
use vi_models::two_normals::{TwoNormals, TwoNormalsPriors};

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
    let mut pointwise = Array1::zeros(5);
    model.log_likelihood_pointwise(model.observed(), &z, &mut pointwise);
    let priors = student.log_prob(-0.2) + student.log_prob(0.9) + noise.log_prob(0.6);
    approx::assert_relative_eq!(model.log_joint(&z), pointwise.sum() + priors, max_relative = 1e-12);
    assert_eq!(model.log_joint(&array![0.3, -0.2, 0.9, -0.1]), f64::NEG_INFINITY);
    assert!(model.log_joint(&array![f64::NAN, -0.2, 0.9, 0.1]).is_nan());
}

/// A batch whose last lanes are not filled, and gradients that do not depend on the layout.
fn check_density<M: GradLogJoint>(model: &M) {
    check_gradient(model, 5, key());
    check_batch(model, key());
    check_gradient_batch(model, key());
}

/// Σ of the pointwise densities, for models whose data are not independent.
fn pointwise<M: Predictive>(model: &M, z: &Array1<f64>) -> f64 {
    let mut out = Array1::zeros(model.n_points(model.observed()));
    model.log_likelihood_pointwise(model.observed(), z, &mut out);
    out.sum()
}

#[test]
fn garch() {
    let small = Garch::new(array![0.3, -0.8, 1.4, 0.1, -2.0, 0.6], 0.5).unwrap();
    check(&small);
    check_density(&data::garch());
    check_reported(&small, 10, key());
    let z = array![0.2, 0.4, 0.3, 0.6];
    let expected = pointwise(&small, &z) + 0.7f64.ln();
    approx::assert_relative_eq!(small.log_joint(&z), expected, max_relative = 1e-13);
    for (d, bad) in [(1, 0.0), (2, 1.0), (2, -0.1), (3, 1.0), (3, 0.0)] {
        let mut z = z.clone();
        z[d] = bad;
        assert_eq!(small.log_joint(&z), f64::NEG_INFINITY);
        assert_eq!(batch_of_one(&small, &z), f64::NEG_INFINITY);
    }
    assert!(small.log_joint(&array![f64::NAN, 0.4, 0.3, 0.6]).is_nan());
}

fn batch_of_one<M: LogJoint>(model: &M, z: &Array1<f64>) -> f64 {
    let mut out = array![0.0];
    model.log_joint_batch(&z.view().insert_axis(ndarray::Axis(0)), &mut out);
    out[0]
}

#[test]
fn gaussian_processes() {
    check_density(&data::gp_regression());
    check_density(&data::gp_poisson());
    let (x, y) = (array![0.0, 0.3, 1.1, 2.0], array![0.5, -0.2, 1.0, 0.3]);
    let priors = GaussianProcessPriors {
        length_scale: PositivePrior::HalfCauchy { scale: 1.0 },
        magnitude: PositivePrior::Gamma { shape: 2.0, rate: 1.5 },
        noise: PositivePrior::HalfStudentT { dof: 3.0, scale: 0.5 },
    };
    let regression = GaussianProcessRegression::new(x.clone(), y, priors).unwrap();
    check_density(&regression);
    check_density(&GaussianProcessPoisson::new(x, array![0.0, 3.0, 1.0, 7.0], priors).unwrap());
    for z in [array![0.0, 1.0, 1.0], array![1.0, -1.0, 1.0], array![1.0, 1.0, 0.0]] {
        assert_eq!(regression.log_joint(&z), f64::NEG_INFINITY);
        assert_eq!(batch_of_one(&regression, &z), f64::NEG_INFINITY);
    }
    assert!(regression.log_joint(&array![f64::NAN, 1.0, 1.0]).is_nan());
    // Two inputs at one place and no noise to speak of: singular to working precision, and said so.
    let twice = GaussianProcessRegression::new(array![1.0, 1.0], array![0.0, 1.0], priors).unwrap();
    assert_eq!(twice.log_joint(&array![1.0, 1.0, 1e-30]), f64::NEG_INFINITY);
}

/// With one datum the process is a normal distribution.
#[test]
fn gaussian_process_of_one_point() {
    let priors = GaussianProcessPriors::default();
    let model = GaussianProcessRegression::new(array![3.0], array![1.5], priors).unwrap();
    let (alpha, sigma): (f64, f64) = (0.8, 0.3);
    let variance = alpha * alpha + sigma;
    let likelihood = -0.5 * ((std::f64::consts::TAU * variance).ln() + 2.25 / variance);
    let prior =
        priors.length_scale.log_prob(5.0) + priors.magnitude.log_prob(alpha) + priors.noise.log_prob(sigma);
    approx::assert_relative_eq!(
        model.log_joint(&array![5.0, alpha, sigma]),
        likelihood + prior,
        max_relative = 1e-13
    );
}

#[test]
fn two_normals() {
    let priors = TwoNormalsPriors {
        mean_mean: 0.3,
        mean_sd: 1.5,
        sd: PositivePrior::HalfCauchy { scale: 0.7 },
        weight: (2.0, 3.5),
    };
    let small = TwoNormals::new(array![-1.2, 0.3, 2.2, 0.7], priors).unwrap();
    check_density(&small);
    check_density(&data::two_normals());
    let z = array![-0.4, 1.1, 0.8, 0.6, 0.3];
    for (d, bad) in [(1, -0.4), (2, 0.0), (3, -1.0), (4, 0.0), (4, 1.0)] {
        let mut z = z.clone();
        z[d] = bad;
        assert_eq!(small.log_joint(&z), f64::NEG_INFINITY);
    }
    assert!(small.log_joint(&array![-0.4, f64::NAN, 0.8, 0.6, 0.3]).is_nan());
}

#[test]
fn hidden_markov() {
    let priors = HiddenMarkovPriors {
        mean_mean: vec![0.5, 1.5, 4.0],
        mean_sd: vec![0.4, 1.0, 2.0],
        concentration: 1.7,
        noise_sd: 0.6,
    };
    let y = array![0.4, 1.9, 3.3, 0.2, 2.4];
    let small = HiddenMarkov::new(y.clone(), priors.clone()).unwrap();
    check(&small);
    check_density(&data::hidden_markov());
    let z = array![0.5, 0.3, 0.2, 0.1, 0.6, 0.3, 0.25, 0.35, 0.4, 0.7, 1.2, 3.1];
    // All 3⁵ paths of the hidden chain.
    let density =
        |y: f64, m: f64| (-0.5 * ((y - m) / 0.6).powi(2)).exp() / (0.6 * std::f64::consts::TAU.sqrt());
    let total: f64 = (0..243)
        .map(|path: usize| {
            let states: Vec<usize> = (0..5).map(|t| path / 3usize.pow(t) % 3).collect();
            let first = density(y[0], z[9 + states[0]]) / 3.0;
            states
                .windows(2)
                .zip(y.iter().skip(1))
                .fold(first, |p, (s, &y)| p * z[3 * s[0] + s[1]] * density(y, z[9 + s[1]]))
        })
        .sum();
    approx::assert_relative_eq!(pointwise(&small, &z), total.ln(), max_relative = 1e-12);
    for (d, bad) in [(0, 0.0), (9, 0.0), (10, 0.7), (11, 1.0)] {
        let mut z = z.clone();
        z[d] = bad;
        assert_eq!(small.log_joint(&z), f64::NEG_INFINITY);
    }
    let mut z = z.clone();
    z[10] = f64::NAN;
    assert!(small.log_joint(&z).is_nan());
    // One state is a normal model with a constant θ = 1.
    let one = HiddenMarkovPriors { mean_mean: vec![1.0], mean_sd: vec![0.5], ..priors };
    check_gradient(&HiddenMarkov::new(y, one).unwrap(), 3, key());
}

/// The distribution function of 20 000 simulated data against the integral of the density. Four standard errors at
/// three places: a correct model fails with probability 2e-4 if the seed is changed. (Density ratios, on which
/// `check_predictive` rests, have no variance where the two standard deviations differ by more than √2.)
#[test]
fn two_normals_simulate_their_density() {
    let model = TwoNormals::new(Array1::zeros(20_000), TwoNormalsPriors::default()).unwrap();
    let z = array![-0.4, 1.1, 0.3, 0.6, 0.3];
    let simulated = model.simulate(model.observed(), &z, &mut key().rng(0));
    let grid = Array1::from_iter((0..8_000).map(|i| -4.0 + (f64::from(i) + 0.5) * 1e-3));
    let mut density = Array1::zeros(grid.len());
    model.log_likelihood_pointwise(&grid, &z, &mut density);
    density.mapv_inplace(|v: f64| v.exp() * 1e-3);
    assert!((density.sum() - 1.0).abs() < 1e-5, "the density integrates to {}", density.sum());
    for (place, n_below) in [(-0.4, 3_600), (0.4, 4_400), (1.5, 5_500)] {
        let expected = density.iter().take(n_below).sum::<f64>();
        let share = simulated.iter().filter(|y| **y < place).count() as f64 / 20_000.0;
        let error = (expected * (1.0 - expected) / 20_000.0).sqrt();
        assert!(
            (share - expected).abs() < 4.0 * error,
            "below {place}: {share}, expected {expected} ± {error}"
        );
    }
}

#[test]
fn one_compartment() {
    let data = OneCompartmentData {
        dose: 3.0,
        volume: 1.5,
        start: -0.5,
        times: array![0.5, 1.0, 2.5],
        concentrations: array![0.7, 1.1, 0.4],
    };
    let priors = OneCompartmentPriors {
        half_saturation: PositivePrior::Gamma { shape: 2.0, rate: 1.0 },
        noise: PositivePrior::HalfNormal { scale: 0.5 },
        ..OneCompartmentPriors::default()
    };
    let small = OneCompartment::new(data, priors).unwrap();
    check(&small);
    check_density(&data::one_compartment());
    let z = array![0.8, 1.2, 0.6, 0.4];
    let of_prior = [priors.absorption, priors.half_saturation, priors.elimination, priors.noise];
    let prior: f64 = of_prior.iter().zip(&z).map(|(p, &v)| p.log_prob(v)).sum();
    approx::assert_relative_eq!(small.log_joint(&z), pointwise(&small, &z) + prior, max_relative = 1e-12);
    for d in 0..4 {
        let mut z = z.clone();
        z[d] = 0.0;
        assert_eq!(small.log_joint(&z), f64::NEG_INFINITY);
        assert_eq!(batch_of_one(&small, &z), f64::NEG_INFINITY);
        z[d] = f64::NAN;
        assert!(small.log_joint(&z).is_nan() && batch_of_one(&small, &z).is_nan());
    }
    // Without elimination to speak of, C(t) = D/V (1 − exp(−k_a t)) from t = 0 on.
    let mut solution = Array1::zeros(3);
    let z = array![0.8, 1e12, 1e-12, 1.0];
    small.log_likelihood_pointwise(&array![1.0, 1.0, 1.0], &z, &mut solution);
    for (value, t) in solution.iter().zip([0.5, 1.0, 2.5f64]) {
        let c = 2.0 * (1.0 - (-0.8 * t).exp());
        let expected = -0.5 * (std::f64::consts::TAU.ln() + c.ln().powi(2));
        // The first interval straddles t = 0, where the inflow jumps: an error of a step's width there.
        assert!((value - expected).abs() < 0.05, "at {t}: {value}, expected {expected}");
    }
}
