//! Steps scaled by all gradients so far.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

use super::{LearningRate, Optimizer};
use crate::error::{SgviError, require};

/// AdaGrad ascent, with a diagonal matrix.
///
/// ```text
/// G ← G + ĝ²
/// λ ← λ + ρ_t ĝ / (√G + ε)
/// ```
/// Steps shrink as 1/√t by themselves: a constant ρ is usual. A first gradient that is far larger than those to come
/// holds them back for good.
///
/// Source: Duchi, Hazan & Singer 2011, figure 1 (composite mirror descent without a regulariser).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// ρ_t; by default constant 0.5.
    pub learning_rate: LearningRate,
    /// ε; by default 1e-8.
    pub epsilon: f64,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self { learning_rate: LearningRate::Constant(0.5), epsilon: 1e-8 }
    }
}

/// What [`AdaGrad`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaGradState {
    n_steps: u64,
    sum_of_squares: Array1<f64>,
}

impl Optimizer for AdaGrad {
    type State = AdaGradState;

    fn validate(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()?;
        require(self.epsilon > 0.0, "ada_grad.epsilon", self.epsilon, "finite and > 0")
    }

    fn init(&self, n_params: usize) -> AdaGradState {
        AdaGradState { n_steps: 0, sum_of_squares: Array1::zeros(n_params) }
    }

    fn ascend(&self, state: &mut AdaGradState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let rate = self.learning_rate.at(state.n_steps);
        state.n_steps += 1;
        Zip::from(params).and(grad).and(&mut state.sum_of_squares).for_each(|p, &g, sum| {
            *sum += g * g;
            *p += rate * g / (sum.sqrt() + self.epsilon);
        });
    }
}
