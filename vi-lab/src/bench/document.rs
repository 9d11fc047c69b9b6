//! `estimators.json`, schema 1.

use serde::{Deserialize, Serialize};
use vi_sgvi::bench::Report;

use crate::config::EstimatorBench;
use crate::error::LabError;
use crate::manifest::Manifest;
use crate::output::{OutputDirectory, pretty};
use crate::summary::{ModelSummary, SCHEMA};

/// A whole `estimators.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchDocument {
    /// The version of this layout.
    pub schema: u32,
    /// The bench's name.
    pub experiment: String,
    /// The seed of every random number.
    pub seed: u64,
    /// The model.
    pub model: ModelSummary,
    /// The variational family.
    pub family: BenchFamily,
    /// What was found.
    pub report: Report,
    /// Under what circumstances.
    pub manifest: Manifest,
}

/// The family in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchFamily {
    /// Its name.
    pub name: String,
    /// The family and its keys in words.
    pub settings: String,
    /// Number of variational parameters.
    pub n_params: usize,
}

impl BenchDocument {
    pub(super) fn new(bench: &EstimatorBench, report: Report) -> Self {
        let experiment = &bench.experiment;
        let study = experiment.study.as_ref();
        Self {
            schema: SCHEMA,
            experiment: experiment.name.clone(),
            seed: experiment.seed,
            model: ModelSummary {
                name: study.name().to_owned(),
                dim: bench.target().log_joint.dim(),
                n_data: study.n_data(),
            },
            family: BenchFamily {
                name: bench.family.family.name().to_owned(),
                settings: bench.family.describe(),
                n_params: report.param_names.len(),
            },
            report,
            manifest: Manifest::here(),
        }
    }

    /// The document as it stands in `estimators.json`.
    ///
    /// # Errors
    /// [`LabError::Render`] when a number has no form in JSON.
    pub fn to_json(&self) -> Result<String, LabError> {
        pretty(self)
    }

    pub(super) fn write(
        &self,
        bench: &EstimatorBench,
        output: &OutputDirectory,
        report: &str,
    ) -> Result<(), LabError> {
        output.write("manifest.json", self.manifest.of(&bench.experiment)?.as_bytes())?;
        output.write("report.html", report.as_bytes())?;
        // Last: who finds it finds all that belongs to it.
        output.write("estimators.json", self.to_json()?.as_bytes())
    }
}
