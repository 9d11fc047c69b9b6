//! Loops over lower-triangular factors.

use ndarray::{Array2, ArrayRef2};

/// 2 Σ log L_ii = log |L Lᵀ|.
pub(crate) fn log_det(l: &ArrayRef2<f64>) -> f64 {
    2.0 * l.diag().iter().map(|d| d.ln()).sum::<f64>()
}

/// Solves L x = b in place.
pub(crate) fn solve_lower_in_place(l: &ArrayRef2<f64>, b: &mut [f64]) {
    for i in 0..b.len() {
        let dot: f64 = (0..i).map(|j| l[[i, j]] * b[j]).sum();
        b[i] = (b[i] - dot) / l[[i, i]];
    }
}

/// Solves Lᵀ x = b in place.
pub(crate) fn solve_transposed(l: &ArrayRef2<f64>, b: &mut [f64]) {
    for i in (0..b.len()).rev() {
        let x = b[i] / l[[i, i]];
        b[i] = x;
        for (j, v) in b.iter_mut().enumerate().take(i) {
            *v -= l[[i, j]] * x;
        }
    }
}

/// Σ_j (Σ_{i ≥ j} L_ij d_i)² = dᵀ L Lᵀ d.
pub(crate) fn quadratic_form(l: &ArrayRef2<f64>, d: impl Fn(usize) -> f64) -> f64 {
    let p = l.nrows();
    (0..p)
        .map(|j| {
            let y: f64 = (j..p).map(|i| l[[i, j]] * d(i)).sum();
            y * y
        })
        .sum()
}

/// X Xᵀ, symmetric to the last bit.
pub(crate) fn outer_square(x: &ArrayRef2<f64>) -> Array2<f64> {
    let p = x.nrows();
    let mut out = Array2::zeros((p, p));
    for i in 0..p {
        for j in 0..=i {
            let v = x.row(i).dot(&x.row(j));
            out[[i, j]] = v;
            out[[j, i]] = v;
        }
    }
    out
}

/// tr(A B) of two symmetric matrices.
pub(crate) fn trace_product(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> f64 {
    a.iter().zip(b.iter()).map(|(x, y)| x * y).sum()
}
