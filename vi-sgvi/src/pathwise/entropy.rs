//! Where the gradient of the entropy comes from.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_families::{DifferentiableDensity, Reparameterized};

/// The gradient of the entropy beside that of the expected log joint, for [`Pathwise`](crate::Pathwise).
pub trait EntropyGradient<Q>: Send + Sync {
    /// Makes row i of `grad` (n, D), the gradient of the log joint at row i of `z` (n, D), the vector that is pulled back
    /// through the transport.
    fn carry(&self, q: &Q, z: &ArrayRef2<f64>, grad: &mut ArrayRef2<f64>);
    /// out (P) += Σ_i weights_i · what point i says of the entropy beside its path.
    fn add_scores(&self, q: &Q, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>);
    /// out (P) += what is known without points.
    fn add_exact(&self, q: &Q, out: &mut ArrayRef1<f64>);
    /// For tables; empty for the usual one.
    fn name(&self) -> &'static str;
}

/// ∇_λ H\[q_λ\] in closed form: the least noise far from the optimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClosedFormEntropy;

impl<Q: Reparameterized> EntropyGradient<Q> for ClosedFormEntropy {
    fn carry(&self, _q: &Q, _z: &ArrayRef2<f64>, _grad: &mut ArrayRef2<f64>) {}
    fn add_scores(&self, _q: &Q, _z: &ArrayRef2<f64>, _weights: &ArrayRef1<f64>, _out: &mut ArrayRef1<f64>) {}
    fn add_exact(&self, q: &Q, out: &mut ArrayRef1<f64>) {
        q.add_entropy_grad(1.0, out);
    }
    fn name(&self) -> &'static str {
        ""
    }
}

/// The full gradient of −log q_λ(t_λ(ε)) at the samples: the path and the score.
///
/// ```text
/// −(∂t/∂λ)ᵀ ∇_z log q(z_s) − ∇_λ log q_λ(z_s)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonteCarloEntropy;

impl<Q: DifferentiableDensity> EntropyGradient<Q> for MonteCarloEntropy {
    fn carry(&self, q: &Q, z: &ArrayRef2<f64>, grad: &mut ArrayRef2<f64>) {
        q.add_log_prob_grad_batch(z, -1.0, grad);
    }
    fn add_scores(&self, q: &Q, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        vi_core::scratch::with(weights.len(), |negative| {
            for (n, w) in negative.iter_mut().zip(weights) {
                *n = -w;
            }
            q.add_score_batch(z, &ndarray::aview1(negative), out);
        });
    }
    fn add_exact(&self, _q: &Q, _out: &mut ArrayRef1<f64>) {}
    fn name(&self) -> &'static str {
        "Monte Carlo entropy"
    }
}

/// The path of −log q alone: its score has mean 0 and is dropped.
///
/// ```text
/// ĝ = (1/S) Σ_s (∂t/∂λ)ᵀ ∇_z [log p(x, z_s) − log q_λ(z_s)]
/// ```
/// Where q is the posterior every term is 0.
///
/// Source: Roeder, Wu & Duvenaud 2017, <https://arxiv.org/abs/1703.09194>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StickingTheLanding;

impl<Q: DifferentiableDensity> EntropyGradient<Q> for StickingTheLanding {
    fn carry(&self, q: &Q, z: &ArrayRef2<f64>, grad: &mut ArrayRef2<f64>) {
        q.add_log_prob_grad_batch(z, -1.0, grad);
    }
    fn add_scores(&self, _q: &Q, _z: &ArrayRef2<f64>, _weights: &ArrayRef1<f64>, _out: &mut ArrayRef1<f64>) {}
    fn add_exact(&self, _q: &Q, _out: &mut ArrayRef1<f64>) {}
    fn name(&self) -> &'static str {
        "sticking the landing"
    }
}
