//! Monte Carlo standard errors of summaries.

use ndarray::ArrayRef2;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::ess::{ess_mean, ess_quantile};
use crate::rank::{is_usable, sorted};

/// Φ(−1): a quantile's interval has the coverage of ± one standard error.
const PHI_MINUS_ONE: f64 = 0.158_655_253_931_457_05;

/// Monte Carlo standard error of the mean.
///
/// ```text
/// sd(x) / √ESS_mean
/// ```
/// `x` is (chains, draws). `NaN` if there are fewer than 4 draws per chain, a value is not finite, or all
/// values are equal. Source: Vehtari et al. (2021), Bayesian Analysis 16(2), §3.2.
pub fn mcse_mean(x: &ArrayRef2<f64>) -> f64 {
    if !is_usable(x) {
        return f64::NAN;
    }
    let n = x.len() as f64;
    let sd = (central_moment(x, 2) * n / (n - 1.0)).sqrt();
    sd / ess_mean(x).sqrt()
}

/// Monte Carlo standard error of the standard deviation, without assuming normality.
///
/// ```text
/// √( (m₄ − m₂²) / (4 m₂ ESS) ),   m_k the k-th central moment, ESS that of the mean of (x − x̄)²
/// ```
/// `NaN` as in [`mcse_mean`]; also where (x − x̄)² is constant, as for a fair coin.
/// Source: Kenney & Keeping (1951), p. 141, as in the R package posterior.
pub fn mcse_sd(x: &ArrayRef2<f64>) -> f64 {
    if !is_usable(x) {
        return f64::NAN;
    }
    let mean = x.sum() / x.len() as f64;
    let (m2, m4) = (central_moment(x, 2), central_moment(x, 4));
    let ess = ess_mean(&x.mapv(|v| (v - mean).powi(2)));
    ((m4 - m2 * m2) / (4.0 * m2 * ess)).sqrt()
}

/// Monte Carlo standard error of the `p` quantile.
///
/// ```text
/// (x₍u₎ − x₍l₎) / 2,   l = ⌊S·a⌋, u = ⌈S·b⌉,   a, b the Φ(∓1) quantiles of Beta(ESS p + 1, ESS (1 − p) + 1)
/// ```
/// with x₍i₎ the i-th smallest of S draws and ESS that of [`ess_quantile`]. `NaN` as in [`mcse_mean`].
/// Source: Vehtari et al. (2021), §4.4.
///
/// # Panics
/// If `p` is not in [0, 1].
pub fn mcse_quantile(x: &ArrayRef2<f64>, p: f64) -> f64 {
    let ess = ess_quantile(x, p);
    let Ok(beta) = Beta::new(ess * p + 1.0, ess * (1.0 - p) + 1.0) else { return f64::NAN };
    let x = sorted(x);
    let n = x.len() as f64;
    let lower = (beta.inverse_cdf(PHI_MINUS_ONE) * n - 1.0).floor().max(0.0) as usize;
    let upper = (beta.inverse_cdf(1.0 - PHI_MINUS_ONE) * n - 1.0).ceil().min(n - 1.0) as usize;
    (x[upper] - x[lower]) / 2.0
}

/// (1/S) Σ (x − x̄)^k over all draws.
fn central_moment(x: &ArrayRef2<f64>, k: i32) -> f64 {
    let n = x.len() as f64;
    let mean = x.sum() / n;
    x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n
}
