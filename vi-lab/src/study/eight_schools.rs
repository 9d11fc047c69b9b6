//! Eight schools in its two forms.

use serde_json::Value;
use vi_core::{KnownPosterior, LogJoint};
use vi_models::ModelError;
use vi_models::eight_schools::{
    EightSchoolsCentred, EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors,
};

use super::{Conditionals, Study, Target};
use crate::config::Parametrisation;

/// The centred form for complete conditionals and for judging, the non-centred one for samplers.
#[derive(Debug)]
pub(super) struct EightSchools {
    centred: EightSchoolsCentred,
    non_centred: EightSchoolsNonCentred,
    priors: Value,
}

impl EightSchools {
    pub(super) fn new(
        data: EightSchoolsData,
        priors: EightSchoolsPriors,
        described: Value,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            centred: EightSchoolsCentred::new(data.clone(), priors)?,
            non_centred: EightSchoolsNonCentred::new(data, priors)?,
            priors: described,
        })
    }
}

impl Study for EightSchools {
    fn name(&self) -> &'static str {
        "eight_schools"
    }

    fn n_data(&self) -> usize {
        self.centred.n_schools()
    }

    fn log_joint(&self) -> &dyn LogJoint {
        &self.centred
    }

    fn target(&self, form: Option<Parametrisation>) -> Option<Target<'_>> {
        Some(match form.unwrap_or(Parametrisation::NonCentred) {
            Parametrisation::Centred => {
                let model = &self.centred;
                Target {
                    log_joint: model,
                    gradient: Some(model),
                    local: Some(model),
                    gaussian: None,
                    reported: None,
                }
            }
            Parametrisation::NonCentred => {
                let model = &self.non_centred;
                Target {
                    log_joint: model,
                    gradient: Some(model),
                    local: Some(model),
                    gaussian: Some(model),
                    reported: Some(model),
                }
            }
        })
    }

    fn conjugate(&self) -> Option<Conditionals<'_>> {
        Some(Conditionals::of(&self.centred).natural(&self.centred))
    }

    fn exact(&self) -> Option<&dyn KnownPosterior> {
        Some(&self.centred)
    }

    fn priors(&self) -> Value {
        self.priors.clone()
    }

    fn labels(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
