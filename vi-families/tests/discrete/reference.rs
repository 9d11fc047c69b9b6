//! Log probabilities, entropies, CDFs and survival functions against mpmath (`reference.py`).

use vi_families::{Binomial, Geometric, NegativeBinomial, Poisson, Univariate};

use super::values::{BINOMIAL, GEOMETRIC, NEGATIVE_BINOMIAL, POISSON};
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
