//! Densities, distribution functions and entropies against mpmath (`reference.py`).

use ndarray::Array1;
use vi_families::{
    Beta, ContinuousBernoulli, ExponentialFamily, Gaussian, Laplace, TruncatedGaussian, Univariate, VonMises,
    VonMisesFisher,
};

use crate::values::{self, Member};

/// 10⁻¹² relative; log densities and entropies near zero 10⁻¹² absolute.
fn assert_close(what: &str, value: f64, expected: f64, least: f64) {
    let bound = 1e-12 * expected.abs().max(least);
    assert!((value - expected).abs() <= bound, "{what}: {value:e}, mpmath {expected:e}");
}

fn check<F, const N: usize>(table: &[Member<N>], member: impl Fn([f64; N]) -> F)
where
    F: Univariate + ExponentialFamily<Value = f64>,
{
    for row in table {
        let q = member(row.parameters);
        assert_close(&format!("entropy of {q:?}"), q.entropy(), row.entropy, 1.0);
        for &(x, log_prob, cdf, survival) in row.points {
            assert_close(&format!("log_prob({x}) of {q:?}"), q.log_prob(&x), log_prob, 1.0);
            assert_close(&format!("cdf({x}) of {q:?}"), q.cdf(x), cdf, 0.0);
            assert_close(&format!("survival({x}) of {q:?}"), q.survival(x), survival, 0.0);
            // Where P(z ≤ x) has the digits to tell x from its neighbours, the quantile returns to x.
            let conditioning = 1e-12 * x.abs() + 1e-15 + 4.0 * f64::EPSILON * cdf * (-log_prob).exp();
            if cdf > 0.0 && cdf < 1.0 && conditioning < 1e-3 * (1.0 + x.abs()) {
                let back = q.quantile(cdf);
                assert!((back - x).abs() <= conditioning, "{q:?}: quantile({cdf:e}) is {back:e}, not {x:e}");
            }
        }
    }
}

#[test]
fn laplace() {
    check(values::LAPLACE, |[location, scale]| Laplace::from_location_scale(location, scale).unwrap());
}

#[test]
fn continuous_bernoulli() {
    check(values::CONTINUOUS_BERNOULLI, |[logit]| ContinuousBernoulli::from_logit(logit).unwrap());
}

#[test]
fn truncated_gaussian() {
    check(values::TRUNCATED_GAUSSIAN, |[location, scale, lower, upper]| {
        TruncatedGaussian::from_location_scale(location, scale, lower, upper).unwrap()
    });
}

#[test]
fn gaussian() {
    check(values::GAUSSIAN, |[mean, sd]| Gaussian::from_mean_sd(mean, sd).unwrap());
}

#[test]
fn beta() {
    check(values::BETA, |[alpha, beta]| Beta::from_alpha_beta(alpha, beta).unwrap());
}

#[test]
fn von_mises() {
    check(values::VON_MISES, |[mu, kappa]| VonMises::from_mean_direction_concentration(mu, kappa).unwrap());
}

#[test]
fn von_mises_fisher() {
    for &(p, kappa, resultant, entropy, log_prob) in values::VON_MISES_FISHER {
        let mut mu = Array1::zeros(p);
        mu[0] = 1.0;
        let q = VonMisesFisher::from_mean_direction_concentration(&mu, kappa).unwrap();
        assert_close(&format!("resultant length of {q:?}"), q.resultant_length(), resultant, 0.0);
        assert_close(&format!("entropy of {q:?}"), q.entropy(), entropy, 1.0);
        let mut z = Array1::zeros(p);
        (z[0], z[p - 1]) = (0.5, 0.75f64.sqrt());
        assert_close(&format!("log_prob of {q:?}"), q.log_prob(&z), log_prob, 1.0);
    }
}

#[test]
fn outside_the_support() {
    let q = ContinuousBernoulli::from_logit(1.5).unwrap();
    for z in [-1e-300, 1.0 + f64::EPSILON, f64::INFINITY] {
        assert_eq!(q.log_prob(&z), f64::NEG_INFINITY);
    }
    assert_eq!((q.cdf(-1.0), q.cdf(2.0), q.survival(-1.0), q.survival(2.0)), (0.0, 1.0, 1.0, 0.0));
}
