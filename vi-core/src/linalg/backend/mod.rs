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

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::{NAME, cholesky, inverse, loops, solve};

    /// The second-difference matrix plus a little, of determinate sign.
    fn second_difference(n: usize, diagonal: f64) -> Array2<f64> {
        Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
            0 => diagonal,
            1 => -1.0,
            _ => 0.1 / (i + j) as f64,
        })
    }

    // The loops step in for a backend that fails, so a broken one would not be seen from outside.
    #[test]
    fn backend_agrees_with_the_loops() {
        assert_eq!(NAME, if cfg!(feature = "lapack") { "lapack" } else { "faer" });
        for n in [1, 2, 5, 16, 17, 33, 70] {
            let a = second_difference(n, 2.5);
            let l = cholesky(&a).expect("positive definite");
            let mut expected = super::super::cholesky::lower_triangle(&a);
            loops::cholesky(expected.as_slice_mut().unwrap(), n).unwrap();
            assert!((&l - &expected).iter().all(|d| d.abs() < 1e-14), "n = {n}");

            let (mut x, mut y) = (Array2::eye(n), Array2::eye(n));
            for transposed in [false, true] {
                solve(&l, transposed, x.view_mut());
                // Right-hand sides in rows: contiguous for the loops, and the solution is symmetric at the end.
                for mut row in y.rows_mut() {
                    loops::solve(l.as_slice().unwrap(), row.as_slice_mut().unwrap(), n, transposed);
                }
            }
            assert!((&x - &y).iter().all(|d| d.abs() < 1e-13), "n = {n}");
            let inverse = inverse(&l);
            assert!((0..n).all(|i| (0..=i).all(|j| (inverse[[i, j]] - x[[i, j]]).abs() < 1e-13)), "n = {n}");
        }
        assert!(cholesky(&second_difference(20, 0.5)).is_none());
    }
}
