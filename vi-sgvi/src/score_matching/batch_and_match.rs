//! Batch and match.

use ndarray::{Array2, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, LinalgError, SymmetricEigen, gemm, symmetric_rank_update};

use super::rule::{MatchRule, WhitenedGaussian, add_outer, centred};
use crate::error::SgviError;
use crate::optimizer::LearningRate;

/// Batch and match (BaM): minimises a score-based divergence, estimated from the batch, plus a penalty for leaving q_t.
///
/// ```text
/// q_{t+1} = argmin_q  (1/B) Σ_b ‖∇ log q(z_b) − ∇ log p(x, z_b)‖²_Cov(q) + (2/λ_t) KL(q_t ‖ q),   z_b ~ q_t
///
/// with the batch means z̄, ḡ and covariances C, Γ (1/B) of draws and scores, a = λ/(1 + λ):
/// U = λΓ + a ḡḡᵀ,   V = Σ_t + λC + a (m_t − z̄)(m_t − z̄)ᵀ
/// ΣUΣ + Σ = V,      m = m_t/(1 + λ) + a (Σḡ + z̄)
/// ```
/// The matrix equation is solved in symmetric form. In whitened coordinates, with V = RRᵀ (V ≥ I) and M = RᵀUR,
///
/// ```text
/// S = R Y Rᵀ,   Y = 2 (I + (I + 4M)^½)⁻¹
/// ```
/// and where the batch is smaller than the dimension, U = XXᵀ of rank at most B + 1 and XᵀVX = W diag(μ) Wᵀ,
///
/// ```text
/// S = V − VXW diag(y²) (VXW)ᵀ,   y = 2/(1 + (1 + 4μ)^½)
/// ```
/// S is positive definite whatever the scores are. λ_t = B D ρ_t, ρ_t the [`LearningRate`]: the default 1/(t + 1) is the
/// schedule of the paper for posteriors that are not Gaussian, [`BatchAndMatch::gaussian`] the constant one for Gaussian ones.
///
/// Cost per iteration: B gradients and O(D³ + D²B), without the eigenvalues of a D × D matrix when B + 1 < D.
///
/// At its fixed point `E_q[∇ log p] = 0` and `E_q[∇ log p ∇ log pᵀ] = Σ⁻¹`. For a Gaussian posterior that is the posterior;
/// for another it is *not* the maximiser of the ELBO.
///
/// Source: Cai, Modi, Pillaud-Vivien, Margossian, Gower, Blei & Saul 2024, algorithm 1, <https://arxiv.org/abs/2402.14758>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchAndMatch {
    /// ρ_t = λ_t/(B D); by default 1/(t + 1).
    pub learning_rate: LearningRate,
}

impl Default for BatchAndMatch {
    fn default() -> Self {
        Self { learning_rate: LearningRate::Polynomial { initial: 1.0, delay: 1.0, exponent: 1.0 } }
    }
}

impl BatchAndMatch {
    /// λ_t = B D, which does not fall: for posteriors that are Gaussian, or nearly so.
    pub fn gaussian() -> Self {
        Self { learning_rate: LearningRate::Constant(1.0) }
    }

    /// λ_t of a batch of B draws in D dimensions.
    pub fn regularisation(&self, t: u64, n_batch: usize, dim: usize) -> f64 {
        (n_batch * dim) as f64 * self.learning_rate.at(t)
    }
}

impl MatchRule for BatchAndMatch {
    fn check(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()
    }

    fn update(
        &self,
        t: u64,
        noise: &ArrayRef2<f64>,
        scores: &ArrayRef2<f64>,
    ) -> Result<WhitenedGaussian, LinalgError> {
        let (n, d) = noise.dim();
        assert_eq!(scores.dim(), (n, d), "scores: shape is not that of the draws");
        let lambda = self.regularisation(t, n, d);
        let a = lambda / (1.0 + lambda);
        let (noise_mean, noise) = centred(noise);
        let (score_mean, scores) = centred(scores);

        let mut v = Array2::eye(d);
        symmetric_rank_update(lambda, &noise.t(), 1.0, &mut v);
        add_outer(&mut v, a, &noise_mean);
        // Rows of X: U = XᵀX.
        let mut x = Array2::zeros((n + 1, d));
        x.slice_mut(s![..n, ..]).assign(&(scores * lambda.sqrt()));
        x.row_mut(n).assign(&(&score_mean * a.sqrt()));

        let covariance = if n + 1 < d { solve_low_rank(v, &x)? } else { solve(&v, &x)? };
        let shift = (covariance.dot(&score_mean) + noise_mean) * a;
        Ok(WhitenedGaussian { shift, covariance })
    }

    fn name(&self) -> String {
        "batch and match".to_owned()
    }
}

/// y(μ) = 2/(1 + (1 + 4μ)^½); rounding may leave a μ of zero slightly negative.
fn shrinkage(mu: f64) -> f64 {
    2.0 / (1.0 + (1.0 + 4.0 * mu.max(0.0)).sqrt())
}

/// The positive definite solution of S XᵀX S + S = V by an eigenvalue problem of order D.
fn solve(v: &Array2<f64>, x: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let d = v.nrows();
    let r = Cholesky::factor(v)?;
    let mut xr = Array2::zeros(x.dim());
    gemm(1.0, x, r.l(), 0.0, &mut xr);
    let mut m = Array2::zeros((d, d));
    symmetric_rank_update(1.0, &xr.t(), 0.0, &mut m);
    let eigen = SymmetricEigen::factor(&m)?;
    let scaled = eigen.vectors() * &eigen.values().mapv(|mu| shrinkage(mu).sqrt());
    let mut root = Array2::zeros((d, d));
    gemm(1.0, r.l(), &scaled, 0.0, &mut root);
    let mut s = m;
    symmetric_rank_update(1.0, &root, 0.0, &mut s);
    Ok(s)
}

/// The same by one of the order of X's rows, which are fewer than D.
fn solve_low_rank(v: Array2<f64>, x: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let k = x.nrows();
    let mut vx = Array2::zeros((v.nrows(), k));
    gemm(1.0, &v, &x.t(), 0.0, &mut vx);
    let mut small = Array2::zeros((k, k));
    gemm(1.0, x, &vx, 0.0, &mut small);
    let eigen = SymmetricEigen::factor(&small)?;
    let scaled = eigen.vectors() * &eigen.values().mapv(shrinkage);
    let mut root = Array2::zeros(vx.dim());
    gemm(1.0, &vx, &scaled, 0.0, &mut root);
    let mut s = v;
    symmetric_rank_update(-1.0, &root, 1.0, &mut s);
    Ok(s)
}
