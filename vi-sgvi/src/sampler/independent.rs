//! Independent draws from q.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::StreamKey;
use vi_families::VariationalDistribution;

use super::{SamplePlan, Sampler};
use crate::error::SgviError;

/// Independent draws from q: point s comes from stream s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Independent;

/// The plan of [`Independent`].
#[derive(Debug)]
pub struct IndependentPlan<'q, Q> {
    q: &'q Q,
    key: StreamKey,
}

impl<Q: VariationalDistribution> Sampler<Q> for Independent {
    type Plan<'q>
        = IndependentPlan<'q, Q>
    where
        Q: 'q;

    fn name(&self) -> String {
        String::new()
    }
    fn group_size(&self, _n_samples: usize) -> Result<usize, SgviError> {
        Ok(1)
    }
    fn plan<'q>(
        &'q self,
        q: &'q Q,
        key: StreamKey,
        _n_samples: usize,
    ) -> Result<IndependentPlan<'q, Q>, SgviError> {
        Ok(IndependentPlan { q, key })
    }
}

impl<Q: VariationalDistribution> SamplePlan for IndependentPlan<'_, Q> {
    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        self.q.sample_batch(self.key, samples, z);
    }
    fn draw(&self, s: usize, z: &mut ArrayRef1<f64>) {
        self.q.sample(&mut self.key.rng(s as u64), z);
    }
}
