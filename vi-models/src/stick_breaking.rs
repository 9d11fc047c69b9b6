//! Weights by sticks broken one after the other, with Beta distributions: of the prior, or of a factor.
//!
//! ```text
//! π_k = v_k Π_{j<k} (1 − v_j),   v_k ~ Beta(a_k, b_k) for k < K,   v_K = 1
//! ```
//! Densities are taken over π, like that of a Dirichlet: with the Jacobian Π_{k<K} 1/(1 − π_1 − … − π_{k−1}), which is a
//! power of every 1 − v_j. With a_k = 1 and b_k = α it is a Dirichlet process of concentration α truncated at K.
//!
//! Sources: D. M. Blei & M. I. Jordan, *Variational inference for Dirichlet process mixtures* (2006), §3.2;
//! R. J. Connor & J. E. Mosimann (1969) for the density.

use vi_core::StreamRng;
use vi_families::log_gamma_variate;
use vi_families::special::{digamma, log_beta};

/// a_k ← 1 + n_k, b_k ← α + Σ_{j>k} n_j (K − 1 each), given counts n (K).
pub(crate) fn condition(concentration: f64, counts: &[f64], first: &mut [f64], second: &mut [f64]) {
    let mut beyond = *counts.last().expect("at least one weight");
    for k in (0..first.len()).rev() {
        first[k] = 1.0 + counts[k];
        second[k] = concentration + beyond;
        beyond += counts[k];
    }
}

/// E[log π_k] (K) and E[log(1 − v_k)] (K − 1).
pub(crate) fn expect(first: &[f64], second: &[f64], log_weights: &mut [f64], log_rest: &mut [f64]) {
    let mut rest = 0.0;
    for (k, (a, b)) in first.iter().zip(second).enumerate() {
        let total = digamma(a + b);
        log_weights[k] = rest + digamma(*a) - total;
        log_rest[k] = digamma(*b) - total;
        rest += log_rest[k];
    }
    log_weights[first.len()] = rest;
}

/// log π_k (K) and log(1 − v_k) (K − 1) of a draw, exact however small they are.
pub(crate) fn draw(
    first: &[f64],
    second: &[f64],
    rng: &mut StreamRng,
    log_weights: &mut [f64],
    log_rest: &mut [f64],
) {
    let mut rest = 0.0;
    for (k, (a, b)) in first.iter().zip(second).enumerate() {
        let parts = [log_gamma_variate(*a, rng), log_gamma_variate(*b, rng)];
        let total = log_add_exp(parts[0], parts[1]);
        log_weights[k] = rest + parts[0] - total;
        log_rest[k] = parts[1] - total;
        rest += log_rest[k];
    }
    log_weights[first.len()] = rest;
}

fn log_add_exp(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

/// log p(π), expected or realised, of the law whose sticks are Beta(a_k, b_k).
pub(crate) fn log_density(
    sticks: impl ExactSizeIterator<Item = (f64, f64)>,
    log_weights: &[f64],
    log_rest: &[f64],
) -> f64 {
    let (mut sum, mut rest, n) = (0.0, 0.0, sticks.len());
    for (k, (a, b)) in sticks.enumerate() {
        // The Jacobian has log(1 − v_k) once for every later stick.
        let later = (n - 1 - k) as f64;
        sum += (a - 1.0) * (log_weights[k] - rest) + (b - 1.0 - later) * log_rest[k] - log_beta(a, b);
        rest += log_rest[k];
    }
    sum
}

/// log(1 − v_k) (K − 1) of weights π (K) > 0.
pub(crate) fn log_rest_of(weights: &[f64], log_rest: &mut [f64]) {
    // Sums from the smallest end, so that nothing cancels.
    let mut tail = *weights.last().expect("at least one weight");
    for k in (0..log_rest.len()).rev() {
        let with = tail + weights[k];
        log_rest[k] = (tail / with).ln();
        tail = with;
    }
}

/// E[π] (K).
pub(crate) fn mean(first: &[f64], second: &[f64], out: &mut [f64]) {
    let mut rest = 1.0;
    for ((a, b), weight) in first.iter().zip(second).zip(out.iter_mut()) {
        *weight = rest * a / (a + b);
        rest *= b / (a + b);
    }
    out[first.len()] = rest;
}
