//! The uniform distribution with unknown bound, whose data move the end of the support of the prior.

use vi_families::{ExponentialFamily, FamilyError, Pareto, UniformBound, UniformMixture};

use super::{assert_close, key};

fn pareto(minimum: f64, shape: f64) -> Pareto {
    Pareto::from_minimum_shape(minimum, shape).unwrap()
}

fn observe(data: &[f64]) -> UniformBound {
    let mut seen = UniformBound::new();
    data.iter().for_each(|x| seen.push(*x, 1.0).unwrap());
    seen
}

const DATA: [f64; 5] = [0.3, 2.5, 0.0, 1.75, 4.5];

#[test]
fn the_posterior_has_the_largest_datum_and_the_number_of_data() {
    let posterior = observe(&DATA).posterior(&pareto(3.0, 0.75)).unwrap();
    assert_eq!((posterior.minimum(), posterior.shape()), (4.5, 5.75));
    let posterior = observe(&DATA).posterior(&pareto(5.0, 0.75)).unwrap();
    assert_eq!((posterior.minimum(), posterior.shape()), (5.0, 5.75));
    assert_eq!(UniformBound::new().posterior(&pareto(3.0, 0.75)).unwrap(), pareto(3.0, 0.75));
}

/// Each against the other way: predictive densities multiplied, and ∫ p(z) z⁻⁵ dz from the posterior's minimum on, in
/// u = log z by the trapezoidal rule, whose error of the jump at the end is taken off to the fourth order.
#[test]
fn the_evidence_is_the_chain_of_predictives_and_the_integral_over_the_prior() {
    for prior in [pareto(3.0, 0.75), pareto(1e-3, 2.0), pareto(50.0, 11.0)] {
        let evidence = observe(&DATA).log_marginal_likelihood(&prior);
        let chain: f64 = (0..DATA.len())
            .map(|i| {
                let posterior = observe(&DATA[..i]).posterior(&prior).unwrap();
                UniformBound::predictive(&posterior).log_prob(DATA[i])
            })
            .sum();
        assert_close("chain", chain, evidence, 1e-13);
        let from = prior.minimum().max(4.5).ln();
        let (step, decay) = (1e-3, prior.shape() + 5.0);
        let integrand = |u: f64| (prior.log_prob(&u.exp()) - 4.0 * u).exp();
        let sum: f64 = (1..60_000).map(|i| integrand(from + step * f64::from(i))).sum();
        let (first, h) = (integrand(from * (1.0 + 1e-15)), step * decay);
        let corrected = step * (sum + first * (0.5 - h / 12.0 + h.powi(3) / 720.0));
        assert_close("integral", corrected.ln(), evidence, 1e-11);
    }
}

#[test]
fn weights_and_parts() {
    let prior = pareto(1.0, 0.75);
    let (mut first, second) = (observe(&DATA[..2]), observe(&DATA[2..]));
    first.merge(&second);
    assert_eq!(first, observe(&DATA));
    let mut weighted = UniformBound::new();
    // A datum that does not count says nothing of the bound either.
    weighted.push(100.0, 0.0).unwrap();
    weighted.push(2.0, 2.0).unwrap();
    assert_eq!(weighted.posterior(&prior).unwrap(), observe(&[2.0, 2.0]).posterior(&prior).unwrap());
    assert_eq!((weighted.n(), weighted.weight(), weighted.maximum()), (2, 2.0, 2.0));
    assert_eq!(UniformBound::new().log_marginal_likelihood(&prior), 0.0);
}

#[test]
fn impossible_data_and_weights_are_errors() {
    let mut seen = observe(&[1.0]);
    for x in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(seen.push(x, 1.0), Err(FamilyError::OutsideSupport { index: 1, .. })));
    }
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(seen.push(1.0, weight), Err(FamilyError::Domain { .. })));
    }
    assert_eq!(seen, observe(&[1.0]));
}

#[test]
fn huge_weights_keep_their_digits() {
    let mut seen = UniformBound::new();
    seen.push(4.0, 1e15).unwrap();
    let prior = pareto(3.0, 0.5);
    assert_eq!(seen.posterior(&prior).unwrap().shape(), 1e15 + 0.5);
    // log 0.5/(1e15 + 0.5) + 0.5 log 0.75 − 1e15 log 4.
    assert_close("evidence", seen.log_marginal_likelihood(&prior), -1386294361119926.0, 1e-15);
}

/// Densities integrate to one, agree with the CDF and its inverse, and draws with it: √n D of 4000 draws exceeds 3
/// with probability 3·10⁻⁸ (Kolmogorov).
#[test]
fn the_predictive_distribution() {
    for (m, k) in [(3.0, 0.75), (0.01, 2.5), (50.0, 40.0)] {
        let q = UniformMixture::from_bound(pareto(m, k));
        for x in [0.0, 0.3 * m, m, 1.5 * m, 40.0 * m] {
            assert_close("sum", q.cdf(x) + q.survival(x), 1.0, 1e-15);
            let h = 1e-5 * m;
            if x > 0.0 && x != m {
                let slope = (q.cdf(x + h) - q.cdf(x - h)) / (2.0 * h);
                assert_close("slope of the CDF", m * slope, m * q.log_prob(x).exp(), 1e-9);
            }
            if x < 10.0 * m {
                // The CDF has lost the digits of a small survival function.
                assert_close("quantile", q.quantile(q.cdf(x)), x, 1e-13 + 1e-15 / q.survival(x));
            }
        }
        assert_eq!(
            (q.cdf(f64::NEG_INFINITY), q.cdf(f64::INFINITY), q.quantile(1.0)),
            (0.0, 1.0, f64::INFINITY)
        );
        assert!(q.quantile(-0.1).is_nan() && q.cdf(f64::NAN).is_nan() && q.log_prob(f64::NAN).is_nan());
        assert_eq!((q.log_prob(-1.0), q.log_prob(f64::INFINITY)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
        let mut u: Vec<f64> = (0..4000).map(|s| q.cdf(q.sample(&mut key().rng(s)))).collect();
        u.sort_by(f64::total_cmp);
        let distance =
            u.iter().enumerate().map(|(i, u)| (u - (i as f64 + 0.5) / 4000.0).abs() + 0.5 / 4000.0);
        let statistic = distance.fold(0.0, f64::max) * 4000f64.sqrt();
        assert!(statistic < 3.0, "draws of {q:?}: √n D = {statistic}");
    }
}

/// Mean and variance are ∫ P(x̂ > x) dx and 2 ∫ x P(x̂ > x) dx.
#[test]
fn moments_of_the_predictive_distribution() {
    let q = UniformMixture::from_bound(pareto(2.0, 5.0));
    let (mut first, mut second) = (0.0, 0.0);
    for i in -20_000..20_000 {
        let x = (f64::from(i) * 1e-3).exp();
        first += 1e-3 * x * q.survival(x);
        second += 2e-3 * x * x * q.survival(x);
    }
    // The CDF has a corner at 2, hence the error of the square of the step.
    assert_close("mean", q.mean(), first, 1e-6);
    assert_close("variance", q.variance(), second - first * first, 1e-5);
    let heavy = UniformMixture::from_bound(pareto(2.0, 1.0));
    assert_eq!((heavy.mean(), heavy.variance()), (f64::INFINITY, f64::INFINITY));
}
