//! Gaussian score matching.

use ndarray::{Array1, Array2, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::LinalgError;

use super::rule::{MatchRule, WhitenedGaussian, add_outer};
use crate::error::SgviError;

/// Gaussian score matching (GSM): for every draw the Gaussian nearest to q_t whose score there is that of the posterior, and
/// the average of those over the batch.
///
/// ```text
/// (m_b, Σ_b) = argmin KL(q_t ‖ q)  subject to  ∇ log q(z_b) = g_b,   g_b = ∇ log p(x, z_b),  z_b ~ q_t
/// m = (1/B) Σ_b m_b,   Σ = (1/B) Σ_b Σ_b
///
/// in whitened coordinates, ε the draw and h its score:
/// ρ(1 + ρ) = hᵀh + (εᵀh)²,   w = (h + ε εᵀh)/(1 + ρ),   δ_b = ε + w,   S_b = I + εεᵀ − wwᵀ
/// ```
/// S_b is positive definite with determinant (1 + ‖ε‖²)/(1 + ρ). There is nothing to tune. On a posterior that is not
/// Gaussian the iterates do not settle: each one follows its own batch, and a larger batch narrows their spread.
///
/// Cost per iteration: B gradients and O(D³ + D²B).
///
/// Source: Modi, Margossian, Yao, Gower, Blei & Saul 2023, algorithm 1, <https://arxiv.org/abs/2307.07849>; that it is batch
/// and match with one draw and λ → ∞: Cai et al. 2024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaussianScoreMatching;

impl MatchRule for GaussianScoreMatching {
    fn check(&self) -> Result<(), SgviError> {
        Ok(())
    }

    fn update(
        &self,
        _t: u64,
        noise: &ArrayRef2<f64>,
        scores: &ArrayRef2<f64>,
    ) -> Result<WhitenedGaussian, LinalgError> {
        let (n, d) = noise.dim();
        assert_eq!(scores.dim(), (n, d), "scores: shape is not that of the draws");
        let weight = 1.0 / n as f64;
        let (mut shift, mut covariance) = (Array1::zeros(d), Array2::eye(d));
        for (draw, score) in noise.rows().into_iter().zip(scores.rows()) {
            let along = draw.dot(&score);
            let square = score.dot(&score) + along * along;
            let rho = 0.5 * ((1.0 + 4.0 * square).sqrt() - 1.0);
            let mut w = score.to_owned();
            w.scaled_add(along, &draw);
            w /= 1.0 + rho;
            add_outer(&mut covariance, weight, &draw);
            add_outer(&mut covariance, -weight, &w);
            w += &draw;
            shift.scaled_add(weight, &w);
        }
        Ok(WhitenedGaussian { shift, covariance })
    }

    fn name(&self) -> String {
        "Gaussian score matching".to_owned()
    }
}
