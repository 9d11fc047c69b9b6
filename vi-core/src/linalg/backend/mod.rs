//! The calls into the library that was chosen at compile time, and the loops for small matrices.
//!
//! A backend is five items: `NAME`, `cholesky`, `solve`, `inverse`, `symmetric_eigen`.

pub(super) mod loops;

#[cfg(not(feature = "lapack"))]
mod faer;
#[cfg(feature = "lapack")]
mod lapack;

#[cfg(not(feature = "lapack"))]
pub(super) use self::faer::{NAME, cholesky, inverse, solve, symmetric_eigen};
#[cfg(feature = "lapack")]
pub(super) use self::lapack::{NAME, cholesky, inverse, solve, symmetric_eigen};
