//! Factors one by one add up to the whole member; measure-valued decompositions are derivatives.
//!
//! Means of 20 000 pairs may lie 5 standard errors off: over all 16 comparisons a false alarm has probability 9e-6.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{
    FactorizedDistribution, LearnedStudentTMeanField, MeanFieldGaussian, MeasureValuedDistribution,
    ProductFamily, StudentTMeanField, VariationalDistribution, VariationalFamily,
};

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-11 * (1.0 + b.abs()), "{a} ≠ {b}");
}

fn check_factors<F: VariationalFamily>(family: &F, params: &ArrayRef1<f64>)
where
    for<'a> F::Member<'a>: FactorizedDistribution,
{
    let q = family.bind(params).unwrap();
    let mut z = Array1::zeros(q.dim());
    for s in 0..20 {
        q.sample(&mut StreamKey::from_seed(5).rng(s), &mut z);
        let before = z.clone();
        let i = s as usize % q.n_factors();
        q.sample_factor(i, &mut StreamKey::from_seed(6).rng(s), &mut z);
        for (d, (a, b)) in z.iter().zip(&before).enumerate() {
            assert!(q.factor(i).contains(&d) || a == b, "factor {i} moved coordinate {d}");
        }
        close((0..q.n_factors()).map(|i| q.log_prob_factor(i, &z)).sum(), q.log_prob(&z));
        let (mut whole, mut parts) = (Array1::zeros(q.n_params()), Array1::zeros(q.n_params()));
        q.add_score(&z, 0.7, &mut whole);
        (0..q.n_factors()).for_each(|i| q.add_score_factor(i, &z, 0.7, &mut parts));
        whole.iter().zip(&parts).for_each(|(w, p)| close(*p, *w));
    }
}

#[test]
fn factors_add_up_to_the_member() {
    let reals = ParameterSpace::new([Parameter::vector("x", 3, Support::Real)]).unwrap();
    check_factors(&MeanFieldGaussian::new(&reals).unwrap(), &array![0.1, -0.4, 2.0, 0.3, -1.0, 0.2]);
    check_factors(&StudentTMeanField::new(&reals, 3.5).unwrap(), &array![0.1, -0.4, 2.0, 0.3, -1.0, 0.2]);
    let params = array![0.1, -0.4, 2.0, 0.3, -1.0, 0.2, 1.0, 1.5, 0.2];
    check_factors(&LearnedStudentTMeanField::new(&reals, 5.0).unwrap(), &params);
    let family = ProductFamily::for_space(&mixed()).unwrap();
    check_factors(&family, &mixed_params());
}

fn mixed() -> ParameterSpace {
    ParameterSpace::new([
        Parameter::scalar("x", Support::Real),
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("on", Support::Binary),
        Parameter::scalar("k", Support::Categorical { n: 4 }),
        Parameter::scalar("w", Support::Interval { lower: 0.0, upper: 2.0 }),
        Parameter::scalar("phi", Support::Angle),
    ])
    .unwrap()
}

fn mixed_params() -> Array1<f64> {
    array![0.4, -0.3, 1.2, 0.5, 0.8, 0.9, -0.5, 0.2, 0.3, 0.6, -2.5, 0.4]
}

/// The mean of c (f(z⁺) − f(z⁻)) against the derivative of E[f].
fn check_derivative<Q: MeasureValuedDistribution>(
    q: &Q,
    (i, param): (usize, usize),
    f: impl Fn(f64) -> f64,
    exact: f64,
) {
    const N: u64 = 20_000;
    let c = q.pair_weight(i, param).unwrap();
    let (mut plus, mut minus) = (Array1::zeros(q.dim()), Array1::zeros(q.dim()));
    let (mut sum, mut squares, d) = (0.0, 0.0, q.factor(i).start);
    for s in 0..N {
        q.sample_pair(i, param, &mut StreamKey::from_seed(param as u64).rng(s), &mut plus, &mut minus);
        let term = c * (f(plus[d]) - f(minus[d]));
        sum += term;
        squares += term * term;
    }
    let (mean, n) = (sum / N as f64, N as f64);
    let error = ((squares / n - mean * mean).max(0.0) / n).sqrt() + 1e-12;
    assert!((mean - exact).abs() < 5.0 * error, "λ[{param}]: {mean} ± {error}, not {exact}");
}

#[test]
fn decompositions_are_derivatives() {
    let (family, params) = (ProductFamily::for_space(&mixed()).unwrap(), mixed_params());
    let q = family.bind(&params).unwrap();
    let square = |z: f64| z * z;
    // N(m, s²): E[z²] = m² + s², E[e^z] = e^(m + s²/2).
    let (m, s2) = (0.4, (-0.6f64).exp());
    let exponential = (m + 0.5 * s2).exp();
    check_derivative(&q, (0, 0), square, 2.0 * m);
    check_derivative(&q, (0, 1), square, 2.0 * s2);
    check_derivative(&q, (0, 0), f64::exp, exponential);
    check_derivative(&q, (0, 1), f64::exp, s2 * exponential);
    // Gamma(a, b): E[z²] = a (a + 1)/b², E[log z] = ψ(a) − log b.
    let (a, b) = (1.2f64.exp(), 0.5f64.exp());
    check_derivative(&q, (1, 3), square, -2.0 * a * (a + 1.0) / (b * b));
    check_derivative(&q, (1, 3), f64::ln, -1.0);
    assert!(q.pair_weight(1, 2).is_none(), "the shape of a Gamma");
    // Bernoulli: p (1 − p).
    let p = 1.0 / (1.0 + (-0.8f64).exp());
    check_derivative(&q, (2, 4), |z| 3.0 * z + 1.0, 3.0 * p * (1.0 - p));
    // Categories with q_k ∝ e^odds: q_k (f(k) − E[f]).
    let odds = [0.9f64.exp(), (-0.5f64).exp(), 0.2f64.exp(), 1.0];
    let (total, f) = (odds.iter().sum::<f64>(), |k: f64| (2.0 * k + 0.5).sin());
    let mean: f64 = odds.iter().enumerate().map(|(k, o)| o / total * f(k as f64)).sum();
    for (k, o) in odds[..3].iter().enumerate() {
        check_derivative(&q, (3, 5 + k), f, o / total * (f(k as f64) - mean));
    }
    assert!(q.pair_weight(4, 8).is_none() && q.pair_weight(4, 9).is_none(), "a Beta");

    let reals = ParameterSpace::new([Parameter::vector("x", 2, Support::Real)]).unwrap();
    let family = MeanFieldGaussian::new(&reals).unwrap();
    let params = array![0.1, -0.4, 0.3, -1.0];
    let q = family.bind(&params).unwrap();
    check_derivative(&q, (1, 1), square, -0.8);
    check_derivative(&q, (1, 3), square, 2.0 * (-2.0f64).exp());
}
