//! Named columns of equal length, and what models take from them.

use ndarray::{Array1, Array2};

use crate::error::DataError;

/// The values of a column as they stand in the file.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    Text(Vec<String>),
    Numbers(Vec<f64>),
}

/// Named columns of equal length.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    file: String,
    n_rows: usize,
    columns: Vec<(String, Cells)>,
}

/// A column of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categories {
    /// Which of the names a row has (n).
    pub(crate) index: Vec<usize>,
    /// The names: numbers by size, then others by their letters.
    pub(crate) names: Vec<String>,
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Cells::Text(t) => t.len(),
            Cells::Numbers(x) => x.len(),
        }
    }
}

impl Columns {
    /// No columns.
    pub(crate) fn nothing() -> Self {
        Self { file: "no data".to_owned(), n_rows: 0, columns: Vec::new() }
    }

    pub(crate) fn new(file: &str, columns: Vec<(String, Cells)>) -> Result<Self, DataError> {
        let empty = || DataError::Empty { file: file.to_owned() };
        let (first, cells) = columns.first().ok_or_else(empty)?;
        let n_rows = cells.len();
        if n_rows == 0 {
            return Err(empty());
        }
        if let Some((column, cells)) = columns.iter().find(|(_, c)| c.len() != n_rows) {
            return Err(DataError::Lengths {
                file: file.to_owned(),
                column: column.clone(),
                actual: cells.len(),
                other: first.clone(),
                expected: n_rows,
            });
        }
        Ok(Self { file: file.to_owned(), n_rows, columns })
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.0.clone()).collect()
    }

    fn cells(&self, name: &str) -> Result<&Cells, DataError> {
        let found = self.columns.iter().find(|c| c.0 == name).map(|(_, cells)| cells);
        found.ok_or_else(|| DataError::NoColumn {
            file: self.file.clone(),
            column: name.to_owned(),
            known: self.names(),
        })
    }

    /// A column as numbers, every one of them finite.
    pub(crate) fn column(&self, name: &str) -> Result<Array1<f64>, DataError> {
        self.numbers(name, |_| None)
    }

    /// A column as numbers, with NaN for what is missing.
    pub(crate) fn column_with_missing(&self, name: &str) -> Result<Array1<f64>, DataError> {
        let x = self.numbers(name, |value| is_missing(value).then_some(f64::NAN))?;
        if x.iter().all(|v| v.is_nan()) {
            return Err(DataError::NoValues { file: self.file.clone(), column: name.to_owned() });
        }
        Ok(x)
    }

    /// A column as numbers; what is no finite number is what `other` makes of it, or an error.
    fn numbers(&self, name: &str, other: impl Fn(&str) -> Option<f64>) -> Result<Array1<f64>, DataError> {
        let number = |row: usize, value: f64, text: &str| {
            let found = if value.is_finite() { Some(value) } else { other(text) };
            found.ok_or_else(|| DataError::NotFinite {
                file: self.file.clone(),
                row: row + 1,
                column: name.to_owned(),
                value: text.to_owned(),
            })
        };
        match self.cells(name)? {
            Cells::Numbers(x) => {
                x.iter().enumerate().map(|(row, v)| number(row, *v, &v.to_string())).collect()
            }
            Cells::Text(t) => {
                let value = |v: &String| v.trim().parse::<f64>().unwrap_or(f64::NAN);
                t.iter().enumerate().map(|(row, v)| number(row, value(v), v)).collect()
            }
        }
    }

    /// A column as names.
    pub(crate) fn categories(&self, name: &str) -> Result<Categories, DataError> {
        let values: Vec<String> = match self.cells(name)? {
            Cells::Text(t) => t.iter().map(|v| v.trim().to_owned()).collect(),
            Cells::Numbers(x) => x.iter().map(f64::to_string).collect(),
        };
        let mut names = values.clone();
        let key = |v: &String| v.parse::<f64>().unwrap_or(f64::INFINITY);
        names.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.cmp(b)));
        names.dedup();
        let numbers: std::collections::BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        let index = values.iter().map(|v| numbers[v.as_str()]).collect();
        Ok(Categories { index, names })
    }

    /// One column; standardised when asked.
    pub(crate) fn vector(&self, name: &str, standardise: bool) -> Result<Array1<f64>, DataError> {
        let mut x = self.column(name)?;
        if standardise {
            self.standardise(name, &mut x)?;
        }
        Ok(x)
    }

    /// Columns side by side, (rows, names); standardised when asked.
    pub(crate) fn matrix(&self, names: &[String], standardise: bool) -> Result<Array2<f64>, DataError> {
        self.side_by_side(names, standardise, |name| self.column(name))
    }

    /// The same with NaN for what is missing.
    pub(crate) fn matrix_with_missing(
        &self,
        names: &[String],
        standardise: bool,
    ) -> Result<Array2<f64>, DataError> {
        self.side_by_side(names, standardise, |name| self.column_with_missing(name))
    }

    fn side_by_side(
        &self,
        names: &[String],
        standardise: bool,
        column: impl Fn(&str) -> Result<Array1<f64>, DataError>,
    ) -> Result<Array2<f64>, DataError> {
        let mut out = Array2::zeros((self.n_rows, names.len()));
        for (name, mut place) in names.iter().zip(out.columns_mut()) {
            let mut x = column(name)?;
            if standardise {
                self.standardise(name, &mut x)?;
            }
            place.assign(&x);
        }
        Ok(out)
    }

    /// (x − mean) / sd of the values that are there, with the population standard deviation (their number in the denominator).
    fn standardise(&self, name: &str, x: &mut Array1<f64>) -> Result<(), DataError> {
        let known = || x.iter().filter(|v| !v.is_nan());
        let n = known().count() as f64;
        let mean = known().sum::<f64>() / n;
        let sd = (known().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        if sd <= f64::EPSILON * mean.abs() {
            return Err(DataError::Constant {
                file: self.file.clone(),
                column: name.to_owned(),
                value: known().next().copied().unwrap_or(mean),
            });
        }
        x.mapv_inplace(|v| (v - mean) / sd);
        Ok(())
    }
}

/// Whether a cell says that nothing is known: it is empty, or one of the usual words.
pub(crate) fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty() || ["nan", "na", "null"].contains(&cell.to_lowercase().as_str())
}
