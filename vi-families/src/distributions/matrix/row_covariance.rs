//! The known covariance of the rows of a random matrix.

use ndarray::{Array2, ArrayRef2};
use serde::Serialize;

use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::positive_definite::{GivenMatrix, PositiveDefinite};
use crate::triangular::outer_square;
use crate::validate::length;

const NAME: &str = "RowCovariance";

/// The known covariance U (n, n) of the rows of a random matrix, with its factor: what a
/// [`MatrixGaussian`](crate::MatrixGaussian) does not learn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowCovariance {
    form: PositiveDefinite,
}

deserialize_checked! {
    RowCovariance { form: GivenMatrix } => {
        let covariance = ["row_covariance", "row_covariance (row-major)"];
        let precision = ["row_precision", "row_precision (row-major)"];
        let n = order(form.order())?;
        Ok(Self { form: form.check(NAME, covariance, precision, n)? })
    }
}

impl RowCovariance {
    /// U (n, n).
    ///
    /// # Errors
    /// [`FamilyError`] unless n ≥ 1 and the matrix is symmetric positive definite.
    pub fn from_covariance(covariance: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let (n, inverse) = (order(covariance.nrows())?, "row_precision (row-major)");
        Ok(Self { form: PositiveDefinite::from_matrix(NAME, "row_covariance", inverse, covariance, n)? })
    }

    /// U by its inverse (n, n).
    ///
    /// # Errors
    /// [`FamilyError`] unless n ≥ 1 and the matrix is symmetric positive definite.
    pub fn from_precision(precision: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let (n, inverse) = (order(precision.nrows())?, "row_covariance (row-major)");
        Ok(Self { form: PositiveDefinite::from_inverse(NAME, "row_precision", inverse, precision, n)? })
    }

    /// U = I of order `n_rows`: independent rows.
    ///
    /// # Errors
    /// [`FamilyError`] unless n ≥ 1.
    pub fn identity(n_rows: usize) -> Result<Self, FamilyError> {
        Self::from_covariance(&Array2::eye(n_rows))
    }

    /// The number n of rows.
    pub fn n_rows(&self) -> usize {
        self.form.order()
    }

    /// U (n, n).
    pub fn covariance(&self) -> &Array2<f64> {
        self.form.matrix()
    }

    /// U⁻¹ (n, n).
    pub fn precision(&self) -> &Array2<f64> {
        self.form.inverse()
    }

    pub(crate) fn form(&self) -> &PositiveDefinite {
        &self.form
    }

    /// ZᵀU⁻¹Z (p, p), symmetric to the last bit; z (n, p).
    pub(crate) fn gram(&self, z: &ArrayRef2<f64>) -> Array2<f64> {
        outer_square(&self.form.whiten_matrix(z.to_owned()).t())
    }
}

fn order(n_rows: usize) -> Result<usize, FamilyError> {
    if n_rows == 0 {
        length(NAME, "rows", 0, 1)?;
    }
    Ok(n_rows)
}
