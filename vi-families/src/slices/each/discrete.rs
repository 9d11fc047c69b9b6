//! Families on counts and truth values.
//!
//! The entropies of the binomial, the negative binomial and the Poisson distribution are sums over their counts without
//! closed form: they have no slice form.

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::{Number, each, finite, positive};
use crate::distributions::{Bernoulli, Binomial, Geometric, LOG_TWO_PI, NegativeBinomial, Poisson};
use crate::slices::counts::{NO_COUNT, failures, for_blocks, log_poisson};

/// e^−|x|, log(1 + e^x) and log(1 + e^−x)
#[inline(always)]
fn softplus<L: Lane>(x: f64) -> (f64, f64, f64) {
    let e = L::exp(-x.abs());
    let log = L::log1p(e);
    let (above, below) = if x > 0.0 { (x, 0.0) } else { (0.0, -x) };
    (e, log + above, log + below)
}

/// 1 / (1 + e^−x), given e^−|x|
#[inline(always)]
fn sigmoid(x: f64, e: f64) -> f64 {
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

each! {
    Bernoulli(logits = logit) if (finite(logit)), "the logit is not finite";
    log_prob(z: bool) {
        let (_, no, yes) = softplus::<L>(logit);
        -(if z == 1.0 { yes } else { no })
    }
    mean_params(probability) "the probability of `true`" { [sigmoid(logit, L::exp(-logit.abs()))] }
    entropy {
        let eta = logit.abs();
        let (e, _, log) = softplus::<L>(eta);
        L::mul_add(e / (1.0 + e), eta, log)
    }
}

each! {
    Poisson(rates = rate) if (positive(rate)), "the rate is not finite and positive";
    log_prob(z: u64) { log_poisson::<L>(z, L::log_of_input(z), rate, L::log_of_input(rate)) }
    mean_params(mean) "`E[z]`" { [rate] }
}

each! {
    Geometric(probabilities = p) if ((p > 0.0) & (p < 1.0)), "the probability is not strictly between 0 and 1";
    log_prob(z: u64) { L::mul_add(z, L::log1p(-p), L::log_of_input(p)) }
    mean_params(mean) "`E[z]`" { [(1.0 - p) / p] }
    entropy { -L::mul_add((1.0 - p) / p, L::log1p(-p), L::log_of_input(p)) }
}

each! {
    NegativeBinomial(n_successes = r, probabilities = p) if (positive(r) & (p > 0.0) & (p < 1.0)),
    "the number of successes is not finite and positive or the probability not strictly between 0 and 1";
    log_prob(z: u64) {
        let (n, q) = (z + r, 1.0 - p);
        let (log_r, log_p) = (L::log_of_input(r), L::log_of_input(p));
        let (log_n, log_q) = (L::log(n), L::log1p(-p));
        // r / n times the binomial probability of n trials, a product of two Poisson probabilities over a third.
        let value = log_r - log_n
            + log_poisson::<L>(r, log_r, n * p, log_n + log_p)
            + log_poisson::<L>(z, L::log_of_input(z), n * q, log_n + log_q)
            + (L::stirling_error(n, log_n) + 0.5 * (log_n + LOG_TWO_PI));
        if z == 0.0 { r * log_p } else { value }
    }
    mean_params(mean) "`E[z]`" { [r * ((1.0 - p) / p)] }
}

/// (n, successes, failures, logit) ↦ log p
struct BinomialLogProb;

impl SliceFunction<4, 1> for BinomialLogProb {
    #[inline(always)]
    fn apply<L: Lane>(&self, [n, k, other, logit]: [f64; 4]) -> [f64; 1] {
        let log_n = L::log_of_input(n);
        let (e, minus_log_q, minus_log_p) = softplus::<L>(logit);
        let (p, q) = (sigmoid(logit, e), sigmoid(-logit, e));
        let value = log_poisson::<L>(k, L::log_of_input(k), n * p, log_n - minus_log_p)
            + log_poisson::<L>(other, L::log_of_input(other), n * q, log_n - minus_log_q)
            + (L::stirling_error(n, log_n) + 0.5 * (log_n + LOG_TWO_PI));
        let value = if k == 0.0 { -n * minus_log_q } else { value };
        let value = if other == 0.0 { -n * minus_log_p } else { value };
        let value = if other == NO_COUNT { f64::NEG_INFINITY } else { value };
        [if finite(logit) & (n > 0.0) { value } else { f64::NAN }]
    }
}

/// (n, logit) ↦ n π
struct BinomialMean;

impl SliceFunction<2, 1> for BinomialMean {
    #[inline(always)]
    fn apply<L: Lane>(&self, [n, logit]: [f64; 2]) -> [f64; 1] {
        let mean = n * sigmoid(logit, L::exp(-logit.abs()));
        [if finite(logit) & (n > 0.0) { mean } else { f64::NAN }]
    }
}

impl Binomial {
    /// out ← log p(z) with trials and a logit of its own for every value; −∞ above the trials, NaN where there are none
    /// or the logit is not finite.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn log_prob_each(n_trials: &[u64], logits: &[f64], z: &[u64], out: &mut [f64]) {
        let lengths = [n_trials.len(), logits.len(), z.len()];
        assert!(lengths.iter().all(|n| *n == out.len()), "inputs and out differ in length");
        let number = |m, n: usize| match m {
            0 => n_trials[n] as f64,
            1 => z[n] as f64,
            _ => failures(n_trials[n], z[n]),
        };
        for_blocks(z.len(), number, |block, [n, k, other]| {
            map_slices(&BinomialLogProb, [n, k, other, &logits[block.clone()]], [&mut out[block]]);
        });
    }

    /// The mean parameter `E[z]` of every member; NaN where there are no trials or the logit is not finite.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mean_params_each(n_trials: &[u64], logits: &[f64], mean: &mut [f64]) {
        let lengths = [n_trials.len(), logits.len()];
        assert!(lengths.iter().all(|n| *n == mean.len()), "inputs and mean differ in length");
        for_blocks(
            mean.len(),
            |_, n| n_trials[n] as f64,
            |block, [n]| {
                map_slices(&BinomialMean, [n, &logits[block.clone()]], [&mut mean[block]]);
            },
        );
    }
}
