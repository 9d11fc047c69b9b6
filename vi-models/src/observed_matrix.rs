//! Real matrices of which some entries are unknown.

use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::ModelError;
use crate::lines::Lines;

const DATA: &str = "observed_matrix";

/// A matrix (N, D) some of whose entries may be missing. Only what was observed is stored: whole, or row by row and
/// column by column.
///
/// ```
/// use ndarray::array;
/// use vi_models::observed_matrix::ObservedMatrix;
///
/// let whole = ObservedMatrix::from_dense(&array![[1.0, 2.0], [3.0, 4.0]])?;
/// assert!(whole.is_complete());
/// let holes = ObservedMatrix::from_dense(&array![[1.0, f64::NAN], [3.0, 4.0]])?;
/// assert_eq!(holes, ObservedMatrix::from_entries(2, 2, [(1, 1, 4.0), (0, 0, 1.0), (1, 0, 3.0)])?);
/// assert_eq!((holes.n_observed(), holes.column_count(1)), (3, 1));
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedMatrix {
    n_rows: usize,
    n_columns: usize,
    storage: Storage,
}

#[derive(Clone, Debug, PartialEq)]
enum Storage {
    Complete(Array2<f64>),
    Sparse { by_row: Compressed, by_column: Compressed },
}

/// The observed entries line by line.
#[derive(Clone, Debug, PartialEq)]
struct Compressed {
    lines: Lines,
    value: Vec<f64>,
}

impl Compressed {
    fn line(&self, line: usize) -> Entries<'_> {
        Entries { index: self.lines.line(line), value: &self.value[self.lines.range(line)] }
    }
}

/// The observed entries of a row or a column: where they stand in it, ascending, and their values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entries<'a> {
    /// The columns of a row, or the rows of a column.
    pub index: &'a [usize],
    /// The values there.
    pub value: &'a [f64],
}

impl Entries<'_> {
    /// (index, value) one after the other.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.index.iter().copied().zip(self.value.iter().copied())
    }
}

impl Storage {
    fn sparse(lines: Lines, value: Vec<f64>, n_columns: usize) -> Self {
        let (turned, position) = lines.transposed(n_columns);
        let of_columns = position.iter().map(|p| value[*p]).collect();
        Storage::Sparse {
            by_row: Compressed { lines, value },
            by_column: Compressed { lines: turned, value: of_columns },
        }
    }
}

impl ObservedMatrix {
    /// The matrix with NaN where an entry is missing.
    ///
    /// # Errors
    /// [`ModelError`] names the entry that is infinite; [`ModelError::Empty`] without any observed entry.
    pub fn from_dense(values: &ArrayRef2<f64>) -> Result<Self, ModelError> {
        let known = values.indexed_iter().filter(|(_, v)| !v.is_nan()).map(|((n, d), v)| (n, d, *v));
        Self::from_entries(values.nrows(), values.ncols(), known)
    }

    /// The matrix (`n_rows`, `n_columns`) of which these (row, column, value) were observed, from 0, in any order.
    ///
    /// # Errors
    /// [`ModelError`] names the entry that is not finite, outside, or given twice; [`ModelError::Empty`] without
    /// entries.
    pub fn from_entries(
        n_rows: usize,
        n_columns: usize,
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self, ModelError> {
        let refused = |row, column, value, requirement| {
            Err(ModelError::Datum { model: DATA, data: "values", row, column, value, requirement })
        };
        let mut sorted = Vec::new();
        for (row, column, value) in entries {
            if !value.is_finite() {
                return refused(row, column, value, "finite");
            }
            if row >= n_rows || column >= n_columns {
                return refused(row, column, value, "inside the matrix");
            }
            sorted.push((row, column, value));
        }
        if sorted.is_empty() {
            return Err(ModelError::Empty { model: DATA, data: "values" });
        }
        sorted.sort_by_key(|(row, column, _)| (*row, *column));
        for pair in sorted.windows(2) {
            let (row, column, value) = pair[1];
            if (pair[0].0, pair[0].1) == (row, column) {
                return refused(row, column, value, "given once");
            }
        }
        let storage = if n_rows.checked_mul(n_columns) == Some(sorted.len()) {
            let values = sorted.iter().map(|(_, _, v)| *v).collect();
            Storage::Complete(Array2::from_shape_vec((n_rows, n_columns), values).expect("N · D values"))
        } else {
            let lines = Lines::new(n_rows, sorted.iter().map(|(n, d, _)| (*n, *d)));
            Storage::sparse(lines, sorted.iter().map(|(_, _, v)| *v).collect(), n_columns)
        };
        Ok(Self { n_rows, n_columns, storage })
    }

    /// The matrix of these rows, in this order; sparse where this one is, even if nothing is missing in them.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let storage = match &self.storage {
            Storage::Complete(values) => Storage::Complete(values.select(Axis(0), rows)),
            Storage::Sparse { by_row, .. } => {
                let entries = |(i, n): (usize, &usize)| by_row.lines.line(*n).iter().map(move |d| (i, *d));
                let lines = Lines::new(rows.len(), rows.iter().enumerate().flat_map(entries));
                let values = rows.iter().flat_map(|n| by_row.line(*n).value.iter().copied());
                Storage::sparse(lines, values.collect(), self.n_columns)
            }
        };
        Self { n_rows: rows.len(), n_columns: self.n_columns, storage }
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// D.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// How many entries were observed.
    pub fn n_observed(&self) -> usize {
        match &self.storage {
            Storage::Complete(values) => values.len(),
            Storage::Sparse { by_row, .. } => by_row.value.len(),
        }
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.complete().is_some()
    }

    /// All values (N, D), if nothing is missing.
    pub fn complete(&self) -> Option<&Array2<f64>> {
        match &self.storage {
            Storage::Complete(values) => Some(values),
            Storage::Sparse { .. } => None,
        }
    }

    /// The observed entries of row n; `None` where nothing is missing in the matrix.
    pub(crate) fn sparse_row(&self, n: usize) -> Option<Entries<'_>> {
        match &self.storage {
            Storage::Complete(_) => None,
            Storage::Sparse { by_row, .. } => Some(by_row.line(n)),
        }
    }

    /// The observed entries of column d; `None` where nothing is missing in the matrix.
    pub(crate) fn sparse_column(&self, d: usize) -> Option<Entries<'_>> {
        match &self.storage {
            Storage::Complete(_) => None,
            Storage::Sparse { by_column, .. } => Some(by_column.line(d)),
        }
    }

    /// How many entries of column d were observed.
    pub fn column_count(&self, d: usize) -> usize {
        match &self.storage {
            Storage::Complete(_) => self.n_rows,
            Storage::Sparse { by_column, .. } => by_column.lines.line(d).len(),
        }
    }

    /// The observed entries (row, column, value), row by row.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        (0..self.n_rows).flat_map(move |n| {
            let dense = self.complete().map(|v| v.row(n));
            let count = self.sparse_row(n).map_or(self.n_columns, |row| row.index.len());
            (0..count).map(move |i| match (&dense, self.sparse_row(n)) {
                (Some(values), _) => (n, i, values[i]),
                (None, Some(row)) => (n, row.index[i], row.value[i]),
                (None, None) => unreachable!("a matrix is complete or sparse"),
            })
        })
    }

    /// The matrix with NaN where an entry is missing (N, D).
    pub fn to_dense(&self) -> Array2<f64> {
        let mut dense = Array2::from_elem((self.n_rows, self.n_columns), f64::NAN);
        self.entries().for_each(|(n, d, v)| dense[[n, d]] = v);
        dense
    }

    /// The means of the observed entries of every column (D), 0 for a column without any.
    pub fn column_means(&self) -> Array1<f64> {
        let mut means = Array1::zeros(self.n_columns);
        self.entries().for_each(|(_, d, v)| means[d] += v);
        means.iter_mut().enumerate().for_each(|(d, m)| *m /= self.column_count(d).max(1) as f64);
        means
    }

    /// The same entries with values f(row, column, value).
    pub(crate) fn map(&self, mut f: impl FnMut(usize, usize, f64) -> f64) -> Self {
        let values: Vec<f64> = self.entries().map(|(n, d, v)| f(n, d, v)).collect();
        let storage = match &self.storage {
            Storage::Complete(old) => {
                Storage::Complete(Array2::from_shape_vec(old.raw_dim(), values).expect("N · D values"))
            }
            Storage::Sparse { by_row, .. } => Storage::sparse(by_row.lines.clone(), values, self.n_columns),
        };
        Self { storage, ..*self }
    }
}
