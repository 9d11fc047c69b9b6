//! Linear regression: its contracts, and its exact answers against published numbers and quadrature.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive, check_subsample,
};
use vi_core::{
    AutoGrad, KnownPosterior, LogJoint, ParameterSpace, Predictive, Scalar, ScalarLogJoint, StreamKey,
    Subsample,
};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::regression::RegressionData;

const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

fn key() -> StreamKey {
    StreamKey::from_seed(6)
}

fn x() -> Array2<f64> {
    array![[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8], [0.1, 0.2], [2.0, -0.4], [-1.1, 1.3]]
}

fn y() -> Array1<f64> {
    array![1.9, 2.2, -0.8, 0.7, 3.6, -1.5]
}

fn data() -> RegressionData {
    RegressionData::with_intercept(x(), y()).unwrap()
}

fn gamma() -> NoisePrior {
    NoisePrior::Gamma { shape: 2.0, rate: 1.5 }
}

fn priors(coupled: bool, noise: NoisePrior) -> LinearRegressionPriors {
    LinearRegressionPriors {
        coefficient_mean: 0.3,
        coefficient_precision: 0.6,
        intercept_precision: Some(0.2),
        coupled,
        noise,
    }
}

fn variants() -> Vec<LinearRegression> {
    let mut out = Vec::new();
    for noise in [gamma(), NoisePrior::Known { precision: 1.7 }] {
        for coupled in [true, false] {
            out.push(LinearRegression::new(data(), priors(coupled, noise)).unwrap());
        }
    }
    out
}

/// The same model written out datum by datum; a₀ = 2, so that Γ(a₀) = 1.
struct Reference {
    space: ParameterSpace,
    priors: LinearRegressionPriors,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let normal = |x: T, precision: T| (precision.ln() - LOG_2_PI - precision * x * x) * 0.5;
        let (tau, noise) = match self.priors.noise {
            NoisePrior::Known { precision } => (T::constant(precision), T::constant(0.0)),
            NoisePrior::Gamma { shape, rate } => {
                (z[3], z[3].ln() * (shape - 1.0) + shape * rate.ln() - z[3] * rate)
            }
        };
        let scale = if self.priors.coupled { tau } else { T::constant(1.0) };
        let mut sum = noise;
        for (b, precision) in z[..3].iter().zip([0.2, 0.6, 0.6]) {
            sum = sum + normal(*b - 0.3, scale * precision);
        }
        for (row, y) in x().rows().into_iter().zip(&y()) {
            sum = sum + normal(z[0] + z[1] * row[0] + z[2] * row[1] - *y, tau);
        }
        sum
    }
}

#[test]
fn contracts() {
    for m in variants() {
        let reference = AutoGrad(Reference { space: m.parameters().clone(), priors: *m.priors() });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 20, key());
        check_gradient(&m.minibatch(&[0, 4, 4]), 5, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_local(&m, 10, key());
        check_subsample(&m, 5, key());
        check_predictive(&m, key());
        check_conditional(&m, key());
        check_conditional_against(&m, &[], 10, key());
    }
}

#[test]
fn parameters_are_named() {
    let names = |m: &LinearRegression| m.parameters().names().join(" ");
    let all = variants();
    assert_eq!(names(&all[0]), "intercept beta[1] beta[2] tau");
    assert_eq!(names(&all[2]), "intercept beta[1] beta[2]");
    let plain = RegressionData::new(x(), y()).unwrap();
    assert_eq!(names(&LinearRegression::new(plain, Default::default()).unwrap()), "beta[1] beta[2] tau");
}

/// Data and exact evidence of the joint normal-gamma example in the BayesPy documentation (regression.ipynb,
/// "Improving accuracy"): β | τ ~ N(0, (1e-6 τ)⁻¹ I), τ ~ Gamma(1e-3, 1e-3), evidence −41.30423.
#[test]
fn evidence_of_the_published_example() {
    let x = Array2::from_shape_fn((10, 2), |(n, j)| if j == 0 { n as f64 } else { 1.0 });
    let y = array![
        5.993428306022466,
        6.72347139765763,
        10.295377076201385,
        14.046059712816051,
        12.531693250553328,
        14.531726086101639,
        20.158425631014783,
        20.534869458305817,
        20.061051228130097,
        24.08512008717193
    ];
    let priors = LinearRegressionPriors {
        coefficient_precision: 1e-6,
        noise: NoisePrior::Gamma { shape: 1e-3, rate: 1e-3 },
        ..Default::default()
    };
    let m = LinearRegression::new(RegressionData::new(x, y).unwrap(), priors).unwrap();
    assert_relative_eq!(m.log_evidence().unwrap(), -41.304_234_509_62, epsilon = 1e-9);
}

/// The evidence is the product of one-step predictive densities: Bayes' theorem datum by datum.
#[test]
fn evidence_is_the_product_of_predictive_densities() {
    // Student t of a regression: y_N | y_<N has location x ᵀm, scale² (b/a)(1 + xᵀΛ⁻¹x), 2a degrees of freedom.
    let prior =
        LinearRegressionPriors { coefficient_mean: 0.3, coefficient_precision: 0.6, ..Default::default() };
    let fit = |n: usize| {
        let rows = x().slice(ndarray::s![..n, ..]).to_owned();
        let part = RegressionData::new(rows, y().slice(ndarray::s![..n]).to_owned()).unwrap();
        LinearRegression::new(part, prior).unwrap()
    };
    for n in 3..6 {
        let (before, after) = (fit(n), fit(n + 1));
        let mean = before.posterior_mean().unwrap();
        let covariance = before.posterior_covariance().unwrap();
        let shape = 1.0 + 0.5 * n as f64;
        let rate = shape / mean[2];
        let (x, y) = (x().row(n).to_owned(), y()[n]);
        let leverage = x.dot(&covariance.slice(ndarray::s![..2, ..2]).dot(&x)) * (shape - 1.0) / rate;
        let (dof, scale2) = (2.0 * shape, rate / shape * (1.0 + leverage));
        let residual = y - x.dot(&mean.slice(ndarray::s![..2]));
        let log_gamma = vi_families::special::log_gamma;
        let log_t = log_gamma(0.5 * (dof + 1.0))
            - log_gamma(0.5 * dof)
            - 0.5 * (dof * std::f64::consts::PI * scale2).ln()
            - 0.5 * (dof + 1.0) * (residual * residual / (dof * scale2)).ln_1p();
        let step = after.log_evidence().unwrap() - before.log_evidence().unwrap();
        assert_relative_eq!(step, log_t, epsilon = 1e-10);
    }
}

/// With τ known, log p(x, β) − log N(β; m, V) is log p(x) at every β.
#[test]
fn known_noise_makes_the_posterior_gaussian() {
    for m in &variants()[2..] {
        let (mean, covariance) = (m.posterior_mean().unwrap(), m.posterior_covariance().unwrap());
        let q = vi_families::MvGaussian::from_mean_covariance(&mean, &covariance).unwrap();
        for z in [array![0.0, 0.0, 0.0], array![1.0, -2.0, 0.5], mean.clone()] {
            let ratio = m.log_joint(&z) - vi_families::ExponentialFamily::log_prob(&q, &z);
            assert_relative_eq!(ratio, m.log_evidence().unwrap(), epsilon = 1e-10);
        }
    }
}

#[test]
fn without_coupling_and_with_unknown_noise_nothing_exact_is_claimed() {
    let m = LinearRegression::new(data(), priors(false, gamma())).unwrap();
    assert_eq!((m.posterior_mean(), m.posterior_covariance(), m.log_evidence()), (None, None, None));
}

#[test]
fn predictions_use_the_covariates_they_are_given() {
    let m = LinearRegression::new(data(), priors(true, NoisePrior::Known { precision: 1e12 })).unwrap();
    let new = RegressionData::with_intercept(array![[2.0, 1.0]], array![0.0]).unwrap();
    let simulated = m.simulate(&new, &array![1.0, 10.0, 100.0], &mut key().rng(0));
    assert_relative_eq!(simulated.y()[0], 121.0, epsilon = 1e-4);
    assert_eq!(simulated.x(), new.x());
}

#[test]
fn wrong_input_is_named() {
    let error = |x, y| RegressionData::new(x, y).unwrap_err().to_string();
    let mut bad = x();
    bad[[3, 1]] = f64::NAN;
    assert_eq!(error(bad, y()), "regression_data: x[3, 1] = NaN, but it must be finite");
    assert_eq!(error(x(), array![1.0]), "regression_data: y has length 1, expected 6");
    assert_eq!(error(Array2::zeros((0, 2)), array![]), "regression_data: x is empty");
    let refuse = |p| LinearRegression::new(data(), p).unwrap_err().to_string();
    let p = LinearRegressionPriors { coefficient_precision: 0.0, ..Default::default() };
    assert_eq!(refuse(p), "linear_regression: coefficient_precision = 0, but it must be finite and > 0");
    let p = priors(true, NoisePrior::Known { precision: -2.0 });
    assert_eq!(refuse(p), "linear_regression: noise.known.precision = -2, but it must be finite and > 0");
}
