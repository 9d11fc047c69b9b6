//! From settings to an estimator.

use vi_core::{GradLogJoint, LocalLogJoint, LogJoint};
use vi_families::{
    DifferentiableDensity, DisperseFactors, FactorizedDistribution, GaussianTransport,
    MeasureValuedDistribution, Reparameterized, UniformTransport, VariationalFamily,
};
use vi_sgvi::bench::OnModel;
use vi_sgvi::{
    Arm, ControlledPathwise, DisArm, Enumeration, GradientEstimator, ImportanceBound, ImportanceGradient,
    ImportancePathwise, Joint, LocalExpectations, LocalQuadrature, MarkovBlanket, MeasureValued,
    OverdispersedFactors, PartialEstimator, Pathwise, PerFactor, SampleReuse, SgviError, Vimco,
};

use super::abilities::{Abilities, LabFamily};
use super::any::{AnyEstimator, AnyPartial, Remembered};
use super::entropy::AnyEntropy;
use super::scale::Scale;
use super::score::{Memoryless, baseline, score_part, unweighted};
use crate::config::{EstimatorKind, EstimatorSettings, SamplerKind};

/// Why there is no such estimator.
#[derive(Debug)]
pub(crate) enum Lack {
    /// The model lacks this.
    Model(&'static str),
    /// Members of the family lack this; who has it.
    Family(&'static str, fn(&Abilities) -> bool),
    /// The estimator refuses its settings.
    Settings(SgviError),
}

impl From<SgviError> for Lack {
    fn from(error: SgviError) -> Self {
        Self::Settings(error)
    }
}

pub(super) type Built<'a, F> = Result<AnyEstimator<'a, F>, Lack>;
pub(super) type BuiltPart<'a, F> = Result<AnyPartial<'a, F>, Lack>;

/// The estimator that `settings` describe, over the family and the model.
///
/// # Errors
/// [`Lack`] says what model or family does not have.
pub(crate) fn build<'a, F: LabFamily>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F> {
    if settings.rest.is_some() {
        return F::per_factor(settings, scale);
    }
    let (local, sampler) = (settings.rao_blackwellized, settings.sampler());
    match settings.estimator {
        EstimatorKind::ScoreFunction => match (sampler, local) {
            (SamplerKind::Overdispersed, false) => F::overdispersed(settings, scale),
            (SamplerKind::Overdispersed, true) => F::local_overdispersed(settings, scale),
            (_, false) => F::score(settings, scale),
            (_, true) => F::local_score(settings, scale),
        },
        EstimatorKind::Pathwise => F::pathwise(settings, scale),
        EstimatorKind::ControlledPathwise => F::controlled(settings, scale),
        EstimatorKind::Iwae | EstimatorKind::Dreg => F::importance(settings, scale),
        EstimatorKind::Vimco => vimco(settings, scale),
        EstimatorKind::SampleReuse => reuse(settings, scale),
        EstimatorKind::OverdispersedFactors => F::overdispersed_factors(settings, scale),
        EstimatorKind::MeasureValued => F::measure_valued(settings, scale),
        EstimatorKind::LocalQuadrature => F::quadrature(settings, scale),
        EstimatorKind::LocalExpectations
        | EstimatorKind::Arm
        | EstimatorKind::Disarm
        | EstimatorKind::Enumeration => F::discrete(settings, scale),
    }
}

impl<'a> Scale<'a> {
    fn gradient(self) -> Result<&'a (dyn GradLogJoint + 'a), Lack> {
        self.gradient.ok_or(Lack::Model("gradient"))
    }

    pub(super) fn local(self) -> Result<&'a (dyn LocalLogJoint + 'a), Lack> {
        self.local.ok_or(Lack::Model("local terms of blocks"))
    }
}

/// An estimator on the model that it needs.
pub(super) fn on<'a, F, N, E>(model: &'a N, estimator: E) -> AnyEstimator<'a, F>
where
    F: VariationalFamily,
    N: LogJoint + ?Sized,
    E: GradientEstimator<N, F> + 'a,
    E::State: Remembered,
{
    AnyEstimator::new(OnModel { model, estimator })
}

pub(super) fn part_on<'a, F, N, E>(model: &'a N, estimator: E) -> AnyPartial<'a, F>
where
    F: VariationalFamily,
    N: LogJoint + ?Sized,
    E: PartialEstimator<N, F> + 'a,
    E::State: Remembered,
{
    AnyPartial::new(OnModel { model, estimator })
}

pub(super) fn pathwise<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Reparameterized + DifferentiableDensity,
{
    Ok(on(scale.gradient()?, paths(settings)))
}

fn paths(settings: &EstimatorSettings) -> Pathwise<AnyEntropy> {
    Pathwise { n_samples: settings.n_samples, entropy: AnyEntropy(settings.entropy.unwrap_or_default()) }
}

pub(super) fn pathwise_part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Reparameterized + DifferentiableDensity + FactorizedDistribution,
{
    Ok(part_on(scale.gradient()?, paths(settings)))
}

pub(super) fn controlled<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Reparameterized + GaussianTransport,
{
    let estimator = ControlledPathwise::new(settings.n_samples)?;
    let estimator = settings.n_directions.map_or(estimator, |n| estimator.with_directions(n));
    Ok(on(scale.gradient()?, estimator))
}

/// The bound from several samples at once, and how many groups of them a gradient takes.
fn bound(settings: &EstimatorSettings) -> Result<(ImportanceBound, usize), SgviError> {
    let k = settings.n_importance();
    Ok((ImportanceBound::renyi(settings.alpha.unwrap_or(0.0), k)?, settings.n_samples / k))
}

pub(super) fn importance<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: Reparameterized + DifferentiableDensity,
{
    let (bound, n_groups) = bound(settings)?;
    let gradient = match settings.estimator {
        EstimatorKind::Iwae => ImportanceGradient::Naive,
        _ => ImportanceGradient::DoublyReparameterized,
    };
    Ok(on(scale.gradient()?, ImportancePathwise { bound, n_groups, gradient }))
}

fn vimco<'a, F: VariationalFamily>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F> {
    let (bound, n_groups) = bound(settings)?;
    Ok(on(scale.log_joint, Vimco::new(bound, n_groups)))
}

fn reuse<'a, F: VariationalFamily>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F> {
    let (n_samples, baseline) = (settings.n_samples, Memoryless(baseline(settings)?));
    let n_iterations = settings.n_reused_iterations.unwrap_or(4);
    Ok(on(scale.log_joint, SampleReuse { n_samples, n_iterations, baseline }))
}

/// The estimators that vary one factor at a time, with all terms or with those of its block.
macro_rules! one_at_a_time {
    ($on:ident, $settings:expr, $scale:expr, $estimator:expr) => {
        if $settings.rao_blackwellized {
            $on($scale.local()?, $estimator.rao_blackwellized())
        } else {
            $on($scale.log_joint, $estimator)
        }
    };
}

/// The estimators of factors with finitely many values, whole ([`on`]) or confined to some variables ([`part_on`]).
macro_rules! discrete {
    ($on:ident, $settings:expr, $scale:expr) => {{
        let n_samples = $settings.n_samples;
        match $settings.estimator {
            EstimatorKind::Arm => $on($scale.log_joint, Arm::new(n_samples / 2)),
            EstimatorKind::Disarm => $on($scale.log_joint, DisArm::new(n_samples / 2)),
            EstimatorKind::Enumeration => {
                let default = Enumeration::around(n_samples);
                let limit = $settings.limit.unwrap_or(default.limit);
                $on($scale.log_joint, Enumeration { limit, ..default })
            }
            _ => one_at_a_time!($on, $settings, $scale, LocalExpectations::new(n_samples)),
        }
    }};
}

pub(super) fn discrete<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    Ok(discrete!(on, settings, scale))
}

pub(super) fn discrete_part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    Ok(discrete!(part_on, settings, scale))
}

fn nodes(settings: &EstimatorSettings) -> LocalQuadrature {
    LocalQuadrature::new(settings.n_samples, settings.n_nodes.unwrap_or(20))
}

pub(super) fn quadrature<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    Ok(one_at_a_time!(on, settings, scale, nodes(settings)))
}

pub(super) fn quadrature_part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    Ok(one_at_a_time!(part_on, settings, scale, nodes(settings)))
}

pub(super) fn measure_valued<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: MeasureValuedDistribution,
{
    Ok(one_at_a_time!(on, settings, scale, MeasureValued::new(settings.n_samples)))
}

pub(super) fn measure_valued_part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: MeasureValuedDistribution,
{
    Ok(one_at_a_time!(part_on, settings, scale, MeasureValued::new(settings.n_samples)))
}

pub(super) fn part<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, F>
where
    F: LabFamily,
    for<'m> F::Member<'m>: FactorizedDistribution + UniformTransport,
{
    let sampler = settings.sampler();
    match (settings.estimator, settings.rao_blackwellized) {
        (EstimatorKind::ScoreFunction, _) if sampler == SamplerKind::Overdispersed => {
            F::overdispersed_part(settings, scale)
        }
        (EstimatorKind::ScoreFunction, false) => {
            score_part(settings, scale.log_joint, unweighted(settings), Joint)
        }
        (EstimatorKind::ScoreFunction, true) => {
            score_part(settings, scale.local()?, unweighted(settings), MarkovBlanket)
        }
        (EstimatorKind::Pathwise, _) => F::pathwise_part(settings, scale),
        (EstimatorKind::OverdispersedFactors, _) => F::overdispersed_factors_part(settings, scale),
        (EstimatorKind::MeasureValued, _) => F::measure_valued_part(settings, scale),
        (EstimatorKind::LocalQuadrature, _) => F::quadrature_part(settings, scale),
        _ => F::discrete_part(settings, scale),
    }
}

pub(super) fn overdispersed_factors<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: DisperseFactors,
{
    Ok(one_at_a_time!(on, settings, scale, OverdispersedFactors::new(settings.n_samples)))
}

pub(super) fn overdispersed_factors_part<'a, F>(
    settings: &EstimatorSettings,
    scale: Scale<'a>,
) -> BuiltPart<'a, F>
where
    F: VariationalFamily,
    for<'m> F::Member<'m>: DisperseFactors,
{
    Ok(one_at_a_time!(part_on, settings, scale, OverdispersedFactors::new(settings.n_samples)))
}

/// One estimator for some variables, another for the rest.
pub(super) fn per_factor<'a, F>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, F>
where
    F: LabFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    let (Some(variables), Some(rest)) = (&settings.variables, &settings.rest) else {
        unreachable!("the settings were checked: a rest comes with variables")
    };
    let names = scale.names(variables)?;
    let (first, rest) = (F::part(settings, scale)?, F::part(rest, scale)?);
    Ok(AnyEstimator::new(PerFactor::new(scale.log_joint.parameters(), &names, first, rest)?))
}
