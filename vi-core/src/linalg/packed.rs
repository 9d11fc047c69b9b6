//! Many small symmetric matrices as packed lower triangles, row after row, in slices of the caller's: nothing is
//! allocated.
//!
//! ```text
//! a_ij stands at i (i + 1)/2 + j,  j ≤ i
//! ```
//! The leading m × m block of a matrix is the beginning of its slice.

use super::{Cholesky, LinalgError};

/// Beyond this order the blocked factorisation is worth its memory.
const LOOPS: usize = 48;

/// n (n + 1)/2, the number of values of a matrix of order n.
pub const fn len(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Where row i begins.
#[inline(always)]
const fn row(i: usize) -> usize {
    i * (i + 1) / 2
}

/// The order of a matrix of this many values.
fn order(len: usize) -> usize {
    (((8 * len + 1) as f64).sqrt() as usize - 1) / 2
}

/// a (n) ← its Cholesky factor L, A = L Lᵀ; returns log |A|.
///
/// # Errors
/// [`LinalgError::NotPositiveDefinite`] with the first pivot that is not positive and finite.
///
/// # Panics
/// If `a` has not [`len`]`(n)` values.
pub fn cholesky(a: &mut [f64], n: usize) -> Result<f64, LinalgError> {
    assert_eq!(a.len(), len(n), "a packed matrix of order {n}");
    let mut log_det = 0.0;
    for i in 0..n {
        let (above, rest) = a.split_at_mut(row(i));
        let own = &mut rest[..=i];
        for j in 0..i {
            let other = &above[row(j)..=row(j) + j];
            own[j] = (own[j] - dot(&own[..j], other)) / other[j];
        }
        let pivot = own[i] - dot(&own[..i], &own[..i]);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(LinalgError::NotPositiveDefinite { pivot: i, value: pivot });
        }
        own[i] = pivot.sqrt();
        log_det += pivot.ln();
    }
    Ok(log_det)
}

/// inverse ← A⁻¹; returns log |A|. `a` is overwritten.
///
/// # Errors
/// [`LinalgError::NotPositiveDefinite`] with the first pivot that is not positive and finite.
///
/// # Panics
/// If a slice has not [`len`]`(n)` values.
pub fn invert(a: &mut [f64], inverse: &mut [f64], n: usize) -> Result<f64, LinalgError> {
    assert_eq!(inverse.len(), len(n), "a packed matrix of order {n}");
    if n > LOOPS {
        let cholesky = Cholesky::factor(&unpacked(a, n))?;
        pack(&cholesky.inverse(), inverse);
        return Ok(cholesky.log_det());
    }
    let log_det = cholesky(a, n)?;
    inverse.fill(0.0);
    // L⁻¹, row by row.
    for i in 0..n {
        let (above, rest) = inverse.split_at_mut(row(i));
        let own = &mut rest[..=i];
        let coefficients = &a[row(i)..=row(i) + i];
        for (k, c) in coefficients[..i].iter().enumerate() {
            add_scaled(-c, &above[row(k)..=row(k) + k], own);
        }
        own[i] = 1.0;
        own.iter_mut().for_each(|x| *x /= coefficients[i]);
    }
    // L⁻ᵀ L⁻¹: row i of the product needs the rows of L⁻¹ from i on, so it can replace row i at once.
    for i in 0..n {
        let (head, below) = inverse.split_at_mut(row(i + 1));
        let own = &mut head[row(i)..];
        let diagonal = own[i];
        own.iter_mut().for_each(|x| *x *= diagonal);
        for k in i + 1..n {
            let start = row(k) - row(i + 1);
            let other = &below[start..=start + i];
            add_scaled(other[i], other, own);
        }
    }
    Ok(log_det)
}

/// out ← A x.
///
/// # Panics
/// If the lengths do not fit.
pub fn multiply(a: &[f64], x: &[f64], out: &mut [f64]) {
    assert_eq!((a.len(), out.len()), (len(x.len()), x.len()), "A, x and out");
    out.fill(0.0);
    for i in 0..x.len() {
        let own = &a[row(i)..=row(i) + i];
        out[i] += dot(own, &x[..=i]);
        add_scaled(x[i], &own[..i], &mut out[..i]);
    }
}

/// xᵀ A x.
///
/// # Panics
/// If the lengths do not fit.
pub fn quadratic(a: &[f64], x: &[f64]) -> f64 {
    assert_eq!(a.len(), len(x.len()), "A and x");
    let term = |i: usize| {
        let own = &a[row(i)..=row(i) + i];
        x[i] * (2.0 * dot(&own[..i], &x[..i]) + own[i] * x[i])
    };
    (0..x.len()).map(term).sum()
}

/// tr(A B).
///
/// # Panics
/// If the lengths do not fit.
pub fn trace_of_product(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "two packed matrices of one order");
    let diagonal: f64 = (0..order(a.len())).map(|i| a[row(i) + i] * b[row(i) + i]).sum();
    2.0 * dot(a, b) - diagonal
}

/// A += w x xᵀ.
///
/// # Panics
/// If the lengths do not fit.
pub fn add_outer(w: f64, x: &[f64], a: &mut [f64]) {
    assert_eq!(a.len(), len(x.len()), "A and x");
    for i in 0..x.len() {
        add_scaled(w * x[i], &x[..=i], &mut a[row(i)..=row(i) + i]);
    }
}

/// A_ii += d_i, for as many as `d` has.
pub fn add_diagonal(d: impl IntoIterator<Item = f64>, a: &mut [f64]) {
    d.into_iter().enumerate().for_each(|(i, d)| a[row(i) + i] += d);
}

/// The diagonal of A.
pub fn diagonal(a: &[f64]) -> impl Iterator<Item = f64> + '_ {
    (0..order(a.len())).map(|i| a[row(i) + i])
}

/// out ← L x with L lower triangular.
///
/// # Panics
/// If the lengths do not fit.
pub fn multiply_lower(l: &[f64], x: &[f64], out: &mut [f64]) {
    assert_eq!((l.len(), out.len()), (len(x.len()), x.len()), "L, x and out");
    for (i, out) in out.iter_mut().enumerate() {
        *out = dot(&l[row(i)..=row(i) + i], x);
    }
}

/// x ← L⁻¹ x with L lower triangular.
///
/// # Panics
/// If the lengths do not fit.
pub fn solve_lower_inplace(l: &[f64], x: &mut [f64]) {
    assert_eq!(l.len(), len(x.len()), "L and x");
    for i in 0..x.len() {
        let own = &l[row(i)..=row(i) + i];
        x[i] = (x[i] - dot(&own[..i], x)) / own[i];
    }
}

/// x ← L⁻ᵀ x with L lower triangular.
///
/// # Panics
/// If the lengths do not fit.
pub fn solve_lower_transposed_inplace(l: &[f64], x: &mut [f64]) {
    assert_eq!(l.len(), len(x.len()), "L and x");
    for i in (0..x.len()).rev() {
        let own = &l[row(i)..=row(i) + i];
        let (before, after) = x.split_at_mut(i);
        after[0] /= own[i];
        add_scaled(-after[0], &own[..i], before);
    }
}

/// out (n, n) ← the matrix with both its triangles, row after row.
///
/// # Panics
/// If the lengths do not fit.
pub fn unpack(a: &[f64], n: usize, out: &mut [f64]) {
    assert_eq!((a.len(), out.len()), (len(n), n * n), "a packed matrix of order {n}, and all of it");
    for i in 0..n {
        for j in 0..=i {
            out[i * n + j] = a[row(i) + j];
            out[j * n + i] = a[row(i) + j];
        }
    }
}

/// The matrix with both its triangles (n, n).
///
/// # Panics
/// If `a` has not [`len`]`(n)` values.
pub fn unpacked(a: &[f64], n: usize) -> ndarray::Array2<f64> {
    assert_eq!(a.len(), len(n), "a packed matrix of order {n}");
    ndarray::Array2::from_shape_fn((n, n), |(i, j)| a[row(i.max(j)) + i.min(j)])
}

/// out ← the lower triangle of `a` (n, n).
///
/// # Panics
/// If the lengths do not fit.
pub fn pack(a: &ndarray::ArrayRef2<f64>, out: &mut [f64]) {
    assert_eq!(out.len(), len(a.nrows()), "a packed matrix of order {}", a.nrows());
    for (i, from) in a.rows().into_iter().enumerate() {
        out[row(i)..=row(i) + i].iter_mut().zip(from).for_each(|(out, from)| *out = *from);
    }
}

/// Σ aᵢ bᵢ over the shorter length.
#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// out += w a over the shorter length.
#[inline]
pub fn add_scaled(w: f64, a: &[f64], out: &mut [f64]) {
    for (out, a) in out.iter_mut().zip(a) {
        *out += w * a;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::symmetric_rank_update;
    use ndarray::{Array1, Array2};

    /// Positive definite, of any order.
    fn matrix(n: usize) -> Array2<f64> {
        let b = Array2::from_shape_fn((n, n + 2), |(i, j)| ((7 * i + 3 * j + i * j) % 11) as f64 - 4.5);
        let mut a = Array2::eye(n);
        symmetric_rank_update(0.1, &b, 1.0, &mut a);
        a
    }

    #[test]
    fn all_agrees_with_the_unpacked_matrix() {
        for n in [1, 2, 5, 11, 48, 49, 60] {
            let a = matrix(n);
            let reference = Cholesky::factor(&a).unwrap();
            let mut packed = vec![0.0; len(n)];
            pack(&a, &mut packed);
            assert_eq!(unpacked(&packed, n), a);
            assert_eq!(diagonal(&packed).collect::<Vec<_>>(), a.diag().to_vec());
            let mut inverse = vec![f64::NAN; len(n)];
            let log_det = invert(&mut packed.clone(), &mut inverse, n).unwrap();
            assert!((log_det - reference.log_det()).abs() < 1e-10 * (1.0 + log_det.abs()), "order {n}");
            let worst = (&unpacked(&inverse, n) - &reference.inverse()).mapv(f64::abs);
            assert!(worst.iter().all(|d| *d < 1e-10), "order {n}: {worst}");
            let x = Array1::from_shape_fn(n, |i| 0.3 * i as f64 - 1.0);
            let slice = x.as_slice().unwrap();
            let mut out = vec![f64::NAN; n];
            multiply(&packed, slice, &mut out);
            let product = a.dot(&x);
            assert!(out.iter().zip(&product).all(|(o, p)| (o - p).abs() < 1e-9 * (1.0 + p.abs())));
            let form = x.dot(&product);
            assert!((quadratic(&packed, slice) - form).abs() < 1e-10 * form.abs());
            assert!((trace_of_product(&packed, &inverse) - n as f64).abs() < 1e-9 * n as f64);
            let mut factor = packed.clone();
            assert!((cholesky(&mut factor, n).unwrap() - log_det).abs() < 1e-10 * (1.0 + log_det.abs()));
            multiply_lower(&factor, slice, &mut out);
            let square: f64 = out.iter().map(|v| v * v).sum();
            solve_lower_inplace(&factor, &mut out);
            assert!(out.iter().zip(slice).all(|(o, x)| (o - x).abs() < 1e-9), "L⁻¹ L x");
            out.copy_from_slice(product.as_slice().unwrap());
            solve_lower_inplace(&factor, &mut out);
            solve_lower_transposed_inplace(&factor, &mut out);
            assert!(out.iter().zip(slice).all(|(o, x)| (o - x).abs() < 1e-8), "A⁻¹ A x");
            let mut full = vec![f64::NAN; n * n];
            unpack(&packed, n, &mut full);
            assert_eq!(full, a.iter().copied().collect::<Vec<_>>());
            assert!(square > 0.0);
            add_outer(0.5, slice, &mut packed);
            assert!((quadratic(&packed, slice) - form - 0.5 * x.dot(&x).powi(2)).abs() < 1e-9 * form.abs());
        }
    }

    #[test]
    fn a_pivot_that_is_not_positive_is_named() {
        let mut a = [1.0, 2.0, 3.0];
        let refused = invert(&mut a, &mut [0.0; 3], 2);
        assert_eq!(refused, Err(LinalgError::NotPositiveDefinite { pivot: 1, value: -1.0 }));
    }
}
