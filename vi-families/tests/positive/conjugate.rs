//! Conjugate pairs: against the likelihood itself, quadrature over the prior, and products of predictives.

use std::borrow::Borrow;
use std::fmt::Debug;

use ndarray::Array1;
use vi_families::testing::check_conjugate;
use vi_families::{
    ConjugateLikelihood, Exponential, ExponentialFamily, ExponentialMean, ExponentialRate, Gamma, GammaRate,
    Gaussian, HalfNormal, HalfNormalPrecision, InverseGamma, InverseGammaScale, InverseGaussian,
    InverseGaussianShape, Laplace, LaplaceRate, LogNormal, LogNormalLogMean, LogNormalLogPrecision, Pareto,
    ParetoShape, PredictiveDistribution, Rayleigh, RayleighPrecision, Weibull, WeibullRate,
};

use super::assert_within;

/// ∫ p(x | z) p(z) dz over z = from(u), `jacobian` = dz/du: the trapezoidal rule, which converges
/// exponentially for smooth integrands that vanish at both ends.
fn quadrature(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let n = 20_000;
    let step = (to - from) / f64::from(n);
    (0..=n).map(|i| f(from + step * f64::from(i))).sum::<f64>() * step
}

/// All that can be asked of a pair; `members` gives p(· | z), `z_of` the unknown from the real line.
fn check_pair<L, F>(
    likelihood: &L,
    priors: &[L::Prior],
    data: &[f64],
    member: impl Fn(f64) -> F,
    z_of: impl Fn(f64) -> (f64, f64),
) where
    L: ConjugateLikelihood<Value = f64>,
    L::Prior: ExponentialFamily<Value = f64>,
    F: ExponentialFamily<Value = f64>,
{
    for prior in priors {
        check_conjugate(likelihood, prior, super::key());
        check_message(likelihood, prior, data, &member);
        let all = observe(likelihood, data, |_| 1.0);
        let evidence = all.log_marginal_likelihood(prior).unwrap();
        check_chain(likelihood, prior, data, evidence);
        let (first, second) = data.split_at(data.len() / 2);
        let mut merged = observe(likelihood, first, |_| 1.0);
        merged.merge(&observe(likelihood, second, |_| 1.0)).unwrap();
        same(&merged.posterior(prior).unwrap(), &all.posterior(prior).unwrap());
        // A weight of two is the datum twice.
        let twice = observe(likelihood, &[data, &data[..1]].concat(), |_| 1.0);
        let weighted = observe(likelihood, data, |i| if i == 0 { 2.0 } else { 1.0 });
        same(&weighted.posterior(prior).unwrap(), &twice.posterior(prior).unwrap());
        let log_density =
            |z: f64| prior.log_prob(&z) + data.iter().map(|x| member(z).log_prob(x)).sum::<f64>() - evidence;
        let mass = quadrature(
            |u| {
                let (z, jacobian) = z_of(u);
                log_density(z).exp() * jacobian
            },
            -60.0,
            60.0,
        );
        assert_within(&format!("∫ p(x, z) dz / p(x) of {likelihood:?}, {prior:?}"), mass, 1.0, 1e-9);
    }
    for x in [f64::NAN, f64::INFINITY] {
        assert!(likelihood.observed().push(&x, 1.0).is_err(), "{likelihood:?} takes {x}");
    }
}

fn observe<L: ConjugateLikelihood<Value = f64>>(
    likelihood: &L,
    data: &[f64],
    weight: impl Fn(usize) -> f64,
) -> vi_families::Observed<L> {
    let mut observed = likelihood.observed();
    for (i, x) in data.iter().enumerate() {
        observed.push(x, weight(i)).unwrap();
    }
    observed
}

fn same<F: ExponentialFamily + Debug>(a: &F, b: &F) {
    for (x, y) in a.natural().iter().zip(&b.natural()) {
        assert_within(&format!("natural parameter of {a:?} and {b:?}"), *x, *y, 1e-12 * (1.0 + y.abs()));
    }
}

/// m(x)ᵀT(z) + log h(x) is log p(x | z).
fn check_message<L, F>(likelihood: &L, prior: &L::Prior, data: &[f64], member: &impl Fn(f64) -> F)
where
    L: ConjugateLikelihood<Value = f64>,
    L::Prior: ExponentialFamily<Value = f64>,
    F: ExponentialFamily<Value = f64>,
{
    for s in 0..20 {
        let draw = prior.sample(&mut super::key().rng(s));
        let z: &f64 = draw.borrow();
        if !(1e-100..1e100).contains(&z.abs()) {
            continue;
        }
        for x in data {
            let mut message = Array1::zeros(likelihood.n_params());
            likelihood.add_message(x, 1.0, &mut message);
            let t = prior.sufficient_stats(z);
            let formula = message.dot(&t) + likelihood.log_base_measure(x);
            let size: f64 = message.iter().zip(&t).map(|(m, t)| (m * t).abs()).sum();
            let what = format!("log p({x} | {z}) of {likelihood:?}");
            assert_within(&what, formula, member(*z).log_prob(x), 1e-12 * (1.0 + size));
        }
    }
}

/// p(x₁) p(x₂ | x₁) p(x₃ | x₁, x₂) … is the evidence.
fn check_chain<L: ConjugateLikelihood<Value = f64>>(
    likelihood: &L,
    prior: &L::Prior,
    data: &[f64],
    evidence: f64,
) {
    let (mut chain, mut size) = (0.0, 1.0);
    for (i, x) in data.iter().enumerate() {
        let posterior = observe(likelihood, &data[..i], |_| 1.0).posterior(prior).unwrap();
        let log_prob = likelihood.predictive(&posterior).unwrap().log_predictive(x);
        chain += log_prob;
        size += log_prob.abs();
    }
    assert_within(&format!("Π predictives of {likelihood:?}, {prior:?}"), chain, evidence, 1e-12 * size);
}

fn on_positive(u: f64) -> (f64, f64) {
    (u.exp(), u.exp())
}

fn gammas() -> [Gamma; 3] {
    [(2.5, 3.0), (0.7, 0.2), (40.0, 9.0)].map(|(a, b)| Gamma::from_shape_rate(a, b).unwrap())
}

const DATA: [f64; 5] = [0.7, 2.3, 1.1, 0.05, 4.0];

#[test]
fn exponential() {
    let member = |z| Exponential::from_rate(z).unwrap();
    check_pair(&ExponentialRate, &gammas(), &[0.0, 0.7, 2.3, 1.1], member, on_positive);
    let priors = [(2.5, 3.0), (0.7, 0.2)].map(|(a, b)| InverseGamma::from_shape_scale(a, b).unwrap());
    check_pair(&ExponentialMean, &priors, &DATA, |z| Exponential::from_mean(z).unwrap(), on_positive);
}

#[test]
fn gamma_and_inverse_gamma() {
    for k in [0.4, 1.0, 3.5] {
        let member = |z| Gamma::from_shape_rate(k, z).unwrap();
        check_pair(&GammaRate::from_shape(k).unwrap(), &gammas(), &DATA, member, on_positive);
        let member = |z| InverseGamma::from_shape_scale(k, z).unwrap();
        check_pair(&InverseGammaScale::from_shape(k).unwrap(), &gammas(), &DATA, member, on_positive);
    }
}

#[test]
fn pareto() {
    let member = |z| Pareto::from_minimum_shape(0.5, z).unwrap();
    check_pair(&ParetoShape::from_minimum(0.5).unwrap(), &gammas(), &[0.5, 0.7, 90.0], member, on_positive);
}

#[test]
fn weibull_and_rayleigh() {
    for k in [0.6, 2.5] {
        let member = |z| Weibull::from_shape_rate(k, z).unwrap();
        check_pair(&WeibullRate::from_shape(k).unwrap(), &gammas(), &DATA, member, on_positive);
    }
    let member = |z| Rayleigh::from_precision(z).unwrap();
    check_pair(&RayleighPrecision, &gammas(), &DATA, member, on_positive);
}

#[test]
fn half_normal_and_laplace() {
    let member = |z| HalfNormal::from_precision(z).unwrap();
    check_pair(&HalfNormalPrecision, &gammas(), &[0.0, 0.7, 2.3], member, on_positive);
    let member = |z: f64| Laplace::from_location_scale(-1.5, 1.0 / z).unwrap();
    let data = [-1.5, -7.0, 0.2, 30.0];
    check_pair(&LaplaceRate::from_location(-1.5).unwrap(), &gammas(), &data, member, on_positive);
}

#[test]
fn inverse_gaussian() {
    let member = |z| InverseGaussian::from_mean_shape(1.3, z).unwrap();
    check_pair(&InverseGaussianShape::from_mean(1.3).unwrap(), &gammas(), &DATA, member, on_positive);
}

#[test]
fn log_normal() {
    let member = |z| LogNormal::from_log_mean_log_precision(0.4, z).unwrap();
    check_pair(&LogNormalLogPrecision::from_log_mean(0.4).unwrap(), &gammas(), &DATA, member, on_positive);
    let member = |z| LogNormal::from_log_mean_log_precision(z, 1.7).unwrap();
    let priors = [(0.5, 2.0), (-3.0, 0.3)].map(|(m, s)| Gaussian::from_mean_sd(m, s).unwrap());
    let pair = LogNormalLogMean::from_log_precision(1.7).unwrap();
    check_pair(&pair, &priors, &DATA, member, |u| (u, 1.0));
}

#[test]
fn data_outside_the_support_are_refused() {
    assert!(ExponentialRate.observed().push(&-0.1, 1.0).is_err());
    assert!(GammaRate::from_shape(2.0).unwrap().observed().push(&0.0, 1.0).is_err());
    assert!(ParetoShape::from_minimum(2.0).unwrap().observed().push(&1.9, 1.0).is_err());
    let error = GammaRate::from_shape(-2.0).unwrap_err().to_string();
    assert_eq!(error, "GammaRate: shape = -2, but it must be finite and > 0");
    let error = LaplaceRate::from_location(f64::NAN).unwrap_err().to_string();
    assert_eq!(error, "LaplaceRate: location = NaN, but it must be finite");
}
