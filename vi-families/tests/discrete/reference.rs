//! Log probabilities, entropies, CDFs and survival functions against mpmath (`reference.py`).

use ndarray::Array1;
use vi_core::StreamKey;
use vi_families::{
    BetaBinomial, BetaNegativeBinomial, Binomial, DirichletMultinomial, ExponentialFamily, Geometric,
    Multinomial, NegativeBinomial, Poisson, Univariate,
};

use super::values::{
    BETA_BINOMIAL, BETA_NEGATIVE_BINOMIAL, BINOMIAL, DIRICHLET_MULTINOMIAL, GEOMETRIC, MULTINOMIAL,
    NEGATIVE_BINOMIAL, POISSON,
};
use super::{Case, assert_close};

fn check<F: Univariate<Value = u64>>(cases: &[Case], member: impl Fn(&[f64]) -> F) {
    for case in cases {
        let q = member(case.parameters);
        let name = format!("{} {:?}", F::NAME, case.parameters);
        assert_close(&format!("entropy of {name}"), q.entropy(), case.entropy, 1e-12);
        for &(k, log_prob, cdf, survival) in case.points {
            let z = F::from_f64(k).unwrap();
            assert_close(&format!("log_prob({k}) of {name}"), q.log_prob(&z), log_prob, 1e-12);
            assert_close(&format!("cdf({k}) of {name}"), q.cdf(k), cdf, 1e-11);
            assert_close(&format!("survival({k}) of {name}"), q.survival(k), survival, 1e-11);
            assert_eq!(q.cdf(k + 0.5).to_bits(), q.cdf(k).to_bits(), "{name} steps at whole numbers only");
        }
        assert_eq!((q.cdf(-0.5), q.survival(-0.5), q.cdf(f64::INFINITY)), (0.0, 1.0, 1.0), "{name}");
        assert!(q.cdf(f64::NAN).is_nan() && q.quantile(1.5).is_nan(), "{name}");
        for p in [1e-8, 0.01, 0.5, 0.99, 1.0 - 1e-8] {
            let k = q.quantile(p);
            assert!(q.cdf(k) >= p && q.cdf(k - 1.0) < p, "{name}: quantile({p}) is {k}");
        }
    }
}

#[test]
fn geometric() {
    check(GEOMETRIC, |p| Geometric::from_probability(p[0]).unwrap());
}

#[test]
fn poisson() {
    check(POISSON, |p| Poisson::from_rate(p[0]).unwrap());
}

#[test]
fn binomial() {
    check(BINOMIAL, |p| Binomial::from_probability(p[0] as u64, p[1]).unwrap());
}

#[test]
fn negative_binomial() {
    check(NEGATIVE_BINOMIAL, |p| NegativeBinomial::from_probability(p[0], p[1]).unwrap());
}

#[test]
fn beta_binomial() {
    for case in BETA_BINOMIAL {
        let p = case.parameters;
        let q = BetaBinomial::from_alpha_beta(p[0] as u64, p[1], p[2]).unwrap();
        for &(k, log_prob, ..) in case.points {
            // A logarithm close to zero is accurate to 10⁻¹² of one.
            let bound = 1e-12 / log_prob.abs().min(1.0);
            assert_close(&format!("log_prob({k}) of {q:?}"), q.log_prob(k as u64), log_prob, bound);
        }
    }
}

#[test]
fn beta_negative_binomial() {
    for case in BETA_NEGATIVE_BINOMIAL {
        let p = case.parameters;
        let q = BetaNegativeBinomial::from_alpha_beta(p[0], p[1], p[2]).unwrap();
        for &(k, log_prob, ..) in case.points {
            assert_close(&format!("log_prob({k}) of {q:?}"), q.log_prob(k as u64), log_prob, 1e-12);
        }
    }
}

#[test]
fn vectors_of_counts() {
    for case in MULTINOMIAL {
        let q = Multinomial::from_probabilities(case.n, &Array1::from(case.parameters.to_vec())).unwrap();
        if !case.entropy.is_nan() {
            assert_close(&format!("entropy of {q:?}"), q.entropy(), case.entropy, 1e-12);
        }
        for (z, log_prob) in case.points {
            let z = Array1::from(z.to_vec());
            assert_close(&format!("log_prob({z}) of {q:?}"), q.log_prob(&z), *log_prob, 1e-12);
        }
    }
    for case in DIRICHLET_MULTINOMIAL {
        let alpha = Array1::from(case.parameters.to_vec());
        let q = DirichletMultinomial::from_concentration(case.n, &alpha).unwrap();
        for (z, log_prob) in case.points {
            let z = Array1::from(z.to_vec());
            assert_close(&format!("log_prob({z}) of {q:?}"), q.log_prob(&z), *log_prob, 1e-12);
        }
    }
}

/// Means and variances of 4000 draws of counts near 10¹⁵, five standard errors wide.
#[test]
fn huge_counts_are_drawn_with_their_spread() {
    fn check<F: Univariate<Value = u64>>(q: &F) {
        let key = StreamKey::from_seed(3);
        let (mean, sd) = (q.mean(), q.variance().sqrt());
        let z: Vec<f64> = (0..4000).map(|i| (q.sample(&mut key.rng(i)) as f64 - mean) / sd).collect();
        let (first, second) = (z.iter().sum::<f64>() / 4000.0, z.iter().map(|v| v * v).sum::<f64>() / 4000.0);
        assert!(first.abs() < 5.0 / 4000f64.sqrt(), "{q:?}: standardised mean {first}");
        assert!((second - 1.0).abs() < 5.0 * (2.0 / 4000f64).sqrt(), "{q:?}: standardised variance {second}");
    }
    check(&Poisson::from_rate(1e15).unwrap());
    check(&Binomial::from_probability(1_000_000_000_000_000, 0.25).unwrap());
    check(&NegativeBinomial::from_mean(1e9, 1e15).unwrap());
}
