//! Predictive distributions: densities against mpmath, CDFs against densities, draws against CDFs.

use vi_core::StreamRng;
use vi_families::{
    Burr, CompoundGamma, DoubleLomax, HalfStudentT, InverseGaussianMixture, LogLomax, LogStudentT, Lomax,
    PredictiveDistribution,
};

use super::{Case, assert_close, assert_within, config, key, predictive_values};

/// What the predictive distributions have besides the trait.
type Function<D> = fn(&D, f64) -> f64;

fn check_density<D>(cases: &[Case], member: impl Fn(&[f64]) -> D)
where
    D: PredictiveDistribution<Value = f64>,
{
    for case in cases {
        let d = member(case.parameters);
        for &(x, log_prob, _, _) in case.points {
            assert_close(&format!("log_prob of {d:?} at {x}"), d.log_predictive(&x), log_prob);
        }
        assert_eq!(d.log_predictive(&f64::INFINITY), f64::NEG_INFINITY, "{d:?}");
        assert!(d.log_predictive(&f64::NAN).is_nan(), "{d:?}");
    }
}

/// The CDF against mpmath, and Kolmogorov's statistic of 4000 draws: √n D exceeds 3 with probability 3·10⁻⁸.
fn check_cdf<D>(cases: &[Case], member: impl Fn(&[f64]) -> D, cdf: Function<D>, survival: Function<D>)
where
    D: PredictiveDistribution<Value = f64>,
{
    for case in cases {
        let d = member(case.parameters);
        for &(x, _, below, above) in case.points {
            assert_within(&format!("cdf of {d:?} at {x}"), cdf(&d, x), below, 2e-12 * below);
            assert_within(&format!("survival of {d:?} at {x}"), survival(&d, x), above, 2e-12 * above);
        }
        assert!(cdf(&d, f64::NAN).is_nan() && survival(&d, f64::NAN).is_nan(), "{d:?}");
        assert_eq!((cdf(&d, f64::NEG_INFINITY), cdf(&d, f64::INFINITY)), (0.0, 1.0), "{d:?}");
        check_draws(&format!("{d:?}"), |rng| cdf(&d, d.sample_predictive(rng)));
    }
}

/// Asserts that numbers are uniform on (0, 1).
fn check_draws(what: &str, uniform: impl Fn(&mut StreamRng) -> f64) {
    let mut u: Vec<f64> = (0..4000).map(|s| uniform(&mut key().rng(s))).collect();
    u.sort_by(f64::total_cmp);
    let n = u.len() as f64;
    let distance = u.iter().enumerate().map(|(i, u)| (u - (i as f64 + 0.5) / n).abs() + 0.5 / n);
    let statistic = distance.fold(0.0, f64::max) * n.sqrt();
    assert!(statistic < 3.0, "draws of {what}: √n D = {statistic}");
}

/// `smallest`: the probability below which rounding of x, relative to its distance from zero, is too coarse.
fn check_quantile<D: std::fmt::Debug>(d: &D, cdf: Function<D>, quantile: Function<D>, smallest: f64) {
    for p in [1e-300, 1e-9, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-9].into_iter().filter(|p| *p >= smallest) {
        let x = quantile(d, p);
        // Some quantiles leave the range of numbers.
        if x.is_normal() {
            assert_within(&format!("cdf of the {p} quantile of {d:?}"), cdf(d, x), p, 1e-11 * p);
        }
    }
    assert!(quantile(d, -0.1).is_nan() && quantile(d, 1.1).is_nan() && quantile(d, f64::NAN).is_nan());
    assert!(quantile(d, 1.0) > 1e300, "{d:?}");
}

/// Mean and variance against ∫ P(x̂ > x) dx and 2 ∫ x P(x̂ > x) dx, in the logarithm of x.
fn check_moments<D: std::fmt::Debug>(d: &D, survival: Function<D>, mean: f64, variance: f64) {
    let (mut first, mut second) = (0.0, 0.0);
    let step: f64 = 0.01;
    for i in -4000..=6000 {
        let x = (f64::from(i) * step).exp();
        first += step * x * survival(d, x);
        second += 2.0 * step * x * x * survival(d, x);
    }
    assert_within(&format!("mean of {d:?}"), mean, first, 1e-8 * first);
    assert_within(&format!("variance of {d:?}"), variance, second - first * first, 1e-7 * second);
}

fn lomax(p: &[f64]) -> Lomax {
    Lomax::from_shape_scale(p[0], p[1]).unwrap()
}

fn log_lomax(p: &[f64]) -> LogLomax {
    LogLomax::from_minimum_shape_scale(p[0], p[1], p[2]).unwrap()
}

fn double_lomax(p: &[f64]) -> DoubleLomax {
    DoubleLomax::from_location_shape_scale(p[0], p[1], p[2]).unwrap()
}

fn burr(p: &[f64]) -> Burr {
    Burr::from_shape_tail_scale(p[0], p[1], p[2]).unwrap()
}

fn compound_gamma(p: &[f64]) -> CompoundGamma {
    CompoundGamma::from_shape_tail_scale(p[0], p[1], p[2]).unwrap()
}

fn half_student_t(p: &[f64]) -> HalfStudentT {
    HalfStudentT::from_dof_scale(p[0], p[1]).unwrap()
}

fn log_student_t(p: &[f64]) -> LogStudentT {
    LogStudentT::from_dof_location_scale(p[0], p[1], p[2]).unwrap()
}

fn inverse_gaussian_mixture(p: &[f64]) -> InverseGaussianMixture {
    InverseGaussianMixture::from_mean_shape_rate(p[0], p[1], p[2]).unwrap()
}

/// Without a CDF of its own: (x − m)²/(2m²x) has one, and P(x̂ > x) of the whole is the integral of the density.
#[test]
fn draws_of_the_inverse_gaussian_mixture() {
    for p in [[1.5, 2.5, 3.0], [0.2, 0.6, 0.1]] {
        let d = inverse_gaussian_mixture(&p);
        let deviance = compound_gamma(&[0.5, p[1], p[2]]);
        check_draws(&format!("deviance of {d:?}"), |rng| {
            let x = d.sample(rng);
            deviance.cdf((x - p[0]).powi(2) / (2.0 * p[0] * p[0] * x))
        });
        // Below the mean with the probability that the density says: 5.4 standard errors.
        let step: f64 = 1e-3;
        let density = |u: f64| (d.log_prob(p[0] * u.exp()) + u).exp() * p[0] * step;
        let below = (1..40_000).map(|i| density(-step * f64::from(i))).sum::<f64>() + 0.5 * density(0.0);
        let above = (1..40_000).map(|i| density(step * f64::from(i))).sum::<f64>() + 0.5 * density(0.0);
        assert_within(&format!("∫ p of {d:?}"), below + above, 1.0, 1e-6);
        let n_below = (0..4000).filter(|s| d.sample(&mut key().rng(*s)) < p[0]).count() as f64;
        assert_within(
            &format!("P(x < mean) of {d:?}"),
            n_below / 4000.0,
            below,
            5.4 * (0.25f64 / 4000.0).sqrt(),
        );
    }
}

#[test]
fn densities() {
    check_density(predictive_values::LOMAX, lomax);
    check_density(predictive_values::LOG_LOMAX, log_lomax);
    check_density(predictive_values::DOUBLE_LOMAX, double_lomax);
    check_density(predictive_values::BURR, burr);
    check_density(predictive_values::COMPOUND_GAMMA, compound_gamma);
    check_density(predictive_values::INVERSE_GAUSSIAN_MIXTURE, inverse_gaussian_mixture);
    check_density(predictive_values::HALF_STUDENT_T, half_student_t);
    check_density(predictive_values::LOG_STUDENT_T, log_student_t);
}

#[test]
fn cdfs_and_draws() {
    check_cdf(predictive_values::LOMAX, lomax, Lomax::cdf, Lomax::survival);
    check_cdf(predictive_values::LOG_LOMAX, log_lomax, LogLomax::cdf, LogLomax::survival);
    check_cdf(predictive_values::DOUBLE_LOMAX, double_lomax, DoubleLomax::cdf, DoubleLomax::survival);
    check_cdf(predictive_values::BURR, burr, Burr::cdf, Burr::survival);
    check_cdf(predictive_values::COMPOUND_GAMMA, compound_gamma, CompoundGamma::cdf, CompoundGamma::survival);
    check_cdf(predictive_values::HALF_STUDENT_T, half_student_t, HalfStudentT::cdf, HalfStudentT::survival);
    check_cdf(predictive_values::LOG_STUDENT_T, log_student_t, LogStudentT::cdf, LogStudentT::survival);
}

#[test]
fn quantiles() {
    for p in [[2.5, 3.0, 0.1], [0.3, 0.1, 4.0]] {
        check_quantile(&lomax(&p), Lomax::cdf, Lomax::quantile, 1e-300);
        check_quantile(&log_lomax(&p), LogLomax::cdf, LogLomax::quantile, 1e-3);
        check_quantile(&double_lomax(&[0.0, p[0], p[1]]), DoubleLomax::cdf, DoubleLomax::quantile, 1e-300);
        check_quantile(&burr(&p), Burr::cdf, Burr::quantile, 1e-300);
    }
}

#[test]
fn moments() {
    let d = lomax(&[4.5, 3.0]);
    check_moments(&d, Lomax::survival, d.mean(), d.variance());
    let d = burr(&[1.5, 3.5, 2.0]);
    check_moments(&d, Burr::survival, d.mean(), d.variance());
    let d = compound_gamma(&[0.7, 4.5, 2.0]);
    check_moments(&d, CompoundGamma::survival, d.mean(), d.variance());
    let d = half_student_t(&[7.0, 1.5]);
    check_moments(&d, HalfStudentT::survival, d.mean(), d.variance());
    // E[x] = mean, and E[1/λ] mean³ on top of it.
    let d = inverse_gaussian_mixture(&[1.5, 2.5, 3.0]);
    assert_close("variance of InverseGaussianMixture", d.variance(), 1.5f64.powi(3) * 3.0 / 1.5);
    let d = double_lomax(&[0.0, 4.5, 3.0]);
    let distance = lomax(&[4.5, 3.0]);
    assert_close("variance of DoubleLomax", d.variance(), distance.variance() + distance.mean().powi(2));
    assert_eq!(
        (d.mean(), lomax(&[1.0, 1.0]).mean(), lomax(&[2.0, 1.0]).variance()),
        (0.0, f64::INFINITY, f64::INFINITY)
    );
    assert!(double_lomax(&[0.0, 1.0, 1.0]).mean().is_nan() && burr(&[0.5, 2.0, 1.0]).mean().is_infinite());
}

proptest::proptest! {
    #![proptest_config(config(1000))]

    /// Whatever the parameters: an error, or a distribution with a draw inside its support.
    #[test]
    fn any_parameters_give_an_error_or_a_distribution(a in super::anything(), b in super::anything(), c in super::anything()) {
        fn check<D: PredictiveDistribution<Value = f64>>(
            d: Result<D, vi_families::FamilyError>,
            [a, b, c]: [f64; 3],
        ) {
            let Ok(d) = d else { return };
            let x = d.sample_predictive(&mut key().rng(0));
            let log_prob = d.log_predictive(&x);
            assert!(!log_prob.is_nan() && log_prob < f64::INFINITY, "{d:?} draws {x}: {log_prob}");
            // Beyond that, ratios of draws and scales leave the range of numbers.
            let ordinary = |v: f64| (1e-100..1e100).contains(&v.abs()) || v == 0.0;
            if ordinary(x) && [a, b, c].into_iter().all(ordinary) {
                assert!(log_prob > f64::NEG_INFINITY, "{d:?} draws {x}: {log_prob}");
            }
        }
        check(Lomax::from_shape_scale(a, b), [a, b, c]);
        check(LogLomax::from_minimum_shape_scale(a, b, c), [a, b, c]);
        check(DoubleLomax::from_location_shape_scale(a, b, c), [a, b, c]);
        check(Burr::from_shape_tail_scale(a, b, c), [a, b, c]);
        check(CompoundGamma::from_shape_tail_scale(a, b, c), [a, b, c]);
        check(HalfStudentT::from_dof_scale(a, b), [a, b, c]);
        check(InverseGaussianMixture::from_mean_shape_rate(a, b, c), [a, b, c]);
        check(LogStudentT::from_dof_location_scale(a, b, c), [a, b, c]);
    }
}
