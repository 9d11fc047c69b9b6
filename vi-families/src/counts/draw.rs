//! Exact draws of counts.
//!
//! Where the mean is large, transformed rejection (Hörmann 1993, "The generation of binomial random variates" and
//! "The transformed rejection method for generating Poisson random variables") with acceptance from
//! probabilities that are exact for any size; where it is small, waiting times.

use ndarray::Array1;
use rand::RngExt;
use vi_core::StreamRng;
use vi_core::numerics::{log_sum_exp, sigmoid_scalar};

use super::mass::log_poisson;
use crate::draw::{log_gamma_variate, standard_exponential};

/// The smallest mean at which the rejection methods are valid.
const LARGE: f64 = 10.0;

/// A whole number as a count; the largest count where it is above.
pub(crate) fn round_to_count(k: f64) -> u64 {
    // `as` saturates.
    k as u64
}

/// A Poisson count.
pub(crate) fn poisson(rate: f64, rng: &mut StreamRng) -> u64 {
    if rate < LARGE {
        let (mut k, mut time) = (0, standard_exponential(rng));
        while time < rate {
            k += 1;
            time += standard_exponential(rng);
        }
        return k;
    }
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = rng.random::<f64>() - 0.5;
        let v: f64 = rng.random();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + rate + 0.43).floor();
        if us >= 0.07 && v <= squeeze {
            return round_to_count(k);
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if (v * inverse_alpha / (a / (us * us) + b)).ln() <= log_poisson(k, rate, || rate.ln()) {
            return round_to_count(k);
        }
    }
}

/// How many of `n` trials succeed, at log odds `logit`.
pub(crate) fn binomial(n: u64, logit: f64, rng: &mut StreamRng) -> u64 {
    if logit > 0.0 {
        return n - binomial_rare(n, -logit, rng);
    }
    binomial_rare(n, logit, rng)
}

/// As [`binomial`], for log odds of at most 0.
fn binomial_rare(n: u64, logit: f64, rng: &mut StreamRng) -> u64 {
    let (p, q) = (sigmoid_scalar(logit), sigmoid_scalar(-logit));
    let trials = n as f64;
    if trials * p < LARGE {
        return binomial_by_waiting(trials, p, rng).min(n);
    }
    let sd = (trials * p * q).sqrt();
    let b = 1.15 + 2.53 * sd;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * sd;
    let squeeze = 0.92 - 4.2 / b;
    let kernel = |k: f64| {
        let other = trials - k;
        log_poisson(k, trials * p, || logit) + log_poisson(other, trials * q, || 0.0)
    };
    let mode = ((trials + 1.0) * p).floor().min(trials);
    let top = kernel(mode);
    loop {
        let u = rng.random::<f64>() - 0.5;
        let v: f64 = rng.random();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + trials * p + 0.5).floor();
        if !(0.0..=trials).contains(&k) {
            continue;
        }
        if us >= 0.07 && v <= squeeze {
            return round_to_count(k).min(n);
        }
        if (v * alpha / (a / (us * us) + b)).ln() <= kernel(k) - top {
            return round_to_count(k).min(n);
        }
    }
}

/// Jumps from success to success: the number of trials to the next one is geometric.
fn binomial_by_waiting(trials: f64, p: f64, rng: &mut StreamRng) -> u64 {
    let rate = -(-p).ln_1p();
    let (mut k, mut used) = (0, 0.0);
    loop {
        used += (standard_exponential(rng) / rate).floor() + 1.0;
        // A p of 0 (underflow) makes the waiting time infinite or NaN.
        if used.is_nan() || used > trials {
            return k;
        }
        k += 1;
    }
}

/// Failures before the success number `r`, at log odds `logit` of success: a Poisson count with Gamma rate.
///
/// Counts beyond 2⁶⁴ − 1, which only odds below 1e-17 make, saturate there.
pub(crate) fn negative_binomial(r: f64, logit: f64, rng: &mut StreamRng) -> u64 {
    let rate = (log_gamma_variate(r, rng) - logit).exp();
    // Above 1e18 the spread of the Poisson count is less than a billionth of it.
    if rate > super::MAX_MEAN { round_to_count(rate) } else { poisson(rate, rng) }
}

/// The counts of `n` trials with these log probabilities (K): a chain of binomial counts.
pub(crate) fn multinomial(n: u64, log_probabilities: &Array1<f64>, rng: &mut StreamRng) -> Array1<f64> {
    let last = log_probabilities.len() - 1;
    let logs = log_probabilities.to_vec();
    let mut counts = Array1::zeros(last + 1);
    let mut left = n;
    for k in 0..last {
        if left == 0 {
            return counts;
        }
        let taken = binomial(left, logs[k] - log_sum_exp(&logs[k + 1..]), rng);
        counts[k] = taken as f64;
        left -= taken;
    }
    counts[last] = left as f64;
    counts
}
