//! Which family serves which estimators.

use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField, LowRankGaussian,
    MeanFieldGaussian, ProductFamily, StudentTMeanField, VariationalFamily,
};
use vi_sgvi::bench::Reference;

use super::any::{AnyEstimator, AnyModel, AnyPartial};
use super::build::{self, Lack};
use super::scale::Scale;
use super::score;
use crate::bench::{of_mean_field, of_product};
use crate::config::{EstimatorSettings, FamilyKind};

/// What members of a family can do beside drawing, densities and scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Draws are moved noise: the pathwise estimator, and those of bounds from several samples.
    pub(crate) transport: bool,
    /// Draws are Gaussian noise, moved by an affine map: control variates of the pathwise estimator.
    pub(crate) gaussian: bool,
    /// Proposals with heavier tails: the overdispersed sampler.
    pub(crate) dispersed: bool,
    /// Independent factors: Rao–Blackwellisation, and one estimator for some variables and another for the rest.
    pub(crate) factors: bool,
    /// Factors with finitely many values where the support has: local expectations, ARM, DisARM, enumeration.
    pub(crate) discrete: bool,
    /// Gaussian factors: local expectations by quadrature.
    pub(crate) quadrature: bool,
    /// Derivatives of factors as differences of densities: the measure-valued estimator.
    pub(crate) measures: bool,
}

type Built<'a, F> = Result<AnyEstimator<'a, F>, Lack>;
type BuiltPart<'a, F> = Result<AnyPartial<'a, F>, Lack>;

/// A family of the lab. What it does not serve is the default: a lack that is told by name.
///
/// Members of all families come from uniforms, so that antithetic pairs and quasi-Monte Carlo are everyone's.
pub(crate) trait LabFamily: VariationalFamily + Clone + 'static {
    const ABILITIES: Abilities;

    /// The exact gradient, where family and model have one.
    fn exact<'a>(_: &'a Self, _: Scale<'a>) -> Option<Reference<'a, AnyModel<'a>, Self>> {
        None
    }

    /// The score function with independent, antithetic or quasi-Monte Carlo points and the whole log ratio.
    fn score<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self>;
    fn pathwise<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("draws that are moved noise", |a| a.transport))
    }
    fn pathwise_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("independent factors of moved noise", |a| a.factors && a.transport))
    }
    fn importance<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("draws that are moved noise", |a| a.transport))
    }
    fn controlled<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("draws that are Gaussian noise, moved by an affine map", |a| a.gaussian))
    }
    fn overdispersed<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("proposal with heavier tails", |a| a.dispersed))
    }
    fn local_score<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("independent factors", |a| a.factors))
    }
    fn local_overdispersed<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("independent factors with proposals of heavier tails", |a| a.factors && a.dispersed))
    }
    fn overdispersed_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("independent factors with proposals of heavier tails", |a| a.factors && a.dispersed))
    }
    fn overdispersed_factors<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("independent factors with proposals of heavier tails", |a| a.factors && a.dispersed))
    }
    fn overdispersed_factors_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("independent factors with proposals of heavier tails", |a| a.factors && a.dispersed))
    }
    fn discrete<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("factors with finitely many values", |a| a.discrete))
    }
    fn discrete_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("factors with finitely many values", |a| a.discrete))
    }
    fn quadrature<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("Gaussian factors", |a| a.quadrature))
    }
    fn quadrature_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("Gaussian factors", |a| a.quadrature))
    }
    fn part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("independent factors", |a| a.factors))
    }
    fn per_factor<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("independent factors", |a| a.factors))
    }
    fn measure_valued<'a>(_: &EstimatorSettings, _: Scale<'a>) -> Built<'a, Self> {
        Err(Lack::Family("known decompositions", |a| a.measures))
    }
    fn measure_valued_part<'a>(_: &EstimatorSettings, _: Scale<'a>) -> BuiltPart<'a, Self> {
        Err(Lack::Family("known decompositions", |a| a.measures))
    }
}

macro_rules! lab_family {
    ($family:ty: $($ability:ident),*$(; exact = $exact:path)?) => {
        impl LabFamily for $family {
            #[allow(clippy::needless_update, reason = "a family may have every ability")]
            const ABILITIES: Abilities = Abilities { $($ability: true,)* ..NONE };

            fn score<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
                score::score(settings, scale)
            }
            $(
                fn exact<'a>(family: &'a Self, scale: Scale<'a>) -> Option<Reference<'a, AnyModel<'a>, Self>> {
                    $exact(family, scale)
                }
            )?
            $(lab_family!(@ $ability);)*
            lab_family!(@both $($ability)*);
            lab_family!(@paths $($ability)*);
        }
    };
    (@ transport) => {
        fn pathwise<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::pathwise(settings, scale)
        }
        fn importance<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::importance(settings, scale)
        }
    };
    (@ gaussian) => {
        fn controlled<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::controlled(settings, scale)
        }
    };
    (@ dispersed) => {
        fn overdispersed<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            score::overdispersed(settings, scale)
        }
    };
    (@ factors) => {
        fn local_score<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            score::local_score(settings, scale)
        }
        fn part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::part(settings, scale)
        }
        fn per_factor<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::per_factor(settings, scale)
        }
    };
    (@ discrete) => {
        fn discrete<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::discrete(settings, scale)
        }
        fn discrete_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::discrete_part(settings, scale)
        }
    };
    (@ quadrature) => {
        fn quadrature<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::quadrature(settings, scale)
        }
        fn quadrature_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::quadrature_part(settings, scale)
        }
    };
    (@ measures) => {
        fn measure_valued<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::measure_valued(settings, scale)
        }
        fn measure_valued_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::measure_valued_part(settings, scale)
        }
    };
    (@paths transport $(gaussian)? $(dispersed)? factors $($rest:ident)*) => {
        fn pathwise_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::pathwise_part(settings, scale)
        }
    };
    (@paths $($other:ident)*) => {};
    (@both $(transport)? $(gaussian)? dispersed factors $($rest:ident)*) => {
        fn local_overdispersed<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            score::local_overdispersed(settings, scale)
        }
        fn overdispersed_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            score::overdispersed_part(settings, scale)
        }
        fn overdispersed_factors<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> Built<'a, Self> {
            build::overdispersed_factors(settings, scale)
        }
        fn overdispersed_factors_part<'a>(settings: &EstimatorSettings, scale: Scale<'a>) -> BuiltPart<'a, Self> {
            build::overdispersed_factors_part(settings, scale)
        }
    };
    (@both $($other:ident)*) => {};
}

const NONE: Abilities = Abilities {
    transport: false,
    gaussian: false,
    dispersed: false,
    factors: false,
    discrete: false,
    quadrature: false,
    measures: false,
};

lab_family!(MeanFieldGaussian: transport, gaussian, dispersed, factors, quadrature, measures; exact = of_mean_field);
lab_family!(FullRankGaussian: transport, gaussian, dispersed);
lab_family!(LowRankGaussian: transport, gaussian, dispersed);
lab_family!(BlockDiagonalGaussian: transport, gaussian, dispersed, factors);
lab_family!(GaussianMixture<MeanFieldGaussian>:);
lab_family!(StudentTMeanField: transport, factors);
lab_family!(LearnedStudentTMeanField: factors);
lab_family!(ProductFamily: transport, dispersed, factors, discrete, quadrature, measures; exact = of_product);

impl Abilities {
    /// Those of a family by name.
    pub(crate) fn of(kind: FamilyKind) -> Self {
        match kind {
            FamilyKind::MeanField => MeanFieldGaussian::ABILITIES,
            FamilyKind::FullRank => FullRankGaussian::ABILITIES,
            FamilyKind::LowRank => LowRankGaussian::ABILITIES,
            FamilyKind::BlockDiagonal => BlockDiagonalGaussian::ABILITIES,
            FamilyKind::Mixture => GaussianMixture::<MeanFieldGaussian>::ABILITIES,
            FamilyKind::StudentT => StudentTMeanField::ABILITIES,
            FamilyKind::LearnedStudentT => LearnedStudentTMeanField::ABILITIES,
            FamilyKind::Product => ProductFamily::ABILITIES,
        }
    }
}
