//! Student-t regression.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array, s};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive,
};
use vi_core::{AutoGrad, LogJoint, ParameterSpace, Scalar, ScalarLogJoint, log_sum_exp};
use vi_families::special::log_gamma;
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::regression::RegressionData;
use vi_models::student_t_regression::{
    StudentTRegression, StudentTRegressionBlock, StudentTRegressionPriors,
};

use crate::common::{
    LOG_2_PI, ascend, assert_agree, assert_exact, assert_minibatches_reach_the_bound, assert_same_bits,
    check_moves, gibbs, integrate, key, nuts,
};

fn x() -> Array2<f64> {
    array![[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8], [0.1, 0.2], [2.0, -0.4], [-1.1, 1.3]]
}

fn data() -> RegressionData {
    RegressionData::with_intercept(x(), array![1.9, 2.2, -0.8, 9.7, 3.6, -1.5]).unwrap()
}

const GAMMA: NoisePrior = NoisePrior::Gamma { shape: 2.0, rate: 1.5 };

fn priors(noise: NoisePrior, dof: &[f64]) -> StudentTRegressionPriors {
    StudentTRegressionPriors {
        coefficient_precision: 0.6,
        intercept_precision: Some(0.2),
        noise,
        dof: dof.to_vec(),
    }
}

/// One slope and no intercept: 12 points on a line of slope 2, one of them far off.
fn slope(noise: NoisePrior, dof: &[f64]) -> StudentTRegression {
    let x = Array2::from_shape_fn((12, 1), |(n, _)| n as f64 / 6.0 - 0.9);
    let wobble = array![0.3, -0.2, 0.5, -0.4, 0.1, 0.0, 0.2, -0.6, 0.4, -0.1, 0.2, -7.0];
    let y = x.column(0).mapv(|x| 2.0 * x) + &wobble;
    StudentTRegression::new(RegressionData::new(x, y).unwrap(), priors(noise, dof)).unwrap()
}

/// The same model written out datum by datum; a₀ = 2, so that Γ(a₀) = 1.
struct Reference {
    space: ParameterSpace,
    priors: StudentTRegressionPriors,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let (tau, mut sum) = match self.priors.noise {
            NoisePrior::Known { precision } => (T::constant(precision), T::constant(0.0)),
            NoisePrior::Gamma { shape, rate } => {
                (z[3], z[3].ln() * (shape - 1.0) + shape * rate.ln() - z[3] * rate)
            }
        };
        for (b, p) in z[..3].iter().zip([0.2f64, 0.6, 0.6]) {
            sum = sum + (*b * *b * -p + (p.ln() - LOG_2_PI)) * 0.5;
        }
        let terms = self.priors.dof.iter().map(|&nu| {
            let constant =
                log_gamma(0.5 * (nu + 1.0)) - log_gamma(0.5 * nu) - 0.5 * (nu * std::f64::consts::PI).ln();
            let mut term = T::constant(-(self.priors.dof.len() as f64).ln());
            for (row, y) in data().x().rows().into_iter().zip(data().y()) {
                let r = z[0] + z[1] * row[1] + z[2] * row[2] - *y;
                let tail = (tau * r * r / nu).ln_1p() * (0.5 * (nu + 1.0));
                term = term + tau.ln() * 0.5 + constant - tail;
            }
            term
        });
        sum + log_sum_exp(&terms.collect::<Vec<T>>())
    }
}

#[test]
fn contracts() {
    for (noise, dof) in
        [(GAMMA, &[3.0][..]), (GAMMA, &[1.0, 3.5, 20.0]), (NoisePrior::Known { precision: 1.7 }, &[2.0, 5.0])]
    {
        let m = StudentTRegression::new(data(), priors(noise, dof)).unwrap();
        let reference = AutoGrad(Reference { space: m.parameters().clone(), priors: m.priors().clone() });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 20, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_local(&m, 10, key());
        check_predictive(&m, key());
        check_conditional(&m, key());
        check_conditional_against(&m, &[StudentTRegressionBlock::Scales], 10, key());
        check_moves(&m);
    }
}

/// A line of slope 2 with wide noise, every seventh point five times as far off.
#[test]
fn minibatches_reach_the_bound() {
    let x = Array2::from_shape_fn((600, 1), |(n, _)| (n as f64 * 0.37).sin());
    let error = |n: usize| (n as f64 * 1.91).cos() * if n.is_multiple_of(7) { 5.0 } else { 1.0 };
    let y = x.column(0).iter().enumerate().map(|(n, x)| 0.5 + 2.0 * x + error(n)).collect();
    let data = RegressionData::with_intercept(x, y).unwrap();
    let m = StudentTRegression::new(data, priors(GAMMA, &[1.0, 3.0, 30.0])).unwrap();
    assert_minibatches_reach_the_bound(&m, 60);
}

#[test]
fn batches_longer_than_a_group_agree_with_single_rows() {
    let m = StudentTRegression::new(data(), priors(GAMMA, &[1.0, 6.0])).unwrap();
    let z = Array2::from_shape_fn((37, 4), |(s, d)| {
        if d == 3 { 0.3 + s as f64 } else { (s * 7 + d * 3) as f64 % 5.0 - 2.0 }
    });
    let mut out = Array1::zeros(37);
    m.log_joint_batch(&z, &mut out);
    for (row, value) in z.rows().into_iter().zip(&out) {
        assert_relative_eq!(m.log_joint(&row), *value, max_relative = 1e-13);
    }
}

/// With τ known the posterior of the slope is one-dimensional: evidence by quadrature.
#[test]
fn the_bound_lies_below_the_evidence_and_close_to_it() {
    for dof in [&[1.5][..], &[4.0], &[1.0, 2.0, 4.0, 8.0, 30.0]] {
        let m = slope(NoisePrior::Known { precision: 4.0 }, dof);
        let exact = integrate(&m, &[(-6.0, 10.0)], 4001);
        let fit = ascend(&m);
        let gap = exact.log_evidence - fit.elbo();
        assert!(gap > 0.0 && gap < 0.2, "dof {dof:?}: evidence {}, ELBO {}", exact.log_evidence, fit.elbo());
        let q = &fit.state.factors.coefficients;
        assert!((q.mean()[0] - exact.mean[0]).abs() < 0.2 * exact.sd[0], "{} {exact:?}", q.mean());
        // Mean field is too narrow, never too wide here.
        let sd = q.covariance()[[0, 0]].sqrt();
        assert!(sd < exact.sd[0] && sd > 0.6 * exact.sd[0], "{sd} {exact:?}");
    }
}

/// In the limit of many degrees of freedom it is normal regression.
#[test]
fn many_degrees_of_freedom_make_it_normal() {
    let normal = LinearRegressionPriors {
        coefficient_precision: 0.6,
        intercept_precision: Some(0.2),
        coupled: false,
        noise: GAMMA,
        ..Default::default()
    };
    let limit = ascend(&LinearRegression::new(data(), normal).unwrap());
    let t = ascend(&StudentTRegression::new(data(), priors(GAMMA, &[1e8])).unwrap());
    assert_relative_eq!(t.elbo(), limit.elbo(), epsilon = 1e-5);
    let (a, b) = (&t.state.factors.coefficients, &limit.state.factors.coefficients);
    for d in 0..3 {
        assert_relative_eq!(a.mean()[d], b.mean()[d], epsilon = 1e-5);
    }
}

/// Gibbs and NUTS against quadrature over (β, τ), and p(ν | y) against evidences at each ν.
#[test]
fn samplers_agree_with_quadrature() {
    let dof = [1.0, 4.0, 16.0];
    let m = slope(GAMMA, &dof);
    let ranges = [(-6.0, 10.0), (-5.0, 4.0)];
    let exact = integrate(&m, &ranges, 401);
    let draws = gibbs(&m, 4000);
    assert_exact("Gibbs", &draws, &exact);
    assert_exact("NUTS", &nuts(&m, 4000), &exact);
    let mut p = Array1::<f64>::zeros(3);
    let values = draws.values();
    for z in values.rows() {
        p += &m.dof_probabilities(&z);
    }
    p /= values.len() as f64 / 2.0;
    for (k, nu) in dof.iter().enumerate() {
        let alone = integrate(&slope(GAMMA, &[*nu]), &ranges, 401).log_evidence;
        let expected = (alone - exact.log_evidence).exp() / 3.0;
        // 16 000 draws, of which at least a tenth are independent: below 4 errors of at most 0.0125.
        assert!((p[k] - expected).abs() < 0.05, "ν = {nu}: {} by Gibbs, {expected} exact", p[k]);
    }
}

/// Stack loss of 21 days (data/stackloss.csv): robust analyses agree on days 1, 3, 4 and 21 as outliers (Rousseeuw &
/// Leroy, *Robust Regression and Outlier Detection*, 1987, chapter 3; Lange, Little & Taylor 1989).
fn stackloss() -> RegressionData {
    let text = include_str!("../../../data/stackloss.csv");
    let rows: Vec<f64> =
        text.lines().skip(1).flat_map(|l| l.split(',')).map(|v| v.parse().unwrap()).collect();
    let table = Array2::from_shape_vec((21, 4), rows).unwrap();
    let mut x = table.slice(s![.., ..3]).to_owned();
    for mut column in x.columns_mut() {
        let (mean, sd) = (column.mean().unwrap(), column.std(0.0));
        column.mapv_inplace(|v| (v - mean) / sd);
    }
    RegressionData::with_intercept(x, table.column(3).to_owned()).unwrap()
}

fn stackloss_model(dof: &[f64]) -> StudentTRegression {
    let priors =
        StudentTRegressionPriors { intercept_precision: Some(1e-4), dof: dof.to_vec(), ..Default::default() };
    StudentTRegression::new(stackloss(), priors).unwrap()
}

#[test]
fn the_outliers_of_stack_loss_lose_their_weight() {
    let fit = ascend(&stackloss_model(&[1.1, 2.0, 4.0, 8.0, 16.0]));
    let weights = &fit.state.stats.scales;
    let mut order: Vec<usize> = (0..21).collect();
    order.sort_by(|a, b| weights[*a].total_cmp(&weights[*b]));
    let mut lightest: Vec<usize> = order[..4].iter().map(|n| n + 1).collect();
    lightest.sort_unstable();
    assert_eq!(lightest, [1, 3, 4, 21], "{weights}");
    assert!(weights[order[3]] < 0.9 * weights[order[4]], "{weights}");
}

#[test]
fn gibbs_agrees_with_nuts_on_stack_loss() {
    let m = stackloss_model(&[2.0, 4.0, 8.0]);
    assert_agree(&gibbs(&m, 4000), &nuts(&m, 2000));
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let x = Array2::from_shape_fn((300, 2), |(n, d)| ((n * (3 + d)) % 17) as f64 / 8.0 - 1.0);
    let y = x.column(0).mapv(|v| v.powi(3));
    let m = StudentTRegression::new(RegressionData::new(x, y).unwrap(), priors(GAMMA, &[2.0, 5.0])).unwrap();
    assert_same_bits(&m);
}

#[test]
fn wrong_input_is_named() {
    let refuse = |p| StudentTRegression::new(data(), p).unwrap_err().to_string();
    let text = "student_t_regression: dof[2] = 0, but it must be finite and > 0";
    assert_eq!(refuse(priors(GAMMA, &[1.0, 0.0])), text);
    let text = "student_t_regression: dof[1] = NaN, but it must be finite and > 0";
    assert_eq!(refuse(priors(GAMMA, &[f64::NAN])), text);
    assert_eq!(refuse(priors(GAMMA, &[])), "student_t_regression: dof is empty");
    let p = priors(NoisePrior::Gamma { shape: 1.0, rate: -1.0 }, &[4.0]);
    assert_eq!(refuse(p), "student_t_regression: noise.gamma.rate = -1, but it must be finite and > 0");
    let p = StudentTRegressionPriors { coefficient_precision: 0.0, ..Default::default() };
    assert_eq!(refuse(p), "student_t_regression: coefficient_precision = 0, but it must be finite and > 0");
    // τ ≤ 0 has density 0.
    let m = StudentTRegression::new(data(), priors(GAMMA, &[4.0])).unwrap();
    assert_eq!(m.log_joint(&array![0.0, 0.0, 0.0, -1.0]), f64::NEG_INFINITY);
}
