//! Overdispersed proposals.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::StreamKey;
use vi_families::{Disperse, VariationalDistribution};

use super::{SamplePlan, Sampler};
use crate::error::{SgviError, require};

/// Points from a proposal with heavier tails than q, importance weighted.
///
/// ```text
/// z_s ~ r ∝ q^{1/τ},   u_s = q(z_s)/r(z_s)
/// ```
/// f ∇_λ log q is large where q is small: a proposal that goes there more often can need fewer points. Unbiased for every
/// τ ≥ 1; τ = 1 is q itself. Weights do not exceed τ^{D/2} for a Gaussian, but their variance grows exponentially with the
/// dimension, and with Gamma, Beta or Dirichlet parameters below (τ − 1)/(2τ − 1) it is infinite: a remedy for few
/// coordinates, with τ between 1 and 2.
///
/// Requirements: members are [`Disperse`]. Cost: S log joints and S more densities.
///
/// Here τ is fixed and the weight is that of the whole z; [`OverdispersedFactors`](crate::OverdispersedFactors) gives every
/// factor a proposal and a weight of its own and adapts τ. As the estimator of some factors
/// ([`PerFactor`](crate::PerFactor)) it disperses those alone.
///
/// Source: Ruiz, Titsias & Blei 2016, §3, <https://arxiv.org/abs/1603.01140>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overdispersed {
    dispersion: f64,
}

impl Overdispersed {
    /// With dispersion τ ≥ 1.
    ///
    /// # Errors
    /// [`SgviError::Setting`] for another τ.
    pub fn new(dispersion: f64) -> Result<Self, SgviError> {
        require(dispersion >= 1.0, "dispersion", dispersion, "finite and at least 1")?;
        Ok(Self { dispersion })
    }

    /// τ.
    pub fn dispersion(&self) -> f64 {
        self.dispersion
    }
}

/// The plan of [`Overdispersed`].
#[derive(Debug)]
pub struct OverdispersedPlan<R> {
    proposal: R,
    key: StreamKey,
}

impl<Q: Disperse> Sampler<Q> for Overdispersed {
    type Plan<'q>
        = OverdispersedPlan<Q::Dispersed>
    where
        Q: 'q;

    fn name(&self) -> String {
        format!("overdispersed τ = {}", self.dispersion)
    }
    fn group_size(&self, _n_samples: usize) -> Result<usize, SgviError> {
        Ok(1)
    }
    fn plan<'q>(
        &'q self,
        q: &'q Q,
        key: StreamKey,
        _n_samples: usize,
    ) -> Result<OverdispersedPlan<Q::Dispersed>, SgviError> {
        Ok(OverdispersedPlan { proposal: q.disperse(self.dispersion)?, key })
    }
}

impl<R: VariationalDistribution> SamplePlan for OverdispersedPlan<R> {
    const WEIGHTED: bool = true;

    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        self.proposal.sample_batch(self.key, samples, z);
    }
    fn log_weights_batch(&self, z: &ArrayRef2<f64>, log_q: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        self.proposal.log_prob_batch(z, out);
        for (o, log_q) in out.iter_mut().zip(log_q) {
            *o = log_q - *o;
        }
    }
}
