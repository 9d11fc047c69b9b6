//! q(x_n): the rows.
//!
//! ```text
//! Σ_n⁻¹ = diag E[λ] + Σ_d E[τ_d] E[w_d w_dᵀ],     m_n = Σ_n Σ_d E[τ_d] E[w_d (y_nd − μ_d)],     d observed in row n
//! ```

use ndarray::{ArrayView2, ArrayViewMut2, s};
use vi_core::linalg::{LinalgError, gemm, packed};
use vi_core::{ConjugateError, Exec, StreamKey};

use super::factors::{FactorModelFactors, FactorModelStats};
use super::rows::{GaussianRows, fill_normal};
use super::{FactorModel, FactorModelBlock, NoiseShape};
use vi_core::scratch;

/// Rows that meet in one matrix product.
pub(super) const TILE: usize = 256;

impl<S: NoiseShape> FactorModel<S> {
    pub(super) fn condition_scores(
        &self,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let outcome = match self.centred.complete() {
            Some(y) => self.all_rows(y.view(), stats, &mut factors.scores, exec),
            None => self.each_row(stats, &mut factors.scores, exec),
        };
        outcome.map_err(|e| not_positive_definite(FactorModelBlock::Scores, "precision", e))
    }

    /// One covariance for all rows; their means are one product.
    fn all_rows(
        &self,
        y: ArrayView2<'_, f64>,
        stats: &FactorModelStats,
        scores: &mut GaussianRows,
        exec: Exec<'_>,
    ) -> Result<(), LinalgError> {
        let (d, k, p) = (self.data.n_columns(), self.n_factors, self.n_coefficients());
        let len = packed::len(k);
        let lengths = [packed::len(p), len, d * k, k, k];
        scratch::with_arrays(lengths, |[gram, precision, weights, scaled, shift]| {
            self.weighted_second_moments(stats, gram);
            precision.copy_from_slice(&gram[..len]);
            packed::add_diagonal(stats.score_precision.mean.iter().copied(), precision);
            let (covariance, log_det) = scores.shared.split_at_mut(len);
            log_det[0] = -packed::invert(precision, covariance, k)?;
            for (d, weights) in weights.chunks_exact_mut(k).enumerate() {
                let tau = stats.noise.mean[S::of(d)];
                scaled.iter_mut().zip(stats.loadings.mean(d)).for_each(|(s, w)| *s = tau * w);
                packed::multiply(covariance, scaled, weights);
            }
            shift.fill(0.0);
            if p > k {
                packed::multiply(covariance, &gram[len..len + k], shift);
            }
            let weights = ArrayView2::from_shape((d, k), weights).expect("D · K values");
            let rows = scores.rows.as_slice_mut().expect("row-major");
            for_each_tile(exec, rows, k, |items, rows| {
                let mut means = ArrayViewMut2::from_shape((items.len(), k), rows).expect("K values a row");
                gemm(1.0, &y.slice(s![items, ..]), &weights, 0.0, &mut means);
                means
                    .rows_mut()
                    .into_iter()
                    .for_each(|mut m| m.iter_mut().zip(&*shift).for_each(|(m, s)| *m -= s));
            });
            Ok(())
        })
    }

    /// Σ_d E[τ_d] E[w̃_d w̃_dᵀ] over all columns, packed.
    fn weighted_second_moments(&self, stats: &FactorModelStats, out: &mut [f64]) {
        out.fill(0.0);
        let shared = stats.loadings.covariance.nrows() == 1;
        for d in 0..self.data.n_columns() {
            let tau = stats.noise.mean[S::of(d)];
            packed::add_outer(tau, stats.loadings.mean(d), out);
            if !shared {
                packed::add_scaled(tau, stats.loadings.covariance(d), out);
            }
        }
        if shared {
            // With one covariance there is one τ.
            let total = stats.noise.mean[0] * self.data.n_columns() as f64;
            packed::add_scaled(total, stats.loadings.covariance(0), out);
        }
    }

    /// Every row has its own covariance.
    fn each_row(
        &self,
        stats: &FactorModelStats,
        scores: &mut GaussianRows,
        exec: Exec<'_>,
    ) -> Result<(), LinalgError> {
        let width = scores.rows.ncols();
        exec.for_each_chunk(scores.rows.as_slice_mut().expect("row-major"), width, |items, rows| {
            for (n, row) in items.zip(rows.chunks_exact_mut(width)) {
                if self.one_row(n, stats, row).is_err() {
                    row.fill(f64::NAN);
                }
            }
        });
        // The first row that failed says why.
        match (0..scores.n()).find(|n| scores.log_det(*n).is_nan()) {
            Some(n) => self.one_row(n, stats, &mut vec![0.0; width]),
            None => Ok(()),
        }
    }

    /// Mean, covariance and log |Σ| of row n, into `out`.
    fn one_row(&self, n: usize, stats: &FactorModelStats, out: &mut [f64]) -> Result<(), LinalgError> {
        let (k, p) = (self.n_factors, self.n_coefficients());
        let (len, width) = (packed::len(k), stats.loading_second.ncols());
        let second = stats.loading_second.as_slice().expect("row-major");
        let (mean, rest) = out.split_at_mut(k);
        let (covariance, log_det) = rest.split_at_mut(len);
        scratch::with_arrays([width, k], |[sum, shift]| {
            sum.fill(0.0);
            shift.fill(0.0);
            packed::add_diagonal(stats.score_precision.mean.iter().copied(), sum);
            let row = self.centred.sparse_row(n).expect("a matrix with missing entries");
            for (d, y) in row.iter() {
                let tau = stats.noise.mean[S::of(d)];
                packed::add_scaled(tau, &second[d * width..(d + 1) * width], sum);
                packed::add_scaled(tau * y, &stats.loadings.mean(d)[..k], shift);
            }
            if p > k {
                packed::add_scaled(-1.0, &sum[len..len + k], shift);
            }
            log_det[0] = -packed::invert(&mut sum[..len], covariance, k)?;
            packed::multiply(covariance, shift, mean);
            Ok(())
        })
    }

    pub(super) fn expect_scores(
        &self,
        factors: &FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        stats.scores.expect(&factors.scores);
        self.set_column_sums(stats, exec);
    }

    /// Row n is drawn from `key.rng(n)`.
    pub(super) fn draw_scores(
        &self,
        factors: &FactorModelFactors,
        key: StreamKey,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        let k = self.n_factors;
        let mean = stats.scores.mean.as_slice_mut().expect("row-major");
        exec.for_each_chunk(mean, k, |items, rows| {
            factors.scores.draw(items, |n, noise| fill_normal(&mut key.rng(n as u64), noise), rows);
        });
        stats.scores.covariance.fill(0.0);
        self.set_column_sums(stats, exec);
    }
}

/// Fills `rows`, `width` values per item, [`TILE`] items at a time.
pub(super) fn for_each_tile(
    exec: Exec<'_>,
    rows: &mut [f64],
    width: usize,
    f: impl Fn(std::ops::Range<usize>, &mut [f64]) + Sync,
) {
    for_each_of(exec, rows, width, TILE, f);
}

/// Fills `rows`, `width` values per item, `chunk` items at a time, on this rank or shared among ranks.
pub(super) fn for_each_of(
    exec: Exec<'_>,
    rows: &mut [f64],
    width: usize,
    chunk: usize,
    f: impl Fn(std::ops::Range<usize>, &mut [f64]) + Sync,
) {
    let n = rows.len() / width;
    let outcome = exec.map_and_sum_in(
        n,
        chunk,
        rows,
        &mut ndarray::ArrayViewMut1::from(&mut []),
        &mut Vec::new(),
        |items, rows, _| f(items, rows),
    );
    // A failed exchange between ranks leaves NaN, which the ELBO or the next conditional reports.
    if outcome.is_err() {
        rows.fill(f64::NAN);
    }
}

pub(super) fn not_positive_definite(
    block: FactorModelBlock,
    parameter: &str,
    error: LinalgError,
) -> ConjugateError {
    let (block, parameter) = (format!("{block:?}"), parameter.to_owned());
    match error {
        LinalgError::NotPositiveDefinite { pivot, value } => {
            ConjugateError::NotPositiveDefinite { block, parameter, pivot, value }
        }
        LinalgError::NonFinite { value, .. } => ConjugateError::Domain { block, parameter, value },
        other => ConjugateError::Refused { block, message: other.to_string() },
    }
}
