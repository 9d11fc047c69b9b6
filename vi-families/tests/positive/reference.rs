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

/// Shape, rate, another shape and rate, x; log_prob, entropy and KL by mpmath at 60 digits. The terms of the
/// textbook formulas are up to 10⁹ here, and cancel.
const LARGE_OR_CLOSE: &[([f64; 5], [f64; 3])] = &[
    (
        [1e8, 3.0, 100010000.0, 3.0002, 33334000.0],
        [-9.050686350483415, 9.530666613179413, 0.05555123740723828],
    ),
    (
        [12.0, 0.5, 12.000001, 0.50000001, 23.0],
        [-2.829637637372583, 3.326176546699899, 2.5850935219570958e-14],
    ),
    ([40.0, 0.001, 3.0, 7.0, 40100.0], [-9.67583850143718, 10.162747952266715, 279963.5245034751]),
    (
        [0.02, 5.0, 0.020000001, 5.0000002, 1e-09],
        [16.440184757357788, -47.22252692058278, 1.2267990165196385e-15],
    ),
    ([200000.0, 200000.0, 9.5, 1.0, 1.001], [5.083164489267319, -4.6840994562291645, 17.37345412704414]),
];

#[test]
fn large_shapes_and_close_members_keep_their_digits() {
    for &([a, b, c, d, x], [log_prob, entropy, kl]) in LARGE_OR_CLOSE {
        let (p, q) = (Gamma::from_shape_rate(a, b).unwrap(), Gamma::from_shape_rate(c, d).unwrap());
        assert_close(&format!("log_prob of {p:?}"), p.log_prob(&x), log_prob);
        assert_close(&format!("entropy of {p:?}"), p.entropy(), entropy);
        let bound = 1e-8 * kl + 4e-15;
        assert_within(&format!("KL of {p:?} to {q:?}"), p.kl(&q), kl, bound);
        // The law of 1/z: the same divergence, and densities that differ by |dz/dx| = x².
        let inverse = |a, b| InverseGamma::from_shape_scale(a, b).unwrap();
        let (p, q) = (inverse(a, b), inverse(c, d));
        assert_close(&format!("log_prob of {p:?}"), p.log_prob(&(1.0 / x)), log_prob + 2.0 * x.ln());
        assert_within(&format!("KL of {p:?} to {q:?}"), p.kl(&q), kl, bound);
    }
}
