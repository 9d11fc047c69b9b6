//! Steps as long as the way gone so far over the gradients met: no learning rate.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};

use super::Optimizer;
use crate::error::{SgviError, require};

/// The way from the start, which both rules measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Way {
    start: Array1<f64>,
    n_steps: u64,
    /// r̄: the largest distance from the start so far, at least the first step.
    farthest: f64,
}

impl Way {
    fn new(n_params: usize) -> Self {
        Self { start: Array1::zeros(n_params), n_steps: 0, farthest: 0.0 }
    }

    /// r̄_t at the iterate from which step t is taken; the first one is the start.
    fn advance(&mut self, params: &ArrayRef1<f64>, initial: f64) -> f64 {
        if self.n_steps == 0 {
            self.start.assign(params);
            self.farthest = initial * (1.0 + params.dot(params).sqrt());
        } else {
            let distance = params.iter().zip(&self.start).map(|(p, s)| (p - s) * (p - s)).sum::<f64>().sqrt();
            self.farthest = self.farthest.max(distance);
        }
        self.n_steps += 1;
        self.farthest
    }
}

fn check_initial(name: &'static str, initial: f64) -> Result<(), SgviError> {
    require(initial > 0.0, name, initial, "finite and > 0")
}

/// DoG ascent, distance over gradients.
///
/// ```text
/// r̄_t = max(r_ε, max_{i≤t} ‖λ_i − λ_0‖),   r_ε = initial · (1 + ‖λ_0‖)
/// G_t = Σ_{i≤t} ‖ĝ_i‖²
/// λ_{t+1} = λ_t + (r̄_t / √G_t) ĝ_t
/// ```
/// No learning rate: a first step too short costs its logarithm. The guarantee is for an average of the iterates; the
/// authors take the polynomial one with η = 8, [`crate::Averaging::Polynomial`]. One length serves all coordinates: where
/// scales differ by orders of magnitude, [`super::NaturalGradient`] is the rule.
///
/// Source: Ivgi, Hinder & Carmon 2023, eq. 1 and section 4.1 (r_ε), <https://arxiv.org/abs/2302.12022>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dog {
    /// The length of the first step over 1 + ‖λ_0‖; by default 1e-4.
    pub initial: f64,
}

impl Default for Dog {
    fn default() -> Self {
        Self { initial: 1e-4 }
    }
}

/// What [`Dog`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DogState {
    way: Way,
    sum_of_squares: f64,
}

impl Optimizer for Dog {
    type State = DogState;

    fn validate(&self) -> Result<(), SgviError> {
        check_initial("dog.initial", self.initial)
    }

    fn init(&self, n_params: usize) -> DogState {
        DogState { way: Way::new(n_params), sum_of_squares: 0.0 }
    }

    fn ascend(&self, state: &mut DogState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let farthest = state.way.advance(params, self.initial);
        state.sum_of_squares += grad.dot(grad);
        // Gradients that have all been zero ask for no step.
        if state.sum_of_squares > 0.0 {
            params.scaled_add(farthest / state.sum_of_squares.sqrt(), grad);
        }
    }
}

/// DoWG ascent, distance over weighted gradients.
///
/// ```text
/// r̄_t = max(r_ε, max_{i≤t} ‖λ_i − λ_0‖),   r_ε = initial · (1 + ‖λ_0‖)
/// v_t = v_{t−1} + r̄_t² ‖ĝ_t‖²
/// λ_{t+1} = λ_t + (r̄_t² / √v_t) ĝ_t
/// ```
/// Gradients met while the iterates were still near the start weigh less than in [`Dog`], so that steps are longer, by up to a
/// factor that grows with the way. The analysis is for gradients without noise.
///
/// Source: Khaled, Mishchenko & Jin 2023, algorithm 1, <https://arxiv.org/abs/2305.16284>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dowg {
    /// The length of the first step over 1 + ‖λ_0‖; by default 1e-4.
    pub initial: f64,
}

impl Default for Dowg {
    fn default() -> Self {
        Self { initial: 1e-4 }
    }
}

/// What [`Dowg`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DowgState {
    way: Way,
    weighted_sum: f64,
}

impl Optimizer for Dowg {
    type State = DowgState;

    fn validate(&self) -> Result<(), SgviError> {
        check_initial("dowg.initial", self.initial)
    }

    fn init(&self, n_params: usize) -> DowgState {
        DowgState { way: Way::new(n_params), weighted_sum: 0.0 }
    }

    fn ascend(&self, state: &mut DowgState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        let squared = state.way.advance(params, self.initial).powi(2);
        state.weighted_sum += squared * grad.dot(grad);
        if state.weighted_sum > 0.0 {
            params.scaled_add(squared / state.weighted_sum.sqrt(), grad);
        }
    }
}
