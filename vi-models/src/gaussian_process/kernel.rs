//! The squared-exponential covariance and its Cholesky factor for several samples side by side, with derivatives.

use ndarray::Array1;
use vi_core::numerics;

/// K_ij = α² exp(−(x_i − x_j)²/(2ρ²)) at fixed inputs; lower triangle row by row, the diagonal included.
#[derive(Clone, Debug)]
pub(super) struct SquaredExponential {
    n: usize,
    /// (x_i − x_j)²/2.
    half_squares: Vec<f64>,
}

/// Where row `i` of a packed lower triangle begins.
pub(super) const fn row(i: usize) -> usize {
    i * (i + 1) / 2
}

impl SquaredExponential {
    pub(super) fn new(x: &Array1<f64>) -> Self {
        let n = x.len();
        let pairs = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
        Self { n, half_squares: pairs.map(|(i, j)| 0.5 * (x[i] - x[j]).powi(2)).collect() }
    }

    /// The order n.
    pub(super) fn order(&self) -> usize {
        self.n
    }

    /// The number of values in the lower triangle.
    pub(super) fn packed_len(&self) -> usize {
        self.half_squares.len()
    }

    /// Overwrites `k` (packed, L lanes a value) with the covariance of every lane.
    pub(super) fn fill<const L: usize>(&self, rho: [f64; L], alpha: [f64; L], k: &mut [[f64; L]]) {
        let rate = rho.map(|r| -(r * r).recip());
        for (k, h) in k.iter_mut().zip(&self.half_squares) {
            *k = rate.map(|r| r * h);
        }
        let k = &mut k[..self.half_squares.len()];
        numerics::exp_inplace(k.as_flattened_mut());
        let variance = alpha.map(|a| a * a);
        for k in k {
            for l in 0..L {
                k[l] *= variance[l];
            }
        }
    }

    /// Σ_ij weight_ij ∂K_ij/∂(ρ, α) over the lower triangle, given K.
    pub(super) fn derivatives(
        &self,
        rho: f64,
        alpha: f64,
        k: &[[f64; 1]],
        weight: &[[f64; 1]],
    ) -> (f64, f64) {
        let (mut d_rho, mut d_alpha) = (0.0, 0.0);
        for ((h, [k]), [w]) in self.half_squares.iter().zip(k).zip(weight) {
            d_rho += w * k * h;
            d_alpha += w * k;
        }
        (2.0 * d_rho / rho.powi(3), 2.0 * d_alpha / alpha)
    }
}

/// Adds `value` to the diagonal of a packed matrix of order `n`.
pub(super) fn add_to_diagonal<const L: usize>(n: usize, value: [f64; L], k: &mut [[f64; L]]) {
    for i in 0..n {
        for l in 0..L {
            k[row(i) + i][l] += value[l];
        }
    }
}

/// Overwrites a packed matrix with its Cholesky factor; says of every lane whether all pivots were positive.
///
/// Rows from `n` on border the matrix: row `m` becomes L⁻¹ times the vector that stands there.
pub(super) fn factor<const L: usize>(n: usize, n_rows: usize, a: &mut [[f64; L]]) -> [bool; L] {
    let mut definite = [true; L];
    for i in 0..n_rows {
        let (above, current) = a.split_at_mut(row(i));
        for j in 0..=i.min(n - 1) {
            let mut s = current[j];
            let other = if j == i { None } else { Some(&above[row(j)..=row(j) + j]) };
            for k in 0..j {
                let right = other.map_or(current[k], |o| o[k]);
                for l in 0..L {
                    s[l] -= current[k][l] * right[l];
                }
            }
            match other {
                Some(o) => {
                    for l in 0..L {
                        current[j][l] = s[l] / o[j][l];
                    }
                }
                None => {
                    for l in 0..L {
                        definite[l] &= s[l] > 0.0 || s[l].is_nan();
                        current[j][l] = s[l].sqrt();
                    }
                }
            }
        }
    }
    definite
}

/// Runs [`factor`] backwards: `adjoint` comes in as the derivatives in the factor and its borders, and goes out as
/// those in the packed matrix and its borders.
///
/// S. P. Smith, *Journal of Computational and Graphical Statistics* 4 (1995) 134–147.
pub(super) fn factor_adjoint(n: usize, n_rows: usize, factor: &[[f64; 1]], adjoint: &mut [[f64; 1]]) {
    for i in (0..n_rows).rev() {
        for j in (0..=i.min(n - 1)).rev() {
            let diagonal = factor[row(j) + j][0];
            let incoming = adjoint[row(i) + j][0];
            let s = if i == j {
                0.5 * incoming / diagonal
            } else {
                adjoint[row(j) + j][0] -= incoming * factor[row(i) + j][0] / diagonal;
                incoming / diagonal
            };
            adjoint[row(i) + j][0] = s;
            for k in 0..j {
                let (left, right) = (factor[row(i) + k][0], factor[row(j) + k][0]);
                adjoint[row(i) + k][0] -= s * right;
                adjoint[row(j) + k][0] -= s * left;
            }
        }
    }
}
