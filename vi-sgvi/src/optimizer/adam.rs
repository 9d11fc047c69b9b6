//! Adaptive moment estimation.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};
use vi_core::numerics::{Vectorised, vectorised};

use super::{LearningRate, Optimizer};
use crate::error::{SgviError, require};

/// Adam ascent.
///
/// ```text
/// m ← β₁ m + (1 − β₁) ĝ,     m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) ĝ²,    v̂ = v / (1 − β₂ᵗ)
/// λ ← λ + ρ_t m̂ / (√v̂ + ε)
/// ```
/// Source: Kingma & Ba 2015, algorithm 1, <https://arxiv.org/abs/1412.6980>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// ρ_t; by default 0.1 · (1 + t/100)^(−0.7).
    pub learning_rate: LearningRate,
    /// β₁; by default 0.9.
    pub beta1: f64,
    /// β₂; by default 0.999.
    pub beta2: f64,
    /// ε; by default 1e-8.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        let learning_rate = LearningRate::Polynomial { initial: 0.1, delay: 100.0, exponent: 0.7 };
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// What [`Adam`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamState {
    n_steps: u64,
    first_moment: Array1<f64>,
    second_moment: Array1<f64>,
}

impl Optimizer for Adam {
    type State = AdamState;

    fn validate(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()?;
        require((0.0..1.0).contains(&self.beta1), "adam.beta1", self.beta1, "in [0, 1)")?;
        require((0.0..1.0).contains(&self.beta2), "adam.beta2", self.beta2, "in [0, 1)")?;
        require(self.epsilon > 0.0, "adam.epsilon", self.epsilon, "finite and > 0")
    }

    fn init(&self, n_params: usize) -> AdamState {
        AdamState {
            n_steps: 0,
            first_moment: Array1::zeros(n_params),
            second_moment: Array1::zeros(n_params),
        }
    }

    fn ascend(&self, state: &mut AdamState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let rate = self.learning_rate.at(state.n_steps);
        state.n_steps += 1;
        let t = state.n_steps as f64;
        let (correct1, correct2) = (1.0 - self.beta1.powf(t), 1.0 - self.beta2.powf(t));
        let AdamState { first_moment, second_moment, .. } = state;
        let factors = Factors { adam: *self, rate, correct1, correct2 };
        if let (Some(params), Some(grad), Some(m), Some(v)) = (
            params.as_slice_mut(),
            grad.as_slice(),
            first_moment.as_slice_mut(),
            second_moment.as_slice_mut(),
        ) {
            return vectorised(Ascent { factors, params, grad, m, v });
        }
        Zip::from(params)
            .and(grad)
            .and(first_moment)
            .and(second_moment)
            .for_each(|p, &g, m, v| factors.apply(p, g, m, v));
    }
}

/// What is the same for all elements of λ.
#[derive(Clone, Copy)]
struct Factors {
    adam: Adam,
    rate: f64,
    correct1: f64,
    correct2: f64,
}

impl Factors {
    #[inline(always)]
    fn apply(&self, p: &mut f64, g: f64, m: &mut f64, v: &mut f64) {
        let Adam { beta1, beta2, epsilon, .. } = self.adam;
        *m = beta1 * *m + (1.0 - beta1) * g;
        *v = beta2 * *v + (1.0 - beta2) * g * g;
        *p += self.rate * (*m / self.correct1) / ((*v / self.correct2).sqrt() + epsilon);
    }
}

/// A step in contiguous memory, with the bits of one in any other.
struct Ascent<'a> {
    factors: Factors,
    params: &'a mut [f64],
    grad: &'a [f64],
    m: &'a mut [f64],
    v: &'a mut [f64],
}

impl Vectorised for Ascent<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.params.len();
        let (params, grad) = (&mut self.params[..n], &self.grad[..n]);
        let (m, v) = (&mut self.m[..n], &mut self.v[..n]);
        for i in 0..n {
            self.factors.apply(&mut params[i], grad[i], &mut m[i], &mut v[i]);
        }
    }
}
