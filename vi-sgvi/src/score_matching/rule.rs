//! What a score-matching rule is: a batch of draws and scores in, a Gaussian out.

use std::fmt::Debug;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::linalg::LinalgError;

use crate::error::SgviError;

/// A Gaussian in the coordinates ε = L⁻¹(z − m) of the member from which a batch was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct WhitenedGaussian {
    /// δ (D): the new mean is m + Lδ.
    pub shift: Array1<f64>,
    /// S (D, D): the new covariance is LSLᵀ.
    pub covariance: Array2<f64>,
}

/// A closed-form update of q = N(m, LLᵀ) from draws and their scores.
///
/// All of it happens in the coordinates ε = L⁻¹(z − m), in which q is the standard Gaussian: the update does not depend on
/// the units of z, not even in its rounding errors, and a posterior with scales of 10⁴ beside 1 and correlations of 0.999 is
/// as good as any other.
pub trait MatchRule: Debug + Send + Sync {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    fn check(&self) -> Result<(), SgviError>;

    /// The Gaussian after iteration `t` (from 0), given the draws ε_b, rows of `noise` (B, D), and the scores in the same
    /// coordinates, h_b = Lᵀ ∇ log p(x, z_b), rows of `scores` (B, D).
    ///
    /// # Errors
    /// [`LinalgError`] when a factorisation fails.
    ///
    /// # Panics
    /// If the shapes differ.
    fn update(
        &self,
        t: u64,
        noise: &ArrayRef2<f64>,
        scores: &ArrayRef2<f64>,
    ) -> Result<WhitenedGaussian, LinalgError>;

    /// The rule in words, for tables and errors.
    fn name(&self) -> String;
}

/// Column means (D) and the centred rows divided by √B (B, D), whose Gram matrix is the covariance with 1/B.
pub(super) fn centred(rows: &ArrayRef2<f64>) -> (Array1<f64>, Array2<f64>) {
    let n = rows.nrows() as f64;
    let mean = rows.sum_axis(ndarray::Axis(0)) / n;
    let centred = (rows.to_owned() - &mean) / n.sqrt();
    (mean, centred)
}

/// a ← a + weight · x xᵀ.
pub(super) fn add_outer(a: &mut ArrayRef2<f64>, weight: f64, x: &ArrayRef1<f64>) {
    for (mut row, &xi) in a.rows_mut().into_iter().zip(x) {
        row.scaled_add(weight * xi, x);
    }
}
