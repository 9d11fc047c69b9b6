//! Arguments that an algorithm gone wrong may hand over: an error or a member, and never a panic.

#[allow(dead_code, reason = "shared by several test binaries, each with its own needs")]
mod common;

use ndarray::{Array1, array};
use proptest::prelude::*;
use vi_families::{
    Bernoulli, Beta, Binomial, BinomialProbability, Categorical, ConjugateLikelihood, Dirichlet,
    ExponentialFamily, FamilyError, Gamma, Gaussian, Multinomial, MvGaussian, NegativeBinomial,
    NormalInverseGamma, Poisson, SufficientStats, VonMisesFisher, Weibull, Wishart,
};

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 3 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn any_vector() -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(any_number(), 0..6).prop_map(Array1::from)
}

/// A member that was accepted has finite parameters.
fn finite<F: ExponentialFamily>(member: Result<F, FamilyError>) {
    if let Ok(member) = member {
        let eta = member.natural();
        assert!(eta.iter().all(|v| v.is_finite()), "{member:?} has η = {eta}");
        assert!(!member.entropy().is_nan(), "{member:?} has an entropy that is not a number");
    }
}

proptest! {
    #![proptest_config(common::config(1000))]

    #[test]
    fn constructors_of_numbers(a in any_number(), b in any_number(), c in any_number(), d in any_number()) {
        finite(Bernoulli::from_probability(a));
        finite(Bernoulli::from_logit(a));
        finite(Poisson::from_log_rate(a));
        finite(NegativeBinomial::from_log_failure(a, b));
        finite(Gaussian::from_mean_sd(a, b));
        finite(Gaussian::from_mean_variance(a, b));
        finite(Gaussian::from_mean_precision(a, b));
        finite(Gamma::from_shape_rate(a, b));
        finite(Gamma::from_shape_scale(a, b));
        finite(NormalInverseGamma::from_mean_count_dof_variance(a, b, c, d));
    }

    #[test]
    fn constructors_of_vectors(v in any_vector(), n in 0u64..100) {
        finite(Categorical::from_probabilities(&v));
        finite(Categorical::from_logits(&v));
        finite(Multinomial::from_probabilities(n, &v));
        finite(Multinomial::from_logits(n, &v));
        finite(Dirichlet::from_concentration(&v));
    }

    #[test]
    fn values_of_all_kinds(v in any_vector(), x in any_number()) {
        let _ = Gamma::fit([x, 1.0]);
        let _ = Beta::fit([x, 0.5]);
        let _ = Dirichlet::fit([v.clone(), array![0.5, 0.5]]);
        let _ = MvGaussian::fit([v.clone(), array![0.5, 0.5]]);
        let _ = VonMisesFisher::fit_given(&2, [v.clone(), array![0.6, 0.8]]);
        let _ = Multinomial::fit_given(&3, [v]);
    }
}

#[test]
fn values_without_the_shape_of_their_family() {
    assert!(Categorical::fit_given(&0, [0]).is_err());
    assert!(Wishart::fit([ndarray::Array2::<f64>::eye(3).slice(ndarray::s![.., ..2]).to_owned()]).is_err());
    assert!(VonMisesFisher::uniform(0).is_err());
}

#[test]
fn statistics_of_different_families_do_not_merge() {
    let stats = |n: u64| {
        let mut stats = SufficientStats::<Binomial>::new(n);
        stats.push(&3, 1.0).unwrap();
        stats
    };
    let message = stats(10).merge(&stats(20)).unwrap_err().to_string();
    assert_eq!(message, "Binomial: 20 is given, expected 10");
    let mut a = stats(10);
    a.merge(&stats(10)).unwrap();
    assert_eq!((a.n(), a.weight(), a.sum().map(|s| s[0])), (2, 2.0, Some(6.0)));
    let weibull = |shape| Weibull::from_shape_scale(shape, 1.0).unwrap();
    assert!(weibull(1.0).renyi_divergence(&weibull(2.0), 0.5).is_nan());
}

#[test]
fn values_outside_are_named_and_change_nothing() {
    let mut stats = SufficientStats::<Gamma>::new(());
    stats.push(&2.0, 1.0).unwrap();
    for (value, weight) in [(-1.0, 1.0), (f64::NAN, 1.0), (1.0, -0.5), (1.0, f64::NAN)] {
        let message = stats.push(&value, weight).unwrap_err().to_string();
        let named = if weight == 1.0 { format!("{value:?}") } else { weight.to_string() };
        assert!(message.contains(&named), "{message}");
    }
    assert_eq!((stats.n(), stats.weight()), (1, 1.0));
    let mut observed = BinomialProbability::new(5).unwrap().observed();
    assert!(observed.push(&7, 1.0).unwrap_err().to_string().contains("value 0 is 7"));
}
