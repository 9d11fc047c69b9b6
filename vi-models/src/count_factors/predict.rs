//! What factors say about counts that they have not seen.

use ndarray::{ArrayRef2, Axis};
use vi_core::numerics::log_sum_exp;

use super::likelihood::{SMALLEST, WeightTable};
use super::{DeepExponentialFamilyAt, GammaPoissonAt};
use crate::sparse_counts::SparseCounts;

/// How well held-out counts were predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Σ x, the number of words.
    pub n_counts: f64,
    /// Σ_n log (1/S) Σ_s p(x_n | z_ns), with every constant.
    pub log_predictive: f64,
    /// Σ_nd x_nd log (r̄_nd / Σ_d r̄_nd), r̄ the mean of the rates over the points: which words, given how many.
    pub log_share: f64,
}

impl HeldOut {
    /// exp(−log_share / n_counts): D for a guess that knows nothing, 1 for one that knows the next word.
    pub fn perplexity(&self) -> f64 {
        (-self.log_share / self.n_counts).exp()
    }
}

/// The score of factors `z` (N·S, `dim`), the first K coordinates of a point, whose rates hold for `exposure` = 1.
fn score(table: &WeightTable, held: &SparseCounts, exposure: f64, z: &ArrayRef2<f64>) -> HeldOut {
    let (n, k) = (held.n_rows(), table.n_factors());
    assert!(z.nrows() >= n && z.nrows().is_multiple_of(n), "z: {} points of {n} data", z.nrows());
    let n_points = z.nrows() / n;
    let dot = |weights: &[f64], z: &[f64]| weights.iter().zip(z).map(|(w, z)| w * z).sum::<f64>();
    let mut out = HeldOut { n_counts: held.total(), log_predictive: 0.0, log_share: 0.0 };
    for (i, points) in z.axis_chunks_iter(Axis(0), n_points).enumerate() {
        let (columns, counts) = held.row(i);
        let log_rates = |z: &[f64], exposure: f64| {
            let log_rate = |d: &usize| (exposure * dot(&table.weights[d * k..][..k], z)).max(SMALLEST).ln();
            columns.iter().zip(counts).map(|(d, x)| x * log_rate(d)).sum::<f64>()
        };
        let mut log_densities = Vec::with_capacity(n_points);
        for z in points.rows() {
            let z = z.to_vec();
            let expected = exposure * dot(&table.totals, &z);
            log_densities.push(log_rates(&z, exposure) - expected - held.log_factorials(i));
        }
        out.log_predictive += log_sum_exp(&log_densities) - (n_points as f64).ln();
        let mean = points.mean_axis(Axis(0)).expect("a point at least").to_vec();
        let n_words: f64 = counts.iter().sum();
        out.log_share += log_rates(&mean, 1.0) - n_words * dot(&table.totals, &mean).max(SMALLEST).ln();
    }
    out
}

/// The score of one point of every datum, for weights `columns` (D, K) and factors `rows` (N, K).
pub(crate) fn score_of_means(
    columns: Vec<f64>,
    held: &SparseCounts,
    exposure: f64,
    rows: &ArrayRef2<f64>,
) -> HeldOut {
    score(&WeightTable::from_weights(columns, rows.ncols()), held, exposure, rows)
}

impl GammaPoissonAt<'_> {
    /// How well points `z` (N·S, L) of the posterior, S of every datum, predict other counts (N, D) of the same data.
    ///
    /// Their rates are `exposure` times those of the data that z was fitted to: share / (1 − share) for what
    /// [`SparseCounts::thin`] held out.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn held_out(&self, held: &SparseCounts, exposure: f64, z: &ArrayRef2<f64>) -> HeldOut {
        score(self.table, held, exposure, z)
    }
}

impl DeepExponentialFamilyAt<'_> {
    /// How well points `z` (N·S, L) of the posterior, S of every datum, predict other counts (N, D) of the same data.
    ///
    /// Their rates are `exposure` times those of the data that z was fitted to: share / (1 − share) for what
    /// [`SparseCounts::thin`] held out.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn held_out(&self, held: &SparseCounts, exposure: f64, z: &ArrayRef2<f64>) -> HeldOut {
        score(&self.tables.bottom, held, exposure, z)
    }
}
