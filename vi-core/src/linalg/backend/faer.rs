//! faer, always on one thread.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayRef2, ArrayViewMut2, ShapeBuilder};

pub(in crate::linalg) const NAME: &str = "faer";

/// Columns and rows that are transposed at a time, so that both sides stay in cache.
const TILE: usize = 16;

/// The row-major factor of `a`, zeros above the diagonal; `None` when a pivot is not positive.
pub(in crate::linalg) fn cholesky(a: &ArrayRef2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    // faer works on columns, several times as fast as on rows from order 48 on.
    let mut columns = Array2::zeros((n, n));
    transpose_lower(n, |i, j| columns[[j, i]] = a[[i, j]]);
    let values = columns.as_slice_mut().expect("freshly made");
    let mut memory =
        MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()));
    let result = llt::factor::cholesky_in_place(
        MatMut::from_column_major_slice_mut(values, n, n),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    );
    result.ok()?;
    let mut l = Array2::zeros((n, n));
    transpose_lower(n, |i, j| l[[i, j]] = columns[[j, i]]);
    // An entry that overflowed on the way is no factor.
    l.diag().iter().all(|d| d.is_finite()).then_some(l)
}

/// Calls `copy` for all (i, j) with j ≤ i, tile by tile.
fn transpose_lower(n: usize, mut copy: impl FnMut(usize, usize)) {
    for first_row in (0..n).step_by(TILE) {
        for first_column in (0..=first_row).step_by(TILE) {
            for i in first_row..(first_row + TILE).min(n) {
                for j in first_column..(first_column + TILE).min(i + 1) {
                    copy(i, j);
                }
            }
        }
    }
}

/// b ← L⁻¹ b or L⁻ᵀ b, for row-major l and b.
pub(in crate::linalg) fn solve(l: &Array2<f64>, transposed: bool, mut b: ArrayViewMut2<'_, f64>) {
    let (n, m) = b.dim();
    let l = row_major(l);
    let b = MatMut::from_row_major_slice_mut(b.as_slice_mut().expect("row-major"), n, m);
    if transposed {
        solve_upper_triangular_in_place(l.transpose(), b, Par::Seq);
    } else {
        solve_lower_triangular_in_place(l, b, Par::Seq);
    }
}

/// (L Lᵀ)⁻¹, of which only the lower triangle holds.
pub(in crate::linalg) fn inverse(l: &Array2<f64>) -> Array2<f64> {
    let n = l.nrows();
    let mut out = Array2::zeros((n, n));
    let mut memory = MemBuffer::new(llt::inverse::inverse_scratch::<f64>(n, Par::Seq));
    // By rows: unlike the factorisation, this one loses by a change of order, as measured from order 100 on.
    let target = MatMut::from_row_major_slice_mut(out.as_slice_mut().expect("freshly made"), n, n);
    llt::inverse::inverse(target, row_major(l), Par::Seq, MemStack::new(&mut memory));
    out
}

/// Eigenvalues, ascending, and the vectors in columns, column-major; `a` is row-major and symmetric.
pub(in crate::linalg) fn symmetric_eigen(a: Array2<f64>) -> Option<(Array1<f64>, Array2<f64>)> {
    let n = a.nrows();
    let (mut values, mut vectors) = (Array1::zeros(n), Array2::zeros((n, n).f()));
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    let columns = vectors.as_slice_memory_order_mut().expect("freshly made");
    let result = self_adjoint_evd(
        // A symmetric matrix reads the same in both orders.
        row_major(&a).transpose(),
        faer::diag::DiagMut::from_slice_mut(values.as_slice_mut().expect("freshly made")),
        Some(MatMut::from_column_major_slice_mut(columns, n, n)),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    );
    result.ok().map(|()| (values, vectors))
}

fn row_major(a: &Array2<f64>) -> MatRef<'_, f64> {
    MatRef::from_row_major_slice(a.as_slice().expect("row-major"), a.nrows(), a.ncols())
}
