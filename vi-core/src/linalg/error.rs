//! What can be wrong with a matrix.

use ndarray::ArrayRef2;

/// Why a factorisation failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// A matrix that has to be square is not.
    #[error("matrix is {rows}×{columns}, not square")]
    NotSquare {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// A matrix has an entry that is not finite.
    #[error("matrix entry ({row}, {column}) is {value}")]
    NonFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// A matrix that has to be positive definite is not.
    #[error("matrix is not positive definite: pivot {pivot} is {value}")]
    NotPositiveDefinite {
        /// The failing pivot, from 0.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// The iteration for the eigenvalues did not converge.
    #[error("eigenvalues of a matrix of order {order} did not converge")]
    NotConverged {
        /// Rows of the matrix.
        order: usize,
    },
}

/// The order of a square matrix whose lower triangle is finite.
pub(super) fn check_symmetric(a: &ArrayRef2<f64>) -> Result<usize, LinalgError> {
    let (rows, columns) = a.dim();
    if rows != columns {
        return Err(LinalgError::NotSquare { rows, columns });
    }
    for (row, values) in a.rows().into_iter().enumerate() {
        if let Some((column, &value)) = values.iter().take(row + 1).enumerate().find(|(_, v)| !v.is_finite())
        {
            return Err(LinalgError::NonFinite { row, column, value });
        }
    }
    Ok(rows)
}
