//! Models at run time: what an experiment can ask of a model whose type it does not know.
//!
//! A capability is a trait bound in the libraries; here, where the model comes from a file, it is an
//! `Option` of a trait object.

mod conjugate;
mod eight_schools;
mod found;
mod plain;
mod registry;
mod reparametrised;

use serde_json::Value;
use vi_core::{
    GaussianExpectation, GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint, ParameterError,
    ParameterSpace, Reported,
};
use vi_diagnostics::Summary;
use vi_families::FamilyError;

pub use conjugate::{Conditionals, Conjugate, DampedAscent, MovingAscent, StochasticAscent};
pub use found::Finding;
pub use registry::{MODELS, ModelEntry};
pub(crate) use registry::{build, reads_no_data};

use crate::config::{
    ApproximationSettings, CaviSettings, EXCHANGEABLE, EstimatorSettings, FamilyKind, FamilySettings,
    MethodConfig, MethodKind, MethodSettings, Owner, Parametrisation,
};
use crate::error::ConfigError;
use crate::estimators;

/// A model with its data, and what it can do.
pub trait Study: Send + Sync + std::fmt::Debug {
    /// The model's name in experiment files.
    fn name(&self) -> &'static str;

    /// Number of data.
    fn n_data(&self) -> usize;

    /// The joint that every method targets, over the variables that users read: the judge of all results.
    fn log_joint(&self) -> &dyn LogJoint;

    /// The model in the form that methods without conditionals work on; `None` asks for the form that suits
    /// them best. `None` is returned when the model has no such form.
    fn target(&self, form: Option<Parametrisation>) -> Option<Target<'_>>;

    /// Its complete conditionals.
    fn conjugate(&self) -> Option<Conditionals<'_>>;

    /// Its exact posterior.
    fn exact(&self) -> Option<&dyn KnownPosterior>;

    /// The priors, for the report.
    fn priors(&self) -> Value;

    /// Which column of the data a coordinate belongs to, where it belongs to one.
    fn labels(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What its users want to read off a posterior, given the figures of every coordinate: tables for the report.
    fn findings(&self, _parameters: &[Summary]) -> Vec<Finding> {
        Vec::new()
    }

    /// The variables that users read.
    fn reported(&self) -> &ParameterSpace {
        self.log_joint().parameters()
    }
}

/// A form of a model.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Its log joint.
    pub log_joint: &'a dyn LogJoint,
    /// Its gradient.
    pub gradient: Option<&'a dyn GradLogJoint>,
    /// Its terms block by block.
    pub local: Option<&'a dyn LocalLogJoint>,
    /// Its expectation under independent Gaussians on the unconstrained scale.
    pub gaussian: Option<&'a dyn GaussianExpectation>,
    /// How the variables that users read come from its own, where they differ.
    pub reported: Option<&'a dyn Reported>,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("parameters", self.log_joint.parameters()).finish_non_exhaustive()
    }
}

/// The methods that a model has what it takes for.
pub fn supported(study: &dyn Study) -> Vec<MethodKind> {
    let can = |kind: &MethodKind| match kind {
        MethodKind::Cavi | MethodKind::Gibbs => study.conjugate().is_some(),
        MethodKind::Svi => study.conjugate().is_some_and(|c| c.exchangeable.is_some()),
        kind if kind.needs_gradient() => {
            study.target(None).is_some_and(|t| t.gradient.is_some() && has_map(t))
        }
        MethodKind::RandomWalk => study.target(None).is_some_and(has_map),
        // `sgvi` and `advise` have a family for every support.
        _ => study.target(None).is_some(),
    };
    MethodKind::ALL.into_iter().filter(can).collect()
}

/// What a model lacks for a method with its settings, before anything is run.
pub(crate) fn check_capability(study: &dyn Study, config: &MethodConfig) -> Result<(), ConfigError> {
    let form = match &config.settings {
        MethodSettings::Sgvi(s) => s.parametrisation,
        MethodSettings::Approximation(s) => s.parametrisation(),
        MethodSettings::Nuts(s) => s.parametrisation,
        MethodSettings::RandomWalk(s) => s.parametrisation,
        MethodSettings::Cavi(_) | MethodSettings::Svi(_) | MethodSettings::Gibbs(_) => None,
    };
    let target = study.target(form);
    let lacking = match (&config.settings, target) {
        (MethodSettings::Cavi(s), _) if study.conjugate().is_some() => {
            return check_keys(study, s, config);
        }
        (MethodSettings::Svi(_), _) if study.conjugate().is_some() => {
            (!supported(study).contains(&MethodKind::Svi)).then_some(EXCHANGEABLE)
        }
        (MethodSettings::Cavi(_) | MethodSettings::Svi(_) | MethodSettings::Gibbs(_), _) => {
            study.conjugate().is_none().then_some("complete conditionals")
        }
        (_, None) => Some("form of this `parametrisation`"),
        (MethodSettings::Sgvi(s), Some(target)) => {
            let owner = config.owner();
            check_family(study, &s.family, target, &owner)?;
            return check_estimator(study, &s.estimator, &s.family, target, &owner);
        }
        (_, Some(target)) if config.kind().needs_gradient() && target.gradient.is_none() => Some("gradient"),
        (MethodSettings::Approximation(ApproximationSettings::Advise(_)), Some(_)) => None,
        (_, Some(target)) => (!has_map(target)).then_some("map to the unconstrained scale"),
    };
    match lacking {
        None => Ok(()),
        Some(capability) => Err(ConfigError::Unsupported {
            at: config.at.clone(),
            model: study.name(),
            method: config.name.clone(),
            capability,
            supported: supported(study).into_iter().map(|k| k.name().to_owned()).collect(),
        }),
    }
}

/// Whether the model has what the keys of CAVI ask for.
fn check_keys(study: &dyn Study, settings: &CaviSettings, config: &MethodConfig) -> Result<(), ConfigError> {
    match study.conjugate().and_then(|c| c.lacks(settings)) {
        None => Ok(()),
        Some((key, capability)) => Err(ConfigError::KeyUnsupported {
            at: config.at.clone(),
            model: study.name(),
            key,
            method: config.name.clone(),
            capability,
        }),
    }
}

/// Whether all variables can be moved to the unconstrained scale.
fn has_map(target: Target<'_>) -> bool {
    vi_core::Bijection::new(target.log_joint.parameters()).is_ok()
}

/// Whether the family can serve the variables, and fits their number.
pub(crate) fn check_family(
    study: &dyn Study,
    family: &FamilySettings,
    target: Target<'_>,
    owner: &Owner,
) -> Result<(), ConfigError> {
    let space = target.log_joint.parameters();
    if family.family == FamilyKind::Product {
        return check_factors(study, space, owner);
    }
    match vi_core::Bijection::new(space) {
        Ok(bijection) => family.check_size(owner, bijection.unconstrained().dim()),
        Err(ParameterError::Unsupported { name, support, .. }) => Err(ConfigError::NoMap {
            at: owner.at.clone(),
            family: family.family.name(),
            what: owner.what.clone(),
            model: study.name(),
            variable: name.into(),
            support,
        }),
        // Whatever else is wrong, the method itself says.
        Err(_) => Ok(()),
    }
}

/// Whether model and family can serve the estimator.
pub(crate) fn check_estimator(
    study: &dyn Study,
    estimator: &EstimatorSettings,
    family: &FamilySettings,
    target: Target<'_>,
    owner: &Owner,
) -> Result<(), ConfigError> {
    estimators::check(estimator, family, target, study.name(), owner)
}

/// Whether the product family has a factor for every variable.
fn check_factors(study: &dyn Study, space: &ParameterSpace, owner: &Owner) -> Result<(), ConfigError> {
    match vi_families::ProductFamily::for_space(space) {
        Err(FamilyError::Parameter(ParameterError::Unsupported { name, support, .. })) => {
            Err(ConfigError::NoFactor {
                at: owner.at.clone(),
                what: owner.what.clone(),
                model: study.name(),
                variable: name,
                support,
            })
        }
        // Whatever else is wrong, the method itself says.
        _ => Ok(()),
    }
}
