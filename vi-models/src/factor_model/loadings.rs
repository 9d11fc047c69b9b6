//! q(w_d, μ_d): the columns.
//!
//! ```text
//! Σ_d⁻¹ = diag (E[α], β) + E[τ_d] S_d,     m_d = w₀ + Σ_d (E[τ_d] c_d + diag (E[α], β) ((0, m) − w₀))
//! ```
//! with the sums c_d and S_d over rows, which were taken about w₀.

use vi_core::linalg::{LinalgError, packed};
use vi_core::{ConjugateError, Exec, StreamKey};

use super::columns::COLUMNS;
use super::factors::{FactorModelFactors, FactorModelStats};
use super::rows::{GaussianRows, Moments, fill_normal};
use super::scores::{for_each_of, not_positive_definite};
use super::{FactorModel, FactorModelBlock, NoiseShape};
use vi_core::scratch;

impl<S: NoiseShape> FactorModel<S> {
    pub(super) fn condition_loadings(
        &self,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let loadings = &mut factors.loadings;
        let outcome = if self.columns_share() {
            self.all_columns(stats, loadings, exec)
        } else {
            self.each_column(stats, loadings, exec)
        };
        outcome.map_err(|e| not_positive_definite(FactorModelBlock::Loadings, "precision", e))
    }

    /// The prior precision of coordinate j of a column.
    fn prior_precision(&self, j: usize, stats: &FactorModelStats) -> f64 {
        let intercept = self.priors.intercept.map_or(0.0, |prior| prior.precision);
        if j < self.n_factors { stats.loading_precision.mean[j] } else { intercept }
    }

    /// covariance ← Σ_d; returns log |Σ_d|.
    fn set_covariance(
        &self,
        d: usize,
        stats: &FactorModelStats,
        covariance: &mut [f64],
    ) -> Result<f64, LinalgError> {
        let p = self.n_coefficients();
        scratch::with(packed::len(p), |precision| {
            precision.fill(0.0);
            packed::add_scaled(stats.noise.mean[S::of(d)], stats.columns.second(d), precision);
            packed::add_diagonal((0..p).map(|j| self.prior_precision(j, stats)), precision);
            Ok(-packed::invert(precision, covariance, p)?)
        })
    }

    /// mean ← m_d, given Σ_d.
    fn set_mean(&self, d: usize, stats: &FactorModelStats, covariance: &[f64], mean: &mut [f64]) {
        let (k, p) = (self.n_factors, self.n_coefficients());
        let tau = stats.noise.mean[S::of(d)];
        let (reference, cross) = (stats.columns.reference(d), stats.columns.cross(d));
        scratch::with(p, |shift| {
            for (j, shift) in shift.iter_mut().enumerate() {
                let prior_mean = if j < k { 0.0 } else { self.intercept_mean(d) };
                *shift = tau * cross[j] + self.prior_precision(j, stats) * (prior_mean - reference[j]);
            }
            packed::multiply(covariance, shift, mean);
        });
        mean.iter_mut().zip(reference).for_each(|(m, w0)| *m += w0);
    }

    fn all_columns(
        &self,
        stats: &FactorModelStats,
        loadings: &mut GaussianRows,
        exec: Exec<'_>,
    ) -> Result<(), LinalgError> {
        let p = self.n_coefficients();
        let (covariance, log_det) = loadings.shared.split_at_mut(packed::len(p));
        log_det[0] = self.set_covariance(0, stats, covariance)?;
        let rows = loadings.rows.as_slice_mut().expect("row-major");
        for_each_of(exec, rows, p, 16 * COLUMNS, |items, rows| {
            for (d, mean) in items.zip(rows.chunks_exact_mut(p)) {
                self.set_mean(d, stats, covariance, mean);
            }
        });
        Ok(())
    }

    fn each_column(
        &self,
        stats: &FactorModelStats,
        loadings: &mut GaussianRows,
        exec: Exec<'_>,
    ) -> Result<(), LinalgError> {
        let width = loadings.rows.ncols();
        let rows = loadings.rows.as_slice_mut().expect("row-major");
        for_each_of(exec, rows, width, COLUMNS, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(width)) {
                if self.one_column(d, stats, row).is_err() {
                    row.fill(f64::NAN);
                }
            }
        });
        // The first column that failed says why.
        match (0..loadings.n()).find(|d| loadings.log_det(*d).is_nan()) {
            Some(d) => self.one_column(d, stats, &mut vec![0.0; width]),
            None => Ok(()),
        }
    }

    fn one_column(&self, d: usize, stats: &FactorModelStats, out: &mut [f64]) -> Result<(), LinalgError> {
        let p = self.n_coefficients();
        let (mean, rest) = out.split_at_mut(p);
        let (covariance, log_det) = rest.split_at_mut(packed::len(p));
        log_det[0] = self.set_covariance(d, stats, covariance)?;
        self.set_mean(d, stats, covariance, mean);
        Ok(())
    }

    pub(super) fn expect_loadings(
        &self,
        factors: &FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        stats.loadings.expect(&factors.loadings);
        self.set_loading_sums(stats);
        self.set_squares(stats, exec);
    }

    /// Column d is drawn from `key.rng(d)`.
    pub(super) fn draw_loadings(
        &self,
        factors: &FactorModelFactors,
        key: StreamKey,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        let p = self.n_coefficients();
        let mean = stats.loadings.mean.as_slice_mut().expect("row-major");
        for_each_of(exec, mean, p, 16 * COLUMNS, |items, rows| {
            factors.loadings.draw(items, |d, noise| fill_normal(&mut key.rng(d as u64), noise), rows);
        });
        stats.loadings.covariance.fill(0.0);
        self.set_loading_sums(stats);
        self.set_squares(stats, exec);
    }

    /// All that is expected under these factors of loadings and precisions, with room for as many covariances of loadings
    /// as there are: one or D, whatever the data of this model are.
    pub(super) fn expect_all_but_scores(&self, factors: &FactorModelFactors, stats: &mut FactorModelStats) {
        stats.loadings = Moments::zeros(&factors.loadings);
        stats.loadings.expect(&factors.loadings);
        stats.loading_precision.expect(&factors.loading_precision);
        stats.score_precision.expect(&factors.score_precision);
        stats.noise.expect(&factors.noise);
        self.set_loading_sums(stats);
    }

    /// What rows and precisions need to know of the loadings, from their moments.
    pub(super) fn set_loading_sums(&self, stats: &mut FactorModelStats) {
        let k = self.n_factors;
        let (len, width) = (packed::len(k), packed::len(self.n_coefficients()));
        let n_columns = self.data.n_columns();
        let total = stats.loading_total.as_slice_mut().expect("one piece");
        total.fill(0.0);
        stats.intercept_squares = 0.0;
        let loadings = &stats.loadings;
        let shared = loadings.covariance.nrows() == 1;
        for d in 0..n_columns {
            let (mean, covariance) = (loadings.mean(d), loadings.covariance(d));
            packed::add_outer(1.0, &mean[..k], total);
            if !shared {
                packed::add_scaled(1.0, &covariance[..len], total);
            }
            if let Some(intercept) = mean.get(k) {
                let residual = intercept - self.intercept_mean(d);
                stats.intercept_squares += residual * residual + covariance[width - 1];
            }
        }
        if shared {
            packed::add_scaled(n_columns as f64, &loadings.covariance(0)[..len], total);
        }
        let second = stats.loading_second.as_slice_mut().expect("row-major");
        for (d, row) in second.chunks_exact_mut(width).enumerate() {
            row.copy_from_slice(loadings.covariance(d));
            packed::add_outer(1.0, loadings.mean(d), row);
        }
    }
}
