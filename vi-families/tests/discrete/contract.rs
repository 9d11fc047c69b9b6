//! The contract over drawn parameters, ordinary and extreme, and garbage everywhere.

use ndarray::Array1;
use proptest::prelude::*;
use vi_families::testing::{
    check_any_vector, check_exponential_family, check_multivariate, check_parametric, check_univariate,
};
use vi_families::{Bernoulli, Binomial, Categorical, Geometric, Multinomial, NegativeBinomial, Poisson};

use super::{anything, config, key};

/// Probabilities between 10^−8 and 1 − 10^−8, evenly in log odds.
fn probability() -> impl Strategy<Value = f64> {
    (-18.0..18.0f64).prop_map(|logit| 1.0 / (1.0 + (-logit).exp()))
}

/// Probabilities of events that 4000 draws see.
fn likely() -> impl Strategy<Value = f64> {
    0.03..0.97f64
}

fn geometric(p: f64) -> Geometric {
    Geometric::from_probability(p).unwrap()
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn geometric_meets_the_contract(p in likely(), q in likely(), small in -18.0..-1.0f64, mean in 0.05..1e12f64) {
        check_exponential_family(&[geometric(p), geometric(q), geometric(small.exp())], key());
        check_exponential_family(&[Geometric::from_mean(mean).unwrap()], key());
    }

    #[test]
    fn poisson_meets_the_contract(a in 0.05..30.0f64, b in 0.05..30.0f64, log_large in 3.0..15.0f64) {
        let member = |rate| Poisson::from_rate(rate).unwrap();
        check_exponential_family(&[member(a), member(b)], key());
        check_exponential_family(&[Poisson::from_log_rate(log_large).unwrap()], key());
    }

    #[test]
    fn binomial_meets_the_contract(n in 1..60u64, p in likely(), q in likely(), large in 2..10_000_000u64) {
        let member = |p| Binomial::from_probability(n, p).unwrap();
        check_exponential_family(&[member(p), member(q)], key());
        check_exponential_family(&[Binomial::from_probability(large, p).unwrap()], key());
        // About as many successes, or failures, as p + q is large.
        let logit = -(large as f64).ln() + (4.0 * (p + q)).ln();
        check_exponential_family(&[Binomial::from_logit(large, logit).unwrap()], key());
        check_exponential_family(&[Binomial::from_logit(large, -logit).unwrap()], key());
    }

    #[test]
    fn negative_binomial_meets_the_contract(r in -1.0..6.0f64, p in likely(), q in likely(), mean in 0.0..6.0f64) {
        let r = r.exp();
        let member = |p| NegativeBinomial::from_probability(r, p).unwrap();
        check_exponential_family(&[member(p), member(q)], key());
        check_exponential_family(&[NegativeBinomial::from_mean(r, 10f64.powf(mean)).unwrap()], key());
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn any_vector_gives_an_error_or_a_finite_member(
        v in prop::collection::vec(anything(), 0..4), n in any::<u64>(), r in anything(),
    ) {
        let v = ndarray::Array1::from(v);
        check_any_vector::<Multinomial>(&n, &v);
        check_any_vector::<Multinomial>(&(n % 100), &v);
        check_any_vector::<Geometric>(&(), &v);
        check_any_vector::<Poisson>(&(), &v);
        check_any_vector::<Binomial>(&n, &v);
        check_any_vector::<Binomial>(&(n % 100), &v);
        check_any_vector::<NegativeBinomial>(&r, &v);
        check_any_vector::<NegativeBinomial>(&2.5, &v);
    }

    #[test]
    fn any_number_gives_an_error_or_a_member(x in anything(), p in probability()) {
        assert!(Geometric::from_probability(p).is_ok());
        assert!(Geometric::from_probability(x).is_ok() == (1e-17..1.0).contains(&x));
        assert!(NegativeBinomial::from_probability(x, p).is_ok() <= (x > 0.0));
        assert!(NegativeBinomial::from_mean(x, p).is_ok() <= (x > 0.0));
        assert!(Poisson::from_rate(x).is_ok() == (x > 0.0 && x.recip().is_finite() && x <= 1e18));
        assert!(Binomial::from_probability(1, x).is_ok() == (x > 0.0 && x < 1.0));
        assert!(Binomial::from_probability(0, p).is_err() && Binomial::from_logit(u64::MAX, x).is_err());
        assert!(Geometric::from_mean(x).is_ok() == (1e-299..1e17).contains(&x));
    }
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn multinomial_meets_the_contract(
        n in 1..60u64, large in 2..1_000_000u64,
        a in prop::collection::vec(-2.0..2.0f64, 3), b in prop::collection::vec(-2.0..2.0f64, 3),
    ) {
        let member = |n, logits: &[f64]| Multinomial::from_logits(n, &Array1::from(logits.to_vec())).unwrap();
        check_exponential_family(&[member(n, &a), member(n, &b)], key());
        check_exponential_family(&[member(large, &a[..2]), member(large, &b[..2])], key());
        check_parametric(&[member(n, &a), member(large, &b[..2])]);
        check_multivariate(&[member(n, &a), member(large, &b)], key());
    }

    #[test]
    fn usual_parameters_and_distribution_functions(
        p in likely(), q in likely(), n in 1..60u64, r in 0.1..8.0f64, rate in 0.1..40.0f64,
        logits in prop::collection::vec(-2.0..2.0f64, 2..6),
    ) {
        let bernoulli = [Bernoulli::from_probability(p).unwrap(), Bernoulli::from_probability(q).unwrap()];
        check_parametric(&bernoulli);
        check_univariate(&bernoulli);
        let categorical = [Categorical::from_logits(&Array1::from(logits)).unwrap()];
        check_parametric(&categorical);
        check_univariate(&categorical);
        let geometric = [geometric(p), geometric(q)];
        check_parametric(&geometric);
        check_univariate(&geometric);
        let poisson = [Poisson::from_rate(rate).unwrap(), Poisson::from_rate(0.4 * rate + 1.0).unwrap()];
        check_parametric(&poisson);
        check_univariate(&poisson);
        let binomial = [p, q].map(|p| Binomial::from_probability(n, p).unwrap());
        check_parametric(&binomial);
        check_univariate(&binomial);
        let negative_binomial = [p, q].map(|p| NegativeBinomial::from_probability(r, p).unwrap());
        check_parametric(&negative_binomial);
        check_univariate(&negative_binomial);
    }
}
