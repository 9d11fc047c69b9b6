//! More samples when noise dominates.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, StreamKey};
use vi_families::VariationalFamily;

use crate::elbo::Elbo;
use crate::error::{SgviError, require};
use crate::estimator::{EstimatorState, Evaluations, GradientEstimator, Memory};
use crate::minibatch::Minibatch;
use crate::pathwise::Pathwise;
use crate::score_function::ScoreFunction;

/// Iterations over which noise and signal are averaged before they are compared.
const BLOCK: u64 = 20;

/// An estimator that can be had with another number of samples.
pub trait WithSamples {
    /// Samples per gradient.
    fn n_samples(&self) -> usize;
    /// The same estimator with `n` of them.
    #[must_use]
    fn with_samples(&self, n: usize) -> Self;
}

impl<E: Clone> WithSamples for Pathwise<E> {
    fn n_samples(&self) -> usize {
        self.n_samples
    }
    fn with_samples(&self, n_samples: usize) -> Self {
        Self { n_samples, ..self.clone() }
    }
}

impl<B: Clone, S: Clone, L: Clone> WithSamples for ScoreFunction<B, S, L> {
    fn n_samples(&self) -> usize {
        self.n_samples
    }
    fn with_samples(&self, n_samples: usize) -> Self {
        Self { n_samples, ..self.clone() }
    }
}

impl<E: WithSamples> WithSamples for Minibatch<E> {
    fn n_samples(&self) -> usize {
        self.estimator.n_samples()
    }
    fn with_samples(&self, n: usize) -> Self {
        Self { estimator: self.estimator.with_samples(n), ..*self }
    }
}

/// An estimator whose number of samples doubles whenever noise dominates the gradient, by a norm test.
///
/// ```text
/// ĝ = (ĝ₁ + ĝ₂)/2 from two independent halves of the samples
/// Σ ‖ĝ₁ − ĝ₂‖²/4 > θ² max(0, Σ ĝ₁ᵀĝ₂)   over 20 iterations   ⇒   S ← min(2 S, max_samples)
/// ```
/// The left side has the mean of tr Var(ĝ), the right one that of θ²‖∇ELBO‖²: both are unbiased, of whatever estimator. Far
/// from the optimum few samples are enough; near it the gradient vanishes and the number grows up to its maximum, so that
/// steps of constant length come to rest.
///
/// A gradient is unbiased if the halves are; which number of samples it has depends on gradients before it, not on its own.
///
/// Requirements: those of the estimator, with half the samples. Cost: that of both halves.
///
/// Source: Byrd, Chin, Nocedal & Wu 2012, section 3 (the norm test); with the two terms from independent halves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleGrowth<E> {
    /// The estimator with the number of samples to begin with: even.
    pub estimator: E,
    /// θ > 0: how much longer than the gradient its noise may be.
    pub noise_ratio: f64,
    /// The number of samples never exceeds this.
    pub max_samples: usize,
}

impl<E> SampleGrowth<E> {
    /// Grows to at most `max_samples` as soon as the noise is longer than the gradient, θ = 1.
    pub fn new(estimator: E, max_samples: usize) -> Self {
        Self { estimator, noise_ratio: 1.0, max_samples }
    }
}

/// What [`SampleGrowth`] remembers, beside what the estimator does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SampleGrowthState<S> {
    /// Samples of the next gradient; 0 before the first, which has those of the estimator.
    n_samples: usize,
    n_iterations: u64,
    noise: f64,
    signal: f64,
    inner: S,
    #[serde(skip)]
    second: Array1<f64>,
}

impl<S> SampleGrowthState<S> {
    /// Samples of the next gradient; 0 before the first.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }
}

impl<E: WithSamples> SampleGrowth<E> {
    fn check(&self) -> Result<(), SgviError> {
        let (n, max) = (self.estimator.n_samples(), self.max_samples);
        require(n >= 2 && n.is_multiple_of(2), "n_samples", n as f64, "even and ≥ 2, to be halved")?;
        require(max >= n, "max_samples", max as f64, "at least the number of samples to begin with")?;
        require(self.noise_ratio > 0.0, "noise_ratio", self.noise_ratio, "finite and > 0")
    }

    /// Samples of the gradient that follows this state.
    fn n_after<S>(&self, state: &SampleGrowthState<S>) -> usize {
        if state.n_samples == 0 { self.estimator.n_samples() } else { state.n_samples }
    }
}

impl<M: ?Sized, F, E> GradientEstimator<M, F> for SampleGrowth<E>
where
    F: VariationalFamily,
    E: GradientEstimator<M, F> + WithSamples,
{
    type State = SampleGrowthState<E::State>;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<Self::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        self.check()?;
        let n_samples = self.n_after(&memory.state);
        let half = self.estimator.with_samples(n_samples / 2);
        let (inner, workspace) =
            (std::mem::take(&mut memory.state.inner), std::mem::take(&mut memory.workspace));
        let mut of_half = Memory { state: inner, workspace };
        let state = &mut memory.state;
        if state.second.len() != grad.len() {
            state.second = Array1::zeros(grad.len());
        }
        let first = half.estimate(elbo, params, key.fold_in(0), exec, &mut of_half, grad);
        let second = half.estimate(elbo, params, key.fold_in(1), exec, &mut of_half, &mut state.second);
        (state.inner, memory.workspace) = (of_half.state, of_half.workspace);
        let (first, second) = (first?, second?);
        state.n_samples = n_samples;
        self.judge(state, grad);
        grad.zip_mut_with(&state.second, |a, b| *a = 0.5 * (*a + b));
        Ok(ElboEstimate {
            value: 0.5 * (first.value + second.value),
            mcse: 0.5 * first.mcse.hypot(second.mcse),
            n_samples,
        })
    }

    /// With the samples of the beginning.
    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        let mut cost = Evaluations::default();
        let half = self.estimator.with_samples(self.estimator.n_samples() / 2);
        (0..2).for_each(|_| cost += half.cost(elbo));
        cost
    }

    fn cost_after(&self, elbo: Elbo<'_, M, F>, state: &Self::State) -> Evaluations {
        let mut cost = Evaluations::default();
        let half = self.estimator.with_samples(self.n_after(state) / 2);
        (0..2).for_each(|_| cost += half.cost_after(elbo, &state.inner));
        cost
    }

    fn name(&self) -> String {
        format!("{}, up to {} samples", self.estimator.name(), self.max_samples)
    }

    fn bias(&self) -> Option<&'static str> {
        self.estimator.bias()
    }

    fn bound(&self) -> crate::importance::Bound {
        self.estimator.bound()
    }
}

impl<E> SampleGrowth<E> {
    /// The norm test at the end of a block; `first` and `state.second` are the gradients of the two halves.
    fn judge<S: EstimatorState>(&self, state: &mut SampleGrowthState<S>, first: &ArrayRef1<f64>) {
        for (a, b) in first.iter().zip(&state.second) {
            state.noise += 0.25 * (a - b) * (a - b);
            state.signal += a * b;
        }
        state.n_iterations += 1;
        if !state.n_iterations.is_multiple_of(BLOCK) {
            return;
        }
        if state.noise > self.noise_ratio.powi(2) * state.signal.max(0.0) {
            // Still even, so that it can be halved.
            state.n_samples = (2 * state.n_samples).min(self.max_samples / 2 * 2);
        }
        (state.noise, state.signal) = (0.0, 0.0);
    }
}
