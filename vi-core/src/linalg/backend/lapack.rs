//! LAPACK through `ndarray-linalg`, on the system's OpenBLAS, held to one thread.

use std::ffi::c_int;
use std::sync::Once;

use ndarray::{Array1, Array2, ArrayRef2, ArrayViewMut2};
use ndarray_linalg::cholesky::{CholeskyFactorized, CholeskyInto, InverseCInto};
use ndarray_linalg::{Diag, EighInto, SolveTriangularInto, UPLO};

use crate::linalg::cholesky::lower_triangle;

pub(in crate::linalg) const NAME: &str = "lapack";

#[allow(unsafe_code, reason = "OpenBLAS has no other way to choose its number of threads while it runs")]
unsafe extern "C" {
    /// Takes any number; no pointer is passed.
    safe fn openblas_set_num_threads(n_threads: c_int);
}

/// More threads inside a kernel would change the bits of its results, and compete with the kernel's own.
fn on_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| openblas_set_num_threads(1));
}

/// The row-major factor of `a`, zeros above the diagonal; `None` when a pivot is not positive.
pub(in crate::linalg) fn cholesky(a: &ArrayRef2<f64>) -> Option<Array2<f64>> {
    on_one_thread();
    let l = lower_triangle(a).cholesky_into(UPLO::Lower).ok()?;
    l.diag().iter().all(|d| d.is_finite()).then_some(l)
}

/// b ← L⁻¹ b or L⁻ᵀ b, for row-major l and b.
pub(in crate::linalg) fn solve(l: &Array2<f64>, transposed: bool, mut b: ArrayViewMut2<'_, f64>) {
    on_one_thread();
    let solved = if transposed {
        l.t().solve_triangular_into(UPLO::Upper, Diag::NonUnit, b.to_owned())
    } else {
        l.solve_triangular_into(UPLO::Lower, Diag::NonUnit, b.to_owned())
    };
    // LAPACK refuses an exact zero on the diagonal, which only a factor made elsewhere can have.
    match solved {
        Ok(x) => b.assign(&x),
        Err(_) => b.fill(f64::NAN),
    }
}

/// (L Lᵀ)⁻¹, of which only the lower triangle holds.
pub(in crate::linalg) fn inverse(l: &Array2<f64>) -> Array2<f64> {
    on_one_thread();
    let factorized = CholeskyFactorized { factor: l.clone(), uplo: UPLO::Lower };
    factorized.invc_into().unwrap_or_else(|_| Array2::from_elem(l.raw_dim(), f64::NAN))
}

/// Eigenvalues, ascending, and the vectors in columns, column-major; `a` is row-major and symmetric.
pub(in crate::linalg) fn symmetric_eigen(a: Array2<f64>) -> Option<(Array1<f64>, Array2<f64>)> {
    on_one_thread();
    a.eigh_into(UPLO::Lower).ok()
}
