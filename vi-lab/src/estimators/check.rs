//! What model or family cannot serve, told before anything runs.

use ndarray::Array1;
use vi_core::{Exec, LogJoint, StreamKey};
use vi_sgvi::{Elbo, GradientEstimator, Memory, SgviError};

use super::abilities::{Abilities, LabFamily};
use super::build::{Lack, build};
use super::scale::{OnFamily, Scale, with_family};
use crate::config::{EstimatorSettings, FamilyKind, FamilySettings, Owner};
use crate::error::ConfigError;
use crate::study::Target;

/// Whether a model and a family can serve an estimator.
///
/// The estimator is made and asked for one gradient: what only the two together decide (blocks and factors that do not fit,
/// too many states, a parameter without decomposition) it says itself.
///
/// # Errors
/// [`ConfigError`] names estimator, model or family, and what is missing.
pub(crate) fn check(
    settings: &EstimatorSettings,
    family: &FamilySettings,
    target: Target<'_>,
    model: &'static str,
    owner: &Owner,
) -> Result<(), ConfigError> {
    // Whatever else is wrong with the family, the method itself says.
    let tried = with_family(family, target, Try { settings }).unwrap_or(Ok(()));
    tried.map_err(|lack| told(lack, family.family, model, owner))
}

/// The lack as an error of the experiment file.
pub(crate) fn told(lack: Lack, family: FamilyKind, model: &'static str, owner: &Owner) -> ConfigError {
    let (at, what) = (owner.at.clone(), owner.what.clone());
    match lack {
        Lack::Model(capability) => ConfigError::ModelLacks { at, model, what, capability },
        Lack::Family(capability, has) => {
            let families = FamilyKind::ALL.into_iter().filter(|kind| has(&Abilities::of(*kind)));
            let families = families.map(FamilyKind::name).collect();
            ConfigError::FamilyLacks { at, family: family.name(), what, capability, families }
        }
        Lack::Settings(source) => ConfigError::Estimator { at, what, source: Box::new(source) },
    }
}

struct Try<'s> {
    settings: &'s EstimatorSettings,
}

impl OnFamily for Try<'_> {
    type Out = Result<(), Lack>;

    fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> Result<(), Lack> {
        let estimator = build::<F>(self.settings, scale)?;
        let params = family.init();
        let mut grad = Array1::zeros(params.len());
        let (key, exec) = (StreamKey::from_seed(0), Exec::local());
        let elbo = Elbo::<dyn LogJoint, F>::new(scale.log_joint, &family)?;
        let memory = &mut Memory::default();
        match estimator.estimate(elbo, &params, key, exec, memory, &mut grad) {
            Err(error) if is_about_structure(&error) => Err(Lack::Settings(error)),
            // What depends on the draws is the run's affair.
            _ => Ok(()),
        }
    }
}

/// Whether the error holds for every draw and every λ.
fn is_about_structure(error: &SgviError) -> bool {
    matches!(
        error,
        SgviError::TooFewSamples { .. }
            | SgviError::Groups { .. }
            | SgviError::SobolDimensions { .. }
            | SgviError::Block { .. }
            | SgviError::NotFinitelyMany { .. }
            | SgviError::TooManyStates { .. }
            | SgviError::NoDecomposition { .. }
            | SgviError::NotReparameterized { .. }
            | SgviError::FactorAcrossBlocks { .. }
            | SgviError::FactorAcrossVariables { .. }
            | SgviError::UnknownVariable { .. }
            | SgviError::Setting { .. }
            | SgviError::Dimension { .. }
    )
}
