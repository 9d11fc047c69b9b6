//! log B, factorials and binomial coefficients, and the multivariate gamma function.

use super::gamma::{ASYMPTOTIC, digamma, log_gamma, stirling_error, trigamma};

/// log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b) for a, b > 0.
///
/// When an argument is 10 or more the large terms are cancelled by hand: DiDonato & Morris (1992), ACM TOMS
/// 18:360, algorithm 708.
pub fn log_beta(a: f64, b: f64) -> f64 {
    let (p, q) = if a < b { (a, b) } else { (b, a) };
    if p.is_nan() || q.is_nan() || p < 0.0 {
        return f64::NAN;
    }
    if q < ASYMPTOTIC {
        return log_gamma(p) + log_gamma(q) - log_gamma(p + q);
    }
    let h = p / (p + q);
    if p < ASYMPTOTIC {
        let correction = stirling_error(q) - stirling_error(p + q);
        return log_gamma(p) + correction + p - p * (p + q).ln() + (q - 0.5) * (-h).ln_1p();
    }
    let correction = stirling_error(p) + stirling_error(q) - stirling_error(p + q);
    const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
    -0.5 * q.ln() + HALF_LOG_TWO_PI + correction + (p - 0.5) * h.ln() + q * (-h).ln_1p()
}

/// log n!.
pub fn log_factorial(n: u64) -> f64 {
    if n < 21 { ((2..=n).product::<u64>() as f64).ln() } else { log_gamma(n as f64 + 1.0) }
}

/// log of the binomial coefficient n over k; −∞ for k > n, where it is zero.
pub fn log_binomial(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    let k = k.min(n - k);
    if k == 0 {
        return 0.0;
    }
    if k <= 8 || n <= 60 {
        // Exact products of at most 30 factors while they fit, otherwise one rounding for each of 8 factors.
        let product = (0..k).fold(1.0, |c, i| c * ((n - i) as f64) / (i + 1) as f64);
        return product.ln();
    }
    let (k, rest) = (k as f64, (n - k) as f64);
    -log_beta(k + 1.0, rest + 1.0) - (n as f64).ln_1p()
}

/// The multivariate log Γ_p(a) for a > (p − 1)/2.
///
/// ```text
/// log Γ_p(a) = p(p − 1)/4 log π + Σ_{i=0}^{p−1} log Γ(a − i/2)
/// ```
pub fn multivariate_log_gamma(p: usize, a: f64) -> f64 {
    let constant = 0.25 * (p * p.saturating_sub(1)) as f64 * std::f64::consts::PI.ln();
    constant + (0..p).map(|i| log_gamma(a - 0.5 * i as f64)).sum::<f64>()
}

/// ψ_p(a) = d log Γ_p(a) / da = Σ_{i=0}^{p−1} ψ(a − i/2) for a > (p − 1)/2.
pub fn multivariate_digamma(p: usize, a: f64) -> f64 {
    (0..p).map(|i| digamma(a - 0.5 * i as f64)).sum()
}

/// ψ′_p(a) = Σ_{i=0}^{p−1} ψ′(a − i/2) for a > (p − 1)/2.
pub fn multivariate_trigamma(p: usize, a: f64) -> f64 {
    (0..p).map(|i| trigamma(a - 0.5 * i as f64)).sum()
}
