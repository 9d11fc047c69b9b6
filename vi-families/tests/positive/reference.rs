//! Values against mpmath.

use vi_families::{
    ChiSquared, Exponential, ExponentialFamily, Gamma, HalfNormal, InverseGamma, InverseGaussian, LogNormal,
    Pareto, Rayleigh, Univariate, Weibull,
};

use super::{Case, assert_close, assert_within, values};

/// Compares log densities, entropy, CDF and survival function, and sends each point through the quantile.
fn check<F>(cases: &[Case], member: impl Fn(&[f64]) -> F)
where
    F: ExponentialFamily<Value = f64> + Univariate,
{
    for case in cases {
        let q = member(case.parameters);
        assert_close(&format!("entropy of {q:?}"), q.entropy(), case.entropy);
        for &(x, log_prob, cdf, survival) in case.points {
            let name = |what: &str| format!("{what} of {q:?} at {x}");
            assert_close(&name("log_prob"), q.log_prob(&x), log_prob);
            assert_within(&name("cdf"), q.cdf(x), cdf, 2e-12 * cdf);
            assert_within(&name("survival"), q.survival(x), survival, 2e-12 * survival);
            // A probability of ½ or less has its digits; the rounding of p is steep where the density is small.
            let rounding = 1e-12 * x + 4.0 * f64::EPSILON * cdf / log_prob.exp();
            if cdf < 1.0 {
                assert_within(&name("quantile"), q.quantile(cdf), x, rounding);
            }
        }
        assert!(q.cdf(f64::NAN).is_nan() && q.survival(f64::NAN).is_nan() && q.log_prob(&f64::NAN).is_nan());
        let (lower, upper) = q.support();
        assert_eq!((q.quantile(0.0), q.quantile(1.0)), (lower, upper));
        assert!([-0.1, 1.1, f64::NAN].iter().all(|p| q.quantile(*p).is_nan()), "{q:?}");
        for (x, cdf) in [(f64::NEG_INFINITY, 0.0), (-1.0, 0.0), (f64::INFINITY, 1.0)] {
            assert_eq!((q.cdf(x), q.survival(x)), (cdf, 1.0 - cdf), "{q:?} at {x}");
            assert_eq!(q.log_prob(&x), f64::NEG_INFINITY, "{q:?} at {x}");
        }
    }
}

#[test]
fn functions_of_an_exponential() {
    check(values::EXPONENTIAL, |p| Exponential::from_rate(p[0]).unwrap());
    check(values::RAYLEIGH, |p| Rayleigh::from_scale(p[0]).unwrap());
    check(values::PARETO, |p| Pareto::from_minimum_shape(p[0], p[1]).unwrap());
    check(values::WEIBULL, |p| Weibull::from_shape_scale(p[0], p[1]).unwrap());
}

#[test]
fn functions_of_a_gamma() {
    check(values::GAMMA, |p| Gamma::from_shape_rate(p[0], p[1]).unwrap());
    check(values::INVERSE_GAMMA, |p| InverseGamma::from_shape_scale(p[0], p[1]).unwrap());
    check(values::CHI_SQUARED, |p| ChiSquared::from_dof(p[0]).unwrap());
}

#[test]
fn functions_of_a_gaussian() {
    check(values::HALF_NORMAL, |p| HalfNormal::from_scale(p[0]).unwrap());
    check(values::LOG_NORMAL, |p| LogNormal::from_log_mean_log_sd(p[0], p[1]).unwrap());
    check(values::INVERSE_GAUSSIAN, |p| InverseGaussian::from_mean_shape(p[0], p[1]).unwrap());
}
