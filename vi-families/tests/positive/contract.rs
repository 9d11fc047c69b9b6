//! The contract over drawn parameters, ordinary and extreme, and garbage everywhere.

use ndarray::Array1;
use proptest::prelude::*;
use vi_families::testing::{check_any_vector, check_exponential_family, check_parametric, check_univariate};
use vi_families::{
    ChiSquared, Exponential, Gamma, HalfNormal, InverseGamma, InverseGaussian, LogNormal, Parametric, Pareto,
    Rayleigh, Univariate, Weibull,
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

/// All that the families of this directory promise, on members whose densities are easy to integrate.
fn check<F: Parametric + Univariate>(members: &[F]) {
    check_exponential_family(members, key());
    check_parametric(members);
    check_univariate(members);
}

/// The same but for the integrals.
fn check_extreme<F: Parametric>(member: F) {
    check_exponential_family(std::slice::from_ref(&member), key());
    check_parametric(&[member]);
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn gamma_meets_the_contract(a in positive(), b in positive(), c in positive(), d in positive(), e in extreme()) {
        let member = |a, b| Gamma::from_shape_rate(a, b).unwrap();
        check(&[member(a, b), member(c, d)]);
        check_extreme(member(a, e));
    }

    #[test]
    fn inverse_gamma_meets_the_contract(a in positive(), b in positive(), c in positive(), d in positive(), e in extreme()) {
        let member = |a, b| InverseGamma::from_shape_scale(a, b).unwrap();
        check(&[member(a, b), member(c, d)]);
        check_extreme(member(a, e));
    }

    #[test]
    fn exponential_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check(&[exponential(a), exponential(b)]);
        check_extreme(exponential(c));
    }

    #[test]
    fn chi_squared_meets_the_contract(a in positive(), b in positive(), c in -1.5..7.0f64) {
        check(&[chi_squared(a), chi_squared(b)]);
        check_extreme(chi_squared(10f64.powf(c)));
    }

    #[test]
    fn half_normal_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check(&[half_normal(a), half_normal(b)]);
        check_extreme(half_normal(c));
    }

    #[test]
    fn log_normal_meets_the_contract(m in -5.0..5.0f64, a in positive(), b in positive(), c in 0.001..50.0f64) {
        check(&[log_normal(m, a), log_normal(-m, b)]);
        check_extreme(log_normal(m, c));
    }

    #[test]
    fn inverse_gaussian_meets_the_contract(
        m in positive(), l in positive(), m2 in positive(), l2 in positive(), c in extreme(), e in -1.0..5.0f64,
    ) {
        check(&[inverse_gaussian(m, l), inverse_gaussian(m2, l2)]);
        check_extreme(inverse_gaussian(c, c * 10f64.powf(e)));
    }

    #[test]
    fn rayleigh_meets_the_contract(a in positive(), b in positive(), c in extreme()) {
        check(&[rayleigh(a), rayleigh(b)]);
        check_extreme(rayleigh(c));
    }

    #[test]
    fn pareto_meets_the_contract(m in positive(), a in positive(), b in positive(), c in extreme(), d in 0.02..1e8f64) {
        check(&[pareto(m, a), pareto(m, b)]);
        check_extreme(pareto(c, d));
    }

    #[test]
    fn weibull_meets_the_contract(k in positive(), a in positive(), b in positive(), c in extreme()) {
        check(&[weibull(k, a), weibull(k, b)]);
        check_extreme(weibull(k, c));
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
