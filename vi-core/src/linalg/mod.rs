//! The one door to linear algebra.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};

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
}

/// The factorisation A = L Lᵀ of a symmetric positive-definite matrix; only the lower triangle of A is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    l: Array2<f64>,
}

impl Cholesky {
    /// Factorises `a` (n, n).
    ///
    /// # Errors
    /// [`LinalgError`] when `a` is not square, not finite or not positive definite.
    pub fn factor(a: &ArrayRef2<f64>) -> Result<Self, LinalgError> {
        let (n, m) = a.dim();
        if n != m {
            return Err(LinalgError::NotSquare { rows: n, columns: m });
        }
        let mut l = a.to_owned();
        for j in 0..n {
            for k in 0..j {
                let ljk = l[[j, k]];
                for i in j..n {
                    l[[i, j]] -= l[[i, k]] * ljk;
                }
            }
            let d = l[[j, j]];
            if !d.is_finite() {
                return Err(LinalgError::NonFinite { row: j, column: j, value: d });
            }
            if d <= 0.0 {
                return Err(LinalgError::NotPositiveDefinite { pivot: j, value: d });
            }
            let r = d.sqrt();
            for i in j..n {
                l[[i, j]] /= r;
            }
            for i in 0..j {
                l[[i, j]] = 0.0;
            }
        }
        Ok(Self { l })
    }

    /// Takes a lower-triangular factor as it is.
    pub fn from_factor(l: Array2<f64>) -> Self {
        Self { l }
    }

    /// L (n, n), zeros above the diagonal.
    pub fn l(&self) -> &Array2<f64> {
        &self.l
    }

    /// log |A| = 2 Σ log L_ii.
    pub fn log_det(&self) -> f64 {
        2.0 * self.l.diag().iter().map(|d| d.ln()).sum::<f64>()
    }

    /// Solves A x = b in place.
    pub fn solve_inplace(&self, b: &mut ArrayRef1<f64>) {
        self.solve_lower_inplace(b);
        self.solve_lower_transposed_inplace(b);
    }

    /// Solves L x = b in place.
    pub fn solve_lower_inplace(&self, b: &mut ArrayRef1<f64>) {
        for i in 0..b.len() {
            let mut s = b[i];
            for j in 0..i {
                s -= self.l[[i, j]] * b[j];
            }
            b[i] = s / self.l[[i, i]];
        }
    }

    /// Solves Lᵀ x = b in place.
    pub fn solve_lower_transposed_inplace(&self, b: &mut ArrayRef1<f64>) {
        for i in (0..b.len()).rev() {
            let mut s = b[i];
            for j in i + 1..b.len() {
                s -= self.l[[j, i]] * b[j];
            }
            b[i] = s / self.l[[i, i]];
        }
    }

    /// A⁻¹ b.
    pub fn solve(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        let mut x = b.to_owned();
        self.solve_inplace(&mut x);
        x
    }

    /// A⁻¹ (n, n), symmetric to the last bit.
    pub fn inverse(&self) -> Array2<f64> {
        let n = self.l.nrows();
        let mut out = Array2::eye(n);
        for mut column in out.columns_mut() {
            self.solve_inplace(&mut column);
        }
        for i in 0..n {
            for j in 0..i {
                out[[j, i]] = out[[i, j]];
            }
        }
        out
    }
}

/// c ← α a b + β c, on one thread.
///
/// # Panics
/// If the shapes do not fit.
pub fn gemm(alpha: f64, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>, beta: f64, c: &mut ArrayRef2<f64>) {
    ndarray::linalg::general_mat_mul(alpha, a, b, beta, c);
}

/// The first pivot of a Cholesky factorisation that is not positive, for a row-major n×n matrix.
pub(crate) fn first_bad_pivot(a: &[f64], n: usize) -> Option<usize> {
    let a = ndarray::ArrayView2::from_shape((n, n), a).expect("n × n values");
    match Cholesky::factor(&a) {
        Ok(_) => None,
        Err(LinalgError::NotPositiveDefinite { pivot, .. }) => Some(pivot),
        Err(_) => Some(0),
    }
}
