//! Models at run time: what an experiment can ask of a model whose type it does not know.
//!
//! A capability is a trait bound in the libraries; here, where the model comes from a file, it is an
//! `Option` of a trait object.

mod conjugate;
mod eight_schools;
mod plain;
mod registry;
mod reparametrised;

use serde_json::Value;
use vi_core::{GradLogJoint, KnownPosterior, LogJoint, ParameterError, ParameterSpace, Reported};
use vi_families::FamilyError;

pub use conjugate::Conjugate;
pub(crate) use registry::build;
pub use registry::{MODELS, ModelEntry};

use crate::config::{
    EstimatorKind, FamilyKind, MethodConfig, MethodKind, MethodSettings, Parametrisation, SgviSettings,
    family_size,
};
use crate::error::ConfigError;

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
    fn conjugate(&self) -> Option<&dyn Conjugate>;

    /// Its exact posterior.
    fn exact(&self) -> Option<&dyn KnownPosterior>;

    /// The priors, for the report.
    fn priors(&self) -> Value;

    /// Which column of the data a coordinate belongs to, where it belongs to one.
    fn labels(&self) -> Vec<(String, String)> {
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
        MethodKind::Nuts => study.target(None).is_some_and(|t| t.gradient.is_some()),
        MethodKind::Sgvi | MethodKind::RandomWalk => study.target(None).is_some(),
    };
    MethodKind::ALL.into_iter().filter(can).collect()
}

/// What a model lacks for a method with its settings, before anything is run.
pub(crate) fn check_capability(study: &dyn Study, config: &MethodConfig) -> Result<(), ConfigError> {
    let form = match &config.settings {
        MethodSettings::Sgvi(s) => s.parametrisation,
        MethodSettings::Nuts(s) => s.parametrisation,
        MethodSettings::RandomWalk(s) => s.parametrisation,
        MethodSettings::Cavi(_) | MethodSettings::Gibbs(_) => None,
    };
    let target = study.target(form);
    let gradient = target.is_some_and(|t| t.gradient.is_some());
    let unconstrained = target.is_some_and(|t| vi_core::Bijection::new(t.log_joint.parameters()).is_ok());
    let lacking = match &config.settings {
        MethodSettings::Cavi(_) | MethodSettings::Gibbs(_) => {
            study.conjugate().is_none().then_some("complete conditionals")
        }
        _ if target.is_none() => Some("form of this `parametrisation`"),
        MethodSettings::Sgvi(s) if s.family == FamilyKind::Product => {
            return target.map_or(Ok(()), |t| check_factors(study, config, t.log_joint.parameters()));
        }
        MethodSettings::Sgvi(s) if s.estimator == EstimatorKind::Pathwise && !gradient => Some("gradient"),
        MethodSettings::Nuts(_) if !gradient => Some("gradient"),
        _ => (!unconstrained).then_some("map to the unconstrained scale"),
    };
    match lacking {
        None => match (&config.settings, target) {
            (MethodSettings::Sgvi(s), Some(t)) => check_size(config, s, t.log_joint.parameters()),
            _ => Ok(()),
        },
        Some(capability) => Err(ConfigError::Unsupported {
            at: config.at.clone(),
            model: study.name(),
            method: config.name.clone(),
            capability,
            supported: supported(study).into_iter().map(|k| k.name().to_owned()).collect(),
        }),
    }
}

/// Whether the family fits the dimension.
fn check_size(
    config: &MethodConfig,
    settings: &SgviSettings,
    space: &ParameterSpace,
) -> Result<(), ConfigError> {
    match vi_core::Bijection::new(space) {
        Ok(bijection) => family_size(config, settings, bijection.unconstrained().dim()),
        // Whatever is wrong, the method itself says.
        Err(_) => Ok(()),
    }
}

/// Whether the product family has a factor for every variable.
fn check_factors(
    study: &dyn Study,
    config: &MethodConfig,
    space: &ParameterSpace,
) -> Result<(), ConfigError> {
    match vi_families::ProductFamily::for_space(space) {
        Err(FamilyError::Parameter(ParameterError::Unsupported { name, support, .. })) => {
            Err(ConfigError::NoFactor {
                at: config.at.clone(),
                method: config.name.clone(),
                model: study.name(),
                variable: name,
                support,
            })
        }
        // Whatever else is wrong, the method itself says.
        _ => Ok(()),
    }
}
