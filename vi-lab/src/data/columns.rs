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

    /// A column as numbers, every one of them finite.
    pub(crate) fn column(&self, name: &str) -> Result<Array1<f64>, DataError> {
        let Some((_, cells)) = self.columns.iter().find(|c| c.0 == name) else {
            let known = self.names();
            return Err(DataError::NoColumn { file: self.file.clone(), column: name.to_owned(), known });
        };
        let not_finite = |row: usize, value: &str| DataError::NotFinite {
            file: self.file.clone(),
            row: row + 1,
            column: name.to_owned(),
            value: value.to_owned(),
        };
        match cells {
            Cells::Numbers(x) => x
                .iter()
                .enumerate()
                .map(|(row, &v)| if v.is_finite() { Ok(v) } else { Err(not_finite(row, &v.to_string())) })
                .collect(),
            Cells::Text(t) => t
                .iter()
                .enumerate()
                .map(|(row, v)| match v.trim().parse::<f64>() {
                    Ok(x) if x.is_finite() => Ok(x),
                    _ => Err(not_finite(row, v)),
                })
                .collect(),
        }
    }

    /// A column as names.
    pub(crate) fn categories(&self, name: &str) -> Result<Categories, DataError> {
        let Some((_, cells)) = self.columns.iter().find(|c| c.0 == name) else {
            let known = self.names();
            return Err(DataError::NoColumn { file: self.file.clone(), column: name.to_owned(), known });
        };
        let values: Vec<String> = match cells {
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
        let mut out = Array2::zeros((self.n_rows, names.len()));
        for (name, mut place) in names.iter().zip(out.columns_mut()) {
            place.assign(&self.vector(name, standardise)?);
        }
        Ok(out)
    }

    /// (x − mean) / sd with the population standard deviation (n in the denominator).
    fn standardise(&self, name: &str, x: &mut Array1<f64>) -> Result<(), DataError> {
        let n = x.len() as f64;
        let mean = x.sum() / n;
        let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        if sd <= f64::EPSILON * mean.abs() {
            return Err(DataError::Constant {
                file: self.file.clone(),
                column: name.to_owned(),
                value: x[0],
            });
        }
        x.mapv_inplace(|v| (v - mean) / sd);
        Ok(())
    }
}
