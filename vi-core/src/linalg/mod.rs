//! The one door to linear algebra.
//!
//! Factorisations, triangular solves, inverses and eigenvalues run on faer by default and on LAPACK, through
//! `ndarray-linalg` and the system's OpenBLAS, with the feature `lapack`. Products run on faer in both cases.
//! The choice is made at compile time and no signature changes.
//!
//! Everything here runs on the calling thread: parallelism belongs to the kernels, and the bits of a result do not
//! depend on the number of threads. They may differ between the backends, and between CPUs, in the last places.
//!
//! Small matrices are left to plain loops, where the set-up of a blocked algorithm costs more than the work.
//!
//! | file | what it holds |
//! |---|---|
//! | `cholesky` | [`Cholesky`]: factor, determinant, solves, inverse; the factor and the inverse without allocating |
//! | `eigen` | [`SymmetricEigen`] |
//! | [`packed`] | small symmetric matrices in slices of the caller's |
//! | `product` | [`gemm`], [`symmetric_rank_update`] |
//! | `backend` | the calls into faer or LAPACK, and the loops |

mod backend;
mod cholesky;
mod eigen;
mod error;
pub mod packed;
mod product;

pub use cholesky::{Cholesky, cholesky_inplace, invert_factor};
pub use eigen::SymmetricEigen;
pub use error::LinalgError;
pub use product::{gemm, symmetric_rank_update};

/// Name of the backend that the factorisations run on: `faer` or `lapack`.
pub const BACKEND: &str = backend::NAME;

/// The first pivot of a Cholesky factorisation that is not positive, for a row-major n×n matrix.
pub(crate) fn first_bad_pivot(a: &[f64], n: usize) -> Option<usize> {
    let a = ndarray::ArrayView2::from_shape((n, n), a).expect("n × n values");
    match Cholesky::factor(&a) {
        Ok(_) => None,
        Err(LinalgError::NotPositiveDefinite { pivot, .. }) => Some(pivot),
        Err(LinalgError::NonFinite { row, .. }) => Some(row),
        Err(_) => Some(0),
    }
}
