//! The contract over drawn parameters, ordinary and extreme, and garbage everywhere.

use ndarray::Array1;
use proptest::prelude::*;
use vi_families::testing::{check_any_vector, check_exponential_family};
use vi_families::{
    ChiSquared, Exponential, HalfNormal, InverseGaussian, LogNormal, Pareto, Rayleigh, Weibull,
};

use super::{anything, config, extreme, key, positive};

fn exponential(rate: f64) -> Exponential {
    Exponential::from_rate(rate).unwrap()
}

fn chi_squared(dof: f64) -> ChiSquared {
    ChiSquared::from_dof(dof).unwrap()
}

fn half_normal(scale: f64) -> HalfNormal {
    HalfNormal::from_scale(scale).unwrap()
}

fn inverse_gaussian(mean: f64, shape: f64) -> InverseGaussian {
    InverseGaussian::from_mean_shape(mean, shape).unwrap()
}

fn log_normal(log_mean: f64, log_sd: f64) -> LogNormal {
    LogNormal::from_log_mean_log_sd(log_mean, log_sd).unwrap()
}

fn rayleigh(scale: f64) -> Rayleigh {
    Rayleigh::from_scale(scale).unwrap()
}

fn pareto(minimum: f64, shape: f64) -> Pareto {
    Pareto::from_minimum_shape(minimum, shape).unwrap()
}

fn weibull(shape: f64, scale: f64) -> Weibull {
    Weibull::from_shape_scale(shape, scale).unwrap()
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn exponential_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check_exponential_family(&[exponential(a), exponential(b)], key());
        check_exponential_family(&[exponential(c)], key());
    }

    #[test]
    fn chi_squared_meets_the_contract(a in positive(), b in positive(), c in -1.5..7.0f64) {
        check_exponential_family(&[chi_squared(a), chi_squared(b)], key());
        check_exponential_family(&[chi_squared(10f64.powf(c))], key());
    }

    #[test]
    fn half_normal_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check_exponential_family(&[half_normal(a), half_normal(b)], key());
        check_exponential_family(&[half_normal(c)], key());
    }

    #[test]
    fn log_normal_meets_the_contract(m in -5.0..5.0f64, a in positive(), b in positive(), c in 0.001..50.0f64) {
        check_exponential_family(&[log_normal(m, a), log_normal(-m, b)], key());
        check_exponential_family(&[log_normal(m, c)], key());
    }

    #[test]
    fn inverse_gaussian_meets_the_contract(
        m in positive(), l in positive(), m2 in positive(), l2 in positive(), c in extreme(), e in -1.0..5.0f64,
    ) {
        check_exponential_family(&[inverse_gaussian(m, l), inverse_gaussian(m2, l2)], key());
        check_exponential_family(&[inverse_gaussian(c, c * 10f64.powf(e))], key());
    }

    #[test]
    fn rayleigh_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check_exponential_family(&[rayleigh(a), rayleigh(b)], key());
        check_exponential_family(&[rayleigh(c)], key());
    }

    #[test]
    fn pareto_meets_the_contract(m in positive(), a in positive(), b in positive(), c in extreme(), d in 0.02..1e8f64) {
        check_exponential_family(&[pareto(m, a), pareto(m, b)], key());
        check_exponential_family(&[pareto(c, d)], key());
    }

    #[test]
    fn weibull_meets_the_contract(k in positive(), a in positive(), b in positive(), c in extreme()) {
        check_exponential_family(&[weibull(k, a), weibull(k, b)], key());
        check_exponential_family(&[weibull(k, c)], key());
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn any_vector_gives_an_error_or_a_finite_member(
        v in prop::collection::vec(anything(), 0..4), fixed in anything(),
    ) {
        let v = Array1::from(v);
        check_any_vector::<Exponential>(&(), &v);
        check_any_vector::<ChiSquared>(&(), &v);
        check_any_vector::<HalfNormal>(&(), &v);
        check_any_vector::<InverseGaussian>(&(), &v);
        check_any_vector::<LogNormal>(&(), &v);
        check_any_vector::<Rayleigh>(&(), &v);
        check_any_vector::<Pareto>(&fixed, &v);
        check_any_vector::<Weibull>(&fixed, &v);
    }
}
