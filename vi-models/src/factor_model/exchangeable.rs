//! The rows are exchangeable given loadings and precisions; their scores are local.

use ndarray::ArrayRef1;
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::Gamma;

use super::conjugate::FactorModelBlock::{self, LoadingPrecision, Loadings, Noise, ScorePrecision, Scores};
use super::factors::{FactorModelFactors, FactorModelStats, StartPrecisions};
use super::rows::GaussianRows;
use super::{FactorModel, NoiseShape};

/// The factors q(w, μ) q(α) q(λ) q(τ).
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FactorModelGlobals(FactorModelFactors);

impl FactorModelGlobals {
    /// q(w_d, μ_d) of every column; see [`FactorModelFactors::loadings`].
    pub fn loadings(&self) -> &GaussianRows {
        &self.0.loadings
    }

    /// q(τ) (1 or D); empty where τ is known.
    pub fn noise_precisions(&self) -> &[Gamma] {
        &self.0.noise
    }
}

/// Sums over the rows of a batch, every row counted N/|B| times.
#[derive(Clone, Debug)]
pub struct FactorModelBatch {
    stats: FactorModelStats,
    /// How many entries of every column were observed (D).
    counts: Vec<f64>,
}

impl<S: NoiseShape> FactorModel<S> {
    /// The scores' optimum given all other factors, and what is expected under all of them.
    fn with_best_scores(
        &self,
        globals: &FactorModelGlobals,
        exec: Exec<'_>,
    ) -> Result<(FactorModelFactors, FactorModelStats), ConjugateError> {
        let (blank, mut stats) = self.blank(StartPrecisions { loading: 1.0, noise: 1.0 });
        self.expect_all_but_scores(&globals.0, &mut stats);
        let mut factors = FactorModelFactors { scores: blank.scores, ..globals.0.clone() };
        self.condition(Scores, &stats, &mut factors, exec)?;
        self.expect(Scores, &factors, &mut stats, exec);
        Ok((factors, stats))
    }
}

/// Data are rows. The noise takes the number of entries of the batch, not that of all data, beside which its squares would
/// be too few or too many.
impl<S: NoiseShape> Exchangeable for FactorModel<S> {
    type Globals = FactorModelGlobals;
    type BatchStats = FactorModelBatch;

    fn n_data(&self) -> usize {
        self.data.n_rows()
    }

    fn global_blocks(&self) -> &[FactorModelBlock] {
        // The scores come first.
        &self.blocks[1..]
    }

    fn globals(&self, factors: &FactorModelFactors, _: &FactorModelStats) -> FactorModelGlobals {
        let scores = GaussianRows::zeros(0, self.n_factors, false);
        FactorModelGlobals(FactorModelFactors {
            scores,
            loadings: factors.loadings.clone(),
            loading_precision: factors.loading_precision.clone(),
            score_precision: factors.score_precision.clone(),
            noise: factors.noise.clone(),
        })
    }

    fn local_step(
        &self,
        globals: &FactorModelGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<FactorModelBatch, ConjugateError> {
        let rows = self.with_rows(self.data.select(batch.indices));
        let (_, mut stats) = rows.with_best_scores(globals, exec)?;
        stats.columns.sums *= batch.scale;
        stats.columns.total *= batch.scale;
        let count = |d| batch.scale * rows.data.column_count(d) as f64;
        Ok(FactorModelBatch { stats, counts: (0..self.data.n_columns()).map(count).collect() })
    }

    fn n_global_natural(&self, block: FactorModelBlock) -> usize {
        self.n_natural(block)
    }

    fn global_natural(
        &self,
        block: FactorModelBlock,
        globals: &FactorModelGlobals,
        eta: &mut ArrayRef1<f64>,
    ) {
        self.natural(block, &globals.0, eta);
    }

    fn global_conditional(
        &self,
        block: FactorModelBlock,
        batch: &FactorModelBatch,
        globals: &FactorModelGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let (mut optimum, mut stats) = (globals.0.clone(), batch.stats.clone());
        self.expect_all_but_scores(&globals.0, &mut stats);
        match block {
            Noise => {
                self.set_squares(&mut stats, Exec::local());
                self.condition_noise_of(|d| batch.counts[d], &stats, &mut optimum)?;
            }
            Scores | Loadings | LoadingPrecision | ScorePrecision => {
                self.condition(block, &stats, &mut optimum, Exec::local())?;
            }
        }
        self.natural(block, &optimum, eta);
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: FactorModelBlock,
        eta: &ArrayRef1<f64>,
        globals: &mut FactorModelGlobals,
    ) -> Result<(), ConjugateError> {
        self.set_natural(block, eta, &mut globals.0)
    }

    fn complete(
        &self,
        globals: &FactorModelGlobals,
        exec: Exec<'_>,
    ) -> Result<(FactorModelFactors, FactorModelStats), ConjugateError> {
        self.with_best_scores(globals, exec)
    }
}
