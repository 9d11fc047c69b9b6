//! Plain loops over row-major matrices: for orders at which they beat a blocked algorithm, as measured.

/// The largest orders that are left to the loops: where they were last seen ahead of faer, side by side on AVX-512.
pub(in crate::linalg) const CHOLESKY: usize = 4;
pub(in crate::linalg) const SOLVE: usize = 64;
pub(in crate::linalg) const INVERSE: usize = 48;

/// l ← its Cholesky factor, of which the lower triangle is read and written.
///
/// The error is the pivot that is not positive and finite, and its value.
pub(in crate::linalg) fn cholesky(l: &mut [f64], n: usize) -> Result<(), (usize, f64)> {
    for i in 0..n {
        let (above, rest) = l.split_at_mut(i * n);
        let row = &mut rest[..=i];
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            row[j] = (row[j] - dot(&row[..j], other)) / other[j];
        }
        let pivot = row[i] - dot(&row[..i], &row[..i]);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err((i, pivot));
        }
        row[i] = pivot.sqrt();
    }
    Ok(())
}

/// b ← L⁻¹ b or L⁻ᵀ b.
pub(in crate::linalg) fn solve(l: &[f64], b: &mut [f64], n: usize, transposed: bool) {
    if transposed {
        for i in (0..n).rev() {
            let row = &l[i * n..=i * n + i];
            let x = b[i] / row[i];
            b[i] = x;
            add_scaled(&mut b[..i], -x, row);
        }
    } else {
        for i in 0..n {
            let row = &l[i * n..=i * n + i];
            b[i] = (b[i] - dot(&b[..i], row)) / row[i];
        }
    }
}

/// The lower triangle of out ← (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹, by way of L⁻¹; `out` comes zeroed.
pub(in crate::linalg) fn inverse(l: &[f64], out: &mut [f64], n: usize) {
    for i in 0..n {
        let (above, rest) = out.split_at_mut(i * n);
        let row = &mut rest[..=i];
        let coefficients = &l[i * n..=i * n + i];
        for (k, c) in coefficients[..i].iter().enumerate() {
            add_scaled(row, -c, &above[k * n..=k * n + k]);
        }
        row[i] = 1.0;
        row.iter_mut().for_each(|x| *x /= coefficients[i]);
    }
    // Row i of the product needs the rows of L⁻¹ from i on, so it can replace row i at once.
    for i in 0..n {
        let (head, below) = out.split_at_mut((i + 1) * n);
        let row = &mut head[i * n..=i * n + i];
        let own = row[i];
        row.iter_mut().for_each(|x| *x *= own);
        for k in 0..n - i - 1 {
            let other = &below[k * n..=k * n + i];
            add_scaled(row, other[i], other);
        }
    }
}

/// Σ aᵢ bᵢ over the shorter length.
#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// a ← a + factor · b over the shorter length.
#[inline]
fn add_scaled(a: &mut [f64], factor: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += factor * b;
    }
}
