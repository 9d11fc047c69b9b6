//! How far a step goes.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};

use crate::error::CaviError;
use crate::settings::require;

/// The rate ρ_t of step t = 1, 2, …, 0 ≤ ρ_t ≤ 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LearningRate {
    /// ρ_t = (τ₀ + t)^−κ: converges for ½ < κ ≤ 1 (Robbins & Monro 1951; Hoffman et al. 2013, eq. 26).
    RobbinsMonro {
        /// τ₀ ≥ 0: keeps early steps small; 1 by default.
        #[serde(default = "default_delay")]
        delay: f64,
        /// κ in (½, 1]: how fast old batches are forgotten; 0.7 by default.
        #[serde(default = "default_forgetting")]
        forgetting: f64,
    },
    /// The rate that minimises the expected error of the next λ̂, estimated from the steps themselves, for every global
    /// block on its own.
    ///
    /// ```text
    /// ρ_t = ḡᵀḡ / h̄,   ḡ ≈ E[g],   h̄ ≈ E[gᵀg],   g = λ̂ − λ
    /// ḡ ← (1 − 1/τ) ḡ + g/τ,   h̄ ← (1 − 1/τ) h̄ + gᵀg/τ,   τ ← τ (1 − ρ_t) + 1
    /// ```
    /// The first `n_initial` steps move nothing: they estimate ḡ and h̄ at the start.
    ///
    /// Source: Ranganath, Wang, Blei & Xing, "An adaptive learning rate for stochastic variational inference", ICML 2013,
    /// eq. 15–18.
    Adaptive {
        /// Batches at the start, at least 1; 10 by default.
        #[serde(default = "default_n_initial")]
        n_initial: u32,
    },
    /// ρ_t = ρ: does not converge but to a neighbourhood, unless the batch is all data.
    Constant {
        /// ρ in (0, 1].
        rate: f64,
    },
}

impl Default for LearningRate {
    /// τ₀ = 1, κ = 0.7.
    fn default() -> Self {
        Self::RobbinsMonro { delay: default_delay(), forgetting: default_forgetting() }
    }
}

fn default_delay() -> f64 {
    1.0
}

fn default_forgetting() -> f64 {
    0.7
}

fn default_n_initial() -> u32 {
    10
}

/// What a block remembers for an adaptive rate; empty for the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateMemory {
    /// ḡ (P_b).
    mean: Array1<f64>,
    /// h̄.
    square: f64,
    /// τ.
    window: f64,
}

impl LearningRate {
    pub(crate) fn validate(&self) -> Result<(), CaviError> {
        match *self {
            Self::RobbinsMonro { delay, forgetting } => {
                require(delay >= 0.0 && delay.is_finite(), "rate.delay", delay, "finite and ≥ 0")?;
                let forgets = forgetting > 0.5 && forgetting <= 1.0;
                require(forgets, "rate.forgetting", forgetting, "above ½ and at most 1")
            }
            Self::Adaptive { n_initial } => {
                require(n_initial > 0, "rate.n_initial", f64::from(n_initial), "at least 1")
            }
            Self::Constant { rate } => {
                require(rate > 0.0 && rate <= 1.0, "rate.rate", rate, "above 0 and at most 1")
            }
        }
    }

    /// ρ for step `t` (from 1), whose estimate of the natural gradient of a block is `gradient`.
    pub(crate) fn rate(&self, t: u64, gradient: &ArrayRef1<f64>, memory: &mut RateMemory) -> f64 {
        match *self {
            Self::RobbinsMonro { delay, forgetting } => (delay + t as f64).powf(-forgetting),
            Self::Constant { rate } => rate,
            Self::Adaptive { n_initial } => memory.adapt(t, u64::from(n_initial), gradient),
        }
    }
}

impl RateMemory {
    fn adapt(&mut self, t: u64, n_initial: u64, gradient: &ArrayRef1<f64>) -> f64 {
        if self.mean.is_empty() {
            self.mean = Array1::zeros(gradient.len());
        }
        let initial = t <= n_initial;
        if initial {
            self.window = t as f64;
        }
        let weight = 1.0 / self.window;
        self.mean.zip_mut_with(gradient, |m, g| *m += weight * (g - *m));
        self.square += weight * (gradient.dot(gradient) - self.square);
        if initial {
            return 0.0;
        }
        // ‖ḡ‖² ≤ h̄ because both are the same weighted mean; rounding may say otherwise. At rest both are 0.
        let rate = if self.square > 0.0 { (self.mean.dot(&self.mean) / self.square).min(1.0) } else { 1.0 };
        self.window = self.window * (1.0 - rate) + 1.0;
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn without_noise_the_adaptive_rate_is_one() {
        let (rate, mut memory) = (LearningRate::Adaptive { n_initial: 3 }, RateMemory::default());
        let g = array![2.0, -1.0];
        for t in 1..=3 {
            assert_eq!(rate.rate(t, &g, &mut memory), 0.0);
        }
        let rho = rate.rate(4, &g, &mut memory);
        assert!((rho - 1.0).abs() < 1e-15, "{rho}");
    }

    #[test]
    fn gradients_that_cancel_make_the_adaptive_rate_small() {
        let (rate, mut memory) = (LearningRate::Adaptive { n_initial: 10 }, RateMemory::default());
        let mut rates = Vec::new();
        for t in 1..=40 {
            let sign = if t % 2 == 0 { 1.0 } else { -1.0 };
            rates.push(rate.rate(t, &array![3.0 * sign], &mut memory));
        }
        // ḡ of ±3 by turns is ±3/t: its square over 9 is 1/t².
        assert!(rates[10..].iter().all(|r| *r < 0.02), "{rates:?}");
    }

    #[test]
    fn robbins_monro_rates_are_those_of_the_formula() {
        let rate = LearningRate::RobbinsMonro { delay: 1.0, forgetting: 0.5000001 };
        let rho = rate.rate(3, &array![0.0], &mut RateMemory::default());
        assert!((rho - 0.5).abs() < 1e-6);
        assert!(rate.validate().is_ok());
        let wrong = LearningRate::RobbinsMonro { delay: 1.0, forgetting: 0.5 }.validate().unwrap_err();
        assert_eq!(wrong.to_string(), "rate.forgetting = 0.5, but it must be above ½ and at most 1");
    }
}
