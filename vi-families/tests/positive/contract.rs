//! The contract over drawn parameters, ordinary and extreme, and garbage everywhere.

use ndarray::{Array1, array};
use proptest::prelude::*;
use vi_families::testing::{check_any_vector, check_exponential_family, check_parametric, check_univariate};
use vi_families::{
    ChiSquared, Exponential, ExponentialFamily, FamilyError, Gamma, HalfNormal, InverseGamma,
    InverseGaussian, LogNormal, Parametric, Pareto, Rayleigh, Univariate, Weibull,
};

use super::{anything, assert_close, config, extreme, key, positive};

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

/// Whatever the parameters: an error, or a member whose functions are numbers.
///
/// Tails are asked for only where η and x are not astronomic.
fn check_any<F: Univariate + ExponentialFamily<Value = f64>>(member: Result<F, FamilyError>, x: f64) {
    let Ok(q) = member else { return };
    assert!(q.natural().iter().all(|v| v.is_finite()), "{q:?}: η = {}", q.natural());
    let draw = q.sample(&mut key().rng(0));
    assert!(q.log_base_measure(&draw) > f64::NEG_INFINITY, "{q:?} draws {draw}");
    assert!(!q.log_prob(&draw).is_nan(), "{q:?}: log_prob of {draw}");
    let (lower, upper) = q.support();
    assert!(!q.mean().is_nan() && !q.variance().is_nan() && (lower..=upper).contains(&q.mode()), "{q:?}");
    assert!((lower..=upper).contains(&q.quantile(0.3)), "{q:?}: quantile {}", q.quantile(0.3));
    let astronomic = |v: f64| v != 0.0 && !(1e-100..1e100).contains(&v.abs());
    if q.natural().iter().any(|v| astronomic(*v)) || astronomic(x) {
        return;
    }
    assert!(
        (q.cdf(x) + q.survival(x) - 1.0).abs() < 1e-9 || x.is_nan(),
        "{q:?} at {x}: {}, {}",
        q.cdf(x),
        q.survival(x)
    );
    assert!(q.cdf(x).is_nan() == x.is_nan() && q.log_prob(&x).is_nan() == x.is_nan(), "{q:?} at {x}");
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_parameters_give_an_error_or_a_distribution(a in anything(), b in anything(), x in anything()) {
        check_any(Exponential::from_rate(a), x);
        check_any(Exponential::from_scale(a), x);
        check_any(Exponential::from_mean(a), x);
        check_any(Rayleigh::from_scale(a), x);
        check_any(Rayleigh::from_precision(a), x);
        check_any(HalfNormal::from_scale(a), x);
        check_any(HalfNormal::from_precision(a), x);
        check_any(ChiSquared::from_dof(a), x);
        check_any(Pareto::from_minimum_shape(a, b), x);
        check_any(Pareto::from_minimum_mean(a, b), x);
        check_any(Weibull::from_shape_scale(a, b), x);
        check_any(Weibull::from_shape_rate(a, b), x);
        check_any(LogNormal::from_log_mean_log_sd(a, b), x);
        check_any(LogNormal::from_log_mean_log_variance(a, b), x);
        check_any(LogNormal::from_log_mean_log_precision(a, b), x);
        check_any(LogNormal::from_mean_variance(a, b), x);
        check_any(InverseGaussian::from_mean_shape(a, b), x);
        check_any(InverseGaussian::from_mean_variance(a, b), x);
        check_any(Gamma::from_shape_rate(a, b), x);
        check_any(Gamma::from_shape_scale(a, b), x);
        check_any(InverseGamma::from_shape_scale(a, b), x);
    }

    /// The other ways to name a member.
    #[test]
    fn parametrisations_agree(m in positive(), v in positive()) {
        let moments = |q: &dyn Fn() -> (f64, f64)| {
            let (mean, variance) = q();
            assert_close("mean", mean / m, 1.0);
            assert_close("variance", variance / v, 1.0);
        };
        let q = LogNormal::from_mean_variance(m, v).unwrap();
        moments(&|| (q.mean(), q.variance()));
        let q = InverseGaussian::from_mean_variance(m, v).unwrap();
        moments(&|| (q.mean(), q.variance()));
        assert_close("mean of Pareto", Pareto::from_minimum_mean(m, m + v).unwrap().mean(), m + v);
        assert_close("scale of Weibull", weibull(v, m).scale(), m);
        assert_close("rate of Weibull", Weibull::from_shape_rate(v, m).unwrap().rate(), m);
        assert_close("mean of Exponential", Exponential::from_mean(m).unwrap().mean(), m);
        assert_close("scale of Rayleigh", rayleigh(m).scale(), m);
        assert_close("scale of HalfNormal", HalfNormal::from_precision(1.0 / m / m).unwrap().scale(), m);
        let log_sd = LogNormal::from_log_mean_log_precision(v, m).unwrap().log_sd();
        assert_close("log-precision", 1.0 / log_sd / log_sd, m);
    }
}

#[test]
fn errors_name_the_parameter_and_its_value() {
    let message = |e: FamilyError| e.to_string();
    let e = message(Exponential::from_mean(-1.5).unwrap_err());
    assert_eq!(e, "Exponential: mean = -1.5, but it must be finite and > 0");
    let e = message(Pareto::from_minimum_mean(2.0, 1.5).unwrap_err());
    assert_eq!(e, "Pareto: mean − minimum = -0.5, but it must be finite and > 0");
    let e = message(LogNormal::from_log_mean_log_sd(f64::NAN, 1.0).unwrap_err());
    assert_eq!(e, "LogNormal: log_mean = NaN, but it must be finite");
    let e = message(InverseGaussian::from_natural(&array![0.5, -1.0]).unwrap_err());
    assert_eq!(e, "InverseGaussian: natural parameter[0] = 0.5, but it must be finite and < 0");
    let e = message(Pareto::from_mean_params_given(&2.0, &array![-0.5]).unwrap_err());
    assert_eq!(e, "Pareto: no member has the mean parameters [-0.5]");
    let e = message(InverseGaussian::from_mean_params(&array![2.0, 0.25]).unwrap_err());
    assert_eq!(e, "InverseGaussian: no member has the mean parameters [2.0, 0.25]");
    let e = message(Pareto::fit_given(&2.0, [3.0, 1.0]).unwrap_err());
    assert_eq!(e, "Pareto: value 1 is 1.0, outside the support");
}
