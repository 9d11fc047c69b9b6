//! Logistic regression: its contracts, and the bound of its augmentation against quadrature.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive, check_subsample,
};
use vi_core::{
    AutoGrad, ConditionallyConjugate, Exec, GradLogJoint, LogJoint, ParameterSpace, Scalar, ScalarLogJoint,
    StreamKey, Subsample,
};
use vi_models::logistic_regression::{
    LogisticRegression, LogisticRegressionBlock, LogisticRegressionPriors, LogisticRegressionStats,
};
use vi_models::regression::RegressionData;

const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

fn key() -> StreamKey {
    StreamKey::from_seed(7)
}

/// More than one tile of data and of rows per partial.
fn synthetic(n: usize, d: usize) -> (Array2<f64>, Array1<f64>) {
    let mut rng = key().rng(0);
    let x = Array2::from_shape_simple_fn((n, d), || Distribution::<f64>::sample(&StandardNormal, &mut rng));
    let y = x.rows().into_iter().map(|r| {
        let p = 1.0 / (1.0 + (-(0.4 + 1.2 * r[0])).exp());
        f64::from(u8::from(rng.random::<f64>() < p))
    });
    let y = y.collect();
    (x, y)
}

fn priors() -> LogisticRegressionPriors {
    LogisticRegressionPriors { scale: 1.5, intercept_scale: Some(4.0) }
}

fn model(n: usize, d: usize) -> LogisticRegression {
    let (x, y) = synthetic(n, d);
    LogisticRegression::new(RegressionData::with_intercept(x, y).unwrap(), priors()).unwrap()
}

/// The same model written out datum by datum.
struct Reference {
    space: ParameterSpace,
    x: Array2<f64>,
    y: Array1<f64>,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let mut sum = T::constant(0.0);
        for (j, b) in z.iter().enumerate() {
            let s: f64 = if j == 0 { 4.0 } else { 1.5 };
            sum = sum - *b * *b * (0.5 / (s * s)) - (0.5 * LOG_2_PI + s.ln());
        }
        for (row, y) in self.x.rows().into_iter().zip(&self.y) {
            let eta = row.iter().zip(&z[1..]).fold(z[0], |eta, (x, b)| eta + *b * *x);
            sum = sum + eta * *y - eta.softplus();
        }
        sum
    }
}

#[test]
fn contracts() {
    // 300 data: one full tile and a part of one.
    for (n, d) in [(7, 2), (300, 3)] {
        let m = model(n, d);
        let (x, y) = synthetic(n, d);
        let reference = AutoGrad(Reference { space: m.parameters().clone(), x, y });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 20, key());
        check_gradient(&m.minibatch(&[0, 4, 4]), 5, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_local(&m, 10, key());
        check_subsample(&m, 5, key());
        check_predictive(&m, key());
        check_conditional_against(&m, &[LogisticRegressionBlock::Augmentation], 10, key());
    }
    check_conditional(&model(7, 2), key());
}

#[test]
fn batches_longer_than_a_chunk_agree_with_single_rows() {
    let m = model(300, 3);
    let mut rng = key().rng(1);
    let z = Array2::from_shape_simple_fn((150, 4), || Distribution::<f64>::sample(&StandardNormal, &mut rng));
    let (mut out, mut grad) = (Array1::zeros(150), Array2::zeros((150, 4)));
    m.log_joint_and_grad_batch(&z, &mut out, &mut grad);
    for ((row, value), g) in z.rows().into_iter().zip(&out).zip(grad.rows()) {
        let mut one = Array1::zeros(4);
        assert_relative_eq!(m.log_joint_and_grad(&row, &mut one), *value, max_relative = 1e-13);
        assert!(one.iter().zip(g).all(|(a, b)| (a - b).abs() < 1e-11), "{one} {g}");
    }
}

/// 3000 × 101 values are three blocks of data, the last one short: threads and ranks share them, and so do minibatches.
#[test]
fn several_blocks_of_data_have_the_same_bits_on_any_number_of_threads() {
    let m = model(3000, 100);
    check_gradient_batch(&m, key());
    let indices: Vec<usize> = (0..3000).rev().collect();
    let all = m.minibatch(&indices);
    check_gradient_batch(&all, key());
    let z = Array1::from_shape_fn(101, |j| 0.3 * (j as f64).cos());
    let (mut grad, mut expected) = (Array1::zeros(101), Array1::zeros(101));
    let value = all.log_joint_and_grad(&z, &mut grad);
    assert_relative_eq!(value, m.log_joint_and_grad(&z, &mut expected), max_relative = 1e-13);
    assert_relative_eq!(value, m.log_joint(&z), max_relative = 1e-13);
    assert!(grad.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-10), "{grad} {expected}");
    let (x, y) = synthetic(3000, 100);
    let reference = AutoGrad(Reference { space: m.parameters().clone(), x, y });
    check_gradient_against(&m, &reference, 1, key());
}

#[test]
fn extreme_logits_stay_finite_and_not_a_number_shows() {
    let data = RegressionData::new(array![[1.0], [-1.0]], array![1.0, 0.0]).unwrap();
    let m =
        LogisticRegression::new(data, LogisticRegressionPriors { scale: 1e3, ..Default::default() }).unwrap();
    let mut grad = array![0.0];
    let value = m.log_joint_and_grad(&array![-800.0], &mut grad);
    assert_relative_eq!(value, -1600.0 - 0.32 - 0.5 * LOG_2_PI - 1e3f64.ln(), epsilon = 1e-9);
    assert_relative_eq!(grad[0], 2.0 + 8e-4, epsilon = 1e-12);
    assert!(m.log_joint(&array![f64::NAN]).is_nan());
    // Scratch that has held NaN does not leak into the next evaluation.
    assert_eq!(m.log_joint(&array![-800.0]), value);
}

#[test]
fn conditionals_have_the_same_bits_for_any_number_of_threads() {
    let m = model(300, 3);
    let sweep = |threads: usize| -> Vec<LogisticRegressionStats> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let exec = Exec::local();
            let (mut q, mut stats) = m.init(key(), exec).unwrap();
            let mut out = Vec::new();
            for t in 0..3 {
                for (i, &block) in m.blocks().iter().enumerate() {
                    m.condition(block, &stats, &mut q, exec).unwrap();
                    m.draw(block, &q, key().fold_in(t).fold_in(i as u64), &mut stats, exec);
                }
                out.push(stats.clone());
            }
            out
        })
    };
    let one = sweep(1);
    for threads in [2, 3, 7] {
        assert_eq!(sweep(threads), one);
    }
}

#[test]
fn wrong_input_is_named() {
    let error = |y: f64, p| {
        let data = RegressionData::new(array![[1.0], [2.0]], array![1.0, y]).unwrap();
        LogisticRegression::new(data, p).unwrap_err().to_string()
    };
    assert_eq!(error(2.0, priors()), "logistic_regression: y[1, 0] = 2, but it must be 0 or 1");
    let p = LogisticRegressionPriors { scale: -1.0, ..Default::default() };
    assert_eq!(error(0.0, p), "logistic_regression: scale = -1, but it must be finite and > 0");
    let p = LogisticRegressionPriors { intercept_scale: Some(f64::INFINITY), ..Default::default() };
    assert_eq!(error(0.0, p), "logistic_regression: intercept_scale = inf, but it must be finite and > 0");
}

/// The German credit data as inference_gym's `german_credit_numeric_logistic_regression` has them: covariates standardised by
/// the population's standard deviation, the intercept last, response 1 for bad credit, N(0, 1) priors.
fn german_credit() -> LogisticRegression {
    let rows = include_str!("../../data/german_credit.csv").lines().skip(1);
    let values: Vec<f64> = rows.flat_map(|l| l.split(',')).map(|v| v.parse().unwrap()).collect();
    let table = Array2::from_shape_vec((1000, 25), values).unwrap();
    let mut x = Array2::ones((1000, 25));
    for (mut to, from) in x.columns_mut().into_iter().zip(table.columns()).take(24) {
        let (mean, sd) = (from.mean().unwrap(), from.std(0.0));
        to.assign(&from.mapv(|v| (v - mean) / sd));
    }
    let y = table.column(24).mapv(|class| class - 1.0);
    let priors = LogisticRegressionPriors { scale: 1.0, intercept_scale: None };
    LogisticRegression::new(RegressionData::new(x, y).unwrap(), priors).unwrap()
}

/// Mode, posterior means and standard deviations, and evidence by importance sampling (45 505 effective draws; error of the
/// evidence 0.0035, of the means 0.005 sd) in another program; the bound of the same augmentation by NumPy.
#[test]
fn german_credit_agrees_with_its_reference() {
    #[rustfmt::skip]
    const MODE: [f64; 25] = [-0.714932861, 0.405694487, -0.399937105, 0.121551406, -0.352101246, -0.174418628, -0.148510055, 0.0127787787, 0.174877355, -0.106515838, -0.218654997, 0.117907576, 0.029792295, -0.131014908, -0.267002089, 0.271861603, -0.285234752, 0.287747437, 0.258125056, 0.11943936, -0.0616631776, -0.0854637646, -0.0244720445, -0.0228653769, -1.16501513];
    #[rustfmt::skip]
    const MEAN: [f64; 25] = [-0.7351, 0.4189, -0.4141, 0.1267, -0.3647, -0.1779, -0.1528, 0.0125, 0.1802, -0.1107, -0.2246, 0.1225, 0.0286, -0.1368, -0.292, 0.2784, -0.2994, 0.3034, 0.2707, 0.1222, -0.0638, -0.0923, -0.0255, -0.0236, -1.203];
    #[rustfmt::skip]
    const SD: [f64; 25] = [0.0899, 0.1039, 0.0953, 0.1076, 0.0947, 0.0919, 0.0817, 0.091, 0.1039, 0.097, 0.0787, 0.0941, 0.0857, 0.0942, 0.1182, 0.083, 0.1031, 0.1211, 0.111, 0.1371, 0.1431, 0.0908, 0.1281, 0.1255, 0.0921];
    let m = german_credit();
    let mut gradient = Array1::zeros(25);
    m.log_joint_and_grad(&Array1::from(MODE.to_vec()), &mut gradient);
    // The curvature is 1/sd², near 100, and the mode is known to 1e-8.
    assert!(gradient.iter().all(|g| g.abs() < 2e-5), "{gradient}");
    let settings = vi_cavi::CaviSettings { tolerance: 1e-10, ..Default::default() };
    let fit = vi_cavi::fit(&m, &settings, key(), Exec::local()).unwrap();
    assert_relative_eq!(fit.elbo(), -533.323_170_166, epsilon = 1e-6);
    assert!(fit.elbo() < -529.179 - 3.0 * 0.0035);
    let q = &fit.state.factors.coefficients;
    let sd = q.covariance().diag().mapv(f64::sqrt);
    for d in 0..25 {
        assert!((q.mean()[d] - MEAN[d]).abs() < 0.26 * SD[d], "beta[{d}]: {} and {}", q.mean()[d], MEAN[d]);
        let ratio = sd[d] / SD[d];
        // Mean field between β and ω: too narrow, the more the surer a label is.
        assert!((0.68..0.89).contains(&ratio), "beta[{d}]: sd {ratio} of the posterior's");
    }
}
