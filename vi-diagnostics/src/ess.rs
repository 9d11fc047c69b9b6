//! Effective sample sizes by Geyer's initial monotone sequence over split chains.

use ndarray::ArrayRef2;
use vi_core::quantile_sorted;

use crate::rank::{Chains, is_usable, mean, sorted, split, variance, z_scale};

/// Bulk effective sample size: that of the mean of the rank-normalised values.
///
/// ```text
/// ESS = S / τ̂,   τ̂ = −1 + 2 Σ_t (ρ̂_2t + ρ̂_2t+1),   τ̂ ≥ 1 / log₁₀ S
/// ```
/// The sum ends where a pair of autocorrelations turns negative and is made monotone (Geyer 1992); S counts
/// all draws of all chains. `x` is (chains, draws). `NaN` if there are fewer than 4 draws per chain, a value is
/// not finite, or all values are equal.
///
/// Source: Vehtari et al. (2021), Bayesian Analysis 16(2), §3.2 and §4.1.
pub fn ess_bulk(x: &ArrayRef2<f64>) -> f64 {
    if is_usable(x) { ess_of(&z_scale(split(x))) } else { f64::NAN }
}

/// Tail effective sample size: the smaller of those of the 5 % and the 95 % quantile.
///
/// Conventions and `NaN` as in [`ess_bulk`] and [`ess_quantile`]. Source: Vehtari et al. (2021), §4.3.
pub fn ess_tail(x: &ArrayRef2<f64>) -> f64 {
    // f64::min would hide a NaN, but both are NaN in the same cases.
    ess_quantile(x, 0.05).min(ess_quantile(x, 0.95))
}

/// Effective sample size of the estimate of the mean, without rank normalisation.
///
/// Conventions and `NaN` as in [`ess_bulk`].
pub fn ess_mean(x: &ArrayRef2<f64>) -> f64 {
    if is_usable(x) { ess_of(&split(x)) } else { f64::NAN }
}

/// Effective sample size of the estimate of the `p` quantile Q̂: that of the indicator x ≤ Q̂.
///
/// Q̂ is the type 7 quantile of Hyndman & Fan (1996) of all draws. If the indicator is constant (a discrete
/// variable whose largest value is the quantile) the answer is the number of draws. Other conventions and
/// `NaN` as in [`ess_bulk`].
///
/// # Panics
/// If `p` is not in [0, 1].
pub fn ess_quantile(x: &ArrayRef2<f64>, p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "p = {p} is not in [0, 1]");
    if !is_usable(x) {
        return f64::NAN;
    }
    let quantile = quantile_sorted(&sorted(x), p);
    ess_of(&split(&x.mapv(|v| if v <= quantile { 1.0 } else { 0.0 })))
}

/// The effective sample size of the mean of chains that are already split.
pub(crate) fn ess_of(chains: &Chains) -> f64 {
    let n = chains[0].len();
    let total = (chains.len() * n) as f64;
    let first = chains[0][0];
    if chains.iter().flatten().all(|&v| v == first) {
        return total;
    }
    let autocovariance = Autocovariance::new(chains);
    let within = autocovariance.at(0) * n as f64 / (n as f64 - 1.0);
    let mut pooled = autocovariance.at(0);
    if chains.len() > 1 {
        pooled += variance(&autocovariance.means);
    }
    let tau = integrated_time(n, |t| 1.0 - (within - autocovariance.at(t)) / pooled);
    total / tau.max(1.0 / total.log10())
}

/// τ̂ of Geyer's initial positive and monotone sequence of the autocorrelations ρ̂_t, t < n.
fn integrated_time(n: usize, rho_at: impl Fn(usize) -> f64) -> f64 {
    // Pairs (ρ̂_2k, ρ̂_2k+1); the first is kept whatever its sign.
    let mut pairs = vec![(1.0, rho_at(1))];
    let mut next = (1.0, pairs[0].1);
    let mut t = 1;
    while t + 3 < n && next.0 + next.1 > 0.0 {
        next = (rho_at(t + 1), rho_at(t + 2));
        pairs.push(next);
        t += 2;
    }
    // The pair that ended the loop gives only its even half, and nothing if that would be noise below zero.
    pairs.pop();
    let last_even = if next.0 > 0.0 || next.0 + next.1 >= 0.0 { next.0 } else { 0.0 };
    let mut sum = 0.0;
    let mut previous = f64::INFINITY;
    for (even, odd) in pairs {
        previous = (even + odd).min(previous);
        sum += previous;
    }
    -1.0 + 2.0 * sum + last_even
}

/// Autocovariances averaged over chains, one lag at a time: the sequence is usually short, so a direct sum
/// beats a transform of the whole.
struct Autocovariance {
    centred: Chains,
    means: Vec<f64>,
}

impl Autocovariance {
    fn new(chains: &Chains) -> Self {
        let means: Vec<f64> = chains.iter().map(|c| mean(c)).collect();
        let centred = chains.iter().zip(&means).map(|(c, m)| c.iter().map(|v| v - m).collect()).collect();
        Self { centred, means }
    }

    /// Mean over chains of (1/n) Σ_i (x_i − x̄)(x_{i+t} − x̄).
    fn at(&self, lag: usize) -> f64 {
        let n = self.centred[0].len();
        let sum: f64 = self.centred.iter().map(|c| dot(&c[..n - lag], &c[lag..])).sum();
        sum / (n * self.centred.len()) as f64
    }
}

/// A dot product with eight running sums, so that it vectorises.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f64>() + tail
}
