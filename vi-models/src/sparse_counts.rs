//! Counts, most of them zero: words of documents, pixels of ink.

use ndarray::{Array2, ArrayRef2};
use rand_distr::{Binomial, Distribution};
use vi_core::StreamKey;
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::lines::Lines;

const DATA: &str = "sparse_counts";
const REQUIREMENT: &str = "a whole number from 0 to 2⁵³";
/// Above it f64 skips integers.
const LARGEST: f64 = 9_007_199_254_740_992.0;
/// Of rows and columns in a file: a row without counts costs memory too.
const LARGEST_SIZE: f64 = 1_073_741_824.0;

/// A matrix (N, D) of counts, of which only those above zero are stored, row by row.
///
/// ```
/// use ndarray::array;
/// use vi_models::sparse_counts::SparseCounts;
///
/// let counts = SparseCounts::from_dense(&array![[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])?;
/// assert_eq!(counts.row(0), (&[1, 2][..], &[2.0, 1.0][..]));
/// assert_eq!((counts.n_rows(), counts.n_columns(), counts.total()), (2, 3, 6.0));
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparseCounts {
    n_columns: usize,
    /// The columns with counts above zero, row by row, and these counts.
    rows: Lines,
    counts: Vec<f64>,
    /// Σ_d log x_nd! (N).
    log_factorials: Vec<f64>,
}

impl SparseCounts {
    /// The counts above zero of a matrix.
    ///
    /// # Errors
    /// [`ModelError`] names the element that is no count; [`ModelError::Empty`] without elements.
    pub fn from_dense(counts: &ArrayRef2<f64>) -> Result<Self, ModelError> {
        let entries = counts.indexed_iter().map(|((n, d), x)| (n, d, *x));
        Self::from_entries(counts.nrows(), counts.ncols(), entries)
    }

    /// The matrix (`n_rows`, `n_columns`) with these (row, column, count), from 0, in any order; counts of the same
    /// element add up.
    ///
    /// # Errors
    /// [`ModelError`] names the element that is no count or outside; [`ModelError::Empty`] without elements.
    pub fn from_entries(
        n_rows: usize,
        n_columns: usize,
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self, ModelError> {
        if n_rows == 0 || n_columns == 0 {
            return Err(ModelError::Empty { model: DATA, data: "counts" });
        }
        let refused = |row, column, value, requirement| {
            Err(ModelError::Datum { model: DATA, data: "counts", row, column, value, requirement })
        };
        let mut sorted = Vec::new();
        for (row, column, value) in entries {
            if !(0.0..=LARGEST).contains(&value) || value.fract() != 0.0 {
                return refused(row, column, value, REQUIREMENT);
            }
            if row >= n_rows || column >= n_columns {
                return refused(row, column, value, "inside the matrix");
            }
            if value > 0.0 {
                sorted.push((row, column, value));
            }
        }
        sorted.sort_by_key(|(row, column, _)| (*row, *column));
        sorted.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        Ok(Self::from_sorted(n_rows, n_columns, &sorted))
    }

    fn from_sorted(n_rows: usize, n_columns: usize, entries: &[(usize, usize, f64)]) -> Self {
        let mut log_factorials = vec![0.0; n_rows];
        for (row, _, count) in entries {
            log_factorials[*row] += log_gamma(count + 1.0);
        }
        let rows = Lines::new(n_rows, entries.iter().map(|(row, column, _)| (*row, *column)));
        let counts = entries.iter().map(|(_, _, count)| *count).collect();
        Self { n_columns, rows, counts, log_factorials }
    }

    /// Reads lines `row,column,count`, rows and columns numbered from 1; the first line is a header. The matrix is as
    /// large as the largest numbers.
    ///
    /// # Errors
    /// [`ModelError`] names the line, from 0 and without the header, and the column of what is no such number.
    pub fn from_csv(text: &str) -> Result<Self, ModelError> {
        let (mut entries, mut n_rows, mut n_columns) = (Vec::new(), 0, 0);
        for (row, line) in text.lines().skip(1).filter(|line| !line.trim().is_empty()).enumerate() {
            let cells = line.split(',').count();
            if cells != 3 {
                let data = "a line of the counts";
                return Err(ModelError::Length { model: DATA, data, expected: 3, actual: cells });
            }
            let mut numbers = [0.0; 3];
            for (column, (cell, number)) in line.split(',').zip(&mut numbers).enumerate() {
                let value = cell.trim().parse().unwrap_or(f64::NAN);
                let (largest, requirement) = match column {
                    2 => (LARGEST, "a whole number from 1 to 2⁵³"),
                    _ => (LARGEST_SIZE, "a whole number from 1 to 2³⁰"),
                };
                if !(1.0..=largest).contains(&value) || value.fract() != 0.0 {
                    let data = "cell";
                    return Err(ModelError::Datum { model: DATA, data, row, column, value, requirement });
                }
                *number = value;
            }
            let (n, d) = (numbers[0] as usize, numbers[1] as usize);
            (n_rows, n_columns) = (n_rows.max(n), n_columns.max(d));
            entries.push((n - 1, d - 1, numbers[2]));
        }
        Self::from_entries(n_rows, n_columns, entries)
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.rows.n_lines()
    }

    /// D.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// How many counts are above zero.
    pub fn n_nonzero(&self) -> usize {
        self.counts.len()
    }

    /// The columns of row n with counts above zero, in ascending order, and these counts.
    pub fn row(&self, n: usize) -> (&[usize], &[f64]) {
        (self.rows.line(n), &self.counts[self.rows.range(n)])
    }

    /// The columns of all rows.
    pub(crate) fn lines(&self) -> &Lines {
        &self.rows
    }

    /// The matrix of these rows, in this order.
    ///
    /// # Panics
    /// If a row is out of bounds.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let entries = rows.iter().enumerate().flat_map(|(i, n)| {
            let (columns, counts) = self.row(*n);
            columns.iter().zip(counts).map(move |(d, x)| (i, *d, *x))
        });
        Self::from_sorted(rows.len(), self.n_columns, &entries.collect::<Vec<_>>())
    }

    /// The counts above zero of all rows, in the order of [`Self::lines`].
    pub(crate) fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// Σ_d log x_nd! of row n.
    pub fn log_factorials(&self, n: usize) -> f64 {
        self.log_factorials[n]
    }

    /// The sum of all counts.
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The sums of the columns (D).
    pub fn column_totals(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.n_columns];
        self.rows.indices().iter().zip(&self.counts).for_each(|(d, x)| totals[*d] += x);
        totals
    }

    /// The matrix with its zeros (N, D).
    pub fn to_dense(&self) -> Array2<f64> {
        let mut dense = Array2::zeros((self.n_rows(), self.n_columns));
        for n in 0..self.n_rows() {
            let (columns, counts) = self.row(n);
            columns.iter().zip(counts).for_each(|(d, x)| dense[[n, *d]] = *x);
        }
        dense
    }

    /// Sets a share of all that is counted aside: two matrices that add up to this one.
    ///
    /// ```text
    /// held_nd ~ Binomial(x_nd, share),     kept_nd = x_nd − held_nd
    /// ```
    /// If x_nd ~ Poisson(r_nd), then kept_nd ~ Poisson((1 − share) r_nd) and held_nd ~ Poisson(share · r_nd), independent
    /// given r: what was kept predicts what was held out, datum by datum. Row n is drawn from `key.rng(n)`.
    ///
    /// # Errors
    /// [`ModelError::Prior`] unless `share` is between 0 and 1.
    pub fn thin(&self, share: f64, key: StreamKey) -> Result<(Self, Self), ModelError> {
        if !(0.0..=1.0).contains(&share) {
            let parameter = "share".to_owned();
            return Err(ModelError::Prior { model: DATA, parameter, value: share, requirement: "in [0, 1]" });
        }
        let (mut kept, mut held) = (Vec::new(), Vec::new());
        for n in 0..self.n_rows() {
            let mut rng = key.rng(n as u64);
            let (columns, counts) = self.row(n);
            for (d, x) in columns.iter().zip(counts) {
                let draw = Binomial::new(*x as u64, share).expect("a probability").sample(&mut rng) as f64;
                kept.extend((*x > draw).then_some((n, *d, x - draw)));
                held.extend((draw > 0.0).then_some((n, *d, draw)));
            }
        }
        let matrix = |entries: &[_]| Self::from_sorted(self.n_rows(), self.n_columns, entries);
        Ok((matrix(&kept), matrix(&held)))
    }
}
