//! Splitting, folding and rank normalisation of chains.

use ndarray::ArrayRef2;
use statrs::distribution::{ContinuousCDF, Normal};
use vi_core::quantile_sorted;

/// Chains of equal length, each contiguous.
pub(crate) type Chains = Vec<Vec<f64>>;

/// Fewer draws than these per chain say nothing about mixing.
pub(crate) const MIN_DRAWS: usize = 4;

/// Whether a diagnostic can be computed at all: enough draws, all finite, not all equal.
pub(crate) fn is_usable(x: &ArrayRef2<f64>) -> bool {
    let Some(&first) = x.first() else { return false };
    x.ncols() >= MIN_DRAWS && x.iter().all(|v| v.is_finite()) && x.iter().any(|&v| v != first)
}

/// Halves every chain; the middle draw of an odd number is left out.
pub(crate) fn split(x: &ArrayRef2<f64>) -> Chains {
    let (n, half) = (x.ncols(), x.ncols() / 2);
    let chains = x.rows().into_iter();
    chains
        .flat_map(|row| {
            let first = row.iter().take(half).copied().collect();
            [first, row.iter().skip(n - half).copied().collect::<Vec<f64>>()]
        })
        .collect()
}

/// All values in ascending order.
pub(crate) fn sorted(x: &ArrayRef2<f64>) -> Vec<f64> {
    let mut out: Vec<f64> = x.iter().copied().collect();
    out.sort_unstable_by(f64::total_cmp);
    out
}

/// |x − median(x)|: what shows chains that differ in scale but not in location.
pub(crate) fn fold(x: &ArrayRef2<f64>) -> ndarray::Array2<f64> {
    let median = quantile_sorted(&sorted(x), 0.5);
    x.mapv(|v| (v - median).abs())
}

/// Replaces every value by the normal score of its rank among the values of all chains.
///
/// ```text
/// z = Φ⁻¹((r − 3/8) / (S + 1/4)),   r the average rank, S the number of values
/// ```
pub(crate) fn z_scale(mut chains: Chains) -> Chains {
    let mut order: Vec<(usize, usize)> =
        chains.iter().enumerate().flat_map(|(c, x)| (0..x.len()).map(move |i| (c, i))).collect();
    order.sort_unstable_by(|a, b| chains[a.0][a.1].total_cmp(&chains[b.0][b.1]));
    let n = order.len();
    let normal = Normal::standard();
    let mut start = 0;
    while start < n {
        let value = chains[order[start].0][order[start].1];
        let mut end = start + 1;
        while end < n && chains[order[end].0][order[end].1] == value {
            end += 1;
        }
        let rank = (start + 1 + end) as f64 / 2.0;
        let z = normal.inverse_cdf((rank - 0.375) / (n as f64 + 0.25));
        for &(c, i) in &order[start..end] {
            chains[c][i] = z;
        }
        start = end;
    }
    chains
}

/// The mean, relative to the first value: exact for a chain that never moved.
pub(crate) fn mean(x: &[f64]) -> f64 {
    x[0] + x.iter().map(|v| v - x[0]).sum::<f64>() / x.len() as f64
}

/// Variance with n − 1 in the denominator.
pub(crate) fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn odd_chains_lose_their_middle_draw() {
        let x = array![[1.0, 2.0, 3.0, 4.0, 5.0]];
        assert_eq!(split(&x), [[1.0, 2.0], [4.0, 5.0]]);
    }

    #[test]
    fn ties_share_their_average_rank() {
        let z = z_scale(vec![vec![2.0, 1.0], vec![2.0, 3.0]]);
        assert_eq!(z[0][0], z[1][0]);
        assert!((z[0][1] + z[1][1]).abs() < 1e-14, "the extremes are mirror images");
        assert!(z[0][0].abs() < 1e-14, "the tied middle ranks 2.5 of 4");
    }

    #[test]
    fn minus_zero_ties_with_zero() {
        let z = z_scale(vec![vec![-0.0, 0.0, 1.0, -1.0]]);
        assert_eq!(z[0][0], z[0][1]);
    }
}
