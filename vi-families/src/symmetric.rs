//! The layout of symmetric matrices in vectors of parameters.
//!
//! The p(p + 1)/2 free entries of a symmetric p×p matrix stand row by row of the lower triangle:
//!
//! ```text
//! vech(A)  = (A₁₁, A₂₁, A₂₂, A₃₁, A₃₂, A₃₃, …)
//! dual(A)  = (A₁₁, 2A₂₁, A₂₂, 2A₃₁, 2A₃₂, A₃₃, …)
//! dual(A)ᵀ vech(B) = tr(A B)
//! ```
//! Sufficient statistics and mean parameters carry `vech`, natural parameters carry `dual`, so that ηᵀT is the
//! trace inner product and nothing is counted twice: the families are minimal and their Fisher information is
//! positive definite.

use ndarray::{Array2, ArrayRef2};

/// The number of free entries of a symmetric matrix of order `p`: p(p + 1)/2.
pub fn vech_len(p: usize) -> usize {
    p * (p + 1) / 2
}

/// Where A_ij stands in vech(A).
#[inline]
pub fn vech_index(i: usize, j: usize) -> usize {
    let (i, j) = if i >= j { (i, j) } else { (j, i) };
    i * (i + 1) / 2 + j
}

/// Overwrites `out` with vech(scale · A); only the lower triangle of `a` (p, p) is read.
///
/// # Panics
/// If `out` does not have p(p + 1)/2 values.
pub fn vech(a: &ArrayRef2<f64>, scale: f64, out: &mut [f64]) {
    assert_eq!(out.len(), vech_len(a.nrows()), "vech: wrong length");
    for i in 0..a.nrows() {
        for j in 0..=i {
            out[vech_index(i, j)] = scale * a[[i, j]];
        }
    }
}

/// Overwrites `out` with dual(scale · A): as [`vech`], with off-diagonal entries doubled.
///
/// # Panics
/// If `out` does not have p(p + 1)/2 values.
pub fn dual(a: &ArrayRef2<f64>, scale: f64, out: &mut [f64]) {
    vech(a, scale, out);
    for i in 0..a.nrows() {
        for j in 0..i {
            out[vech_index(i, j)] *= 2.0;
        }
    }
}

/// The symmetric matrix scale · A of order `p` from vech(A).
///
/// # Panics
/// If `v` does not have p(p + 1)/2 values.
pub fn from_vech(p: usize, v: &[f64], scale: f64) -> Array2<f64> {
    assert_eq!(v.len(), vech_len(p), "from_vech: wrong length");
    Array2::from_shape_fn((p, p), |(i, j)| scale * v[vech_index(i, j)])
}

/// The symmetric matrix scale · A of order `p` from dual(A).
///
/// # Panics
/// If `v` does not have p(p + 1)/2 values.
pub fn from_dual(p: usize, v: &[f64], scale: f64) -> Array2<f64> {
    let mut a = from_vech(p, v, scale);
    for i in 0..p {
        for j in 0..p {
            if i != j {
                a[[i, j]] *= 0.5;
            }
        }
    }
    a
}

/// ∂vech(A⁻¹)/∂vech(A) (p(p + 1)/2 squared) from A⁻¹ (p, p): row (i, j) has the derivatives of (A⁻¹)_ij.
///
/// ```text
/// ∂(A⁻¹)_ij/∂A_kl = −(A⁻¹)_ik (A⁻¹)_lj − [k ≠ l] (A⁻¹)_il (A⁻¹)_kj      (Magnus & Neudecker 1999, section 8.4)
/// ```
pub fn inverse_jacobian(inverse: &ArrayRef2<f64>) -> Array2<f64> {
    let p = inverse.nrows();
    let mut jacobian = Array2::zeros((vech_len(p), vech_len(p)));
    for i in 0..p {
        for j in 0..=i {
            for k in 0..p {
                for l in 0..=k {
                    let mirror = if k == l { 0.0 } else { inverse[[i, l]] * inverse[[k, j]] };
                    jacobian[[vech_index(i, j), vech_index(k, l)]] =
                        -(inverse[[i, k]] * inverse[[l, j]] + mirror);
                }
            }
        }
    }
    jacobian
}

/// ∂dual(−½A⁻¹)/∂vech(A) from A⁻¹: how the natural parameter of a precision follows the covariance A.
pub(crate) fn precision_jacobian(inverse: &ArrayRef2<f64>) -> Array2<f64> {
    let mut jacobian = inverse_jacobian(inverse);
    for i in 0..inverse.nrows() {
        for j in 0..=i {
            let factor = if i == j { -0.5 } else { -1.0 };
            jacobian.row_mut(vech_index(i, j)).mapv_inplace(|v| factor * v);
        }
    }
    jacobian
}

/// The order p with `count(p)` = `len`, or the nearest length from above that fits.
pub(crate) fn order_from_len(len: usize, count: impl Fn(usize) -> usize) -> Result<usize, usize> {
    let mut p = 1;
    while count(p) < len {
        p += 1;
    }
    if count(p) == len { Ok(p) } else { Err(count(p)) }
}
