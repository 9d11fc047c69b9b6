//! Eigenvalues and eigenvectors of a small symmetric matrix in memory of the caller's.

/// Sweeps at most; convergence is quadratic, and ten are enough for any order that is small.
const MAX_SWEEPS: usize = 60;

/// Diagonalises `a` (n, n), which is symmetric: its diagonal becomes the eigenvalues, in no order, and row j of `vectors`
/// (n, n) the vector of eigenvalue j. False if a value is not finite.
///
/// By Jacobi's rotations of pairs, row after row, which resolve small eigenvalues of a positive-definite matrix beside
/// large ones. Source: G. H. Golub & C. F. Van Loan, *Matrix Computations*, 4th ed. (2013), §8.5.
pub(super) fn eigen_inplace(a: &mut [f64], vectors: &mut [f64], n: usize) -> bool {
    vectors.fill(0.0);
    vectors.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
    if a.iter().any(|v| !v.is_finite()) {
        return false;
    }
    for _ in 0..MAX_SWEEPS {
        let mut at_rest = true;
        for p in 0..n {
            for q in p + 1..n {
                let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
                if apq.abs() <= f64::EPSILON * (app.abs() * aqq.abs()).sqrt() {
                    continue;
                }
                at_rest = false;
                let theta = (aqq - app) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cos = t.hypot(1.0).recip();
                rotate_rows(a, n, (p, q), (cos, t * cos));
                rotate_columns(a, n, (p, q), (cos, t * cos));
                rotate_rows(vectors, n, (p, q), (cos, t * cos));
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
            }
        }
        if at_rest {
            break;
        }
    }
    true
}

/// Rows p < q ← cos p − sin q, sin p + cos q.
fn rotate_rows(a: &mut [f64], n: usize, (p, q): (usize, usize), (cos, sin): (f64, f64)) {
    let (before, after) = a.split_at_mut(q * n);
    for (x, y) in before[p * n..(p + 1) * n].iter_mut().zip(&mut after[..n]) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

fn rotate_columns(a: &mut [f64], n: usize, (p, q): (usize, usize), (cos, sin): (f64, f64)) {
    for row in a.chunks_exact_mut(n) {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use vi_core::linalg::SymmetricEigen;

    use super::*;

    #[test]
    fn it_agrees_with_the_backend() {
        for n in [1, 2, 3, 7, 20] {
            // Graded: entries from 1 down to 10⁻¹².
            let b = Array2::from_shape_fn((n, n), |(i, j)| {
                (((7 * i + 3 * j + i * j) % 11) as f64 - 4.5) * 10f64.powf(-6.0 * i as f64 / n as f64)
            });
            let matrix = b.dot(&b.t());
            let mut a: Vec<f64> = matrix.iter().copied().collect();
            let mut vectors = vec![f64::NAN; n * n];
            assert!(eigen_inplace(&mut a, &mut vectors, n));
            let mut values: Vec<f64> = (0..n).map(|i| a[i * (n + 1)]).collect();
            let v = Array2::from_shape_vec((n, n), vectors).unwrap();
            let back = v.t().dot(&Array2::from_diag(&ndarray::Array1::from(values.clone()))).dot(&v);
            let scale = matrix.fold(0.0, |m: f64, x| m.max(x.abs()));
            assert!((&back - &matrix).iter().all(|e| e.abs() < 1e-13 * scale * n as f64), "order {n}");
            assert!((&v.dot(&v.t()) - &Array2::<f64>::eye(n)).iter().all(|e| e.abs() < 1e-13 * n as f64));
            values.sort_by(f64::total_cmp);
            let expected = SymmetricEigen::factor(&matrix).unwrap();
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-13 * scale * n as f64;
            assert!(values.iter().zip(expected.values()).all(near), "order {n}");
        }
        assert!(!eigen_inplace(&mut [f64::NAN], &mut [0.0], 1));
    }
}
