//! Lower bounds on the log evidence from several samples at once.

use std::fmt;

use vi_core::ElboEstimate;

use crate::error::{SgviError, require};
use vi_core::scratch;

/// What an estimator ascends, and so what its reported value is an estimate of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Bound {
    /// The evidence lower bound.
    #[default]
    Elbo,
    /// A bound from several samples.
    Importance(ImportanceBound),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elbo => f.write_str("ELBO"),
            Self::Importance(bound) => bound.fmt(f),
        }
    }
}

/// A bound from K samples of q with weights w_k = p(x, z_k)/q(z_k).
///
/// ```text
/// L_{α,K} = E[ (1 − α)⁻¹ log (1/K) Σ_k w_k^{1−α} ] ≤ log p(x)          0 ≤ α
/// ```
/// α = 0 is the importance-weighted ELBO: it rises with K from the ELBO (K = 1) to log p(x). 0 < α < 1 is the Monte
/// Carlo form of the Rényi (VR) bound L_α = (1 − α)⁻¹ log E[w^{1−α}]: it rises with K from the ELBO to L_α, so that an
/// estimate of L_α from K samples is too low, biased towards the ELBO. For α > 1 it falls with K from the ELBO to L_α ≤
/// ELBO, biased towards the ELBO again; α = 1 is the ELBO for every K. What is ascended is always L_{α,K} itself, whose
/// gradient has no bias.
///
/// Source: Burda, Grosse & Salakhutdinov 2016, theorem 1, <https://arxiv.org/abs/1509.00519>; Li & Turner 2016, theorem 2,
/// <https://arxiv.org/abs/1602.02311>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportanceBound {
    alpha: f64,
    n_importance: usize,
}

impl ImportanceBound {
    /// The importance-weighted ELBO of K = `n_importance` samples.
    ///
    /// # Errors
    /// [`SgviError::Setting`] for K = 0.
    pub fn importance_weighted(n_importance: usize) -> Result<Self, SgviError> {
        Self::renyi(0.0, n_importance)
    }

    /// The Monte Carlo form of the Rényi bound of order α ≥ 0 from K = `n_importance` samples.
    ///
    /// # Errors
    /// [`SgviError::Setting`] for K = 0, and for α < 0, where L_α is no lower bound.
    pub fn renyi(alpha: f64, n_importance: usize) -> Result<Self, SgviError> {
        require(n_importance >= 1, "n_importance", n_importance as f64, "≥ 1")?;
        require(alpha >= 0.0, "alpha", alpha, "≥ 0")?;
        Ok(Self { alpha, n_importance })
    }

    /// α.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// K.
    pub fn n_importance(&self) -> usize {
        self.n_importance
    }

    /// The sample bound of K log weights, and its derivatives with respect to them, which overwrite `weights` (K).
    ///
    /// ```text
    /// L̂ = (1 − α)⁻¹ log (1/K) Σ_k w_k^{1−α}      ∂L̂/∂log w_k = w_k^{1−α}/Σ_j w_j^{1−α}
    /// ```
    pub(crate) fn of_group(&self, log_weights: &[f64], weights: &mut [f64]) -> f64 {
        let (n, power) = (log_weights.len() as f64, 1.0 - self.alpha);
        if power == 0.0 {
            weights.fill(1.0 / n);
            return log_weights.iter().sum::<f64>() / n;
        }
        let largest = log_weights.iter().map(|f| power * f).fold(f64::NEG_INFINITY, f64::max);
        for (w, f) in weights.iter_mut().zip(log_weights) {
            *w = (power * f - largest).exp();
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        (largest + (total / n).ln()) / power
    }

    /// Overwrites `out` (K) with L̂ when log weight k is replaced by a mean of the others.
    ///
    /// Sums over all but one are sums of those before and those after: nothing is subtracted.
    pub(crate) fn without_each(&self, log_weights: &[f64], mean: LeaveOneOutMean, out: &mut [f64]) {
        let (k, power) = (log_weights.len(), 1.0 - self.alpha);
        let n = k as f64;
        if power == 0.0 {
            // All of them the mean of the others.
            let total: f64 = log_weights.iter().sum();
            for (o, f) in out.iter_mut().zip(log_weights) {
                *o = (total - f) / (n - 1.0);
            }
            return;
        }
        let sum: f64 = log_weights.iter().sum();
        scratch::with(k + 1, |after| {
            after[k] = f64::NEG_INFINITY;
            for i in (0..k).rev() {
                after[i] = log_add_exp(after[i + 1], power * log_weights[i]);
            }
            let mut before = f64::NEG_INFINITY;
            for (i, f) in log_weights.iter().enumerate() {
                let others = log_add_exp(before, after[i + 1]);
                let replaced = match mean {
                    LeaveOneOutMean::Geometric => power * (sum - f) / (n - 1.0),
                    LeaveOneOutMean::Arithmetic => others - (n - 1.0).ln(),
                };
                out[i] = (log_add_exp(others, replaced) - n.ln()) / power;
                before = log_add_exp(before, power * f);
            }
        });
    }
}

impl fmt::Display for ImportanceBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alpha {
            0.0 => write!(f, "importance-weighted ELBO, K = {}", self.n_importance),
            alpha => write!(f, "Rényi bound, α = {alpha}, K = {}", self.n_importance),
        }
    }
}

/// What stands for a weight when the bound is formed without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeaveOneOutMean {
    /// exp of the mean log weight of the others.
    #[default]
    Geometric,
    /// The mean weight of the others, of order 1 − α: the bound of the K − 1 others.
    Arithmetic,
}

/// log(eᵃ + eᵇ).
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

/// Groups of K samples: the mean of their bounds, and a weight for every sample.
///
/// `weigh(log weights, L̂, weights)` is called for every group, with `weights` (K) at first ∂L̂/∂log w.
pub(crate) fn of_groups(
    bound: ImportanceBound,
    log_ratios: &[f64],
    group_values: &mut Vec<f64>,
    weights: &mut [f64],
    weigh: impl Fn(&[f64], f64, &mut [f64]),
) -> ElboEstimate {
    let k = bound.n_importance;
    group_values.clear();
    for (f, weights) in log_ratios.chunks_exact(k).zip(weights.chunks_exact_mut(k)) {
        let value = bound.of_group(f, weights);
        group_values.push(value);
        weigh(f, value, weights);
    }
    let of_groups = crate::workspace::estimate(&ndarray::aview1(group_values));
    ElboEstimate { n_samples: log_ratios.len(), ..of_groups }
}
