//! The gradients of the entropy as one type: one pathwise estimator to compile for every family, not three.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_families::{DifferentiableDensity, Reparameterized};
use vi_sgvi::{ClosedFormEntropy, EntropyGradient, MonteCarloEntropy, StickingTheLanding};

use crate::config::EntropyKind;

/// Where the gradient of the entropy comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyEntropy(pub(crate) EntropyKind);

macro_rules! each {
    ($self:expr, $entropy:ident => $do:expr) => {
        match $self.0 {
            EntropyKind::ClosedForm => {
                let $entropy = ClosedFormEntropy;
                $do
            }
            EntropyKind::MonteCarlo => {
                let $entropy = MonteCarloEntropy;
                $do
            }
            EntropyKind::StickingTheLanding => {
                let $entropy = StickingTheLanding;
                $do
            }
        }
    };
}

impl<Q: Reparameterized + DifferentiableDensity> EntropyGradient<Q> for AnyEntropy {
    fn carry(&self, q: &Q, z: &ArrayRef2<f64>, grad: &mut ArrayRef2<f64>) {
        each!(self, entropy => entropy.carry(q, z, grad));
    }
    fn add_scores(&self, q: &Q, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        each!(self, entropy => entropy.add_scores(q, z, weights, out));
    }
    fn add_exact(&self, q: &Q, out: &mut ArrayRef1<f64>) {
        each!(self, entropy => entropy.add_exact(q, out));
    }
    fn name(&self) -> &'static str {
        each!(self, entropy => EntropyGradient::<Q>::name(&entropy))
    }
}
