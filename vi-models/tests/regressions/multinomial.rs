//! Multinomial regression by stick-breaking.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_predictive,
};
use vi_core::{
    AutoGrad, Batch, ConditionallyConjugate, Exchangeable, Exec, LogJoint, ParameterSpace, Predictive,
    Scalar, ScalarLogJoint,
};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionBlock, LogisticRegressionPriors};
use vi_models::multinomial_regression::{MultinomialRegression, MultinomialRegressionBlock};
use vi_models::regression::RegressionData;

use crate::common::{
    LOG_2_PI, ascend, assert_exact, assert_minibatches_reach_the_bound, assert_same_bits, check_moves, gibbs,
    integrate, key, nuts,
};

fn priors() -> LogisticRegressionPriors {
    LogisticRegressionPriors { scale: 1.5, intercept_scale: Some(4.0) }
}

fn covariates(n: usize, d: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d), |(n, j)| ((n * (3 + 2 * j)) as f64 * 0.37 + 0.2).sin() * 1.5)
}

/// Three classes, cut from a noisy line.
fn labels(x: &Array2<f64>) -> Array1<f64> {
    let class = |(n, x): (usize, &f64)| match x + 0.8 * (n as f64 * 1.91).cos() {
        v if v < -0.5 => 0.0,
        v if v < 0.6 => 1.0,
        _ => 2.0,
    };
    x.column(0).iter().enumerate().map(class).collect()
}

fn model(n: usize) -> MultinomialRegression {
    let x = covariates(n, 2);
    let y = labels(&x);
    MultinomialRegression::new(RegressionData::with_intercept(x, y).unwrap(), 3, priors()).unwrap()
}

/// The same model written out datum by datum, class by class.
struct Reference {
    space: ParameterSpace,
    data: RegressionData,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let mut sum = T::constant(0.0);
        for (i, b) in z.iter().enumerate() {
            let s: f64 = if i % 3 == 0 { 4.0 } else { 1.5 };
            sum = sum - *b * *b * (0.5 / (s * s)) - (0.5 * LOG_2_PI + s.ln());
        }
        for (x, y) in self.data.x().rows().into_iter().zip(self.data.y()) {
            let eta = |k: usize| z[3 * k] * x[0] + z[3 * k + 1] * x[1] + z[3 * k + 2] * x[2];
            // log σ(η) = −softplus(−η), log(1 − σ(η)) = −softplus(η).
            sum = sum
                - match *y as usize {
                    0 => (-eta(0)).softplus(),
                    1 => eta(0).softplus() + (-eta(1)).softplus(),
                    _ => eta(0).softplus() + eta(1).softplus(),
                };
        }
        sum
    }
}

#[test]
fn contracts() {
    for n in [9, 80] {
        let m = model(n);
        let reference = AutoGrad(Reference { space: m.parameters().clone(), data: m.data().clone() });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 20, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_predictive(&m, key());
        let augmentation = [0, 1]
            .map(|stick| MultinomialRegressionBlock { stick, block: LogisticRegressionBlock::Augmentation });
        check_conditional_against(&m, &augmentation, 10, key());
        check_moves(&m);
    }
    check_conditional(&model(9), key());
}

/// In batches of 5 some hold no datum that reaches the second stick.
#[test]
fn minibatches_reach_the_bound() {
    assert_minibatches_reach_the_bound(&model(500), 40);
    let m = model(80);
    let first: Vec<usize> = (0..80).filter(|n| m.data().y()[*n] == 0.0).collect();
    let globals = m.init_globals(key(), Exec::local()).unwrap();
    let batch = m.local_step(&globals, Batch::new(&first[..5], 80), Exec::local()).unwrap();
    let block = m.global_blocks()[1];
    let mut eta = Array1::zeros(m.n_global_natural(block));
    m.global_conditional(block, &batch, &globals, &mut eta).unwrap();
    // The prior of that stick: no shift.
    assert!(eta.iter().take(3).all(|e| *e == 0.0), "{eta}");
}

#[test]
fn probabilities_of_the_classes_add_up_to_one() {
    let m = model(9);
    let z = array![0.3, -1.2, 0.4, 2.0, 0.1, -0.7];
    let mut total = Array1::<f64>::zeros(9);
    let mut log_p = Array1::zeros(9);
    for class in 0..4 {
        let data =
            RegressionData::with_intercept(covariates(9, 2), Array1::from_elem(9, f64::from(class))).unwrap();
        m.log_likelihood_pointwise(&data, &z, &mut log_p);
        total += &log_p.mapv(f64::exp);
        if class == 3 {
            assert!(log_p.iter().all(|l| *l == f64::NEG_INFINITY), "3 is no class: {log_p}");
        }
    }
    for t in &total {
        assert_relative_eq!(*t, 1.0, epsilon = 1e-14);
    }
}

/// One covariate, two sticks: evidence over (β_1, β_2) by quadrature. The bound loses to it what that of logistic
/// regression loses, once for each stick.
#[test]
fn bound_and_samplers_against_quadrature() {
    let x = covariates(30, 1);
    let y = labels(&x);
    let m = MultinomialRegression::new(RegressionData::new(x, y).unwrap(), 3, priors()).unwrap();
    let exact = integrate(&m, &[(-11.0, 9.0), (-11.0, 9.0)], 301);
    let fit = ascend(&m);
    let gap = exact.log_evidence - fit.elbo();
    assert!(gap > 0.0 && gap < 1.0, "evidence {}, ELBO {}", exact.log_evidence, fit.elbo());
    for (k, q) in fit.state.factors.iter().enumerate() {
        let mean = q.coefficients.mean()[0];
        assert!((mean - exact.mean[k]).abs() < 0.5 * exact.sd[k], "{mean} {exact:?}");
    }
    assert_exact("Gibbs", &gibbs(&m, 4000), &exact);
    assert_exact("NUTS", &nuts(&m, 4000), &exact);
}

/// Two classes make it logistic regression, class 0 in the place of success.
#[test]
fn two_classes_are_logistic_regression() {
    let x = covariates(25, 2);
    let y = labels(&x).mapv(|y| f64::from(u8::from(y == 0.0)));
    let flipped = y.mapv(|y| 1.0 - y);
    let data = |y: Array1<f64>| RegressionData::with_intercept(covariates(25, 2), y).unwrap();
    let two = ascend(&MultinomialRegression::new(data(flipped), 2, priors()).unwrap());
    let logistic = ascend(&LogisticRegression::new(data(y), priors()).unwrap());
    assert_eq!(two.elbo(), logistic.elbo());
    assert_eq!(two.state.factors[0], logistic.state.factors);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    assert_same_bits(&model(300));
}

#[test]
fn wrong_input_is_named() {
    let error = |y: [f64; 3], n_classes, priors| {
        let data = RegressionData::new(array![[1.0], [2.0], [3.0]], Array1::from(y.to_vec())).unwrap();
        MultinomialRegression::new(data, n_classes, priors).unwrap_err().to_string()
    };
    let text = |row: usize, value: &str| {
        format!(
            "multinomial_regression: y[{row}, 0] = {value}, but it must be a class 0, 1, …, n_classes − 1"
        )
    };
    assert_eq!(error([0.0, 3.0, 1.0], 3, priors()), text(1, "3"));
    assert_eq!(error([0.0, 1.0, 0.5], 3, priors()), text(2, "0.5"));
    assert_eq!(error([-1.0, 1.0, 0.0], 3, priors()), text(0, "-1"));
    let text = "multinomial_regression: n_classes = 5, but it must be 2 or more, and at most the largest response + 2";
    assert_eq!(error([0.0, 1.0, 2.0], 5, priors()), text);
    let p = LogisticRegressionPriors { scale: 0.0, ..Default::default() };
    assert_eq!(error([0.0, 1.0, 2.0], 3, p), "logistic_regression: scale = 0, but it must be finite and > 0");
    assert_eq!(model(9).blocks().len(), 4);
}
