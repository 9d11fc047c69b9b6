//! Conjugate pairs of directions, of coordinates that stay independent, of regressions and of bounds.
//!
//! Keys are fixed; see `check_conjugate` for the false-alarm rate of what is drawn.

mod bounds;
mod diagonal;
mod directions;
mod extremes;
mod regression;
mod scales;
mod serialized;

use std::borrow::Borrow;

use ndarray::Array1;
use vi_core::StreamKey;
use vi_families::testing::check_conjugate;
use vi_families::{ConjugateLikelihood, ExponentialFamily, PredictiveDistribution};

fn key() -> StreamKey {
    StreamKey::from_seed(41)
}

/// Asserts equality up to `bound`, relative or, below one, absolute.
fn assert_close(what: &str, value: f64, expected: f64, bound: f64) {
    let close = (value - expected).abs() <= bound * expected.abs().max(1.0);
    assert!(close, "{what}: {value}, expected {expected}");
}

/// The contract of the pair; and at draws of z and data of the predictive, log p(x | z) is what `log_prob` says.
fn check_pair<L>(
    likelihood: &L,
    prior: &L::Prior,
    log_prob: impl Fn(&L::Value, &<L::Prior as ExponentialFamily>::Value) -> f64,
) where
    L: ConjugateLikelihood,
    L::Value: std::fmt::Debug,
{
    check_conjugate(likelihood, prior, key());
    let predictive = likelihood.predictive(prior).unwrap();
    for s in 0..20 {
        let (draw, datum) =
            (prior.sample(&mut key().rng(s)), predictive.sample_predictive(&mut key().rng(100 + s)));
        let (z, x): (&<L::Prior as ExponentialFamily>::Value, &L::Value) = (draw.borrow(), datum.borrow());
        let mut message = Array1::zeros(likelihood.n_params());
        likelihood.add_message(x, 1.0, &mut message);
        let t = prior.sufficient_stats(z);
        let size: f64 = message.iter().zip(&t).map(|(m, t)| (m * t).abs()).sum();
        let value = message.dot(&t) + likelihood.log_base_measure(x);
        let expected = log_prob(x, z);
        let what = format!("log p({x:?} | {z:?}) of {likelihood:?}");
        assert_close(&what, value, expected, 1e-12 * (1.0 + size));
    }
}

/// The mean of `f` over draws is `expected`, to 5.4 standard errors (6 false alarms in 10⁸).
fn assert_average(what: &str, values: impl Iterator<Item = f64>, expected: f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for v in values {
        sum += v - expected;
        squares += (v - expected).powi(2);
    }
    let z: f64 = sum / squares.sqrt();
    assert!(z.abs() <= 5.4, "{what}: the mean of draws is {z} se from {expected}");
}
