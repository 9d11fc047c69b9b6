//! Products of matrices, on one thread.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{ArrayRef2, linalg::general_mat_mul};

use super::cholesky::mirror_lower;

/// c ← α a b + β c, on the calling thread; a (m, k), b (k, n), c (m, n).
///
/// Any strides are read and written in place. Row-major and column-major matrices, so also transposes of those
/// and ranges of their rows (columns), go to faer, others to ndarray's own kernel. With β = 0 the old c does not
/// matter, not even NaN.
///
/// # Panics
/// If the shapes do not fit.
pub fn gemm(alpha: f64, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>, beta: f64, c: &mut ArrayRef2<f64>) {
    let ((m, k), (l, n)) = (a.dim(), b.dim());
    assert!(k == l && c.dim() == (m, n), "shapes {m}×{k} · {l}×{n} → {:?}", c.dim());
    let (Some(a_view), Some(b_view)) = (contiguous(a), contiguous(b)) else {
        return general_mat_mul(alpha, a, b, beta, c);
    };
    if !is_contiguous(c) {
        return general_mat_mul(alpha, a, b, beta, c);
    }
    let accumulate = scale(beta, c);
    matmul(contiguous_mut(c), accumulate, a_view, b_view, alpha, Par::Seq);
}

/// c ← α a aᵀ + β c, symmetric to the last bit, for half the work of [`gemm`]; a (n, k), c (n, n).
///
/// Only the lower triangle of c is read. For a Gram matrix XᵀX pass `x.t()`.
///
/// # Panics
/// If the shapes do not fit.
pub fn symmetric_rank_update(alpha: f64, a: &ArrayRef2<f64>, beta: f64, c: &mut ArrayRef2<f64>) {
    let n = a.nrows();
    assert_eq!(c.dim(), (n, n), "shape of the product of {:?} and its transpose", a.dim());
    match contiguous(a) {
        Some(a) if is_contiguous(c) => {
            let accumulate = scale(beta, c);
            triangular::matmul(
                contiguous_mut(c),
                BlockStructure::TriangularLower,
                accumulate,
                a,
                BlockStructure::Rectangular,
                a.transpose(),
                BlockStructure::Rectangular,
                alpha,
                Par::Seq,
            );
        }
        _ => general_mat_mul(alpha, a, &a.t(), beta, c),
    }
    mirror_lower(c);
}

/// Brings β to 0 or 1, which is what faer knows.
fn scale(beta: f64, c: &mut ArrayRef2<f64>) -> Accum {
    if beta == 0.0 {
        return Accum::Replace;
    }
    if beta != 1.0 {
        *c *= beta;
    }
    Accum::Add
}

fn is_contiguous(a: &ArrayRef2<f64>) -> bool {
    a.is_standard_layout() || a.t().is_standard_layout()
}

/// `a` as faer sees it, when it is row-major or column-major without gaps.
fn contiguous(a: &ArrayRef2<f64>) -> Option<MatRef<'_, f64>> {
    let (m, n) = a.dim();
    if let Some(rows) = a.as_slice() {
        return Some(MatRef::from_row_major_slice(rows, m, n));
    }
    let columns = a.view().reversed_axes().to_slice()?;
    Some(MatRef::from_column_major_slice(columns, m, n))
}

fn contiguous_mut(c: &mut ArrayRef2<f64>) -> MatMut<'_, f64> {
    let (m, n) = c.dim();
    if c.is_standard_layout() {
        let rows = c.as_slice_mut().expect("row-major");
        MatMut::from_row_major_slice_mut(rows, m, n)
    } else {
        let columns = c.view_mut().reversed_axes().into_slice().expect("column-major");
        MatMut::from_column_major_slice_mut(columns, m, n)
    }
}
