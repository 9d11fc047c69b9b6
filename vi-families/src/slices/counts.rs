//! Counts on slices: turned into `f64` by the block, and their probabilities without cancellation.

use std::ops::Range;

use vi_core::numerics::Lane;

use crate::distributions::LOG_TWO_PI;

/// Counts at a time: they fit the stack without being noticed.
const BLOCK: usize = 256;

/// In the place of failures where successes exceed the trials.
pub(super) const NO_COUNT: f64 = -1.0;

/// n − k as a difference of whole numbers, which `f64` would round, or [`NO_COUNT`].
#[inline(always)]
pub(super) fn failures(n: u64, k: u64) -> f64 {
    if k <= n { n.wrapping_sub(k) as f64 } else { NO_COUNT }
}

/// Calls `work(block, x)` for blocks of 0, …, `len` − 1, with `x[m][n]` = `number(m, n)` there.
#[inline(always)]
pub(super) fn for_blocks<const M: usize>(
    len: usize,
    number: impl Fn(usize, usize) -> f64,
    mut work: impl FnMut(Range<usize>, [&[f64]; M]),
) {
    let mut values = [[0.0; BLOCK]; M];
    for from in (0..len).step_by(BLOCK) {
        let block = from..len.min(from + BLOCK);
        let width = block.len();
        for (m, values) in values.iter_mut().enumerate() {
            for (n, value) in values[..width].iter_mut().enumerate() {
                *value = number(m, from + n);
            }
        }
        work(block, std::array::from_fn(|m| &values[m][..width]));
    }
}

/// log of λ^k e^−λ / k! at k ≥ 0, given log k and log λ, by Stirling's error S and the deviance (Loader 2000).
///
/// ```text
/// −S(k) − ½ log 2πk − [k log(k/λ) − (k − λ)]
/// ```
/// The error is that of |k − λ| where k and λ are close, and that of k log k and k log λ elsewhere.
#[inline(always)]
pub(super) fn log_poisson<L: Lane>(k: f64, log_k: f64, rate: f64, log_rate: f64) -> f64 {
    let difference = k - rate;
    let ratio = difference / rate;
    let log_ratio = if ratio.abs() < 0.5 { L::log1p(ratio) } else { log_k - log_rate };
    let deviance = L::mul_add(k, log_ratio, -difference);
    let value = -(L::stirling_error(k, log_k) + deviance + 0.5 * (log_k + LOG_TWO_PI));
    if k == 0.0 { -rate } else { value }
}
