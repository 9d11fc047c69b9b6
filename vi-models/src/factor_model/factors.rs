//! Factors of all blocks, and their statistics.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::packed;
use vi_families::{ExponentialFamily, Gamma};

use super::rows::{GaussianRows, Moments};
use super::{FactorModel, NoiseShape, PrecisionPrior};

/// q(x) q(w, μ) q(α) q(λ) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorModelFactors {
    pub(super) scores: GaussianRows,
    pub(super) loadings: GaussianRows,
    pub(super) loading_precision: Vec<Gamma>,
    pub(super) score_precision: Vec<Gamma>,
    pub(super) noise: Vec<Gamma>,
}

impl FactorModelFactors {
    /// q(x_n) of every row (N vectors of length K).
    pub fn scores(&self) -> &GaussianRows {
        &self.scores
    }

    /// q(w_d, μ_d) of every column (D vectors of length K, or K + 1 with intercepts, which are less the mean of their
    /// column: [`FactorModel::centre`]).
    pub fn loadings(&self) -> &GaussianRows {
        &self.loadings
    }

    /// q(α_k) (K); empty where α is known.
    pub fn loading_precisions(&self) -> &[Gamma] {
        &self.loading_precision
    }

    /// q(λ_k) (K); empty where λ is known.
    pub fn score_precisions(&self) -> &[Gamma] {
        &self.score_precision
    }

    /// q(τ) (1 or D); empty where τ is known.
    pub fn noise_precisions(&self) -> &[Gamma] {
        &self.noise
    }
}

/// E\[x\] and E[log x] of some precisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Precisions {
    pub(super) mean: Array1<f64>,
    pub(super) log: Array1<f64>,
}

impl Precisions {
    /// n precisions at a value; a known one keeps it for good.
    fn at(n: usize, prior: PrecisionPrior, value: f64) -> Self {
        let value = match prior {
            PrecisionPrior::Known { precision } => precision,
            PrecisionPrior::Gamma { .. } => value,
        };
        Self { mean: Array1::from_elem(n, value), log: Array1::from_elem(n, value.ln()) }
    }

    pub(super) fn expect(&mut self, factors: &[Gamma]) {
        for (g, q) in factors.iter().enumerate() {
            (self.mean[g], self.log[g]) = (q.mean(), q.expected_log());
        }
    }

    pub(super) fn set(&mut self, g: usize, value: f64) {
        (self.mean[g], self.log[g]) = (value, value.ln());
    }

    /// log q at the realised values.
    pub(super) fn log_prob(&self, factors: &[Gamma]) -> f64 {
        factors.iter().zip(&self.mean).map(|(q, x)| q.log_prob(x)).sum()
    }
}

/// Sums over the rows in which a column was observed, about loadings w₀ at which they were taken:
///
/// ```text
/// a_d = Σ_n E[(y_nd − w₀ᵀx̃_n)²]   c_d = Σ_n E[(y_nd − w₀ᵀx̃_n) x̃_n]   S_d = Σ_n E[x̃_n x̃_nᵀ]      x̃ = (x, 1)
/// Σ_n E[(y_nd − wᵀx̃_n)²] = a_d − 2 (w − w₀)ᵀc_d + (w − w₀)ᵀ S_d (w − w₀)
/// ```
/// Sums of squares about w₀ do not cancel as those about 0 do when the noise is small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnSums {
    /// w₀ (D, P).
    pub(super) reference: Array2<f64>,
    /// a, c and, where something is missing, S packed (D, 1 + P or 1 + P + P (P + 1)/2).
    pub(super) sums: Array2<f64>,
    /// Σ_n E[x̃_n x̃_nᵀ] over all rows, packed: S of every column where nothing is missing.
    pub(super) total: Array1<f64>,
}

impl ColumnSums {
    fn zeros(n_columns: usize, p: usize, own: bool) -> Self {
        let width = 1 + p + if own { packed::len(p) } else { 0 };
        Self {
            reference: Array2::zeros((n_columns, p)),
            sums: Array2::zeros((n_columns, width)),
            total: Array1::zeros(packed::len(p)),
        }
    }

    pub(super) fn reference(&self, d: usize) -> &[f64] {
        let p = self.reference.ncols();
        &self.reference.as_slice().expect("row-major")[d * p..(d + 1) * p]
    }

    fn row(&self, d: usize) -> &[f64] {
        let width = self.sums.ncols();
        &self.sums.as_slice().expect("row-major")[d * width..(d + 1) * width]
    }

    /// a_d.
    pub(super) fn square(&self, d: usize) -> f64 {
        self.row(d)[0]
    }

    /// c_d (P).
    pub(super) fn cross(&self, d: usize) -> &[f64] {
        &self.row(d)[1..1 + self.reference.ncols()]
    }

    /// S_d packed.
    pub(super) fn second(&self, d: usize) -> &[f64] {
        let own = &self.row(d)[1 + self.reference.ncols()..];
        if own.is_empty() { self.total() } else { own }
    }

    pub(super) fn total(&self) -> &[f64] {
        self.total.as_slice().expect("one piece")
    }
}

/// Expected or realised statistics.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FactorModelStats {
    pub(super) scores: Moments,
    /// E[x̃_n x̃_nᵀ] packed, (N, P (P + 1)/2) where something is missing, else empty.
    pub(super) score_second: Array2<f64>,
    pub(super) columns: ColumnSums,
    pub(super) loadings: Moments,
    /// E[w̃_d w̃_dᵀ] packed, (D, P (P + 1)/2) where something is missing, else empty.
    pub(super) loading_second: Array2<f64>,
    /// Σ_d E[w_d w_dᵀ] packed (K (K + 1)/2).
    pub(super) loading_total: Array1<f64>,
    /// Σ_d E[(μ_d − m)²].
    pub(super) intercept_squares: f64,
    /// Σ_n E[(y_nd − w̃_dᵀx̃_n)²] over what was observed (D).
    pub(super) squares: Array1<f64>,
    pub(super) loading_precision: Precisions,
    pub(super) score_precision: Precisions,
    pub(super) noise: Precisions,
    #[serde(skip)]
    pub(super) workspace: Workspace,
}

/// Memory of parallel sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Workspace {
    pub(super) partials: Vec<f64>,
    pub(super) sums: Array1<f64>,
}

impl FactorModelStats {
    /// E\[x\] (N, K).
    pub fn scores(&self) -> &Array2<f64> {
        &self.scores.mean
    }

    /// E\[w, μ\] (D, K or K + 1), the intercepts less [`FactorModel::centre`].
    pub fn loadings(&self) -> &Array2<f64> {
        &self.loadings.mean
    }
}

/// Where the precisions start that are learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StartPrecisions {
    pub(super) loading: f64,
    pub(super) noise: f64,
}

impl<S: NoiseShape> FactorModel<S> {
    /// Factors and statistics without contents, but for precisions at their start.
    pub(super) fn blank(&self, start: StartPrecisions) -> (FactorModelFactors, FactorModelStats) {
        let (n, d) = (self.data.n_rows(), self.data.n_columns());
        let (k, p) = (self.n_factors, self.n_coefficients());
        let scores = GaussianRows::zeros(n, k, self.rows_share());
        let loadings = GaussianRows::zeros(d, p, self.columns_share());
        let own = !self.data.is_complete();
        let second = |n: usize| Array2::zeros((if own { n } else { 0 }, packed::len(p)));
        let priors = &self.priors;
        let stats = FactorModelStats {
            scores: Moments::zeros(&scores),
            score_second: second(n),
            columns: ColumnSums::zeros(d, p, own),
            loadings: Moments::zeros(&loadings),
            loading_second: second(d),
            loading_total: Array1::zeros(packed::len(k)),
            intercept_squares: 0.0,
            squares: Array1::zeros(d),
            loading_precision: Precisions::at(k, priors.loading, start.loading),
            score_precision: Precisions::at(k, priors.score, 1.0),
            noise: Precisions::at(self.n_noise(), priors.noise, start.noise),
            workspace: Workspace::default(),
        };
        let gammas = |prior: PrecisionPrior, n: usize| {
            let unit = Gamma::from_shape_rate(1.0, 1.0).expect("positive");
            vec![unit; if prior.is_learned() { n } else { 0 }]
        };
        let factors = FactorModelFactors {
            scores,
            loadings,
            loading_precision: gammas(priors.loading, k),
            score_precision: gammas(priors.score, k),
            noise: gammas(priors.noise, self.n_noise()),
        };
        (factors, stats)
    }
}
