//! Effects of groups about a common mean.
//!
//! ```text
//! θ_j | · ~ N((w_j y_j + μ/τ²)/p_j, 1/p_j),     p_j = w_j + 1/τ²,   w_j and y_j of the data of group j
//! μ   | · ~ N((m/s² + Σ_j θ_j/τ²)/p, 1/p),      p = 1/s² + J/τ²
//! ```

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gaussian};

/// Expected or realised statistics of θ and μ.
///
/// They are kept as mean and variance, which carry what E(x), E(x²) do without cancelling; a realised variance is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalEffectsStats {
    /// E\[θ_j\] (J).
    pub effect_mean: Array1<f64>,
    /// Var\[θ_j\] (J).
    pub effect_variance: Array1<f64>,
    /// E\[μ\].
    pub mu_mean: f64,
    /// Var\[μ\].
    pub mu_variance: f64,
}

impl NormalEffectsStats {
    /// These values, without variance.
    pub(crate) fn at(effects: Array1<f64>, mu: f64) -> Self {
        let effect_variance = Array1::zeros(effects.len());
        Self { effect_mean: effects, effect_variance, mu_mean: mu, mu_variance: 0.0 }
    }

    /// J.
    pub(crate) fn n(&self) -> f64 {
        self.effect_mean.len() as f64
    }

    /// E[Σ_j (θ_j − μ)²].
    pub(crate) fn squares(&self) -> f64 {
        let squares: f64 = self.effect_mean.iter().map(|t| (t - self.mu_mean).powi(2)).sum();
        squares + self.effect_variance.sum() + self.n() * self.mu_variance
    }

    /// q(θ_j) from w_j, y_j and E[1/τ²].
    pub(crate) fn effect_given(
        &self,
        weight: f64,
        value: f64,
        precision: f64,
    ) -> Result<Gaussian, FamilyError> {
        let total = weight + precision;
        Gaussian::from_mean_precision((weight * value + precision * self.mu_mean) / total, total)
    }

    /// q(μ) from m, s and E[1/τ²].
    pub(crate) fn mu_given(&self, (mean, sd): (f64, f64), precision: f64) -> Result<Gaussian, FamilyError> {
        let prior = sd.powi(-2);
        let total = prior + self.n() * precision;
        Gaussian::from_mean_precision((prior * mean + precision * self.effect_mean.sum()) / total, total)
    }

    pub(crate) fn expect_effects(&mut self, q: &[Gaussian]) {
        for (j, q) in q.iter().enumerate() {
            (self.effect_mean[j], self.effect_variance[j]) = (q.mean(), q.variance());
        }
    }

    /// θ_j from `key.rng(j)`.
    pub(crate) fn draw_effects(&mut self, q: &[Gaussian], key: StreamKey) {
        for (j, q) in q.iter().enumerate() {
            (self.effect_mean[j], self.effect_variance[j]) = (q.sample(&mut key.rng(j as u64)), 0.0);
        }
    }

    pub(crate) fn expect_mu(&mut self, q: &Gaussian) {
        (self.mu_mean, self.mu_variance) = (q.mean(), q.variance());
    }

    pub(crate) fn draw_mu(&mut self, q: &Gaussian, rng: &mut StreamRng) {
        (self.mu_mean, self.mu_variance) = (q.sample(rng), 0.0);
    }

    /// log q(θ) at realised statistics.
    pub(crate) fn effects_log_prob(&self, q: &[Gaussian]) -> f64 {
        q.iter().zip(&self.effect_mean).map(|(q, t)| q.log_prob(t)).sum()
    }
}
