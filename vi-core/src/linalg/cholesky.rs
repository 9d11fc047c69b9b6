//! The Cholesky factorisation and what follows from it.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayViewMut2, s};

use super::LinalgError;
use super::backend::{self, loops};
use super::error::check_symmetric;

/// The factorisation A = L Lᵀ of a symmetric positive-definite matrix; only the lower triangle of A is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    /// Row-major; zeros above the diagonal when the factor was computed here.
    l: Array2<f64>,
}

impl Cholesky {
    /// Factorises `a` (n, n) on the calling thread.
    ///
    /// # Errors
    /// [`LinalgError`] when `a` is not square, its lower triangle is not finite, or it is not positive definite:
    /// then with the first pivot that is not positive (or overflows).
    pub fn factor(a: &ArrayRef2<f64>) -> Result<Self, LinalgError> {
        let n = check_symmetric(a)?;
        if n > loops::CHOLESKY
            && let Some(l) = backend::cholesky(a)
        {
            return Ok(Self { l });
        }
        // The loops also have the last word on a matrix that the backend rejects: they know the pivot's value.
        let mut l = lower_triangle(a);
        let (pivot, value) = match loops::cholesky(slice_mut(&mut l), n) {
            Ok(()) => return Ok(Self { l }),
            Err(failed) => failed,
        };
        Err(LinalgError::NotPositiveDefinite { pivot, value })
    }

    /// Takes a lower-triangular factor as it is; what stands above the diagonal is never used.
    ///
    /// # Panics
    /// If `l` is not square.
    pub fn from_factor(l: Array2<f64>) -> Self {
        assert_eq!(l.nrows(), l.ncols(), "a factor is square");
        let l = if l.is_standard_layout() { l } else { l.as_standard_layout().into_owned() };
        Self { l }
    }

    /// L (n, n), zeros above the diagonal; row-major.
    pub fn l(&self) -> &Array2<f64> {
        &self.l
    }

    /// n.
    pub fn order(&self) -> usize {
        self.l.nrows()
    }

    /// log |A| = 2 Σ log L_ii.
    pub fn log_det(&self) -> f64 {
        2.0 * self.l.diag().iter().map(|d| d.ln()).sum::<f64>()
    }

    /// Solves A x = b in place; b (n).
    ///
    /// # Panics
    /// If `b` has another length than n.
    pub fn solve_inplace(&self, b: &mut ArrayRef1<f64>) {
        self.solve_lower_inplace(b);
        self.solve_lower_transposed_inplace(b);
    }

    /// Solves L x = b in place; b (n).
    ///
    /// # Panics
    /// If `b` has another length than n.
    pub fn solve_lower_inplace(&self, b: &mut ArrayRef1<f64>) {
        self.solve_vector(b, false);
    }

    /// Solves Lᵀ x = b in place; b (n).
    ///
    /// # Panics
    /// If `b` has another length than n.
    pub fn solve_lower_transposed_inplace(&self, b: &mut ArrayRef1<f64>) {
        self.solve_vector(b, true);
    }

    /// Solves A X = B in place; b (n, m), one right-hand side per column.
    ///
    /// # Panics
    /// If `b` has another number of rows than n.
    pub fn solve_matrix_inplace(&self, b: &mut ArrayRef2<f64>) {
        self.solve_lower_matrix_inplace(b);
        self.solve_lower_transposed_matrix_inplace(b);
    }

    /// Solves L X = B in place; b (n, m).
    ///
    /// # Panics
    /// If `b` has another number of rows than n.
    pub fn solve_lower_matrix_inplace(&self, b: &mut ArrayRef2<f64>) {
        self.solve_matrix(b, false);
    }

    /// Solves Lᵀ X = B in place; b (n, m).
    ///
    /// # Panics
    /// If `b` has another number of rows than n.
    pub fn solve_lower_transposed_matrix_inplace(&self, b: &mut ArrayRef2<f64>) {
        self.solve_matrix(b, true);
    }

    /// A⁻¹ b; b (n).
    ///
    /// # Panics
    /// If `b` has another length than n.
    pub fn solve(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        let mut x = b.to_owned();
        self.solve_inplace(&mut x);
        x
    }

    /// A⁻¹ (n, n), symmetric to the last bit.
    pub fn inverse(&self) -> Array2<f64> {
        let n = self.order();
        let mut inverse = if n <= loops::INVERSE {
            let mut inverse = Array2::zeros((n, n));
            loops::inverse(slice(&self.l), slice_mut(&mut inverse), n);
            inverse
        } else {
            backend::inverse(&self.l)
        };
        mirror_lower(&mut inverse);
        inverse
    }

    fn solve_vector(&self, b: &mut ArrayRef1<f64>, transposed: bool) {
        let n = self.order();
        assert_eq!(b.len(), n, "right-hand side of a system of order {n}");
        if let Some(values) = b.as_slice_mut() {
            if n <= loops::SOLVE {
                loops::solve(slice(&self.l), values, n, transposed);
            } else {
                let column = ArrayViewMut2::from_shape((n, 1), values).expect("n values");
                backend::solve(&self.l, transposed, column);
            }
        } else {
            let mut copy = b.to_owned();
            self.solve_vector(&mut copy, transposed);
            b.assign(&copy);
        }
    }

    fn solve_matrix(&self, b: &mut ArrayRef2<f64>, transposed: bool) {
        let n = self.order();
        assert_eq!(b.nrows(), n, "right-hand sides of a system of order {n}");
        if n == 0 || b.ncols() == 0 {
            return;
        }
        if b.is_standard_layout() {
            backend::solve(&self.l, transposed, b.view_mut());
        } else {
            let mut copy = b.as_standard_layout().into_owned();
            backend::solve(&self.l, transposed, copy.view_mut());
            b.assign(&copy);
        }
    }
}

/// The lower triangle of `a` (n, n row-major) ← its Cholesky factor L, without allocating; what is above stays.
///
/// # Errors
/// [`LinalgError::NotPositiveDefinite`] with the first pivot that is not positive and finite.
///
/// # Panics
/// If `a` has not n² values.
pub fn cholesky_inplace(a: &mut [f64], n: usize) -> Result<(), LinalgError> {
    assert_eq!(a.len(), n * n, "a matrix of order {n}");
    loops::cholesky(a, n).map_err(|(pivot, value)| LinalgError::NotPositiveDefinite { pivot, value })
}

/// `out` (n, n row-major) ← (L Lᵀ)⁻¹, symmetric to the last bit, without allocating; the lower triangle of `l` is read.
///
/// # Panics
/// If `l` or `out` has not n² values.
pub fn invert_factor(l: &[f64], out: &mut [f64], n: usize) {
    assert!(l.len() == n * n && out.len() == n * n, "matrices of order {n}");
    out.fill(0.0);
    loops::inverse(l, out, n);
    for i in 0..n {
        for j in 0..i {
            out[j * n + i] = out[i * n + j];
        }
    }
}

fn slice(a: &Array2<f64>) -> &[f64] {
    a.as_slice().expect("row-major")
}

fn slice_mut(a: &mut Array2<f64>) -> &mut [f64] {
    a.as_slice_mut().expect("row-major")
}

/// The lower triangle of `a`, row-major, with zeros above.
pub(super) fn lower_triangle(a: &ArrayRef2<f64>) -> Array2<f64> {
    let mut l = Array2::zeros(a.raw_dim());
    for (i, (mut to, from)) in l.rows_mut().into_iter().zip(a.rows()).enumerate() {
        to.slice_mut(s![..=i]).assign(&from.slice(s![..=i]));
    }
    l
}

/// Writes the lower triangle over the upper one.
pub(super) fn mirror_lower(a: &mut ArrayRef2<f64>) {
    for i in 0..a.nrows() {
        for j in 0..i {
            a[[j, i]] = a[[i, j]];
        }
    }
}
