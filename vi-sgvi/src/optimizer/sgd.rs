//! Plain stochastic-gradient ascent.

use ndarray::{ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

use super::{LearningRate, Optimizer};
use crate::error::SgviError;

/// Stochastic-gradient ascent.
///
/// ```text
/// λ ← λ + ρ_t ĝ
/// ```
/// Source: Robbins & Monro 1951.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// ρ_t; by default 0.01 · (1 + t/100)^(−0.7), which meets the conditions of Robbins and Monro.
    pub learning_rate: LearningRate,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: LearningRate::Polynomial { initial: 0.01, delay: 100.0, exponent: 0.7 } }
    }
}

/// What [`Sgd`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SgdState {
    n_steps: u64,
}

impl Optimizer for Sgd {
    type State = SgdState;

    fn validate(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()
    }

    fn init(&self, _n_params: usize) -> SgdState {
        SgdState { n_steps: 0 }
    }

    fn ascend(&self, state: &mut SgdState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let rate = self.learning_rate.at(state.n_steps);
        state.n_steps += 1;
        Zip::from(params).and(grad).for_each(|p, g| *p += rate * g);
    }
}
