//! The contract over parameters drawn by proptest from fixed seeds; over all keys a correct family fails a case
//! for about 1 in 10⁷.

use ndarray::Array1;
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::{
    check_any_vector, check_exponential_family, check_multivariate, check_parametric, check_univariate,
};
use vi_families::{
    Beta, ContinuousBernoulli, ExponentialFamily, Gaussian, Laplace, Parametric, TruncatedGaussian,
    Univariate, VonMises, VonMisesFisher,
};

use crate::common::{config, vector};

/// Numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive() -> impl Strategy<Value = f64> {
    (-2.5..2.5f64).prop_map(f64::exp)
}

/// Anything an algorithm gone wrong may hand over.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn any_vector() -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(any_number(), 0..5).prop_map(Array1::from)
}

fn key() -> StreamKey {
    StreamKey::from_seed(21)
}

/// The whole contract of a distribution of one variable.
fn check_all<F: Univariate + Parametric>(members: &[F]) {
    check_exponential_family(members, key());
    check_parametric(members);
    check_univariate(members);
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn laplace(location in -5.0..5.0f64, b in positive(), b2 in positive()) {
        let members = [
            Laplace::from_location_scale(location, b).unwrap(),
            Laplace::from_location_rate(location, b2).unwrap(),
        ];
        check_all(&members);
    }

    #[test]
    fn continuous_bernoulli(eta in -12.0..12.0f64, small in -1e-3..1e-3f64, lambda in 0.001..0.999f64) {
        let members = [
            ContinuousBernoulli::from_logit(eta).unwrap(),
            ContinuousBernoulli::from_logit(small).unwrap(),
            ContinuousBernoulli::from_lambda(lambda).unwrap(),
        ];
        check_all(&members);
    }

    #[test]
    fn von_mises(mu in -3.1..3.1f64, kappa in positive(), mu2 in -3.1..3.1f64, r in 0.01..0.99f64) {
        let members = [
            VonMises::from_mean_direction_concentration(mu, kappa).unwrap(),
            VonMises::from_mean_direction_resultant_length(mu2, r).unwrap(),
        ];
        check_all(&members);
    }

    #[test]
    fn von_mises_fisher((mu, mu2) in (2..7usize).prop_flat_map(|p| (vector(p), vector(p))),
        kappa in positive(), kappa2 in 0.01..60.0f64)
    {
        let members = [
            VonMisesFisher::from_mean_direction_concentration(&mu, kappa).unwrap(),
            VonMisesFisher::from_mean_direction_concentration(&mu2, kappa2).unwrap(),
        ];
        check_exponential_family(&members, key());
        check_parametric(&members);
        check_multivariate(&members, key());
    }

    #[test]
    fn gaussian(m in -5.0..5.0f64, s in positive(), m2 in -5.0..5.0f64, s2 in positive()) {
        check_all(&[Gaussian::from_mean_sd(m, s).unwrap(), Gaussian::from_mean_precision(m2, s2).unwrap()]);
    }

    #[test]
    fn beta(a in positive(), b in 1.0..12.0f64, a2 in 1.0..50.0f64, b2 in 1.0..50.0f64) {
        check_all(&[Beta::from_alpha_beta(a, b).unwrap(), Beta::from_alpha_beta(a2, b2).unwrap()]);
    }

    #[test]
    fn truncated_gaussian(m in -3.0..3.0f64, s in 0.4..2.5f64, m2 in -3.0..3.0f64, s2 in 0.4..2.5f64,
        lower in -3.0..1.0f64, width in 1.0..4.0f64)
    {
        for (lower, upper) in [
            (lower, lower + width),
            (lower, f64::INFINITY),
            (f64::NEG_INFINITY, lower),
            (f64::NEG_INFINITY, f64::INFINITY),
        ] {
            let p2 = 1.0 / (s2 * s2);
            let members = [
                TruncatedGaussian::from_location_scale(m, s, lower, upper).unwrap(),
                TruncatedGaussian::from_location_precision(m2, p2, lower, upper).unwrap(),
            ];
            check_all(&members);
        }
    }
}

#[test]
fn extreme_members() {
    let laplace = |b| Laplace::from_location_scale(0.0, b).unwrap();
    check_exponential_family(&[laplace(1e-100), laplace(1e100)], key());
    let member = |eta| ContinuousBernoulli::from_logit(eta).unwrap();
    check_exponential_family(&[member(0.0), member(1e-9), member(1.0), member(-2.0), member(700.0)], key());
    check_exponential_family(&[member(-1e9), member(-1e12)], key());
    let circle = |mu, kappa| VonMises::from_mean_direction_concentration(mu, kappa).unwrap();
    check_exponential_family(
        &[circle(0.0, 0.0), circle(1.0, 1e-8), circle(3.1, 800.0), circle(-2.0, 1e5)],
        key(),
    );
    let sphere = |p: usize, kappa| {
        let mu = Array1::from_shape_fn(p, |i| i as f64 - 1.5);
        VonMisesFisher::from_mean_direction_concentration(&mu, kappa).unwrap()
    };
    check_exponential_family(&[sphere(4, 0.0), sphere(4, 1e-8), sphere(4, 1e5)], key());
    check_exponential_family(&[sphere(40, 0.0), sphere(40, 30.0), sphere(40, 1e4)], key());
}

#[test]
fn truncated_in_the_tail() {
    let member = |m, s, lower, upper| TruncatedGaussian::from_location_scale(m, s, lower, upper).unwrap();
    let infinity = f64::INFINITY;
    check_all(&[member(-8.0, 1.0, 0.0, infinity), member(-30.0, 2.0, 0.0, infinity)]);
    check_all(&[member(8.0, 1.0, -infinity, 0.0), member(30.0, 2.0, -infinity, 0.0)]);
    check_all(&[member(-8.0, 1.0, 0.0, 1.0)]);
    check_univariate(&[member(-20.0, 1.0, 0.0, 0.5), member(9.0, 1.0, 0.0, 0.5)]);
    check_univariate(&[member(-1e4, 1.0, 0.0, infinity), member(-1e8, 1.0, 0.0, infinity)]);
    check_univariate(&[member(0.3, 1.0, 0.0, 1e-9), member(-40.0, 1.0, 0.0, 1e-9)]);
}

#[test]
fn extreme_distribution_functions() {
    let bernoulli = |eta| ContinuousBernoulli::from_logit(eta).unwrap();
    check_univariate(&[bernoulli(0.0), bernoulli(1e-9), bernoulli(700.0), bernoulli(-1e9)]);
    let circle = |mu, kappa| VonMises::from_mean_direction_concentration(mu, kappa).unwrap();
    check_univariate(&[circle(0.0, 0.0), circle(0.5, 800.0), circle(-2.0, 1e5), circle(-3.0, 2.0)]);
    check_univariate(&[Laplace::from_location_scale(0.0, 1e100).unwrap()]);
    check_univariate(&[Beta::from_alpha_beta(1e4, 3e4).unwrap(), Beta::from_alpha_beta(0.2, 1.0).unwrap()]);
}

/// Any parameters at all give an error or a member whose numbers are numbers.
fn any_member<F: ExponentialFamily + Parametric>(member: Result<F, vi_families::FamilyError>) -> Option<F> {
    let member = member.ok()?;
    assert!(!member.entropy().is_nan() && !member.log_partition().is_nan(), "{member:?}");
    assert!(member.natural().iter().all(|v| v.is_finite()), "{member:?}");
    assert!(member.mean_params().iter().all(|v| !v.is_nan()), "{member:?}");
    let draw = member.sample(&mut key().rng(0));
    assert!(!member.log_prob(std::borrow::Borrow::borrow(&draw)).is_nan(), "a draw of {member:?}");
    Some(member)
}

/// As [`any_member`], and its distribution function and quantiles are in range.
fn any_univariate<F>(member: Result<F, vi_families::FamilyError>, x: f64)
where
    F: Univariate + Parametric + ExponentialFamily<Value = f64>,
{
    let Some(member) = any_member(member) else { return };
    let (lower, upper) = member.support();
    let range = lower..=upper;
    assert!(range.contains(&member.sample(&mut key().rng(1))), "{member:?}");
    for p in [0.0, 1e-300, 0.3, 0.5, 1.0 - 1e-16, 1.0] {
        assert!(range.contains(&member.quantile(p)), "{member:?}: quantile of {p}: {}", member.quantile(p));
    }
    for probability in [member.cdf(x), member.survival(x)] {
        assert!(x.is_nan() || (0.0..=1.0).contains(&probability), "{member:?}: {probability} at {x}");
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn any_vector_gives_an_error_or_a_finite_member(v in any_vector(), a in any_number(), b in any_number(),
        c in any_number(), d in any_number(), x in any_number())
    {
        check_any_vector::<Laplace>(&a, &v);
        any_univariate(Laplace::from_location_scale(a, b), x);
        any_univariate(Laplace::from_location_rate(a, b), x);
        check_any_vector::<ContinuousBernoulli>(&(), &v);
        any_univariate(ContinuousBernoulli::from_lambda(a), x);
        any_univariate(ContinuousBernoulli::from_logit(a), x);
        check_any_vector::<TruncatedGaussian>(&(a.min(b), a.max(b)), &v);
        check_any_vector::<TruncatedGaussian>(&(a, b), &v);
        check_any_vector::<TruncatedGaussian>(&(a, f64::INFINITY), &v);
        check_any_vector::<TruncatedGaussian>(&(f64::NEG_INFINITY, a), &v);
        any_univariate(TruncatedGaussian::from_location_scale(a, b, c, d), x);
        any_univariate(TruncatedGaussian::from_location_scale(a, b.abs(), c.min(d), c.max(d)), x);
        any_univariate(TruncatedGaussian::from_location_precision(a, b, c, f64::INFINITY), x);
        check_any_vector::<VonMises>(&(), &v);
        any_univariate(VonMises::from_mean_direction_concentration(a, b), x);
        any_univariate(VonMises::from_mean_direction_resultant_length(a, b), x);
        check_any_vector::<VonMisesFisher>(&v.len(), &v);
        check_any_vector::<VonMisesFisher>(&3, &v);
        any_member(VonMisesFisher::from_mean_direction_concentration(&v, b));
        any_univariate(Gaussian::from_mean_sd(a, b), x);
        any_univariate(Beta::from_alpha_beta(a, b), x);
        any_univariate(Beta::from_alpha_beta(a.abs(), b.abs()), x);
    }
}
