//! Score functions from their settings: baselines, samplers, local terms.

use ndarray::ArrayRef1;
use vi_core::{CommError, Exec, LogJoint};
use vi_families::{Disperse, DisperseFactors, FactorizedDistribution, UniformTransport, VariationalFamily};
use vi_sgvi::{
    Antithetic, AnyBaseline, BaselineScratch, Independent, Joint, Locality, MarkovBlanket, MovingAverage,
    Overdispersed, QuasiMonteCarlo, Restricted, Sampler, ScoreFunction, SgviError, Terms,
};

use super::build::{Built, BuiltPart, on, part_on};
use super::sampler::Unweighted;
use super::scale::Scale;
use crate::config::{Baseline, EstimatorSettings, SamplerKind};

pub(super) fn baseline(settings: &EstimatorSettings) -> Result<AnyBaseline, SgviError> {
    Ok(match settings.baseline() {
        Baseline::None => AnyBaseline::None,
        Baseline::LeaveOneOut => AnyBaseline::LeaveOneOut,
        Baseline::MovingAverage => {
            let inner = settings.decay.map_or_else(|| Ok(MovingAverage::default()), MovingAverage::new);
            AnyBaseline::MovingAverage(inner?)
        }
        Baseline::ControlVariate => AnyBaseline::ControlVariate,
        Baseline::SameSampleControlVariate => AnyBaseline::SameSampleControlVariate,
    })
}

/// A baseline that remembers nothing, for estimators whose points come again by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memoryless(pub(super) AnyBaseline);

impl vi_sgvi::Baseline for Memoryless {
    const NAME: &'static str = AnyBaseline::NAME;
    const MIN_GROUPS: usize = AnyBaseline::MIN_GROUPS;
    type State = ();

    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn min_groups(&self) -> usize {
        self.0.min_groups()
    }
    fn bias(&self) -> Option<&'static str> {
        self.0.bias()
    }
    fn whole_groups(&self) -> bool {
        self.0.whole_groups()
    }
    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        self.0.combine(&mut Default::default(), terms, exec, scratch, grad)
    }
}

/// The score function with the baseline of the settings.
fn score_with<'a, F, N, S, L>(
    settings: &EstimatorSettings,
    model: &'a N,
    sampler: S,
    locality: L,
) -> Built<'a, F>
where
    F: VariationalFamily,
    N: LogJoint + ?Sized,
    S: for<'m> Sampler<F::Member<'m>> + 'a,
    L: for<'m> Locality<N, F::Member<'m>> + 'a,
{
    let (n_samples, baseline) = (settings.n_samples, baseline(settings)?);
    Ok(on(model, ScoreFunction { n_samples, baseline, sampler, locality }))
}

pub(super) fn unweighted(settings: &EstimatorSettings) -> Unweighted {
    match settings.sampler() {
        SamplerKind::Antithetic => Unweighted::Antithetic(Antithetic),
        SamplerKind::QuasiMonteCarlo => {
            let n_randomizations = settings.n_randomizations.unwrap_or(2);
            Unweighted::QuasiMonteCarlo(QuasiMonteCarlo { n_randomizations })
        }
        SamplerKind::Independent | SamplerKind::Overdispersed => Unweighted::Independent(Independent),
    }
}

fn proposal(settings: &EstimatorSettings) -> Result<Overdispersed, SgviError> {
    Overdispersed::new(settings.dispersion.unwrap_or(1.5))
}

pub(super) fn score<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: UniformTransport,
{
    score_with(settings, scale.log_joint, unweighted(settings), Joint)
}

pub(super) fn local_score<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: UniformTransport + FactorizedDistribution,
{
    score_with(settings, scale.local()?, unweighted(settings), MarkovBlanket)
}

pub(super) fn overdispersed<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Disperse,
{
    score_with(settings, scale.log_joint, proposal(settings)?, Joint)
}

pub(super) fn local_overdispersed<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Disperse + FactorizedDistribution,
{
    score_with(settings, scale.local()?, proposal(settings)?, MarkovBlanket)
}

pub(super) fn score_part<'a, F, N, S, L>(
    settings: &EstimatorSettings,
    model: &'a N,
    sampler: S,
    locality: L,
) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
    N: LogJoint + ?Sized,
    S: for<'m> Sampler<F::Member<'m>> + for<'m> Sampler<Restricted<'m, F::Member<'m>>> + 'a,
    L: for<'m> Locality<N, F::Member<'m>> + for<'m> Locality<N, Restricted<'m, F::Member<'m>>> + 'a,
{
    let (n_samples, baseline) = (settings.n_samples, baseline(settings)?);
    Ok(part_on(model, ScoreFunction { n_samples, baseline, sampler, locality }))
}

pub(super) fn overdispersed_part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: DisperseFactors,
{
    if settings.rao_blackwellized {
        score_part(settings, scale.local()?, proposal(settings)?, MarkovBlanket)
    } else {
        score_part(settings, scale.log_joint, proposal(settings)?, Joint)
    }
}
