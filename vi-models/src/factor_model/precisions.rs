//! q(α), q(λ), q(τ): Gamma.
//!
//! ```text
//! α_k ~ Gamma(a + D/2, b + ½ Σ_d E[w_dk²])     λ_k ~ Gamma(a + N/2, b + ½ Σ_n E[x_nk²])
//! τ_g ~ Gamma(a + ½ n_g, b + ½ Σ E[(y_nd − w̃_dᵀx̃_n)²]) over the n_g observed entries of its columns
//! ```

use vi_core::ConjugateError;
use vi_core::linalg::packed;
use vi_families::Gamma;

use super::factors::{FactorModelFactors, FactorModelStats, Precisions};
use super::{FactorModel, FactorModelBlock, NoiseShape, PrecisionPrior};
use crate::checks::{LOG_2_PI, refused};

/// Sets a factor to the complete conditional after `n` normal terms whose squares add up to `squares`.
fn set(
    q: &mut Gamma,
    prior: PrecisionPrior,
    (n, squares): (f64, f64),
    block: FactorModelBlock,
) -> Result<(), ConjugateError> {
    if let Some(conditional) = prior.conditional(n, squares).map_err(|e| refused(block, e))? {
        *q = conditional;
    }
    Ok(())
}

impl<S: NoiseShape> FactorModel<S> {
    pub(super) fn condition_loading_precision(
        &self,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
    ) -> Result<(), ConjugateError> {
        let n = self.data.n_columns() as f64;
        let squares = packed::diagonal(stats.loading_total.as_slice().expect("one piece"));
        for (q, squares) in factors.loading_precision.iter_mut().zip(squares) {
            set(q, self.priors.loading, (n, squares), FactorModelBlock::LoadingPrecision)?;
        }
        Ok(())
    }

    pub(super) fn condition_score_precision(
        &self,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
    ) -> Result<(), ConjugateError> {
        let n = self.data.n_rows() as f64;
        for (q, squares) in factors.score_precision.iter_mut().zip(packed::diagonal(stats.columns.total())) {
            set(q, self.priors.score, (n, squares), FactorModelBlock::ScorePrecision)?;
        }
        Ok(())
    }

    pub(super) fn condition_noise(
        &self,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
    ) -> Result<(), ConjugateError> {
        self.condition_noise_of(|d| self.data.column_count(d) as f64, stats, factors)
    }

    /// The same where `count(d)` entries of column d were observed.
    pub(super) fn condition_noise_of(
        &self,
        count: impl Fn(usize) -> f64,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
    ) -> Result<(), ConjugateError> {
        let n_columns = self.data.n_columns();
        for (d, q) in factors.noise.iter_mut().enumerate() {
            let terms = if S::SHARED {
                ((0..n_columns).map(&count).sum::<f64>(), stats.squares.sum())
            } else {
                (count(d), stats.squares[d])
            };
            set(q, self.priors.noise, terms, FactorModelBlock::Noise)?;
        }
        Ok(())
    }

    /// E[log p(y | x, w, μ, τ)].
    pub(super) fn expected_log_likelihood(&self, stats: &FactorModelStats) -> f64 {
        let term = |d: usize| {
            let (tau, log_tau) = (stats.noise.mean[S::of(d)], stats.noise.log[S::of(d)]);
            let n = self.data.column_count(d) as f64;
            0.5 * (n * (log_tau - LOG_2_PI) - tau * stats.squares[d])
        };
        (0..self.data.n_columns()).map(term).sum()
    }

    /// E[log p(x | λ)].
    pub(super) fn expected_log_scores(&self, stats: &FactorModelStats) -> f64 {
        normal_terms(self.data.n_rows(), &stats.score_precision, packed::diagonal(stats.columns.total()))
    }

    /// E[log p(w | α) + log p(μ)] and the log densities of all precisions.
    pub(super) fn expected_log_prior(&self, stats: &FactorModelStats) -> f64 {
        let squares = packed::diagonal(stats.loading_total.as_slice().expect("one piece"));
        let loadings = normal_terms(self.data.n_columns(), &stats.loading_precision, squares);
        let intercepts = self.priors.intercept.map_or(0.0, |prior| {
            let n = self.data.n_columns() as f64;
            0.5 * (n * (prior.precision.ln() - LOG_2_PI) - prior.precision * stats.intercept_squares)
        });
        let gammas = |prior: PrecisionPrior, values: &Precisions| -> f64 {
            values.mean.iter().zip(&values.log).map(|(x, log)| prior.log_prob(*log, *x)).sum()
        };
        loadings
            + intercepts
            + gammas(self.priors.loading, &stats.loading_precision)
            + gammas(self.priors.score, &stats.score_precision)
            + gammas(self.priors.noise, &stats.noise)
    }
}

/// Σ_k ½ (n (E[log α_k] − log 2π) − E[α_k] squares_k).
fn normal_terms(n: usize, precisions: &Precisions, squares: impl Iterator<Item = f64>) -> f64 {
    let terms = precisions.mean.iter().zip(&precisions.log).zip(squares);
    terms.map(|((alpha, log), squares)| 0.5 * (n as f64 * (log - LOG_2_PI) - alpha * squares)).sum()
}
