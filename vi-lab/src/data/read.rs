//! CSV, NPY and Stan-JSON files as named columns.

use std::path::Path;

use ndarray::{ArrayD, Axis, IxDyn};
use ndarray_npy::ReadNpyExt;
use serde_json::Value;

use super::columns::{Cells, Columns};
use crate::error::{DataError, LabError};

/// The bytes of a file, and its name as messages call it.
pub(super) fn bytes(path: &Path) -> Result<(String, Vec<u8>), LabError> {
    let read = std::fs::read(path).map_err(|source| LabError::Read { path: path.to_owned(), source })?;
    Ok((path.display().to_string(), read))
}

/// A CSV file with a header.
pub(crate) fn csv(file: &str, bytes: &[u8]) -> Result<Columns, DataError> {
    let invalid =
        |e: csv::Error| DataError::Format { file: file.into(), format: "CSV", message: e.to_string() };
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let names: Vec<String> = reader.headers().map_err(invalid)?.iter().map(str::to_owned).collect();
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        if record.len() != names.len() {
            return Err(DataError::NumberOfColumns {
                file: file.into(),
                line: record.position().map_or(0, csv::Position::line),
                actual: record.len(),
                expected: names.len(),
            });
        }
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push(cell.to_owned());
        }
    }
    Columns::new(file, names.into_iter().zip(cells.into_iter().map(Cells::Text)).collect())
}

/// A NumPy file with one (n) or two (n, p) axes of f64; columns are named `x1`, …, `xp`.
pub(crate) fn npy(file: &str, bytes: &[u8]) -> Result<Columns, DataError> {
    let invalid = |message: String| DataError::Format { file: file.into(), format: "NPY", message };
    if bytes.is_empty() {
        return Err(DataError::Empty { file: file.into() });
    }
    let array = ArrayD::<f64>::read_npy(bytes).map_err(|e| invalid(e.to_string()))?;
    let array = match array.ndim() {
        1 => array.insert_axis(Axis(1)),
        2 => array,
        n => return Err(invalid(format!("the array has {n} axes, expected 1 or 2"))),
    };
    let columns = array.axis_iter(Axis(1)).enumerate();
    Columns::new(file, columns.map(|(j, x)| (format!("x{}", j + 1), numbers(x.iter()))).collect())
}

fn numbers<'a>(x: impl Iterator<Item = &'a f64>) -> Cells {
    Cells::Numbers(x.copied().collect())
}

/// A Stan data file: every vector is a column, every matrix `x` the columns `x[1]`, `x[2]`, …; scalars (the
/// sizes) are not columns.
pub(crate) fn stan_json(file: &str, bytes: &[u8]) -> Result<Columns, DataError> {
    let invalid = |message: String| DataError::Format { file: file.into(), format: "Stan JSON", message };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(DataError::Empty { file: file.into() });
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|e| invalid(e.to_string()))?;
    let Value::Object(object) = value else {
        return Err(invalid("the outermost value is not an object".into()));
    };
    let mut columns = Vec::new();
    for (name, value) in object {
        let Value::Array(rows) = value else { continue };
        let mut flat = Vec::new();
        let width = match rows.first() {
            Some(Value::Array(row)) => row.len(),
            _ => 0,
        };
        for row in &rows {
            match row {
                Value::Array(row) if width > 0 && row.len() == width => flat.extend(row.iter().map(cell)),
                Value::Array(_) => return Err(invalid(format!("`{name}` is neither a vector nor a matrix"))),
                _ if width > 0 => return Err(invalid(format!("`{name}` is neither a vector nor a matrix"))),
                other => flat.push(cell(other)),
            }
        }
        if width == 0 {
            columns.push((name, Cells::Text(flat)));
        } else {
            let matrix = ArrayD::from_shape_vec(IxDyn(&[rows.len(), width]), flat);
            let matrix = matrix.map_err(|e| invalid(e.to_string()))?;
            for (j, x) in matrix.axis_iter(Axis(1)).enumerate() {
                columns.push((format!("{name}[{}]", j + 1), Cells::Text(x.iter().cloned().collect())));
            }
        }
    }
    Columns::new(file, columns)
}

/// Numbers as they print; Stan writes non-finite ones as strings.
fn cell(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}
