//! Stochastic-gradient ascent with momentum.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

use super::{LearningRate, Optimizer};
use crate::error::{SgviError, require};

/// Stochastic-gradient ascent with momentum.
///
/// ```text
/// v ← μ v + ρ_t ĝ
/// λ ← λ + v                 or, with Nesterov's form,  λ ← λ + μ v + ρ_t ĝ
/// ```
/// A step of constant length grows by up to 1/(1 − μ). Nesterov's form is written in the point at which the gradient is
/// taken: λ is what his method calls the point looked ahead to.
///
/// Sources: Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, eq. 1–4; the form in the point looked ahead to: Bengio,
/// Boulanger-Lewandowski & Pascanu 2013, eq. 6–7, <https://arxiv.org/abs/1212.0901>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// ρ_t; by default 0.001 · (1 + t/100)^(−0.7), which meets the conditions of Robbins and Monro.
    pub learning_rate: LearningRate,
    /// μ; by default 0.9.
    pub momentum: f64,
    /// Nesterov's form; by default not.
    pub nesterov: bool,
}

impl Default for Momentum {
    fn default() -> Self {
        let learning_rate = LearningRate::Polynomial { initial: 0.001, delay: 100.0, exponent: 0.7 };
        Self { learning_rate, momentum: 0.9, nesterov: false }
    }
}

/// What [`Momentum`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MomentumState {
    n_steps: u64,
    velocity: Array1<f64>,
}

impl Optimizer for Momentum {
    type State = MomentumState;

    fn validate(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()?;
        require((0.0..1.0).contains(&self.momentum), "momentum.momentum", self.momentum, "in [0, 1)")
    }

    fn init(&self, n_params: usize) -> MomentumState {
        MomentumState { n_steps: 0, velocity: Array1::zeros(n_params) }
    }

    fn ascend(&self, state: &mut MomentumState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let rate = self.learning_rate.at(state.n_steps);
        state.n_steps += 1;
        Zip::from(params).and(grad).and(&mut state.velocity).for_each(|p, &g, v| {
            *v = self.momentum * *v + rate * g;
            *p += if self.nesterov { self.momentum * *v + rate * g } else { *v };
        });
    }
}
