//! Loops over lower-triangular factors.

use ndarray::{Array2, ArrayRef2, ArrayView1, Axis, s};
use vi_core::linalg::symmetric_rank_update;

/// 2 Σ log L_ii = log |L Lᵀ|.
pub(crate) fn log_det(l: &ArrayRef2<f64>) -> f64 {
    2.0 * l.diag().iter().map(|d| d.ln()).sum::<f64>()
}

/// Up to this order plain loops are ahead of blocked algorithms.
pub(crate) const SMALL: usize = 8;

/// The first i + 1 values of row i of L.
fn row(l: &ArrayRef2<f64>, i: usize) -> ArrayView1<'_, f64> {
    l.slice(s![i, ..=i])
}

/// Σ_j L_ij x_j over the values of x, in four sums that do not wait for one another.
fn row_dot(l: &ArrayRef2<f64>, i: usize, x: &[f64]) -> f64 {
    let row = l.row(i);
    let Some(row) = row.to_slice() else {
        return row.iter().zip(x).map(|(l, x)| l * x).sum();
    };
    let (mut sums, n) = ([0.0; 4], x.len());
    let (rows, xs) = (row[..n].chunks_exact(4), x.chunks_exact(4));
    let rest: f64 = rows.remainder().iter().zip(xs.remainder()).map(|(l, x)| l * x).sum();
    for (l, x) in rows.zip(xs) {
        for k in 0..4 {
            sums[k] += l[k] * x[k];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// x ← L x.
pub(crate) fn multiply(l: &ArrayRef2<f64>, x: &mut [f64]) {
    for i in (0..x.len()).rev() {
        x[i] = row_dot(l, i, &x[..=i]);
    }
}

/// Solves L x = b in place.
pub(crate) fn solve_lower_in_place(l: &ArrayRef2<f64>, b: &mut [f64]) {
    for i in 0..b.len() {
        b[i] = (b[i] - row_dot(l, i, &b[..i])) / l[[i, i]];
    }
}

/// L X for lower-triangular X: lower triangular.
pub(crate) fn multiply_lower(l: &ArrayRef2<f64>, x: &ArrayRef2<f64>) -> Array2<f64> {
    let mut out = Array2::zeros(x.raw_dim());
    for (i, mut to) in out.rows_mut().into_iter().enumerate() {
        for (k, c) in row(l, i).iter().enumerate() {
            to.slice_mut(s![..=k]).scaled_add(*c, &row(x, k));
        }
    }
    out
}

/// L⁻¹ X for lower-triangular X: lower triangular.
pub(crate) fn solve_lower(l: &ArrayRef2<f64>, x: &ArrayRef2<f64>) -> Array2<f64> {
    let mut out = Array2::zeros(x.raw_dim());
    for i in 0..l.nrows() {
        let (above, mut rest) = out.view_mut().split_at(Axis(0), i);
        let mut to = rest.slice_mut(s![0, ..=i]);
        to.assign(&row(x, i));
        for k in 0..i {
            to.slice_mut(s![..=k]).scaled_add(-l[[i, k]], &row(&above, k));
        }
        to /= l[[i, i]];
    }
    out
}

/// L⁻ᵀ X (n, m).
pub(crate) fn solve_transposed_matrix(l: &ArrayRef2<f64>, x: &ArrayRef2<f64>) -> Array2<f64> {
    let mut out = x.as_standard_layout().into_owned();
    for i in (0..l.nrows()).rev() {
        let (mut above, mut rest) = out.view_mut().split_at(Axis(0), i);
        let mut solved = rest.row_mut(0);
        solved /= l[[i, i]];
        for (j, mut to) in above.rows_mut().into_iter().enumerate() {
            to.scaled_add(-l[[i, j]], &solved);
        }
    }
    out
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

/// y ← y + Lᵀ d, with d_i = `d(i)`.
pub(crate) fn add_transposed_product(l: &ArrayRef2<f64>, d: impl Fn(usize) -> f64, y: &mut [f64]) {
    for i in 0..y.len() {
        let (d, row) = (d(i), l.row(i));
        match row.to_slice() {
            Some(row) => y[..=i].iter_mut().zip(&row[..=i]).for_each(|(y, l)| *y += l * d),
            None => y[..=i].iter_mut().zip(row).for_each(|(y, l)| *y += l * d),
        }
    }
}

/// X Xᵀ, symmetric to the last bit.
pub(crate) fn outer_square(x: &ArrayRef2<f64>) -> Array2<f64> {
    let p = x.nrows();
    if p > SMALL {
        let mut out = Array2::zeros((p, p));
        symmetric_rank_update(1.0, x, 0.0, &mut out);
        return out;
    }
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
