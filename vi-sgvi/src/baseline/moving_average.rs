//! The average of past iterations.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{CommError, Exec};

use super::{Baseline, BaselineScratch, Terms};
use crate::error::{SgviError, require};

/// An exponentially weighted average of the ELBO estimates of past iterations; none in the first.
///
/// ```text
/// c_t = m_{t−1} / (1 − γ^{t−1}),   m_t = γ m_{t−1} + (1 − γ) f̄_t
/// ```
/// Given λ_t it does not depend on the points of iteration t: no bias, and one sample is enough. It lags behind
/// where the ELBO moves fast.
///
/// Source: Williams 1992; Mnih & Gregor 2014, §2.3, <https://arxiv.org/abs/1402.0030>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovingAverage {
    decay: f64,
}

impl MovingAverage {
    /// With decay γ in `[0, 1)`; about 1/(1 − γ) iterations are remembered.
    ///
    /// # Errors
    /// [`SgviError::Setting`] for another γ.
    pub fn new(decay: f64) -> Result<Self, SgviError> {
        require((0.0..1.0).contains(&decay), "decay", decay, "in [0, 1)")?;
        Ok(Self { decay })
    }

    /// γ.
    pub fn decay(&self) -> f64 {
        self.decay
    }
}

impl Default for MovingAverage {
    /// γ = 0.9.
    fn default() -> Self {
        Self { decay: 0.9 }
    }
}

/// What [`MovingAverage`] remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MovingAverageState {
    /// m of every column.
    averages: Vec<f64>,
    /// 1 − γᵗ.
    weight: f64,
}

impl Baseline for MovingAverage {
    const NAME: &'static str = "moving average";
    const MIN_GROUPS: usize = 1;
    type State = MovingAverageState;

    fn combine(
        &self,
        state: &mut MovingAverageState,
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        let n = terms.n_samples() as f64;
        if state.averages.len() != terms.n_columns() {
            *state = MovingAverageState { averages: vec![0.0; terms.n_columns()], weight: 0.0 };
        }
        let MovingAverageState { averages, weight } = state;
        let rate = 1.0 - self.decay;
        terms.weighted_sum(exec, scratch, grad, |c, f, weights| {
            let average = &mut averages[c];
            let baseline = if *weight > 0.0 { *average / *weight } else { 0.0 };
            let mut mean = 0.0;
            for (s, (w, f)) in weights.iter_mut().zip(f).enumerate() {
                let u = terms.importance(s) / n;
                *w = u * (f - baseline);
                mean += u * f;
            }
            *average += rate * (mean - *average);
        })?;
        *weight += rate * (1.0 - *weight);
        Ok(())
    }
}
