//! Learning rates that change with the number of steps done.

use serde::{Deserialize, Serialize};

use crate::error::{SgviError, require};

/// The learning rate ρ_t of step t = 0, 1, 2, ….
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LearningRate {
    /// ρ_t = ρ.
    Constant(f64),
    /// Polynomial decay.
    ///
    /// ```text
    /// ρ_t = initial · (1 + t / delay)^(−exponent)
    /// ```
    Polynomial {
        /// ρ_0.
        initial: f64,
        /// Steps after which the decay sets in.
        delay: f64,
        /// Its power, in [0, 1].
        exponent: f64,
    },
}

impl LearningRate {
    /// ρ_t.
    pub fn at(&self, t: u64) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Polynomial { initial, delay, exponent } => {
                initial * (1.0 + t as f64 / delay).powf(-exponent)
            }
        }
    }

    /// Whether Σ ρ_t = ∞ and Σ ρ_t² < ∞: stochastic gradients of bounded variance then lead to a stationary
    /// point, not only near one.
    ///
    /// Source: Robbins & Monro 1951, eq. 6 and 26.
    pub fn is_robbins_monro(&self) -> bool {
        matches!(self, Self::Polynomial { exponent, .. } if *exponent > 0.5 && *exponent <= 1.0)
    }

    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        let positive = |name, value| require(value > 0.0, name, value, "finite and > 0");
        match *self {
            Self::Constant(rate) => positive("learning_rate.constant", rate),
            Self::Polynomial { initial, delay, exponent } => {
                positive("learning_rate.polynomial.initial", initial)?;
                positive("learning_rate.polynomial.delay", delay)?;
                let holds = (0.0..=1.0).contains(&exponent);
                require(holds, "learning_rate.polynomial.exponent", exponent, "in [0, 1]")
            }
        }
    }
}
