//! Probit regression.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_batch,
    check_local, check_predictive,
};
use vi_core::{ConditionallyConjugate, Exec, GradLogJoint, LogJoint};
use vi_families::special::normal_cdf;
use vi_models::probit_regression::{ProbitRegression, ProbitRegressionBlock, ProbitRegressionPriors};
use vi_models::regression::RegressionData;

use crate::common::{
    LOG_2_PI, ascend, assert_agree, assert_exact, assert_minibatches_reach_the_bound, assert_same_bits,
    check_moves, gibbs, integrate, key, nuts,
};

fn priors() -> ProbitRegressionPriors {
    ProbitRegressionPriors { scale: 1.2, intercept_scale: Some(3.0) }
}

fn data(n: usize) -> RegressionData {
    let x = Array2::from_shape_fn((n, 2), |(n, j)| ((n * (3 + 2 * j)) as f64 * 0.37).sin() * 1.5);
    let y = x.rows().into_iter().enumerate().map(|(n, x)| {
        let noise = (n as f64 * 1.91).cos();
        f64::from(u8::from(0.3 + 1.1 * x[0] - 0.4 * x[1] + noise > 0.0))
    });
    let y = y.collect();
    RegressionData::with_intercept(x, y).unwrap()
}

fn model(n: usize) -> ProbitRegression {
    ProbitRegression::new(data(n), priors()).unwrap()
}

#[test]
fn contracts() {
    for n in [7, 90] {
        let m = model(n);
        check_gradient(&m, 10, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_local(&m, 10, key());
        check_predictive(&m, key());
        check_conditional_against(&m, &[ProbitRegressionBlock::Latents], 10, key());
        check_moves(&m);
    }
    check_conditional(&model(7), key());
}

#[test]
fn minibatches_reach_the_bound() {
    assert_minibatches_reach_the_bound(&model(600), 40);
}

#[test]
fn the_log_joint_is_written_out() {
    let m = model(9);
    let z = array![0.4, -1.1, 0.7];
    let mut expected = -3.0 * 0.5 * LOG_2_PI - 3f64.ln() - 2.0 * 1.2f64.ln();
    expected -= 0.5 * ((0.4f64 / 3.0).powi(2) + (1.1f64 / 1.2).powi(2) + (0.7f64 / 1.2).powi(2));
    for (x, y) in m.data().x().rows().into_iter().zip(m.data().y()) {
        let p = normal_cdf(x.dot(&z));
        expected += if *y == 1.0 { p.ln() } else { (1.0 - p).ln() };
    }
    assert_relative_eq!(m.log_joint(&z), expected, max_relative = 1e-13);
}

/// One slope, no intercept: evidence and moments by quadrature.
#[test]
fn bound_and_samplers_against_quadrature() {
    for n in [12, 40] {
        let full = data(n);
        let x = full.x().slice(ndarray::s![.., 1..2]).to_owned();
        let data = RegressionData::new(x, full.y().clone()).unwrap();
        let m = ProbitRegression::new(data, priors()).unwrap();
        let exact = integrate(&m, &[(-10.0, 14.0)], 4001);
        let fit = ascend(&m);
        let gap = exact.log_evidence - fit.elbo();
        assert!(gap > 0.0 && gap < 1.0, "n = {n}: evidence {}, ELBO {}", exact.log_evidence, fit.elbo());
        let q = &fit.state.factors.coefficients;
        // Its means shrink towards 0 (Consonni & Marin 2007), its sds are too small.
        assert!(
            q.mean()[0] > 0.4 * exact.mean[0] && q.mean()[0] < 1.02 * exact.mean[0],
            "{} {exact:?}",
            q.mean()
        );
        assert!(q.covariance()[[0, 0]].sqrt() < exact.sd[0]);
        assert_exact("Gibbs", &gibbs(&m, 4000), &exact);
        assert_exact("NUTS", &nuts(&m, 4000), &exact);
    }
}

/// One datum, by hand: with v = s²x²/(1 + s²x²) the mean-field mean of η solves c = v E[g | c].
#[test]
fn one_datum_has_the_fixed_point_by_hand() {
    let data = RegressionData::new(array![[2.0]], array![1.0]).unwrap();
    let m = ProbitRegression::new(data, ProbitRegressionPriors { scale: 0.8, ..Default::default() }).unwrap();
    let v = 4.0 * 0.64 / (1.0 + 4.0 * 0.64);
    let mut c: f64 = 0.0;
    for _ in 0..200 {
        let slope = (-0.5 * c * c).exp() / ((2.0 * std::f64::consts::PI).sqrt() * normal_cdf(c));
        c = v * (c + slope);
    }
    let fit = ascend(&m);
    assert_relative_eq!(fit.state.factors.coefficients.mean()[0], 0.5 * c, epsilon = 1e-6);
    // Against the standard normal measure E[gη − η²/2 − gc + c²/2] = −v/2; E[β²]/s² adds 1 − v to m²/s², and all that is
    // left is log Φ(c) − m²/(2s²) + ½ log(1 − v).
    let mean = 0.5 * c;
    let bound = normal_cdf(c).ln() - 0.5 * mean * mean / 0.64 + 0.5 * (1.0 - v).ln();
    assert_relative_eq!(fit.elbo(), bound, epsilon = 1e-10);
}

#[test]
fn gibbs_agrees_with_nuts() {
    let m = model(90);
    assert_agree(&gibbs(&m, 4000), &nuts(&m, 2000));
}

/// Forty standard deviations on the wrong side of the threshold: log Φ(−40) = −804.608…, by 60-digit arithmetic.
#[test]
fn far_tails_stay_accurate() {
    const LOG_CDF: f64 = -804.608442013754;
    const SLOPE: f64 = 40.024_968_847_207_26;
    let data = RegressionData::new(array![[40.0], [-40.0]], array![0.0, 1.0]).unwrap();
    let m = ProbitRegression::new(data, ProbitRegressionPriors { scale: 1.0, ..Default::default() }).unwrap();
    let mut grad = array![0.0];
    let value = m.log_joint_and_grad(&array![1.0], &mut grad);
    assert_relative_eq!(value, 2.0 * LOG_CDF - 0.5 - 0.5 * LOG_2_PI, max_relative = 1e-13);
    assert_relative_eq!(grad[0], -80.0 * SLOPE - 1.0, max_relative = 1e-14);
    let value = m.log_joint_and_grad(&array![-1.0], &mut grad);
    assert_relative_eq!(value, -0.5 - 0.5 * LOG_2_PI, max_relative = 1e-14);
    assert_relative_eq!(grad[0], 1.0, epsilon = 1e-14);
    // The conditional of a latent there: mean 0.02496… beyond the threshold, and draws on the right side.
    let exec = Exec::local();
    let (mut q, mut stats) = m.init(key(), exec).unwrap();
    stats.predictors = array![40.0, -40.0];
    m.condition(ProbitRegressionBlock::Latents, &stats, &mut q, exec).unwrap();
    m.expect(ProbitRegressionBlock::Latents, &q, &mut stats, exec);
    assert_relative_eq!(stats.latents[0], -0.024_968_847_207_263_722, max_relative = 1e-13);
    assert_relative_eq!(stats.latents[1], 0.024_968_847_207_263_722, max_relative = 1e-13);
    assert!(m.entropy(&q).is_finite());
    m.draw(ProbitRegressionBlock::Latents, &q, key(), &mut stats, exec);
    assert!(stats.latents[0] < 0.0 && stats.latents[1] > 0.0, "{}", stats.latents);
    assert!(m.block_log_prob(ProbitRegressionBlock::Latents, &q, &stats).is_finite());
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    assert_same_bits(&model(300));
}

#[test]
fn wrong_input_is_named() {
    let error = |y: f64, p| {
        let data = RegressionData::new(array![[1.0], [2.0]], Array1::from_vec(vec![1.0, y])).unwrap();
        ProbitRegression::new(data, p).unwrap_err().to_string()
    };
    assert_eq!(error(-1.0, priors()), "probit_regression: y[1, 0] = -1, but it must be 0 or 1");
    let p = ProbitRegressionPriors { scale: f64::NAN, ..Default::default() };
    assert_eq!(error(0.0, p), "probit_regression: scale = NaN, but it must be finite and > 0");
    let p = ProbitRegressionPriors { intercept_scale: Some(0.0), ..Default::default() };
    assert_eq!(error(0.0, p), "probit_regression: intercept_scale = 0, but it must be finite and > 0");
}
