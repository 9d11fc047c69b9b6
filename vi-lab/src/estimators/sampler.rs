//! The samplers that give all points the same weight, as one type.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::StreamKey;
use vi_families::UniformTransport;
use vi_sgvi::{Antithetic, Independent, QuasiMonteCarlo, SamplePlan, Sampler, SgviError};

/// A sampler whose points all weigh the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unweighted {
    Independent(Independent),
    Antithetic(Antithetic),
    QuasiMonteCarlo(QuasiMonteCarlo),
}

/// The plan of [`Unweighted`].
#[derive(Debug)]
pub(crate) enum UnweightedPlan<'q, Q: UniformTransport + 'q> {
    Independent(<Independent as Sampler<Q>>::Plan<'q>),
    Antithetic(<Antithetic as Sampler<Q>>::Plan<'q>),
    QuasiMonteCarlo(<QuasiMonteCarlo as Sampler<Q>>::Plan<'q>),
}

macro_rules! each {
    ($self:expr, $sampler:ident => $do:expr) => {
        match $self {
            Self::Independent($sampler) => $do,
            Self::Antithetic($sampler) => $do,
            Self::QuasiMonteCarlo($sampler) => $do,
        }
    };
}

impl<Q: UniformTransport> Sampler<Q> for Unweighted {
    type Plan<'q>
        = UnweightedPlan<'q, Q>
    where
        Q: 'q;

    fn name(&self) -> String {
        each!(self, sampler => Sampler::<Q>::name(sampler))
    }
    fn group_size(&self, n_samples: usize) -> Result<usize, SgviError> {
        each!(self, sampler => Sampler::<Q>::group_size(sampler, n_samples))
    }
    fn plan<'q>(
        &'q self,
        q: &'q Q,
        key: StreamKey,
        n_samples: usize,
    ) -> Result<UnweightedPlan<'q, Q>, SgviError> {
        Ok(match self {
            Self::Independent(s) => UnweightedPlan::Independent(s.plan(q, key, n_samples)?),
            Self::Antithetic(s) => UnweightedPlan::Antithetic(s.plan(q, key, n_samples)?),
            Self::QuasiMonteCarlo(s) => UnweightedPlan::QuasiMonteCarlo(s.plan(q, key, n_samples)?),
        })
    }
}

impl<Q: UniformTransport> SamplePlan for UnweightedPlan<'_, Q> {
    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        each!(self, plan => plan.draw_batch(samples, z));
    }
    fn draw(&self, s: usize, z: &mut ArrayRef1<f64>) {
        each!(self, plan => plan.draw(s, z));
    }
}
