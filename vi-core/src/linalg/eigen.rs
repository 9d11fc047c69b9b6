//! Eigenvalues and eigenvectors of symmetric matrices.

use ndarray::{Array1, Array2, ArrayRef2};

use super::LinalgError;
use super::backend;
use super::cholesky::{lower_triangle, mirror_lower};
use super::error::check_symmetric;

/// The factorisation A = V diag(w) Vᵀ of a symmetric matrix; only the lower triangle of A is read.
///
/// V is orthogonal. The sign of each vector is fixed: its component of largest magnitude, the first of them, is
/// positive, on either backend. Vectors of equal eigenvalues are any basis of their space.
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricEigen {
    values: Array1<f64>,
    vectors: Array2<f64>,
}

impl SymmetricEigen {
    /// Factorises `a` (n, n) on the calling thread.
    ///
    /// # Errors
    /// [`LinalgError`] when `a` is not square, its lower triangle is not finite, or the iteration fails.
    pub fn factor(a: &ArrayRef2<f64>) -> Result<Self, LinalgError> {
        let order = check_symmetric(a)?;
        if order == 0 {
            return Ok(Self { values: Array1::zeros(0), vectors: Array2::zeros((0, 0)) });
        }
        let mut full = lower_triangle(a);
        mirror_lower(&mut full);
        let (values, mut vectors) =
            backend::symmetric_eigen(full).ok_or(LinalgError::NotConverged { order })?;
        for mut vector in vectors.columns_mut() {
            let larger = |a: f64, b: &f64| if b.abs() > a.abs() { *b } else { a };
            if vector.iter().fold(0.0, larger) < 0.0 {
                vector.mapv_inplace(|x| -x);
            }
        }
        Ok(Self { values, vectors })
    }

    /// w (n), ascending.
    pub fn values(&self) -> &Array1<f64> {
        &self.values
    }

    /// V (n, n), one vector per column, in the order of the values.
    pub fn vectors(&self) -> &Array2<f64> {
        &self.vectors
    }

    /// V diag(f(w)) Vᵀ (n, n), symmetric to the last bit: a function of the matrix.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Array2<f64> {
        let scaled = &self.vectors * &self.values.mapv(f);
        let mut out = Array2::zeros(scaled.raw_dim());
        super::gemm(1.0, &scaled, &self.vectors.t(), 0.0, &mut out);
        mirror_lower(&mut out);
        out
    }
}
