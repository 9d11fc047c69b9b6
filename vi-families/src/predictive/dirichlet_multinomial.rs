//! The Dirichlet-multinomial distribution.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::counts::{are_counts, log_negative_binomial, multinomial};
use crate::distributions::Dirichlet;
use crate::draw::log_gamma_variate;
use crate::error::FamilyError;
use crate::validate::domain;

const NAME: &str = "DirichletMultinomial";

/// The distribution of the counts of K categories in n trials whose probabilities are Dirichlet(α).
///
/// ```text
/// p(z) = n! Γ(Σα) / Γ(n + Σα) · Π Γ(z_k + α_k) / (z_k! Γ(α_k))      z_k ∈ {0, 1, …}, Σ z = n
/// ```
/// Counts are `f64`, whole. (Mosimann 1962; Johnson, Kotz & Balakrishnan 1997, section 35.13.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirichletMultinomial {
    n_trials: u64,
    prior: Dirichlet,
}

impl DirichletMultinomial {
    /// The distribution of `n_trials` trials with Dirichlet probabilities of this concentration α (K ≥ 2).
    ///
    /// # Errors
    /// [`FamilyError`] unless n is between 1 and 2⁵³ and all concentrations finite and positive.
    pub fn from_concentration(n_trials: u64, concentration: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        if n_trials == 0 || n_trials > 1 << 53 {
            return Err(domain(NAME, "n_trials", n_trials as f64, "between 1 and 2⁵³"));
        }
        Ok(Self { n_trials, prior: Dirichlet::from_concentration(concentration)? })
    }

    /// The number n of trials.
    pub fn n_trials(&self) -> u64 {
        self.n_trials
    }

    /// α (K).
    pub fn concentration(&self) -> &Array1<f64> {
        self.prior.concentration()
    }

    /// `E[z]` = n α / Σα (K).
    pub fn mean(&self) -> Array1<f64> {
        self.concentration() / self.prior.total_concentration() * self.n_trials as f64
    }

    /// `Var[z_k]` = n π_k (1 − π_k) (n + Σα) / (1 + Σα) with π = α / Σα (K).
    pub fn variance(&self) -> Array1<f64> {
        let (n, total) = (self.n_trials as f64, self.prior.total_concentration());
        let share = self.concentration() / total;
        share.mapv(|p| n * p * (1.0 - p) * ((n + total) / (1.0 + total)))
    }

    /// log p(z); −∞ unless z is K whole numbers ≥ 0 with sum n.
    ///
    /// As the probability of independent negative binomial counts over that of their sum; see
    /// [`BetaBinomial::log_prob`](crate::BetaBinomial::log_prob).
    pub fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        if z.len() != self.concentration().len() || !are_counts(self.n_trials, z) {
            return f64::NEG_INFINITY;
        }
        let (n, total) = (self.n_trials as f64, self.prior.total_concentration());
        let (p, q) = (total / (total + n), n / (total + n));
        let terms = z.iter().zip(self.concentration());
        terms.map(|(k, a)| log_negative_binomial(*k, *a, p, q)).sum::<f64>()
            - log_negative_binomial(n, total, p, q)
    }

    /// One draw: multinomial counts with Dirichlet probabilities.
    pub fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let logs = self.concentration().mapv(|a| log_gamma_variate(a, rng));
        multinomial(self.n_trials, &logs, rng)
    }
}

impl PredictiveDistribution for DirichletMultinomial {
    type Value = ArrayRef1<f64>;
    fn log_predictive(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_prob(z)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> Array1<f64> {
        self.sample(rng)
    }
}
