//! The rows are exchangeable given the columns' factors; the parts of their counts, θ_n and ξ_n are local.

use ndarray::{Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors, scratch};

use super::conjugate::PoissonFactorisationBlock::{
    self as Block, Allocations as Parting, ColumnFactors, ColumnRates, RowFactors, RowRates,
};
use super::conjugate::{PoissonFactorisationFactors, PoissonFactorisationStats};
use super::gamma_rows::{GammaRows, LogAndMean, flat, flat_mut};
use super::{MODEL, PoissonFactorisation, set_column_sums};
use crate::ModelError;
use crate::checks::{positive, refused};

/// The iteration over q(z_n), q(θ_n) and q(ξ_n) of the rows of a batch, in turn, given the columns' factors. It begins at
/// equal parts of every count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RowUpdate {
    /// Σ |Δ E\[θ\]| / Σ E\[θ\] below which it ends; 1e-3 by default.
    pub tolerance: f64,
    /// Iterations at most; 100 by default.
    pub max_iterations: usize,
}

impl Default for RowUpdate {
    fn default() -> Self {
        Self { tolerance: 1e-3, max_iterations: 100 }
    }
}

impl RowUpdate {
    pub(super) fn check(&self) -> Result<(), ModelError> {
        positive(MODEL, "row_update.tolerance", self.tolerance)?;
        positive(MODEL, "row_update.max_iterations", self.max_iterations as f64)
    }
}

/// The factors q(β) q(η); that of known rates is not used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonFactorisationGlobals {
    columns: GammaRows,
    column_rates: GammaRows,
}

impl PoissonFactorisationGlobals {
    /// q(β) (D, K).
    pub fn columns(&self) -> &GammaRows {
        &self.columns
    }
}

/// Sums over the rows of a batch, every row counted N/|B| times.
#[derive(Clone, Debug, PartialEq)]
pub struct PoissonFactorisationBatch {
    /// Σ_n E[z_ndk] (D, K).
    parts: Array2<f64>,
    /// Σ_n E[θ_nk] over the rows in which column d was observed (D, K).
    rates: Array2<f64>,
}

impl GammaRows {
    /// Overwrites `eta` with the shapes less 1, then the negative rates.
    fn natural(&self, eta: &mut ArrayRef1<f64>) {
        let values = self.shape.iter().map(|s| s - 1.0).chain(self.rate.iter().map(|r| -r));
        eta.iter_mut().zip(values).for_each(|(e, v)| *e = v);
    }

    fn set_natural(&mut self, eta: &ArrayRef1<f64>, block: Block) -> Result<(), ConjugateError> {
        let n = self.shape.len();
        flat_mut(&mut self.shape).iter_mut().zip(eta).for_each(|(s, e)| *s = e + 1.0);
        flat_mut(&mut self.rate).iter_mut().zip(eta.iter().skip(n)).for_each(|(r, e)| *r = -e);
        self.check().map_err(|e| refused(block, e))
    }
}

impl PoissonFactorisationFactors {
    fn gammas(&self, block: Block) -> Option<&GammaRows> {
        match block {
            Parting => None,
            RowFactors => Some(&self.rows),
            RowRates => Some(&self.row_rates),
            ColumnFactors => Some(&self.columns),
            ColumnRates => Some(&self.column_rates),
        }
    }
}

/// q(z) gives no access: it is a function of the expected logarithms of both sides, and follows them; its tempered form is
/// made of these logarithms times β.
impl NaturalFactors for PoissonFactorisation {
    fn n_natural(&self, block: Block) -> usize {
        let (n, d, k) = (self.counts.n_rows(), self.counts.n_columns(), self.n_factors);
        2 * match block {
            Parting => 0,
            RowFactors => n * k,
            RowRates => n,
            ColumnFactors => d * k,
            ColumnRates => d,
        }
    }

    fn natural(&self, block: Block, factors: &PoissonFactorisationFactors, eta: &mut ArrayRef1<f64>) {
        if let Some(q) = factors.gammas(block) {
            q.natural(eta);
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut PoissonFactorisationFactors,
    ) -> Result<(), ConjugateError> {
        let q = match block {
            Parting => return Ok(()),
            RowFactors => &mut factors.rows,
            RowRates => &mut factors.row_rates,
            ColumnFactors => &mut factors.columns,
            ColumnRates => &mut factors.column_rates,
        };
        q.set_natural(eta, block)
    }

    fn condition_tempered(
        &self,
        block: Block,
        inverse_temperature: f64,
        stats: &PoissonFactorisationStats,
        factors: &mut PoissonFactorisationFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        if block == Parting {
            let heated = |side: &LogAndMean| LogAndMean {
                mean: side.mean.clone(),
                log: &side.log * inverse_temperature,
            };
            factors.allocations.condition(self, &heated(&stats.rows), &heated(&stats.columns), exec);
            return factors.allocations.finish(self, exec);
        }
        self.condition(block, stats, factors, exec)?;
        let mut eta = ndarray::Array1::zeros(self.n_natural(block));
        self.natural(block, factors, &mut eta);
        eta *= inverse_temperature;
        self.set_natural(block, &eta, factors)
    }
}

impl PoissonFactorisation {
    /// The optimal local factors of all rows, and what is expected under all factors.
    fn with_best_rows(
        &self,
        globals: &PoissonFactorisationGlobals,
        exec: Exec<'_>,
    ) -> Result<(PoissonFactorisationFactors, PoissonFactorisationStats), ConjugateError> {
        let update = self.row_update;
        let (mut factors, mut stats) = self.blank();
        factors.columns.clone_from(&globals.columns);
        factors.column_rates.clone_from(&globals.column_rates);
        for &block in self.global_blocks() {
            self.expect(block, &factors, &mut stats, exec);
        }
        let mut last = stats.rows.mean.clone();
        for _ in 0..update.max_iterations {
            for &block in self.blocks().iter().filter(|b| !self.global_blocks().contains(b)) {
                self.condition(block, &stats, &mut factors, exec)?;
                self.expect(block, &factors, &mut stats, exec);
            }
            let change: f64 = stats.rows.mean.iter().zip(&last).map(|(a, b)| (a - b).abs()).sum();
            if change < update.tolerance * stats.rows.mean.sum() {
                break;
            }
            last.assign(&stats.rows.mean);
        }
        Ok((factors, stats))
    }

    /// What is expected of the columns' side.
    fn column_stats(&self, globals: &PoissonFactorisationGlobals) -> (LogAndMean, LogAndMean) {
        let (d, k) = (self.counts.n_columns(), self.n_factors);
        let mut columns = LogAndMean::constant(d, k, 1.0);
        globals.columns.expect(&mut columns, Exec::local());
        let mut rates = LogAndMean::constant(d, 1, self.priors.column.start());
        if self.priors.column.is_hierarchical() {
            globals.column_rates.expect(&mut rates, Exec::local());
        }
        (columns, rates)
    }
}

/// Data are rows.
impl Exchangeable for PoissonFactorisation {
    type Globals = PoissonFactorisationGlobals;
    type BatchStats = PoissonFactorisationBatch;

    fn n_data(&self) -> usize {
        self.counts.n_rows()
    }

    fn global_blocks(&self) -> &[Block] {
        const GLOBAL_BLOCKS: [Block; 2] = [ColumnFactors, ColumnRates];
        &GLOBAL_BLOCKS[..1 + usize::from(self.priors.column.is_hierarchical())]
    }

    fn globals(
        &self,
        factors: &PoissonFactorisationFactors,
        _: &PoissonFactorisationStats,
    ) -> PoissonFactorisationGlobals {
        PoissonFactorisationGlobals {
            columns: factors.columns.clone(),
            column_rates: factors.column_rates.clone(),
        }
    }

    fn local_step(
        &self,
        globals: &PoissonFactorisationGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<PoissonFactorisationBatch, ConjugateError> {
        let rows = self.with_rows(batch.indices).map_err(|e| ConjugateError::Refused {
            block: format!("{RowFactors:?}"),
            message: e.to_string(),
        })?;
        let (_, stats) = rows.with_best_rows(globals, exec)?;
        let (d, k) = (self.counts.n_columns(), self.n_factors);
        let mut rates = Array2::zeros((d, k));
        scratch::with(k, |totals| {
            set_column_sums(flat(&stats.rows.mean), totals);
            for (d, row) in flat_mut(&mut rates).chunks_exact_mut(k).enumerate() {
                row.copy_from_slice(totals);
                for n in rows.missing_in_column.line(d) {
                    row.iter_mut().zip(stats.rows.row(*n)).for_each(|(r, theta)| *r -= theta);
                }
                // A column of which nothing was observed: what rounding leaves of its sum is not negative.
                row.iter_mut().for_each(|r| *r = batch.scale * r.max(0.0));
            }
        });
        Ok(PoissonFactorisationBatch { parts: stats.parts.of_columns * batch.scale, rates })
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, block: Block, globals: &PoissonFactorisationGlobals, eta: &mut ArrayRef1<f64>) {
        match block {
            ColumnRates => globals.column_rates.natural(eta),
            _ => globals.columns.natural(eta),
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &PoissonFactorisationBatch,
        globals: &PoissonFactorisationGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let (columns, rates) = self.column_stats(globals);
        let prior = self.priors.column;
        let width = if block == ColumnRates { 1 } else { self.n_factors };
        let mut q = GammaRows::ones(self.counts.n_columns(), width);
        if block == ColumnRates {
            prior.condition_rates(&columns, &mut q);
        } else {
            q.shape = &batch.parts + prior.shape;
            // The rate of a column stands in every place of its row.
            q.rate = &batch.rates + &rates.mean;
        }
        q.check().map_err(|e| refused(block, e))?;
        q.natural(eta);
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut PoissonFactorisationGlobals,
    ) -> Result<(), ConjugateError> {
        match block {
            ColumnRates => globals.column_rates.set_natural(eta, block),
            _ => globals.columns.set_natural(eta, block),
        }
    }

    fn complete(
        &self,
        globals: &PoissonFactorisationGlobals,
        exec: Exec<'_>,
    ) -> Result<(PoissonFactorisationFactors, PoissonFactorisationStats), ConjugateError> {
        self.with_best_rows(globals, exec)
    }
}
