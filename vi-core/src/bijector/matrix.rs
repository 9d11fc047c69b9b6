//! Cholesky factors by the logarithm of their diagonal, positive-definite matrices through their factors.
//!
//! `u` holds the lower triangle row by row, n(n + 1)/2 values, with log L_ii on the diagonal.
//!
//! ```text
//! L:         log |det J| = Σ_i log L_ii
//! S = L Lᵀ:  log |det J| = n log 2 + Σ_i (n − i + 2) log L_ii,   i = 1 … n
//! ```
//! Both with respect to Lebesgue measure on the lower triangle (Muirhead 1982, theorem 2.1.9).

use ndarray::ArrayView2;

use super::scalar::positive_exp;
use crate::linalg::Cholesky;

/// Where row `i` of a packed lower triangle starts.
#[inline]
fn row(i: usize) -> usize {
    i * (i + 1) / 2
}

pub(super) fn packed_len(n: usize) -> usize {
    row(n)
}

/// L_ij from the packed u.
#[inline]
fn factor_entry(u: &[f64], i: usize, j: usize) -> f64 {
    let x = u[row(i) + j];
    if i == j { positive_exp(x) } else { x }
}

pub(super) fn cholesky_constrain(u: &[f64], n: usize, z: &mut [f64]) -> f64 {
    let mut log_det = 0.0;
    for i in 0..n {
        for j in 0..n {
            z[i * n + j] = if j <= i { factor_entry(u, i, j) } else { 0.0 };
        }
        log_det += u[row(i) + i];
    }
    log_det
}

pub(super) fn cholesky_unconstrain(z: &[f64], n: usize, u: &mut [f64]) {
    for i in 0..n {
        u[row(i)..row(i) + i].copy_from_slice(&z[i * n..i * n + i]);
        u[row(i) + i] = z[i * n + i].ln();
    }
}

pub(super) fn cholesky_pullback(z: &[f64], n: usize, grad_z: &[f64], grad_u: &mut [f64]) {
    for i in 0..n {
        grad_u[row(i)..row(i) + i].copy_from_slice(&grad_z[i * n..i * n + i]);
        grad_u[row(i) + i] = z[i * n + i] * grad_z[i * n + i] + 1.0;
    }
}

pub(super) fn definite_constrain(u: &[f64], n: usize, z: &mut [f64]) -> f64 {
    let mut log_det = n as f64 * std::f64::consts::LN_2;
    for i in 0..n {
        for j in 0..=i {
            let s: f64 = (0..=j).map(|k| factor_entry(u, i, k) * factor_entry(u, j, k)).sum();
            z[i * n + j] = s;
            z[j * n + i] = s;
        }
        log_det += (n - i + 1) as f64 * u[row(i) + i];
    }
    log_det
}

/// The index of the first pivot that is not positive, if there is one.
pub(super) fn definite_unconstrain(z: &[f64], n: usize, u: &mut [f64]) -> Result<(), usize> {
    let s = ArrayView2::from_shape((n, n), z).map_err(|_| 0usize)?;
    let factor = Cholesky::factor(&s).map_err(|e| match e {
        crate::linalg::LinalgError::NotPositiveDefinite { pivot, .. } => pivot,
        _ => 0,
    })?;
    for i in 0..n {
        for j in 0..=i {
            let x = factor.l()[[i, j]];
            u[row(i) + j] = if i == j { x.ln() } else { x };
        }
    }
    Ok(())
}

/// grad_L = lower((G + Gᵀ) L), because df = Σ_ij G_ij dS_ij and dS = dL Lᵀ + L dLᵀ.
pub(super) fn definite_pullback(u: &[f64], n: usize, grad_z: &[f64], grad_u: &mut [f64]) {
    for i in 0..n {
        for j in 0..=i {
            let g: f64 =
                (j..n).map(|k| (grad_z[i * n + k] + grad_z[k * n + i]) * factor_entry(u, k, j)).sum();
            grad_u[row(i) + j] = if i == j { factor_entry(u, i, i) * g + (n - i + 1) as f64 } else { g };
        }
    }
}
