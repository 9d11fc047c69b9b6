//! Pareto-smoothed importance sampling.

use ndarray::{Array1, ArrayRef1};
use vi_core::numerics::log_sum_exp;

use crate::error::DiagnosticsError;
use crate::pareto::GeneralizedPareto;

/// Fewer tail draws than these cannot be fitted.
const MIN_TAIL: usize = 5;

/// Log ratios that differ by less than this, relative to their size, differ by rounding only.
const EQUAL: f64 = 1e-11;

/// Smoothed importance weights and what they say about their own reliability.
#[derive(Clone, Debug, PartialEq)]
pub struct Psis {
    /// k̂, the shape of the generalized Pareto distribution fitted to the largest weights.
    ///
    /// Below 0.7 importance sampling, and the approximation that proposed the draws, can be relied on; above
    /// they cannot. `∞` if there are too few draws for a fit (fewer than about 25) or the fit failed; `−∞` if
    /// all weights are equal up to rounding, as when the approximation is exact.
    pub khat: f64,
    /// Logarithms of the smoothed weights, which sum to one, in the order of the draws.
    pub log_weights: Array1<f64>,
    /// Effective sample size of the smoothed weights, 1 / Σ w².
    pub ess: f64,
    /// Logarithm of the mean smoothed ratio. Where the ratios are p(x, z) / q(z) it estimates log p(x).
    pub log_mean_ratio: f64,
}

/// Pareto-smoothed importance sampling of independent draws, from log ratios log p(z_s) − log q(z_s).
///
/// The M = ⌈min(S/5, 3√S)⌉ largest ratios are replaced by the quantiles of a generalized Pareto
/// distribution fitted to them, cut off at the largest raw ratio.
///
/// Source: Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72), algorithm 1.
///
/// # Errors
/// [`DiagnosticsError`] if there are no ratios, one is NaN or +∞, or all are −∞.
pub fn psis(log_ratios: &ArrayRef1<f64>) -> Result<Psis, DiagnosticsError> {
    psis_with_efficiency(log_ratios, 1.0)
}

/// [`psis`] for draws of a Markov chain with relative efficiency ESS/S, which lengthens the tail to
/// M = ⌈min(S/5, 3√(S/r))⌉.
///
/// # Errors
/// As for [`psis`], and if `relative_efficiency` is not finite and positive.
pub fn psis_with_efficiency(
    log_ratios: &ArrayRef1<f64>,
    relative_efficiency: f64,
) -> Result<Psis, DiagnosticsError> {
    if !(relative_efficiency.is_finite() && relative_efficiency > 0.0) {
        return Err(DiagnosticsError::RelativeEfficiency { value: relative_efficiency });
    }
    let largest = validate(log_ratios)?;
    let n = log_ratios.len();
    let mut x: Array1<f64> = log_ratios.mapv(|v| v - largest);
    let smallest = x.iter().copied().fold(f64::INFINITY, f64::min);
    let khat = if smallest >= -EQUAL * (1.0 + largest.abs()) {
        f64::NEG_INFINITY
    } else {
        let tail_length = (n as f64 / 5.0).min(3.0 * (n as f64 / relative_efficiency).sqrt()).ceil();
        smooth_tail(&mut x, tail_length as usize)
    };
    let total = log_sum_exp(x.as_slice().unwrap_or(&[]));
    x -= total;
    let ess = importance_ess(&x);
    Ok(Psis { khat, log_weights: x, ess, log_mean_ratio: largest + total - (n as f64).ln() })
}

/// Effective sample size of importance weights.
///
/// ```text
/// (Σ w)² / Σ w²
/// ```
/// `log_weights` need not be normalised. `NaN` if a weight is NaN or all are zero.
pub fn importance_ess(log_weights: &ArrayRef1<f64>) -> f64 {
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut sum_of_squares) = (0.0, 0.0);
    for l in log_weights {
        let w = (l - largest).exp();
        sum += w;
        sum_of_squares += w * w;
    }
    sum * sum / sum_of_squares
}

fn validate(log_ratios: &ArrayRef1<f64>) -> Result<f64, DiagnosticsError> {
    let n = log_ratios.len();
    if n == 0 {
        return Err(DiagnosticsError::Empty);
    }
    let bad = log_ratios.iter().position(|v| v.is_nan() || *v == f64::INFINITY);
    if let Some(index) = bad {
        return Err(DiagnosticsError::LogRatio { index, value: log_ratios[index] });
    }
    let largest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY { Err(DiagnosticsError::AllZero { n }) } else { Ok(largest) }
}

/// Smooths the largest `tail_length` of log ratios whose maximum is 0; returns k̂.
fn smooth_tail(x: &mut Array1<f64>, tail_length: usize) -> f64 {
    let n = x.len();
    if tail_length + 1 > n {
        return f64::INFINITY;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let cutoff = x[order[n - tail_length - 1]].max(f64::MIN_POSITIVE.ln());
    let tail: Vec<usize> = order.into_iter().filter(|&i| x[i] > cutoff).collect();
    if tail.len() < MIN_TAIL {
        return f64::INFINITY;
    }
    let exceedances: Vec<f64> = tail.iter().map(|&i| x[i].exp() - cutoff.exp()).collect();
    let fit = GeneralizedPareto::fit(&exceedances);
    if !fit.is_finite() {
        return f64::INFINITY;
    }
    for (rank, &i) in tail.iter().enumerate() {
        let p = (rank as f64 + 0.5) / tail.len() as f64;
        x[i] = (fit.quantile(p) + cutoff.exp()).ln().min(0.0);
    }
    fit.shape
}
