//! The beta-binomial distribution.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::counts::{MAX_MEAN, binomial, log_negative_binomial};
use crate::draw::log_gamma_variate;
use crate::error::FamilyError;
use crate::validate::{domain, positive};

const NAME: &str = "BetaBinomial";

/// The beta-binomial distribution of the number of successes in n trials whose probability is Beta(α, β).
///
/// ```text
/// p(k) = n! / (k! (n − k)!) · B(k + α, n − k + β) / B(α, β)      k ∈ {0, …, n}
/// ```
/// (Johnson, Kemp & Kotz 2005, section 6.2.2.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetaBinomial {
    n_trials: u64,
    alpha: f64,
    beta: f64,
}

impl BetaBinomial {
    /// The distribution of `n_trials` trials with a Beta(`alpha`, `beta`) probability.
    ///
    /// # Errors
    /// [`FamilyError`] unless n is between 1 and 10¹⁸ and the shapes finite and positive.
    pub fn from_alpha_beta(n_trials: u64, alpha: f64, beta: f64) -> Result<Self, FamilyError> {
        if n_trials == 0 || n_trials as f64 > MAX_MEAN {
            return Err(domain(NAME, "n_trials", n_trials as f64, "between 1 and 1e18"));
        }
        let (alpha, beta) = (positive(NAME, "alpha", alpha)?, positive(NAME, "beta", beta)?);
        positive(NAME, "alpha + beta", alpha + beta)?;
        Ok(Self { n_trials, alpha, beta })
    }

    /// The number n of trials.
    pub fn n_trials(&self) -> u64 {
        self.n_trials
    }

    /// The shape α at probability 0.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The shape β at probability 1.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// `E[k]` = n α / (α + β).
    pub fn mean(&self) -> f64 {
        self.n_trials as f64 * (self.alpha / (self.alpha + self.beta))
    }

    /// `Var[k]` = n α β (α + β + n) / ((α + β)² (α + β + 1)).
    pub fn variance(&self) -> f64 {
        let total = self.alpha + self.beta;
        self.mean() * (self.beta / total) * ((total + self.n_trials as f64) / (total + 1.0))
    }

    /// log p(k); −∞ for k > n.
    ///
    /// As the probability of two negative binomial counts over that of their sum, whose common probability of
    /// success cancels: it is chosen so that their mean is n, and nothing large is subtracted. The error is some
    /// 1e-15 beside the log, so that a log close to zero has fewer digits.
    pub fn log_prob(&self, k: u64) -> f64 {
        let Some(other) = self.n_trials.checked_sub(k) else {
            return f64::NEG_INFINITY;
        };
        let (n, total) = (self.n_trials as f64, self.alpha + self.beta);
        let (p, q) = (total / (total + n), n / (total + n));
        log_negative_binomial(k as f64, self.alpha, p, q)
            + log_negative_binomial(other as f64, self.beta, p, q)
            - log_negative_binomial(n, total, p, q)
    }

    /// One draw: a binomial count with Beta probability.
    pub fn sample(&self, rng: &mut StreamRng) -> u64 {
        let logit = log_gamma_variate(self.alpha, rng) - log_gamma_variate(self.beta, rng);
        binomial(self.n_trials, logit, rng)
    }
}

impl PredictiveDistribution for BetaBinomial {
    type Value = u64;
    fn log_predictive(&self, k: &u64) -> f64 {
        self.log_prob(*k)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> u64 {
        self.sample(rng)
    }
}
