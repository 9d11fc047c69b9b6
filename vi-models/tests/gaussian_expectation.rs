//! Expectations under independent Gaussians against sums that know nothing of them.

use std::f64::consts::PI;

use approx::assert_relative_eq;
use ndarray::{Array1, array};
use vi_core::{GaussianExpectation, LogJoint, Unconstrained};
use vi_models::eight_schools::{EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

/// Nodes and weights of a rule over the standard normal.
type Rule = Vec<(f64, f64)>;

/// Exact for polynomials of degree three.
fn two_points() -> Rule {
    vec![(-1.0, 0.5), (1.0, 0.5)]
}

/// The trapezoidal rule, far finer than what it integrates asks for.
fn fine() -> Rule {
    let h = 0.12;
    (-75..=75).map(|i| h * f64::from(i)).map(|u| (u, h * (-0.5 * u * u).exp() / (2.0 * PI).sqrt())).collect()
}

/// The expectation of the log joint on ℝᴰ, by the product of one rule for every coordinate.
fn by_product<M: LogJoint>(model: M, mean: &Array1<f64>, sd: &Array1<f64>, rules: &[Rule]) -> f64 {
    let model = Unconstrained::new(model).unwrap();
    let n_points: usize = rules.iter().map(Vec::len).product();
    let mut u = Array1::zeros(mean.len());
    (0..n_points)
        .map(|mut point| {
            let mut weight = 1.0;
            for (d, rule) in rules.iter().enumerate() {
                let (node, w) = rule[point % rule.len()];
                point /= rule.len();
                u[d] = mean[d] + sd[d] * node;
                weight *= w;
            }
            weight * model.log_joint(&u)
        })
        .sum()
}

/// The value against the product rule, the derivatives against differences of the product rule.
fn check<M: GaussianExpectation>(model: &M, mean: &Array1<f64>, sd: &Array1<f64>, rules: &[Rule]) {
    let d = mean.len();
    let (mut grad_mean, mut grad_sd) = (Array1::from_elem(d, f64::NAN), Array1::from_elem(d, f64::NAN));
    let value = model.expected_under_gaussians(mean, sd, &mut grad_mean, &mut grad_sd);
    assert_relative_eq!(value, by_product(model, mean, sd, rules), max_relative = 1e-10);
    let step = 1e-4;
    for i in 0..d {
        let moved = |v: &Array1<f64>, by: f64| {
            let mut v = v.clone();
            v[i] += by;
            v
        };
        let in_mean = by_product(model, &moved(mean, step), sd, rules)
            - by_product(model, &moved(mean, -step), sd, rules);
        let in_sd = by_product(model, mean, &moved(sd, step), rules)
            - by_product(model, mean, &moved(sd, -step), rules);
        assert_relative_eq!(grad_mean[i], in_mean / (2.0 * step), max_relative = 1e-6, epsilon = 1e-6);
        assert_relative_eq!(grad_sd[i], in_sd / (2.0 * step), max_relative = 1e-6, epsilon = 1e-6);
    }
}

#[test]
fn logistic_regression_agrees_with_a_product_rule() {
    let x = array![[0.3], [-1.7], [2.2], [0.9], [-0.4]];
    let data = RegressionData::with_intercept(x, array![1.0, 0.0, 1.0, 0.0, 1.0]).unwrap();
    let priors = LogisticRegressionPriors { scale: 1.5, intercept_scale: Some(4.0) };
    let model = LogisticRegression::new(data, priors).unwrap();
    let rules = [fine(), fine()];
    check(&model, &array![0.2, -0.6], &array![0.7, 1.1], &rules);
    check(&model, &array![-1.0, 2.0], &array![0.05, 0.4], &rules);
}

#[test]
fn eight_schools_agree_with_a_product_rule() {
    let data = EightSchoolsData { effect: array![28.0, 8.0, -3.0], standard_error: array![15.0, 10.0, 4.0] };
    let priors = EightSchoolsPriors { mu_mean: 1.0, ..EightSchoolsPriors::default() };
    let model = EightSchoolsNonCentred::new(data, priors).unwrap();
    // Quadratic in every coordinate but log τ.
    let rules = [two_points(), two_points(), two_points(), two_points(), fine()];
    check(&model, &array![0.3, -0.2, 0.5, 4.0, 1.1], &array![0.9, 1.1, 0.8, 3.0, 0.6], &rules);
    check(&model, &array![0.0, 0.0, 0.0, 0.0, 0.0], &array![1.0, 1.0, 1.0, 1.0, 1.0], &rules);
}
