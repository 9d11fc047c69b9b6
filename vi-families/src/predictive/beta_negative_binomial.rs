//! The beta negative binomial distribution.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::counts::{log_negative_binomial, negative_binomial};
use crate::draw::log_gamma_variate;
use crate::error::FamilyError;
use crate::validate::{domain, positive};

const NAME: &str = "BetaNegativeBinomial";

/// The beta negative binomial distribution of the number of failures before success number r, when the
/// probability of success is Beta(α, β); beta-geometric at r = 1.
///
/// ```text
/// p(k) = Γ(k + r) / (k! Γ(r)) · B(α + r, β + k) / B(α, β)      k ∈ {0, 1, …}
/// ```
/// (Johnson, Kemp & Kotz 2005, section 6.2.3.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetaNegativeBinomial {
    n_successes: f64,
    alpha: f64,
    beta: f64,
}

impl BetaNegativeBinomial {
    /// The distribution for `n_successes` successes with a Beta(`alpha`, `beta`) probability.
    ///
    /// # Errors
    /// [`FamilyError`] unless all are positive and at most 10³⁰⁰.
    pub fn from_alpha_beta(n_successes: f64, alpha: f64, beta: f64) -> Result<Self, FamilyError> {
        for (name, value) in [("n_successes", n_successes), ("alpha", alpha), ("beta", beta)] {
            if positive(NAME, name, value)? > 1e300 {
                return Err(domain(NAME, name, value, "> 0 and ≤ 1e300"));
            }
        }
        Ok(Self { n_successes, alpha, beta })
    }

    /// The number r of successes.
    pub fn n_successes(&self) -> f64 {
        self.n_successes
    }

    /// The shape α at probability of success 0.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The shape β at probability of success 1.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// `E[k]` = r β / (α − 1); +∞ for α ≤ 1.
    pub fn mean(&self) -> f64 {
        if self.alpha <= 1.0 { f64::INFINITY } else { self.n_successes * (self.beta / (self.alpha - 1.0)) }
    }

    /// `Var[k]` = r β (α + r − 1) (α + β − 1) / ((α − 2) (α − 1)²); +∞ for α ≤ 2.
    pub fn variance(&self) -> f64 {
        if self.alpha <= 2.0 {
            return f64::INFINITY;
        }
        let below = self.alpha - 1.0;
        self.mean() * ((below + self.n_successes) / below) * ((below + self.beta) / (self.alpha - 2.0))
    }

    /// log p(k).
    ///
    /// As r/(k + r) times a beta-binomial probability of r successes in k + r trials, which needs no whole
    /// numbers; see [`BetaBinomial::log_prob`](crate::BetaBinomial::log_prob) for its form.
    pub fn log_prob(&self, k: u64) -> f64 {
        let (k, r, total) = (k as f64, self.n_successes, self.alpha + self.beta);
        let n = k + r;
        let (p, q) = (total / (total + n), n / (total + n));
        (r / n).ln() + log_negative_binomial(r, self.alpha, p, q) + log_negative_binomial(k, self.beta, p, q)
            - log_negative_binomial(n, total, p, q)
    }

    /// One draw: a negative binomial count with Beta probability. Counts above 2⁶⁴ − 1, which heavy tails can
    /// make, saturate there.
    pub fn sample(&self, rng: &mut StreamRng) -> u64 {
        let logit = log_gamma_variate(self.alpha, rng) - log_gamma_variate(self.beta, rng);
        negative_binomial(self.n_successes, logit, rng)
    }
}

impl PredictiveDistribution for BetaNegativeBinomial {
    type Value = u64;
    fn log_predictive(&self, k: &u64) -> f64 {
        self.log_prob(*k)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> u64 {
        self.sample(rng)
    }
}
