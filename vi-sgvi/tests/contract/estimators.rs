//! The estimators, by what they ask of a family.

use vi_families::{
    Disperse, DisperseFactors, FactorizedDistribution, MeasureValuedDistribution, ProductFamily,
    ProductMember, UniformTransport, VariationalFamily,
};
use vi_sgvi::{
    Antithetic, Arm, Baseline, ControlVariate, DisArm, Enumeration, FactorLocality, Independent, Joint,
    LeaveOneOut, LocalExpectations, Locality, MarkovBlanket, MeasureValued, MovingAverage, NoBaseline,
    Overdispersed, OverdispersedFactors, QuasiMonteCarlo, SampleReuse, Sampler, ScoreFunction,
};

use crate::case::{Case, Target};
use crate::past::Last;
use crate::wrong::MeanOfAll;

pub(crate) const SIZES: [usize; 4] = [2, 3, 10, 100];

/// Every baseline with one sampler and one locality; those that need two independent groups where there are.
fn every_baseline<F, S, L>(case: &Case<'_, F>, s: usize, sampler: S, locality: L, n_groups: usize)
where
    F: VariationalFamily,
    S: for<'a> Sampler<F::Member<'a>> + Copy,
    L: for<'a> Locality<Target, F::Member<'a>> + Copy,
{
    fn one<B: Baseline, S, L>(s: usize, baseline: B, sampler: S, locality: L) -> ScoreFunction<B, S, L> {
        ScoreFunction { n_samples: s, baseline, sampler, locality }
    }
    case.holds(&one(s, NoBaseline, sampler, locality), s);
    case.holds(&one(s, MovingAverage::default(), sampler, locality), s);
    if n_groups > 1 {
        case.holds(&one(s, LeaveOneOut, sampler, locality), s);
        case.holds(&one(s, ControlVariate, sampler, locality), s);
    }
}

/// What works with any family; one estimator that does not.
pub(crate) fn of_any_family<F: VariationalFamily>(case: &Case<'_, F>) {
    for s in SIZES {
        every_baseline(case, s, Independent, Joint, s);
        let reuse = SampleReuse::leave_one_out(s, 3);
        case.holds(&Last { estimator: reuse, n_before: 4, distance: 0.2 }, s);
    }
    for s in [2, 3] {
        case.is_found_out(&ScoreFunction::new(s, MeanOfAll), s, 4_000 * s as u64);
    }
}

/// Numbers of samples and of groups.
const PAIRS: [(usize, usize); 4] = [(2, 1), (4, 2), (10, 5), (100, 50)];
const NETS: [(usize, usize); 5] = [(2, 1), (2, 2), (3, 3), (10, 5), (100, 25)];

/// Members that are images of uniforms.
pub(crate) fn of_transported<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: UniformTransport,
{
    for (s, n_groups) in PAIRS.into_iter().filter(|(_, n_groups)| *n_groups > 1) {
        assert_eq!(s, 2 * n_groups);
        case.holds(&ScoreFunction::leave_one_out(s).antithetic(), s);
    }
    for (s, n_groups) in NETS.into_iter().filter(|(_, n_groups)| *n_groups > 1) {
        case.holds(&ScoreFunction::leave_one_out(s).quasi_monte_carlo(n_groups), s);
    }
}

/// Members with a proposal.
pub(crate) fn of_dispersed<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Disperse,
{
    for s in SIZES {
        case.holds(&ScoreFunction::leave_one_out(s).with_sampler(Overdispersed::new(1.4).unwrap()), s);
    }
}

/// Products whose factors lie in blocks.
pub(crate) fn of_factorized<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
{
    for s in SIZES {
        case.holds(&ScoreFunction::leave_one_out(s).rao_blackwellized(), s);
        case.holds(&ScoreFunction::control_variate(s).rao_blackwellized(), s);
    }
}

/// Every sampler × every baseline × both localities; a proposal of dispersion 1 is q itself.
pub(crate) fn of_the_product_family(case: &Case<'_, ProductFamily>) {
    samplers(case, Joint);
    samplers(case, MarkovBlanket);
    for s in SIZES {
        let control = SampleReuse { n_samples: s, n_iterations: 2, baseline: ControlVariate };
        case.holds(&Last { estimator: control, n_before: 1, distance: 0.2 }, s);
    }
}

fn samplers<L>(case: &Case<'_, ProductFamily>, locality: L)
where
    L: for<'a> Locality<Target, ProductMember<'a>> + Copy,
{
    for s in SIZES {
        every_baseline(case, s, Independent, locality, s);
        every_baseline(case, s, Overdispersed::new(1.4).unwrap(), locality, s);
    }
    every_baseline(case, 3, Overdispersed::new(1.0).unwrap(), locality, 3);
    for (s, n_groups) in PAIRS {
        every_baseline(case, s, Antithetic, locality, n_groups);
    }
    for (s, n_randomizations) in NETS {
        every_baseline(case, s, QuasiMonteCarlo { n_randomizations }, locality, n_randomizations);
    }
}

/// Products whose factors have proposals.
pub(crate) fn of_dispersed_factors<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: DisperseFactors,
{
    for s in SIZES {
        case.holds(&OverdispersedFactors::new(s), s);
        case.holds(&OverdispersedFactors::new(s).rao_blackwellized(), s);
    }
}

/// Products whose every parameter has a pair of measures.
pub(crate) fn of_measure_valued<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: MeasureValuedDistribution,
    Joint: FactorLocality<Target>,
{
    for s in SIZES {
        case.holds(&MeasureValued::new(s), s);
        case.holds(&MeasureValued::new(s).rao_blackwellized(), s);
    }
}

/// Products whose every factor has finitely many values.
pub(crate) fn of_discrete<F>(case: &Case<'_, F>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
{
    for s in SIZES {
        case.holds(&LocalExpectations::new(s), s);
        case.holds(&LocalExpectations::new(s).rao_blackwellized(), s);
        case.holds(&Arm::new(s), s);
        case.holds(&DisArm::new(s), s);
    }
    case.holds_in(&Enumeration::default(), 1, 2);
}
