//! Functions of Gaussian noise that are uncorrelated and have mean 0 and variance 1.

use ndarray::{Array2, ArrayRef2, ArrayView2};
use vi_core::linalg::gemm;

use crate::workspace::{matrix, matrix_mut};
use vi_core::scratch;

/// φ(ε) = (1, ε, y_a y_b for a < b, (y_a² − 1)/√2) with y = Uε for orthonormal rows of U.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    /// E.
    pub(super) n_noise: usize,
    /// K.
    pub(super) n_directions: usize,
}

impl Features {
    /// F = 1 + E + K(K + 1)/2.
    pub(super) fn len(self) -> usize {
        1 + self.n_noise + self.n_directions * (self.n_directions + 1) / 2
    }

    /// The shape of U.
    pub(super) fn directions(self) -> (usize, usize) {
        (self.n_directions, self.n_noise)
    }

    /// Calls `f` with φ (n, F) of the rows of `noise` (n, E).
    pub(super) fn with<R>(
        self,
        directions: &Array2<f64>,
        noise: &ArrayRef2<f64>,
        f: impl FnOnce(&ArrayView2<'_, f64>) -> R,
    ) -> R {
        let (n, width, k) = (noise.nrows(), self.len(), self.n_directions);
        scratch::with(n * (width + k), |scratch| {
            let (phi, y) = scratch.split_at_mut(n * width);
            if k > 0 {
                gemm(1.0, noise, &directions.t(), 0.0, &mut matrix_mut(y, k));
            }
            for (i, phi) in phi.chunks_exact_mut(width).enumerate() {
                phi[0] = 1.0;
                for (p, e) in phi[1..].iter_mut().zip(noise.row(i)) {
                    *p = *e;
                }
                products(&y[i * k..(i + 1) * k], &mut phi[1 + self.n_noise..]);
            }
            f(&matrix(phi, width))
        })
    }
}

fn products(y: &[f64], out: &mut [f64]) {
    let mut out = out.iter_mut();
    for (a, first) in y.iter().enumerate() {
        for (second, o) in y[..a].iter().zip(&mut out) {
            *o = first * second;
        }
        if let Some(o) = out.next() {
            *o = (first * first - 1.0) * std::f64::consts::FRAC_1_SQRT_2;
        }
    }
}

/// One step of orthogonal iteration: the rows of `directions` (K, E) go towards the leading eigenvectors of AᵀA, with
/// Aᵀ = `slopes` (E, D). Where A is 0, or of a rank below K, they stay.
pub(super) fn leading_directions(slopes: &ArrayRef2<f64>, directions: &mut Array2<f64>) {
    let ((k, n_noise), dim) = (directions.dim(), slopes.ncols());
    if k == 0 {
        return;
    }
    scratch::with(k * (dim + n_noise), |scratch| {
        let (image, next) = scratch.split_at_mut(k * dim);
        gemm(1.0, directions, slopes, 0.0, &mut matrix_mut(image, dim));
        gemm(1.0, &matrix(image, dim), &slopes.t(), 0.0, &mut matrix_mut(next, n_noise));
        if orthonormalise(next, n_noise) {
            directions.iter_mut().zip(&*next).for_each(|(d, n)| *d = *n);
        }
    });
}

/// Gram–Schmidt on rows of length `n`, twice over for orthogonality to rounding; false when they are dependent.
fn orthonormalise(rows: &mut [f64], n: usize) -> bool {
    for i in 0..rows.len() / n {
        let (before, rest) = rows.split_at_mut(i * n);
        let row = &mut rest[..n];
        let length = dot(row, row).sqrt();
        for other in before.chunks_exact(n).chain(before.chunks_exact(n)) {
            let along = dot(row, other);
            row.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
        }
        let left = dot(row, row).sqrt();
        // Also false for NaN.
        if !(left > 1e-8 * length && left.is_finite()) {
            return false;
        }
        row.iter_mut().for_each(|r| *r /= left);
    }
    true
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};
    use vi_core::StreamKey;
    use vi_families::fill_standard_normal;

    use super::*;

    /// Means and products of features over 40 000 draws, each within 6 standard errors of 0 or 1: 253 comparisons, false
    /// alarm probability below 1e-6 over all seeds but for the tails of fourth powers.
    #[test]
    fn features_are_orthonormal() {
        let features = Features { n_noise: 4, n_directions: 3 };
        let mut directions = array![[1.0, 2.0, 0.0, -1.0], [0.0, 1.0, 1.0, 0.5], [2.0, 0.0, -1.0, 1.0]];
        assert!(orthonormalise(directions.as_slice_mut().unwrap(), 4));
        let n = 40_000;
        let mut noise = Array2::zeros((n, 4));
        fill_standard_normal(&mut StreamKey::from_seed(3).rng(0), noise.as_slice_mut().unwrap());
        features.with(&directions, &noise, |phi| {
            for a in 0..features.len() {
                for b in 0..=a {
                    let products: Array1<f64> = &phi.column(a) * &phi.column(b);
                    let mean = products.mean().unwrap();
                    let sd = products.mapv(|p| (p - mean).powi(2)).mean().unwrap().sqrt();
                    let expected = f64::from(u8::from(a == b));
                    let bound = 6.0 * sd / (n as f64).sqrt() + 1e-12;
                    assert!((mean - expected).abs() < bound, "({a}, {b}): {mean}, not {expected}");
                }
            }
        });
    }

    #[test]
    fn directions_become_the_steepest() {
        // AᵀA = diag(9, 1, 0.25, 0) up to a rotation of the image.
        let slopes = array![[0.0, 3.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]];
        let mut directions = array![[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5]];
        for _ in 0..60 {
            leading_directions(&slopes, &mut directions);
        }
        let expected = array![[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]];
        for (d, e) in directions.iter().zip(&expected) {
            assert!((d.abs() - e).abs() < 1e-9, "{directions}");
        }
        let before = directions.clone();
        leading_directions(&Array2::zeros((4, 3)), &mut directions);
        assert_eq!(directions, before);
    }
}
