//! Conjugate pairs: posterior, evidence and predictive distribution agree; predictive distributions sum to one.

use ndarray::{Array1, array};
use vi_families::testing::check_conjugate;
use vi_families::{
    BernoulliProbability, Beta, BetaBinomial, BetaNegativeBinomial, BinomialProbability,
    CategoricalProbabilities, ConjugateLikelihood, Dirichlet, DirichletMultinomial, Gamma,
    GeometricProbability, MultinomialProbabilities, NegativeBinomialProbability, PoissonRate,
};

use super::{assert_close, key};

fn betas() -> [Beta; 3] {
    [(0.5, 0.5), (6.0, 2.5), (40.0, 90.0)].map(|(a, b)| Beta::from_alpha_beta(a, b).unwrap())
}

#[test]
fn beta_priors() {
    for prior in betas() {
        check_conjugate(&BernoulliProbability, &prior, key());
        check_conjugate(&BinomialProbability::new(1).unwrap(), &prior, key());
        check_conjugate(&BinomialProbability::new(25).unwrap(), &prior, key());
    }
    // Below α of about 3 the averages over the prior have no variance.
    for prior in &betas()[1..] {
        check_conjugate(&GeometricProbability, prior, key());
        check_conjugate(&NegativeBinomialProbability::new(2.5).unwrap(), prior, key());
    }
}

#[test]
fn gamma_prior() {
    for (shape, rate, exposure) in [(2.5, 0.5, 1.0), (0.7, 2.0, 3.5), (80.0, 4.0, 0.25)] {
        let prior = Gamma::from_shape_rate(shape, rate).unwrap();
        check_conjugate(&PoissonRate::with_exposure(exposure).unwrap(), &prior, key());
    }
}

#[test]
fn dirichlet_prior() {
    for alpha in [array![0.8, 1.5], array![3.0, 0.5, 7.0, 1.0]] {
        let prior = Dirichlet::from_concentration(&alpha).unwrap();
        check_conjugate(&CategoricalProbabilities::new(alpha.len()).unwrap(), &prior, key());
        check_conjugate(&MultinomialProbabilities::new(9, alpha.len()).unwrap(), &prior, key());
    }
}

#[test]
fn exposures_merge() {
    let prior = Gamma::from_shape_rate(2.0, 1.5).unwrap();
    let mut all = PoissonRate::with_exposure(2.0).unwrap().observed();
    all.push(&5, 1.0).unwrap();
    let mut other = PoissonRate::with_exposure(0.5).unwrap().observed();
    other.push(&1, 1.0).unwrap();
    all.merge(&other).unwrap();
    let posterior = all.posterior(&prior).unwrap();
    assert_eq!((posterior.shape(), posterior.rate()), (8.0, 4.0));
}

#[test]
fn impossible_data_are_errors() {
    assert!(BinomialProbability::new(4).unwrap().observed().push(&5, 1.0).is_err());
    assert!(CategoricalProbabilities::new(3).unwrap().observed().push(&3, 1.0).is_err());
    let mut counts = MultinomialProbabilities::new(4, 2).unwrap().observed();
    for z in [array![4.0], array![3.0, 2.0], array![1.5, 2.5], array![-1.0, 5.0], array![f64::NAN, 4.0]] {
        assert!(counts.push(&z, 1.0).is_err(), "{z}");
    }
    counts.push(&array![0.0, 4.0], 1.0).unwrap();
    assert!(BinomialProbability::new(0).is_err() && CategoricalProbabilities::new(1).is_err());
    assert!(MultinomialProbabilities::new(0, 3).is_err() && MultinomialProbabilities::new(3, 1).is_err());
    assert!(NegativeBinomialProbability::new(-1.0).is_err() && PoissonRate::with_exposure(f64::NAN).is_err());
}

/// Sums, means and variances over all counts.
fn check_moments(name: &str, last: u64, log_prob: impl Fn(u64) -> f64, mean: f64, variance: f64) {
    let moment = |f: &dyn Fn(f64) -> f64| (0..=last).map(|k| log_prob(k).exp() * f(k as f64)).sum::<f64>();
    assert_close(&format!("sum of {name}"), moment(&|_| 1.0), 1.0, 1e-11);
    assert_close(&format!("mean of {name}"), moment(&|k| k), mean, 1e-9);
    assert_close(&format!("variance of {name}"), moment(&|k| (k - mean) * (k - mean)), variance, 1e-7);
}

#[test]
fn predictive_distributions_sum_to_one() {
    for (n, a, b) in [(1, 0.3, 0.2), (12, 2.0, 1e-3), (200, 1e7, 3e7)] {
        let q = BetaBinomial::from_alpha_beta(n, a, b).unwrap();
        check_moments(&format!("{q:?}"), n, |k| q.log_prob(k), q.mean(), q.variance());
        assert_eq!(q.log_prob(n + 1), f64::NEG_INFINITY);
    }
    for (r, a, b) in [(1.0, 30.0, 2.0), (2.5, 25.0, 4.0)] {
        let q = BetaNegativeBinomial::from_alpha_beta(r, a, b).unwrap();
        check_moments(&format!("{q:?}"), 20_000, |k| q.log_prob(k), q.mean(), q.variance());
    }
    let q = DirichletMultinomial::from_concentration(7, &array![0.4, 3.0, 1.5]).unwrap();
    let (mut total, mut mean) = (0.0, Array1::<f64>::zeros(3));
    for i in 0..=7_u8 {
        for j in 0..=7 - i {
            let z = array![f64::from(i), f64::from(j), f64::from(7 - i - j)];
            let p = q.log_prob(&z).exp();
            total += p;
            mean += &(z * p);
        }
    }
    assert_close("sum of DirichletMultinomial", total, 1.0, 1e-12);
    for (sum, expected) in mean.iter().zip(&q.mean()) {
        assert_close("mean of DirichletMultinomial", *sum, *expected, 1e-12);
    }
}
