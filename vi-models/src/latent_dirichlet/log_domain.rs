//! The way out where a normaliser underflows: responsibilities from logarithms, one pair of document and word at a time.
//!
//! With concentrations far below 0.01 the weights of topics that a document or a word has not seen span more than the range of
//! floating-point numbers. Where some word of a document is left with next to no weight, the document is worked out here.

use vi_families::special::digamma;

/// Normalisers below it have lost digits to subnormal weights.
pub(super) const SMALLEST: f64 = 1e-280;

/// φ ← softmax(a + b) (K); returns log Σ exp(a + b).
pub(super) fn responsibilities(a: &[f64], b: &[f64], phi: &mut [f64]) -> f64 {
    for ((phi, a), b) in phi.iter_mut().zip(a).zip(b) {
        *phi = a + b;
    }
    let max = phi.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for phi in phi.iter_mut() {
        *phi = (*phi - max).exp();
        total += *phi;
    }
    for phi in phi.iter_mut() {
        *phi /= total;
    }
    max + total.ln()
}

/// counts ← Σ n φ over pairs of logarithms a and counts n, all with b (K); returns Σ n log Z.
pub(super) fn share_out<'a>(
    phi: &mut [f64],
    b: &[f64],
    pairs: impl Iterator<Item = (&'a [f64], &'a f64)>,
    counts: &mut [f64],
) -> f64 {
    counts.fill(0.0);
    let mut log_normalizer = 0.0;
    for (a, n) in pairs {
        log_normalizer += n * responsibilities(a, b, phi);
        for (count, phi) in counts.iter_mut().zip(phi.iter()) {
            *count += n * phi;
        }
    }
    log_normalizer
}

/// The iteration of a document; see [`MixtureProportions`](vi_core::numerics::MixtureProportions). `logs` and
/// `concentration` (K) are updated, `counts` (K) overwritten. Returns Σ n log Z and the number of iterations.
pub(super) fn iterate<'a>(
    prior: &[f64],
    words: impl Iterator<Item = (&'a [f64], &'a f64)> + Clone,
    (tolerance, max_iterations): (f64, usize),
    [phi, concentration, logs, counts]: [&mut [f64]; 4],
) -> (f64, usize) {
    let mut done = 0;
    while done < max_iterations {
        share_out(phi, logs, words.clone(), counts);
        done += 1;
        let mut change = 0.0;
        for ((gamma, alpha), m) in concentration.iter_mut().zip(prior).zip(counts.iter()) {
            change += (alpha + m - *gamma).abs();
            *gamma = alpha + m;
        }
        set_expected_logs(concentration, logs);
        if change / (prior.len() as f64) < tolerance {
            break;
        }
    }
    (share_out(phi, logs, words, counts), done)
}

/// logs ← ψ(γ_k) − ψ(Σγ).
pub(super) fn set_expected_logs(concentration: &[f64], logs: &mut [f64]) {
    vi_core::numerics::digamma(concentration, logs);
    let total = digamma(concentration.iter().sum());
    logs.iter_mut().for_each(|l| *l -= total);
}
