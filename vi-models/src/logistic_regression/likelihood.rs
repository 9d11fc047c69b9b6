//! The logistic log likelihood of many samples: matrix products over tiles that stay in cache.

use ndarray::linalg::general_mat_vec_mul;
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut1, ArrayViewMut2, s};
use vi_core::{CHUNK, linalg, numerics};

use crate::scratch;

/// Data per tile: logits of CHUNK samples × TILE data fill 128 KiB.
const TILE: usize = 256;

/// From so many samples on the sums of softplus come straight from the registers of the product.
const MANY: usize = 16;

/// w Σ_n log p(y_n | β) over the rows of x.
#[derive(Clone, Debug)]
pub(super) struct Likelihood {
    /// (N, D).
    x: Array2<f64>,
    /// Xᵀy (D).
    xty: Array1<f64>,
    weight: f64,
}

impl Likelihood {
    pub(super) fn new(x: Array2<f64>, y: &ArrayRef1<f64>, weight: f64) -> Self {
        let xty = x.t().dot(y);
        Self { x, xty, weight }
    }

    /// Overwrites `out` with the log likelihood of every row of `z`, and `grad` with its gradients.
    ///
    /// ```text
    /// log p(y | β) = (Xᵀy)ᵀβ − Σ_n log(1 + exp(x_nᵀβ)),     ∇ = Xᵀy − Xᵀσ(Xβ)
    /// ```
    pub(super) fn evaluate(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<&mut ArrayRef2<f64>>,
    ) {
        for start in (0..z.nrows()).step_by(CHUNK) {
            let rows = start..(start + CHUNK).min(z.nrows());
            let z = z.slice(s![rows.clone(), ..]);
            let mut out = out.slice_mut(s![rows.clone()]);
            let mut grad = grad.as_deref_mut().map(|g| g.slice_mut(s![rows, ..]));
            if grad.is_none() && z.nrows() >= MANY {
                numerics::sum_softplus_products(&self.x, &z, &mut out);
            } else {
                self.sum_tiles(&z, &mut out, grad.as_mut());
            }
            for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
                *o = self.weight * (self.xty.dot(&row) - *o);
            }
            if let (Some(g), true) = (&mut grad, self.weight != 1.0) {
                *g *= self.weight;
            }
        }
    }

    /// Overwrites `out` with Σ log(1 + e^η), and `grad` with Xᵀy − Xᵀσ(η), tile by tile.
    fn sum_tiles(
        &self,
        z: &ArrayView2<'_, f64>,
        out: &mut ArrayViewMut1<'_, f64>,
        mut grad: Option<&mut ArrayViewMut2<'_, f64>>,
    ) {
        out.fill(0.0);
        for mut g in grad.iter_mut().flat_map(|g| g.rows_mut()) {
            g.assign(&self.xty);
        }
        for first in (0..self.x.nrows()).step_by(TILE) {
            let tile = self.x.slice(s![first..(first + TILE).min(self.x.nrows()), ..]);
            add_tile(&tile, z, out, grad.as_deref_mut());
        }
    }
}

/// Adds Σ log(1 + e^η) of a tile to `out`, and takes Xᵀσ(η) from `grad`.
fn add_tile(
    tile: &ArrayView2<'_, f64>,
    z: &ArrayView2<'_, f64>,
    out: &mut ArrayViewMut1<'_, f64>,
    grad: Option<&mut ArrayViewMut2<'_, f64>>,
) {
    let (n, m) = (z.nrows(), tile.nrows());
    scratch::with(2 * n * m, |buffer| {
        let (logits, probabilities) = buffer.split_at_mut(n * m);
        products(tile, z, logits);
        let rows = logits.chunks_exact(m).zip(out.iter_mut());
        let Some(grad) = grad else {
            return rows.for_each(|(row, o)| *o += numerics::sum_softplus(row));
        };
        // Both from one exponential.
        for ((row, o), probabilities) in rows.zip(probabilities.chunks_exact_mut(m)) {
            *o += numerics::sum_softplus_sigmoid(row, probabilities);
        }
        subtract_products(tile, probabilities, grad);
    });
}

/// logits (n, m) ← z tileᵀ.
fn products(tile: &ArrayView2<'_, f64>, z: &ArrayView2<'_, f64>, logits: &mut [f64]) {
    let (n, m) = (z.nrows(), tile.nrows());
    if n == 1 {
        // A single row is not worth the packing of a matrix product.
        let mut eta = ArrayViewMut1::from(logits);
        return general_mat_vec_mul(1.0, tile, &z.row(0), 0.0, &mut eta);
    }
    let mut eta = ArrayViewMut2::from_shape((n, m), logits).expect("n × m values");
    linalg::gemm(1.0, z, &tile.t(), 0.0, &mut eta);
}

/// grad (n, D) ← grad − p tile, with p (n, m).
fn subtract_products(tile: &ArrayView2<'_, f64>, p: &[f64], grad: &mut ArrayViewMut2<'_, f64>) {
    let (n, m) = (grad.nrows(), tile.nrows());
    if n == 1 {
        let mut grad = grad.row_mut(0);
        return tile.rows().into_iter().zip(p).for_each(|(x, p)| grad.scaled_add(-p, &x));
    }
    let p = ArrayView2::from_shape((n, m), p).expect("n × m values");
    linalg::gemm(-1.0, &p, tile, 1.0, grad);
}
