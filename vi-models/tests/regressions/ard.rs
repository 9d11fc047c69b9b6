//! Linear regression with automatic relevance determination.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use rand_distr::{Distribution, StandardNormal};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive,
};
use vi_core::{
    AutoGrad, ConditionallyConjugate, Exec, KnownPosterior, LogJoint, ParameterSpace, Scalar, ScalarLogJoint,
};
use vi_families::Gamma;
use vi_families::special::{digamma, log_gamma};
use vi_models::ard_regression::{ArdRegression, ArdRegressionPriors};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::regression::RegressionData;

use crate::common::{
    LOG_2_PI, ascend, assert_agree, assert_exact, assert_minibatches_reach_the_bound, check_moves, gibbs,
    integrate, key, nuts,
};

const GAMMA: NoisePrior = NoisePrior::Gamma { shape: 2.0, rate: 1.5 };
const KNOWN: NoisePrior = NoisePrior::Known { precision: 1.7 };

fn x() -> Array2<f64> {
    array![[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8], [0.1, 0.2], [2.0, -0.4], [-1.1, 1.3]]
}

fn y() -> Array1<f64> {
    array![1.9, 2.2, -0.8, 0.7, 3.6, -1.5]
}

fn priors(noise: NoisePrior) -> ArdRegressionPriors {
    ArdRegressionPriors { relevance_shape: 2.0, relevance_rate: 0.7, intercept_precision: 0.2, noise }
}

fn with_intercept(noise: NoisePrior) -> ArdRegression {
    ArdRegression::new(RegressionData::with_intercept(x(), y()).unwrap(), priors(noise)).unwrap()
}

fn without(noise: NoisePrior) -> ArdRegression {
    ArdRegression::new(RegressionData::new(x(), y()).unwrap(), priors(noise)).unwrap()
}

/// The same model written out datum by datum; shapes 2, so that Γ = 1.
struct Reference {
    space: ParameterSpace,
    has_intercept: bool,
    noise: NoisePrior,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let normal = |x: T, precision: T| (precision.ln() - LOG_2_PI - precision * x * x) * 0.5;
        let gamma = |x: T, rate: f64| x.ln() + 2.0 * rate.ln() - x * rate;
        let first = usize::from(self.has_intercept);
        let (tau, mut sum) = match self.noise {
            NoisePrior::Known { precision } => (T::constant(precision), T::constant(0.0)),
            NoisePrior::Gamma { rate, .. } => (z[first + 4], gamma(z[first + 4], rate)),
        };
        for j in 0..2 {
            let (beta, alpha) = (z[first + j], z[first + 2 + j]);
            sum = sum + normal(beta, alpha) + gamma(alpha, 0.7);
        }
        if self.has_intercept {
            sum = sum + normal(z[0], T::constant(0.2));
        }
        for (row, y) in x().rows().into_iter().zip(&y()) {
            let mut mean = z[first] * row[0] + z[first + 1] * row[1];
            if self.has_intercept {
                mean = mean + z[0];
            }
            sum = sum + normal(mean - *y, tau);
        }
        sum
    }
}

#[test]
fn contracts() {
    for noise in [GAMMA, KNOWN] {
        for m in [with_intercept(noise), without(noise)] {
            let has_intercept = m.data().has_intercept();
            let reference = AutoGrad(Reference { space: m.parameters().clone(), has_intercept, noise });
            check_gradient(&m, 5, key());
            check_gradient_against(&m, &reference, 20, key());
            check_batch(&m, key());
            check_gradient_batch(&m, key());
            check_local(&m, 10, key());
            check_predictive(&m, key());
            check_conditional(&m, key());
            check_conditional_against(&m, &[], 10, key());
            check_moves(&m);
        }
    }
}

/// `n` responses to eight covariates, of which three matter.
fn sparse(n: usize) -> RegressionData {
    let mut rng = key().rng(8);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let x = Array2::from_shape_simple_fn((n, 8), &mut normal);
    let noise = Array1::from_shape_simple_fn(n, || 0.5 * normal());
    let y = 3.0 + &(2.0 * &x.column(0) - 1.0 * &x.column(3) + 0.7 * &x.column(6)) + noise;
    RegressionData::with_intercept(x, y).unwrap()
}

#[test]
fn minibatches_reach_the_bound() {
    let m = ArdRegression::new(sparse(600), ArdRegressionPriors::default()).unwrap();
    assert_minibatches_reach_the_bound(&m, 60);
}

/// The bound written out from the parameters of the factors alone.
#[test]
fn the_bound_is_that_of_the_formula() {
    let m = with_intercept(GAMMA);
    let fit = ascend(&m);
    let q = &fit.state.factors;
    let log = |g: &Gamma| digamma(g.shape()) - g.rate().ln();
    let entropy =
        |g: &Gamma| g.shape() - g.rate().ln() + log_gamma(g.shape()) + (1.0 - g.shape()) * digamma(g.shape());
    let tau = q.noise.as_ref().unwrap();
    let (mean, v) = (q.coefficients.mean(), q.coefficients.covariance());
    let mut bound = 0.0;
    for (row, y) in m.data().x().rows().into_iter().zip(m.data().y()) {
        let square = (y - row.dot(mean)).powi(2) + row.dot(&v.dot(&row));
        bound += 0.5 * (log(tau) - LOG_2_PI - tau.shape() / tau.rate() * square);
    }
    bound += 0.5 * (0.2f64.ln() - LOG_2_PI - 0.2 * (mean[0].powi(2) + v[[0, 0]]));
    for (j, alpha) in q.relevances.iter().enumerate() {
        let expected = alpha.shape() / alpha.rate();
        bound += 0.5 * (log(alpha) - LOG_2_PI - expected * (mean[j + 1].powi(2) + v[[j + 1, j + 1]]));
        bound += 2.0 * 0.7f64.ln() + log(alpha) - 0.7 * expected + entropy(alpha);
    }
    bound += 2.0 * 1.5f64.ln() + log(tau) - 1.5 * tau.shape() / tau.rate() + entropy(tau);
    let log_det = vi_core::linalg::Cholesky::factor(v).unwrap().log_det();
    bound += 0.5 * (3.0 * (1.0 + LOG_2_PI) + log_det);
    assert_relative_eq!(fit.elbo(), bound, epsilon = 1e-10);
}

fn one_slope(noise: NoisePrior) -> ArdRegression {
    let x = x().slice_move(ndarray::s![.., ..1]);
    ArdRegression::new(RegressionData::new(x, y()).unwrap(), priors(noise)).unwrap()
}

/// Three variables (β, log α, log τ) by quadrature.
#[test]
fn bound_and_samplers_against_quadrature() {
    let m = one_slope(GAMMA);
    let exact = integrate(&m, &[(-2.0, 5.0), (-6.0, 4.0), (-4.0, 3.5)], 81);
    let finer = integrate(&m, &[(-2.0, 5.0), (-6.0, 4.0), (-4.0, 3.5)], 61);
    assert_relative_eq!(exact.log_evidence, finer.log_evidence, epsilon = 1e-6);
    let fit = ascend(&m);
    let gap = exact.log_evidence - fit.elbo();
    assert!(gap > 0.0 && gap < 0.3, "evidence {}, ELBO {}", exact.log_evidence, fit.elbo());
    assert_exact("Gibbs", &gibbs(&m, 3000), &exact);
    assert_exact("NUTS", &nuts(&m, 3000), &exact);
}

#[test]
fn gibbs_agrees_with_nuts() {
    let m = with_intercept(GAMMA);
    assert_agree(&gibbs(&m, 3000), &nuts(&m, 3000));
}

/// scikit-learn 1.9.1, `ARDRegression(fit_intercept=False, alpha_1=1e-2, alpha_2=2e-2, lambda_1=3e-2, lambda_2=4e-2,
/// threshold_lambda=1e300, tol=1e-16)`: `coef_`, `lambda_`, `alpha_`, and the diagonal of `sigma_`. Its point estimates of α
/// and τ solve the equations that the means of q(α) and q(τ) do (docs/algorithms/regressions.md).
#[test]
fn the_fixed_point_is_that_of_scikit_learn() {
    let round = |v: f64| (v * 1000.0).round() / 1000.0;
    let x = Array2::from_shape_fn((20, 4), |(i, j)| round(((i * (3 + 2 * j) + 1) as f64 * 0.37).sin() * 1.5));
    let y = x.rows().into_iter().enumerate();
    let y = y.map(|(i, x)| round(1.8 * x[0] - 0.9 * x[2] + 0.4 * (1.91 * i as f64).cos())).collect();
    let priors = ArdRegressionPriors {
        noise: NoisePrior::Gamma { shape: 1e-2, rate: 2e-2 },
        relevance_shape: 3e-2,
        relevance_rate: 4e-2,
        ..Default::default()
    };
    let m = ArdRegression::new(RegressionData::new(x, y).unwrap(), priors).unwrap();
    let (mut q, mut stats) = m.init(key(), Exec::local()).unwrap();
    for _ in 0..3000 {
        for &block in m.blocks() {
            m.condition(block, &stats, &mut q, Exec::local()).unwrap();
            m.expect(block, &q, &mut stats, Exec::local());
        }
    }
    let coef = [1.7809407270794935, -0.04497494368312754, -0.8915311335350736, 0.013311989483141233];
    let sigma = [0.004417279227634134, 0.004238292378065269, 0.004803711640286984, 0.0044186949534694665];
    let lambda = [0.32553611357274365, 12.288282466177456, 1.2050501052880223, 12.530157485888612];
    for j in 0..4 {
        assert_relative_eq!(q.coefficients.mean()[j], coef[j], max_relative = 1e-9);
        assert_relative_eq!(q.coefficients.covariance()[[j, j]], sigma[j], max_relative = 1e-9);
        assert_relative_eq!(q.relevances[j].mean(), lambda[j], max_relative = 1e-9);
    }
    assert_relative_eq!(q.noise.unwrap().mean(), 10.188627211055152, max_relative = 1e-9);
}

/// With α held by a sharp prior at 0.6 it is linear regression with a known prior, whose evidence is exact.
#[test]
fn known_relevances_make_it_exact() {
    let sharp = ArdRegressionPriors { relevance_shape: 6e5, relevance_rate: 1e6, ..priors(KNOWN) };
    let data = || RegressionData::with_intercept(x(), y()).unwrap();
    let fit = ascend(&ArdRegression::new(data(), sharp).unwrap());
    let plain = LinearRegressionPriors {
        coefficient_precision: 0.6,
        intercept_precision: Some(0.2),
        coupled: false,
        noise: KNOWN,
        ..Default::default()
    };
    let exact = LinearRegression::new(data(), plain).unwrap().log_evidence().unwrap();
    assert_relative_eq!(fit.elbo(), exact, epsilon = 1e-4);
}

/// Three of eight covariates matter: their coefficients stay where least squares has them, the others shrink from there,
/// all together by more than a quarter, and α tells them apart.
#[test]
fn irrelevant_coefficients_shrink() {
    let data = sparse(120);
    let flat = LinearRegressionPriors { coefficient_precision: 1e-9, ..Default::default() };
    let least_squares = LinearRegression::new(data.clone(), flat).unwrap().posterior_mean().unwrap();
    let fit = ascend(&ArdRegression::new(data, ArdRegressionPriors::default()).unwrap());
    let q = &fit.state.factors;
    let (mut left, mut before) = (0.0, 0.0);
    for (j, truth) in [2.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.7, 0.0].into_iter().enumerate() {
        let (mean, alpha, plain) =
            (q.coefficients.mean()[j + 1], q.relevances[j].mean(), least_squares[j + 1]);
        if truth == 0.0 {
            assert!(mean.abs() < plain.abs() && alpha > 40.0, "beta[{}]: {mean}, alpha {alpha}", j + 1);
            left += mean.abs();
            before += plain.abs();
        } else {
            assert!(
                (mean / plain - 1.0).abs() < 0.02 && alpha < 5.0,
                "beta[{}]: {mean}, alpha {alpha}",
                j + 1
            );
        }
    }
    assert!(left < 0.75 * before, "{left} of {before}");
}

#[test]
fn wrong_input_is_named() {
    let refuse = |p| {
        let data = RegressionData::new(x(), y()).unwrap();
        ArdRegression::new(data, p).unwrap_err().to_string()
    };
    let p = ArdRegressionPriors { relevance_shape: 0.0, ..Default::default() };
    assert_eq!(refuse(p), "ard_regression: relevance_shape = 0, but it must be finite and > 0");
    let p = ArdRegressionPriors { relevance_rate: f64::NAN, ..Default::default() };
    assert_eq!(refuse(p), "ard_regression: relevance_rate = NaN, but it must be finite and > 0");
    let p = ArdRegressionPriors { intercept_precision: -1.0, ..Default::default() };
    assert_eq!(refuse(p), "ard_regression: intercept_precision = -1, but it must be finite and > 0");
    assert_eq!(without(GAMMA).log_joint(&array![0.0, 0.0, 1.0, -1.0, 1.0]), f64::NEG_INFINITY);
}
