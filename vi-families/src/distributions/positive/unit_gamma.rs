//! Density, entropy and divergence of Gamma laws without the cancellation of large terms at large shapes.
//!
//! From a shape of 10 on, log Γ(a) is (a − ½) log a − a + ½ log 2π + δ(a) with δ the rest of Stirling's series, and
//! the terms of order a log a are cancelled by hand.

use crate::distributions::LOG_TWO_PI;
use crate::special::{
    digamma, inverse_regularized_gamma_lower, inverse_regularized_gamma_upper, log_1p_minus, log_gamma,
    log_minus_digamma, stirling_error,
};

/// From here on [`stirling_error`] is at full accuracy.
const LARGE: f64 = 10.0;

/// log of xᵃ e⁻ˣ / Γ(a), the density of log x for x ~ Gamma(a, 1) (Loader 2000, "Fast and accurate computation of
/// binomial probabilities", by the same means). `log_x` is for an `x` that left the range of numbers.
pub(super) fn log_density(a: f64, x: f64, log_x: f64) -> f64 {
    if a < LARGE {
        return a * log_x - x - log_gamma(a);
    }
    let t = (x - a) / a;
    let exponent = if (-0.5..=1.0).contains(&t) { log_1p_minus(t) } else { log_x - a.ln() - t };
    a * exponent + 0.5 * (a.ln() - LOG_TWO_PI) - stirling_error(a)
}

/// The entropy of Gamma(a, 1), a + log Γ(a) + (1 − a) ψ(a).
pub(in crate::distributions) fn entropy(a: f64) -> f64 {
    if a < LARGE {
        return a + log_gamma(a) + (1.0 - a) * digamma(a);
    }
    0.5 * (a.ln() + LOG_TWO_PI) + stirling_error(a) + (a - 1.0) * log_minus_digamma(a)
}

/// KL(Gamma(a, mean m) ‖ Gamma(b, mean n)), with `mean_ratio` = m/n and `mean_excess` = m/n − 1.
///
/// ```text
/// b [m/n − 1 − log(m/n)] + log Γ(b) − log Γ(a) − (b − a) ψ(a) − b log(b/a) + b − a
/// ```
pub(in crate::distributions) fn kl(a: f64, b: f64, mean_ratio: f64, mean_excess: f64) -> f64 {
    let of_means = if (0.5..=2.0).contains(&mean_ratio) {
        -b * log_1p_minus(mean_excess)
    } else {
        b * (mean_excess - mean_ratio.ln())
    };
    of_means + kl_of_shapes(a, b)
}

/// The divergence at equal means.
fn kl_of_shapes(a: f64, b: f64) -> f64 {
    let d = b - a;
    if a < LARGE || b < LARGE {
        return log_gamma(b) - log_gamma(a) - d * digamma(a) - b * (b / a).ln() + d;
    }
    // (b − ½) log(b/a) − d + d (log a − ψ(a)) less b log(b/a) − d, and δ.
    let linear = d * (log_minus_digamma(a) - 0.5 / a);
    linear - 0.5 * log_1p_minus(d / a) + (stirling_error(b) - stirling_error(a))
}

/// The x with P(x̂ ≤ x) = `p` for x̂ ~ Gamma(a, 1); NaN unless `p` is a probability.
pub(super) fn quantile(a: f64, p: f64) -> f64 {
    // It is about p^(1/a), which is below all numbers.
    if a < 1e-300 && (0.0..1.0).contains(&p) { 0.0 } else { inverse_regularized_gamma_lower(a, p) }
}

/// The x with P(x̂ > x) = `p` for x̂ ~ Gamma(a, 1); NaN unless `p` is a probability.
pub(super) fn upper_quantile(a: f64, p: f64) -> f64 {
    if a < 1e-300 && (1e-200..=1.0).contains(&p) { 0.0 } else { inverse_regularized_gamma_upper(a, p) }
}
