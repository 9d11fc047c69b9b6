//! Factorisation of a matrix of counts: hierarchical Poisson–Gamma, with missing entries.
//!
//! ```text
//! x_nd ~ Poisson(Σ_k θ_nk β_dk)                     n = 1 … N rows, d = 1 … D columns, some x_nd missing
//! θ_nk ~ Gamma(a, ξ_n)      β_dk ~ Gamma(c, η_d)
//! ξ_n, η_d known, or with Gamma priors              the activity of a row, the popularity of a column
//! ```
//! With the count x_nd split into K parts, z_nd ~ Multinomial(x_nd, ∝ θ_nk β_dk), every complete conditional is a standard
//! family. A zero is an observed count; what was not observed is named entry by entry.
//!
//! [`GammaPoisson`](crate::count_factors::GammaPoisson) is the same likelihood with weights that are learned as
//! parameters, for stochastic methods.
//!
//! **Cost.** A sweep costs 4 K multiplications for each count above zero, K for each missing entry, and K digammas for
//! each row and column. The parts z are never stored: their expected sums over rows and columns are all that is needed.
//!
//! Sources: A. T. Cemgil, "Bayesian inference for nonnegative matrix factorisation models", *Computational Intelligence and
//! Neuroscience* (2009); P. Gopalan, J. M. Hofman & D. M. Blei, "Scalable recommendation with hierarchical Poisson
//! factorization", *UAI* (2015).

mod allocations;
mod conjugate;
mod exchangeable;
mod gamma_rows;
mod log_joint;
mod predict;

use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::checks::positive;
use crate::lines::Lines;
use crate::sparse_counts::SparseCounts;

pub use conjugate::{PoissonFactorisationBlock, PoissonFactorisationFactors, PoissonFactorisationStats};
pub use exchangeable::{PoissonFactorisationBatch, PoissonFactorisationGlobals, RowUpdate};
pub use gamma_rows::GammaRows;

const MODEL: &str = "poisson_factorisation";

/// The rate of a Gamma prior: known, or with a Gamma prior of its own for every row (or column).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RatePrior {
    /// It has this value.
    Known {
        /// > 0.
        rate: f64,
    },
    /// Gamma.
    Gamma {
        /// > 0.
        shape: f64,
        /// > 0.
        rate: f64,
    },
}

/// The prior of the factors of rows, or of columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorPrior {
    /// a or c, > 0.
    pub shape: f64,
    /// ξ or η.
    pub rate: RatePrior,
}

impl FactorPrior {
    fn check(&self, name: &str) -> Result<(), ModelError> {
        positive(MODEL, &format!("{name}.shape"), self.shape)?;
        match self.rate {
            RatePrior::Known { rate } => positive(MODEL, &format!("{name}.rate.known.rate"), rate),
            RatePrior::Gamma { shape, rate } => {
                positive(MODEL, &format!("{name}.rate.gamma.shape"), shape)?;
                positive(MODEL, &format!("{name}.rate.gamma.rate"), rate)
            }
        }
    }

    fn is_hierarchical(&self) -> bool {
        matches!(self.rate, RatePrior::Gamma { .. })
    }
}

/// The priors of both sides; the default is that of Gopalan, Hofman & Blei, with all hyperparameters 0.3 and mean 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoissonFactorisationPriors {
    /// θ and ξ.
    pub row: FactorPrior,
    /// β and η.
    pub column: FactorPrior,
}

impl Default for PoissonFactorisationPriors {
    fn default() -> Self {
        let side = FactorPrior { shape: 0.3, rate: RatePrior::Gamma { shape: 0.3, rate: 0.3 } };
        Self { row: side, column: side }
    }
}

/// The factorisation; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_models::poisson_factorisation::{PoissonFactorisation, PoissonFactorisationPriors};
/// use vi_models::sparse_counts::SparseCounts;
///
/// let counts = SparseCounts::from_dense(&array![[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])?;
/// let model = PoissonFactorisation::new(counts, 2, PoissonFactorisationPriors::default())?.with_missing([(1, 2)])?;
/// assert_eq!((model.n_factors(), model.n_missing()), (2, 1));
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PoissonFactorisation {
    counts: SparseCounts,
    n_factors: usize,
    priors: PoissonFactorisationPriors,
    /// The rows of the counts above zero of every column, and where each stands in the order of rows.
    by_column: Lines,
    position: Vec<usize>,
    /// The missing entries of every row, and of every column.
    missing_in_row: Lines,
    missing_in_column: Lines,
    /// Σ log x!.
    log_factorials: f64,
    row_update: RowUpdate,
    space: ParameterSpace,
}

impl PoissonFactorisation {
    /// The model of `counts` (N, D) with `n_factors` factors.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain, or the number of factors that is 0.
    pub fn new(
        counts: SparseCounts,
        n_factors: usize,
        priors: PoissonFactorisationPriors,
    ) -> Result<Self, ModelError> {
        positive(MODEL, "n_factors", n_factors as f64)?;
        priors.row.check("row")?;
        priors.column.check("column")?;
        let (n, d, k) = (counts.n_rows(), counts.n_columns(), n_factors);
        let (by_column, position) = counts.lines().transposed(d);
        let mut parameters = vec![
            Parameter::new("row_factor", &[n, k], Support::Positive),
            Parameter::new("column_factor", &[d, k], Support::Positive),
        ];
        if priors.row.is_hierarchical() {
            parameters.push(Parameter::vector("row_rate", n, Support::Positive));
        }
        if priors.column.is_hierarchical() {
            parameters.push(Parameter::vector("column_rate", d, Support::Positive));
        }
        Ok(Self {
            n_factors,
            priors,
            by_column,
            position,
            missing_in_row: Lines::new(n, std::iter::empty()),
            missing_in_column: Lines::new(d, std::iter::empty()),
            log_factorials: (0..n).map(|i| counts.log_factorials(i)).sum(),
            row_update: RowUpdate::default(),
            space: ParameterSpace::new(parameters)?,
            counts,
        })
    }

    /// The same model where these entries (row, column) were not observed.
    ///
    /// # Errors
    /// [`ModelError::Datum`] for an entry that is outside, given twice, or has a count above zero.
    pub fn with_missing(
        mut self,
        entries: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, ModelError> {
        let (n, d) = (self.counts.n_rows(), self.counts.n_columns());
        let refused = |row, column, value, requirement| {
            Err(ModelError::Datum { model: MODEL, data: "missing", row, column, value, requirement })
        };
        let earlier = (0..n).flat_map(|row| self.missing_in_row.line(row).iter().map(move |d| (row, *d)));
        let mut sorted: Vec<(usize, usize)> = earlier.chain(entries).collect();
        sorted.sort_unstable();
        for (i, &(row, column)) in sorted.iter().enumerate() {
            if row >= n || column >= d {
                return refused(row, column, f64::NAN, "inside the matrix");
            }
            if i > 0 && sorted[i - 1] == (row, column) {
                return refused(row, column, f64::NAN, "given once");
            }
            let (columns, counts) = self.counts.row(row);
            if let Ok(at) = columns.binary_search(&column) {
                return refused(row, column, counts[at], "0 where it is missing");
            }
        }
        self.missing_in_row = Lines::new(n, sorted.iter().copied());
        sorted.sort_unstable_by_key(|(row, column)| (*column, *row));
        self.missing_in_column = Lines::new(d, sorted.iter().map(|(row, column)| (*column, *row)));
        Ok(self)
    }

    /// The same model whose stochastic steps iterate over the factors of a row in this way.
    ///
    /// # Errors
    /// [`ModelError::Prior`] names the setting outside its domain.
    pub fn with_row_update(mut self, row_update: RowUpdate) -> Result<Self, ModelError> {
        row_update.check()?;
        self.row_update = row_update;
        Ok(self)
    }

    /// The same model of some of the rows, in this order.
    fn with_rows(&self, rows: &[usize]) -> Result<Self, ModelError> {
        let missing = rows.iter().enumerate();
        let missing = missing.flat_map(|(i, n)| self.missing_in_row.line(*n).iter().map(move |d| (i, *d)));
        let other =
            Self::new(self.counts.select(rows), self.n_factors, self.priors)?.with_missing(missing)?;
        Ok(Self { row_update: self.row_update, ..other })
    }

    /// The counts.
    pub fn counts(&self) -> &SparseCounts {
        &self.counts
    }

    /// The priors.
    pub fn priors(&self) -> &PoissonFactorisationPriors {
        &self.priors
    }

    /// K.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// How many entries were not observed.
    pub fn n_missing(&self) -> usize {
        self.missing_in_row.n_entries()
    }

    /// Σ θ_n·β_d over what was observed: the product of the sums less what is missing.
    fn total_rate(&self, rows: &[f64], columns: &[f64]) -> f64 {
        let k = self.n_factors;
        let whole: f64 = vi_core::scratch::with_arrays([k, k], |[sum, other]| {
            set_column_sums(rows, sum);
            set_column_sums(columns, other);
            dot(sum, other)
        });
        let row = |n: usize| {
            let theta = &rows[n * k..][..k];
            self.missing_in_row.line(n).iter().map(|d| dot(theta, &columns[d * k..][..k])).sum::<f64>()
        };
        whole - (0..self.counts.n_rows()).map(row).sum::<f64>()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// sums (K) ← the sums of the columns of rows of K values.
fn set_column_sums(rows: &[f64], sums: &mut [f64]) {
    sums.fill(0.0);
    for row in rows.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
}
