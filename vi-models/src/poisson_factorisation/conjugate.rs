//! The complete conditionals.
//!
//! ```text
//! z_nd | · ~ Multinomial(x_nd, ∝ θ_nk β_dk)
//! θ_nk | · ~ Gamma(a + Σ_d z_ndk, ξ_n + Σ_d β_dk)       ξ_n | · ~ Gamma(a′ + K a, b′ + Σ_k θ_nk)
//! β_dk | · ~ Gamma(c + Σ_n z_ndk, η_d + Σ_n θ_nk)       η_d | · ~ Gamma(c′ + K c, d′ + Σ_k β_dk)
//! ```
//! Densities of z are against the measure Π 1/z_ndk!.

use ndarray::ArrayRef1;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};

use super::allocations::{Allocations, Parts};
use super::gamma_rows::{GammaRows, LogAndMean, flat};
use super::{PoissonFactorisation, PoissonFactorisationPriors, dot};
use crate::checks::refused;

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoissonFactorisationBlock {
    /// z_nd, all counts above zero.
    Allocations,
    /// θ.
    RowFactors,
    /// ξ, unless it is known.
    RowRates,
    /// β.
    ColumnFactors,
    /// η, unless it is known.
    ColumnRates,
}

use PoissonFactorisationBlock::{Allocations as Parting, ColumnFactors, ColumnRates, RowFactors, RowRates};

const BLOCKS: [&[PoissonFactorisationBlock]; 4] = [
    &[Parting, RowFactors, ColumnFactors],
    &[Parting, RowFactors, RowRates, ColumnFactors],
    &[Parting, RowFactors, ColumnFactors, ColumnRates],
    &[Parting, RowFactors, RowRates, ColumnFactors, ColumnRates],
];

/// One factor per block; those of known rates are not used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonFactorisationFactors {
    pub(super) allocations: Allocations,
    pub(super) rows: GammaRows,
    pub(super) columns: GammaRows,
    pub(super) row_rates: GammaRows,
    pub(super) column_rates: GammaRows,
}

impl PoissonFactorisationFactors {
    /// q(θ) (N, K).
    pub fn rows(&self) -> &GammaRows {
        &self.rows
    }

    /// q(β) (D, K).
    pub fn columns(&self) -> &GammaRows {
        &self.columns
    }
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonFactorisationStats {
    pub(super) parts: Parts,
    pub(super) rows: LogAndMean,
    pub(super) columns: LogAndMean,
    pub(super) row_rates: LogAndMean,
    pub(super) column_rates: LogAndMean,
}

impl PoissonFactorisationPriors {
    fn blocks(&self) -> &'static [PoissonFactorisationBlock] {
        BLOCKS[usize::from(self.row.is_hierarchical()) + 2 * usize::from(self.column.is_hierarchical())]
    }
}

impl PoissonFactorisation {
    pub(super) fn blank(&self) -> (PoissonFactorisationFactors, PoissonFactorisationStats) {
        let (n, d, k) = (self.counts.n_rows(), self.counts.n_columns(), self.n_factors);
        let factors = PoissonFactorisationFactors {
            allocations: Allocations::zeros(self),
            rows: GammaRows::ones(n, k),
            columns: GammaRows::ones(d, k),
            row_rates: GammaRows::ones(n, 1),
            column_rates: GammaRows::ones(d, 1),
        };
        let stats = PoissonFactorisationStats {
            parts: Parts::zeros(n, d, k),
            rows: LogAndMean::constant(n, k, 1.0),
            columns: LogAndMean::constant(d, k, 1.0),
            row_rates: LogAndMean::constant(n, 1, self.priors.row.start()),
            column_rates: LogAndMean::constant(d, 1, self.priors.column.start()),
        };
        (factors, stats)
    }
}

/// Reported in (row_factor, column_factor, row_rate, column_rate), as far as rates are learned; the parts of the counts
/// are left out.
impl ConditionallyConjugate for PoissonFactorisation {
    type Block = PoissonFactorisationBlock;
    type Stats = PoissonFactorisationStats;
    type Factors = PoissonFactorisationFactors;

    fn blocks(&self) -> &[PoissonFactorisationBlock] {
        self.priors.blocks()
    }

    /// Factors scattered around the value at which they make the mean count, log-normally with standard deviation 0.3.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(PoissonFactorisationFactors, PoissonFactorisationStats), ConjugateError> {
        let (mut factors, mut stats) = self.blank();
        let n_observed = self.counts.n_rows() * self.counts.n_columns() - self.n_missing();
        let mean = (self.counts.total() + 0.5) / n_observed.max(1) as f64;
        let centre = 0.5 * (mean / self.n_factors as f64).ln();
        for (i, side) in [&mut stats.rows, &mut stats.columns].into_iter().enumerate() {
            let mut rng = key.rng(i as u64);
            side.log.mapv_inplace(|_| centre + 0.3 * Distribution::<f64>::sample(&StandardNormal, &mut rng));
            side.mean.zip_mut_with(&side.log, |mean, log| *mean = log.exp());
        }
        for &block in self.blocks() {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: PoissonFactorisationBlock,
        stats: &PoissonFactorisationStats,
        factors: &mut PoissonFactorisationFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (priors, parts) = (&self.priors, &stats.parts);
        let checked = match block {
            Parting => {
                factors.allocations.condition(self, &stats.rows, &stats.columns, exec);
                return factors.allocations.finish(self, exec);
            }
            RowFactors => {
                let (rate, missing) = (&stats.row_rates, &self.missing_in_row);
                factors.rows.condition(priors.row, &parts.of_rows, rate, &stats.columns, missing);
                &factors.rows
            }
            ColumnFactors => {
                let (rate, missing) = (&stats.column_rates, &self.missing_in_column);
                factors.columns.condition(priors.column, &parts.of_columns, rate, &stats.rows, missing);
                &factors.columns
            }
            RowRates => {
                priors.row.condition_rates(&stats.rows, &mut factors.row_rates);
                &factors.row_rates
            }
            ColumnRates => {
                priors.column.condition_rates(&stats.columns, &mut factors.column_rates);
                &factors.column_rates
            }
        };
        checked.check().map_err(|e| refused(block, e))
    }

    fn expect(
        &self,
        block: PoissonFactorisationBlock,
        factors: &PoissonFactorisationFactors,
        stats: &mut PoissonFactorisationStats,
        exec: Exec<'_>,
    ) {
        match block {
            Parting => factors.allocations.expect(&mut stats.parts),
            RowFactors => factors.rows.expect(&mut stats.rows, exec),
            ColumnFactors => factors.columns.expect(&mut stats.columns, exec),
            RowRates => factors.row_rates.expect(&mut stats.row_rates, exec),
            ColumnRates => factors.column_rates.expect(&mut stats.column_rates, exec),
        }
    }

    fn draw(
        &self,
        block: PoissonFactorisationBlock,
        factors: &PoissonFactorisationFactors,
        key: StreamKey,
        stats: &mut PoissonFactorisationStats,
        exec: Exec<'_>,
    ) {
        match block {
            Parting => factors.allocations.draw(self, key, &mut stats.parts, exec),
            RowFactors => factors.rows.draw(key, &mut stats.rows, exec),
            ColumnFactors => factors.columns.draw(key, &mut stats.columns, exec),
            RowRates => factors.row_rates.draw(key, &mut stats.row_rates, exec),
            ColumnRates => factors.column_rates.draw(key, &mut stats.column_rates, exec),
        }
    }

    fn block_log_prob(
        &self,
        block: PoissonFactorisationBlock,
        factors: &PoissonFactorisationFactors,
        stats: &PoissonFactorisationStats,
    ) -> f64 {
        match block {
            Parting => factors.allocations.log_prob(self, &stats.parts),
            RowFactors => factors.rows.log_prob(flat(&stats.rows.mean)),
            ColumnFactors => factors.columns.log_prob(flat(&stats.columns.mean)),
            RowRates => factors.row_rates.log_prob(flat(&stats.row_rates.mean)),
            ColumnRates => factors.column_rates.log_prob(flat(&stats.column_rates.mean)),
        }
    }

    fn expected_log_joint(&self, stats: &PoissonFactorisationStats) -> f64 {
        let (rows, columns, parts) = (&stats.rows, &stats.columns, &stats.parts);
        dot(flat(&parts.of_rows), flat(&rows.log)) + dot(flat(&parts.of_columns), flat(&columns.log))
            - self.total_rate(flat(&rows.mean), flat(&columns.mean))
            + self.priors.row.expected_log_prob(rows, &stats.row_rates)
            + self.priors.column.expected_log_prob(columns, &stats.column_rates)
    }

    fn entropy(&self, factors: &PoissonFactorisationFactors) -> f64 {
        let rates = |learned: bool, rates: &GammaRows| if learned { rates.entropy() } else { 0.0 };
        factors.allocations.entropy
            + factors.rows.entropy()
            + factors.columns.entropy()
            + rates(self.priors.row.is_hierarchical(), &factors.row_rates)
            + rates(self.priors.column.is_hierarchical(), &factors.column_rates)
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &PoissonFactorisationStats, z: &mut ArrayRef1<f64>) {
        let values = [&stats.rows, &stats.columns].map(|side| side.mean.iter());
        let mut rates = Vec::new();
        for (side, values) in
            [(&self.priors.row, &stats.row_rates), (&self.priors.column, &stats.column_rates)]
        {
            rates.extend(values.mean.iter().copied().filter(|_| side.is_hierarchical()));
        }
        let all = values.into_iter().flatten().copied().chain(rates);
        z.iter_mut().zip(all).for_each(|(z, v)| *z = v);
    }

    fn sample(&self, factors: &PoissonFactorisationFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let mut values = vec![0.0; z.len()];
        let mut rest = &mut values[..];
        for rows in self.reported_factors(factors) {
            let k = rows.shape.ncols();
            for n in 0..rows.shape.nrows() {
                let (head, tail) = rest.split_at_mut(k);
                rows.draw_row(n, rng, head);
                rest = tail;
            }
        }
        z.iter_mut().zip(values).for_each(|(z, v)| *z = v);
    }

    fn log_prob(&self, factors: &PoissonFactorisationFactors, z: &ArrayRef1<f64>) -> f64 {
        let z = z.to_vec();
        let mut rest = &z[..];
        let mut sum = 0.0;
        for rows in self.reported_factors(factors) {
            let (head, tail) = rest.split_at(rows.shape.len());
            sum += rows.log_prob(head);
            rest = tail;
        }
        sum
    }
}

impl PoissonFactorisation {
    /// The factors in the order in which their variables are reported.
    fn reported_factors<'a>(
        &self,
        factors: &'a PoissonFactorisationFactors,
    ) -> impl Iterator<Item = &'a GammaRows> {
        let rows = self.priors.row.is_hierarchical().then_some(&factors.row_rates);
        let columns = self.priors.column.is_hierarchical().then_some(&factors.column_rates);
        [&factors.rows, &factors.columns].into_iter().chain(rows).chain(columns)
    }
}
