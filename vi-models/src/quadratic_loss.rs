//! The sum of squares of a regression as a quadratic form about a reference point.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayViewMut2, s};
use vi_core::{CHUNK, linalg};

use crate::regression::RegressionData;
use crate::scratch;

/// ```text
/// w Σ (y_n − x_nᵀβ)² = residual − 2 gradientᵀδ + δᵀ gram δ,     δ = β − reference
/// ```
/// With the reference at a mode nothing cancels where the posterior mass is.
#[derive(Clone, Debug)]
pub(crate) struct QuadraticLoss {
    /// w N.
    pub(crate) n: f64,
    /// The reference point (D).
    pub(crate) reference: Array1<f64>,
    residual: f64,
    /// w Xᵀ(y − X reference) (D).
    pub(crate) gradient: Array1<f64>,
    /// w XᵀX (D, D).
    pub(crate) gram: Array2<f64>,
}

impl QuadraticLoss {
    /// The loss of `data`, every term weighted by `weight`.
    pub(crate) fn new(data: &RegressionData, reference: Array1<f64>, weight: f64) -> Self {
        let (x, d) = (data.x(), data.n_columns());
        let errors = data.y() - &data.linear_predictor(&reference);
        let mut gram = Array2::zeros((d, d));
        linalg::symmetric_rank_update(weight, &x.t(), 0.0, &mut gram);
        Self {
            n: weight * data.n_points() as f64,
            residual: weight * errors.dot(&errors),
            gradient: weight * x.t().dot(&errors),
            reference,
            gram,
        }
    }

    /// The loss from δ and gram δ.
    pub(crate) fn squares(&self, delta: &ArrayRef1<f64>, product: &ArrayRef1<f64>) -> f64 {
        let curvature: f64 =
            delta.iter().zip(product).zip(&self.gradient).map(|((d, p), g)| d * (p - 2.0 * g)).sum();
        self.residual + curvature
    }

    /// The loss at `coefficients`.
    pub(crate) fn at(&self, coefficients: &ArrayRef1<f64>) -> f64 {
        let delta = coefficients - &*self.reference;
        self.squares(&delta, &self.gram.dot(&delta))
    }
    /// Calls `each` with the index of every row of `z` (S, ≥ D), the loss at its first D values, and gram δ (D):
    /// one matrix product per [`CHUNK`] rows.
    pub(crate) fn for_each_row(&self, z: &ArrayRef2<f64>, mut each: impl FnMut(usize, f64, &ArrayRef1<f64>)) {
        let d = self.reference.len();
        for start in (0..z.nrows()).step_by(CHUNK) {
            let rows = start..(start + CHUNK).min(z.nrows());
            let n = rows.len();
            scratch::with(2 * n * d, |buffer| {
                let (delta, product) = buffer.split_at_mut(n * d);
                let mut delta = ArrayViewMut2::from_shape((n, d), delta).expect("n × d values");
                let mut product = ArrayViewMut2::from_shape((n, d), product).expect("n × d values");
                delta.assign(&z.slice(s![rows.clone(), ..d]));
                delta -= &self.reference;
                linalg::gemm(1.0, &delta, &self.gram, 0.0, &mut product);
                for (i, row) in rows.enumerate() {
                    let product = product.row(i);
                    each(row, self.squares(&delta.row(i), &product), &product);
                }
            });
        }
    }
}
