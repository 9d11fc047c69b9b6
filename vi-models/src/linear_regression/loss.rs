//! The sum of squares of a regression as a quadratic form about a reference point.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::linalg;

use crate::regression::RegressionData;

/// ```text
/// w Σ (y_n − x_nᵀβ)² = residual − 2 gradientᵀδ + δᵀ gram δ,     δ = β − reference
/// ```
/// With the reference at a mode nothing cancels where the posterior mass is.
#[derive(Clone, Debug)]
pub(super) struct QuadraticLoss {
    /// w N.
    pub(super) n: f64,
    /// The reference point (D).
    pub(super) reference: Array1<f64>,
    residual: f64,
    /// w Xᵀ(y − X reference) (D).
    pub(super) gradient: Array1<f64>,
    /// w XᵀX (D, D).
    pub(super) gram: Array2<f64>,
}

impl QuadraticLoss {
    /// The loss of `data`, every term weighted by `weight`.
    pub(super) fn new(data: &RegressionData, reference: Array1<f64>, weight: f64) -> Self {
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
    pub(super) fn squares(&self, delta: &ArrayRef1<f64>, product: &ArrayRef1<f64>) -> f64 {
        let curvature: f64 =
            delta.iter().zip(product).zip(&self.gradient).map(|((d, p), g)| d * (p - 2.0 * g)).sum();
        self.residual + curvature
    }

    /// The loss at `coefficients`.
    pub(super) fn at(&self, coefficients: &ArrayRef1<f64>) -> f64 {
        let delta = coefficients - &*self.reference;
        self.squares(&delta, &self.gram.dot(&delta))
    }
}
