//! Steps scaled by a running root mean square of the gradient.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

use super::{LearningRate, Optimizer};
use crate::error::{SgviError, require};

/// RMSProp ascent.
///
/// ```text
/// v ← decay·v + (1 − decay)·ĝ²
/// λ ← λ + ρ_t ĝ / (√v + ε)
/// ```
/// Source: Tieleman & Hinton 2012, lecture 6.5.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// ρ_t; by default 0.01 · (1 + t/1000)^(−0.5).
    pub learning_rate: LearningRate,
    /// Weight of the past in v; by default 0.9.
    pub decay: f64,
    /// ε; by default 1e-8.
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        let learning_rate = LearningRate::Polynomial { initial: 0.01, delay: 1000.0, exponent: 0.5 };
        Self { learning_rate, decay: 0.9, epsilon: 1e-8 }
    }
}

/// What [`RmsProp`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsPropState {
    n_steps: u64,
    mean_square: Array1<f64>,
}

impl Optimizer for RmsProp {
    type State = RmsPropState;

    fn validate(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()?;
        require((0.0..1.0).contains(&self.decay), "rms_prop.decay", self.decay, "in [0, 1)")?;
        require(self.epsilon > 0.0, "rms_prop.epsilon", self.epsilon, "finite and > 0")
    }

    fn init(&self, n_params: usize) -> RmsPropState {
        RmsPropState { n_steps: 0, mean_square: Array1::zeros(n_params) }
    }

    fn ascend(&self, state: &mut RmsPropState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let rate = self.learning_rate.at(state.n_steps);
        state.n_steps += 1;
        Zip::from(params).and(grad).and(&mut state.mean_square).for_each(|p, &g, v| {
            *v = self.decay * *v + (1.0 - self.decay) * g * g;
            *p += rate * g / (v.sqrt() + self.epsilon);
        });
    }
}
