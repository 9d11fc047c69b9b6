//! Families of one variable.

use proptest::prelude::*;
use vi_families::testing::check_exponential_family;
use vi_families::{
    Bernoulli, Beta, Binomial, ChiSquared, ContinuousBernoulli, Exponential, Gamma, Gaussian, Geometric,
    HalfNormal, InverseGamma, InverseGaussian, Laplace, LogNormal, NegativeBinomial, Pareto, Poisson,
    Rayleigh, TruncatedGaussian, VonMises, Weibull,
};

use super::common::config;
use super::{any_shape, check, check_without_draws, key, log_uniform, logit, scale, shape};

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn gaussian(m in -1e3..1e3f64, s in scale(), m2 in -1e3..1e3f64, s2 in scale()) {
        let member = |m: f64, s: f64| Gaussian::from_mean_sd(m * s, s).unwrap();
        check(&[member(m, s), member(m2, s2)]);
    }

    #[test]
    fn log_normal(m in -50.0..50.0f64, s in log_uniform(-2.0, 2.0), m2 in -50.0..50.0f64, s2 in log_uniform(-2.0, 2.0)) {
        let member = |m, s| LogNormal::from_log_mean_log_sd(m, s).unwrap();
        check(&[member(m, s), member(m2, s2)]);
    }

    #[test]
    fn gamma(a in shape(), b in scale(), a2 in shape(), b2 in scale()) {
        let member = |a, b| Gamma::from_shape_rate(a, b).unwrap();
        check(&[member(a, b), member(a2, b2)]);
        let member = |a, b| InverseGamma::from_shape_scale(a, b).unwrap();
        check(&[member(a, b), member(a2, b2)]);
    }

    #[test]
    fn chi_squared(a in shape(), b in shape()) {
        check(&[2.0 * a, 2.0 * b].map(|dof| ChiSquared::from_dof(dof).unwrap()));
    }

    // Draws within 10⁻¹⁶ of one are one of two numbers: not for a β below 0.3.
    #[test]
    fn beta(a in shape(), b in log_uniform(-0.5, 6.0), a2 in shape(), b2 in log_uniform(-0.5, 6.0)) {
        let member = |a, b| Beta::from_alpha_beta(a, b).unwrap();
        check(&[member(a, b), member(a2, b2)]);
    }

    #[test]
    fn small_shapes(a in any_shape(), b in scale(), a2 in any_shape(), b2 in any_shape()) {
        check_without_draws(&[a, a2].map(|shape| Gamma::from_shape_rate(shape, b).unwrap()));
        check_without_draws(&[a, a2].map(|shape| InverseGamma::from_shape_scale(shape, b).unwrap()));
        check_without_draws(&[a, a2].map(|dof| ChiSquared::from_dof(dof).unwrap()));
        check_without_draws(&[a, a2].map(|alpha| Beta::from_alpha_beta(alpha, b2).unwrap()));
        check_without_draws(&[a, a2].map(|shape| Pareto::from_minimum_shape(b, shape).unwrap()));
    }

    #[test]
    fn inverse_gaussian(m in scale(), r in shape(), m2 in scale(), r2 in shape()) {
        let member = |m, r: f64| InverseGaussian::from_mean_shape(m, m * r).unwrap();
        check(&[member(m, r), member(m2, r2)]);
    }

    #[test]
    fn families_of_a_scale(a in scale(), b in scale(), k in log_uniform(-1.0, 1.15), location in -1e3..1e3f64) {
        check(&[a, b].map(|s| Exponential::from_scale(s).unwrap()));
        check(&[a, b].map(|s| Rayleigh::from_scale(s).unwrap()));
        check(&[a, b].map(|s| HalfNormal::from_scale(s).unwrap()));
        check(&[a, b].map(|s| Laplace::from_location_scale(location, s).unwrap()));
        check(&[a, b].map(|s| Weibull::from_shape_scale(k, s).unwrap()));
    }

    #[test]
    fn pareto(minimum in scale(), a in shape(), b in shape()) {
        check(&[a, b].map(|shape| Pareto::from_minimum_shape(minimum, shape).unwrap()));
    }

    #[test]
    fn truncated_gaussian(m in -30.0..30.0f64, s in scale(), m2 in -30.0..30.0f64, lower in -2.0..2.0f64, width in 0.5..8.0f64) {
        for (l, u) in [(lower, lower + width), (lower, f64::INFINITY), (f64::NEG_INFINITY, lower)] {
            let member = |m: f64| TruncatedGaussian::from_location_scale(m * s, s, l * s, u * s).unwrap();
            check(&[member(m), member(m2)]);
        }
    }

    #[test]
    fn continuous_bernoulli(a in scale(), b in scale()) {
        // λ rounds to 1 beyond a logit of 36.
        let member = |logit| ContinuousBernoulli::from_logit(logit).unwrap();
        check_exponential_family(&[member(a), member(-b)], key());
        check(&[member(a.min(30.0)), member(-b.min(30.0))]);
    }

    #[test]
    fn von_mises(mu in -3.1..3.1f64, k in scale(), mu2 in -3.1..3.1f64, k2 in scale()) {
        let member = |mu, k| VonMises::from_mean_direction_concentration(mu, k).unwrap();
        check(&[member(mu, k), member(mu2, k2)]);
    }

    #[test]
    fn bernoulli(a in logit(), b in logit()) {
        check(&[a, b].map(|logit| Bernoulli::from_logit(logit).unwrap()));
    }

    #[test]
    fn counts(a in logit(), b in logit(), n in 1..1_000_000u64, rate in log_uniform(-8.0, 12.0), r in log_uniform(-2.0, 6.0)) {
        check(&[a, b].map(|logit| Binomial::from_logit(n, logit).unwrap()));
        let failure = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        check(&[a, b].map(|l| Geometric::from_probability(failure(l)).unwrap()));
        check(&[rate, 1.0 / rate].map(|rate| Poisson::from_rate(rate).unwrap()));
        check(&[a, b].map(|l| NegativeBinomial::from_probability(r, failure(l)).unwrap()));
    }
}
