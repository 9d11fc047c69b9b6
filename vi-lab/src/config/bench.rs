//! Bench files: estimators of one gradient, compared at fixed points.

use std::path::Path;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_sgvi::bench::BenchSettings;
use vi_sgvi::{AnyOptimizer, Averaging};

use super::bench_tables::Tables;
use super::estimator::EstimatorSettings;
use super::family::FamilySettings;
use super::{Experiment, Owner, Parametrisation, optimizer};
use crate::error::{LabError, Location};
use crate::study::Target;

/// The list of tables that makes a file a bench.
pub(super) const ESTIMATORS: &str = "estimators";
const TABLES: [&str; 5] = [ESTIMATORS, "family", "points", "reference", "bench"];

/// A bench: name, data and model like an experiment's, a family, and the estimators that are compared on them.
#[derive(Debug)]
pub struct EstimatorBench {
    /// Name, seed, data and model; it has no methods.
    pub experiment: Experiment,
    /// The variational family.
    pub family: FamilySettings,
    /// The form of the model.
    pub parametrisation: Option<Parametrisation>,
    /// The estimators; the first is the one that the others are measured by.
    pub estimators: Vec<EstimatorConfig>,
    /// Where gradients are estimated.
    pub points: PointsConfig,
    /// What they are compared with.
    pub reference: ReferenceConfig,
    /// How much work is done.
    pub settings: BenchSettings,
}

/// One estimator of a bench.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimatorConfig {
    /// Its name in tables and figures.
    pub name: String,
    /// What it is.
    pub settings: EstimatorSettings,
    /// Where it stands.
    pub at: Location,
}

/// Points that a climb finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointName {
    /// Where the family starts.
    Start,
    /// Half way up in ELBO.
    Middle,
    /// Where the climb ends.
    Optimum,
}

/// A point of one's own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenPoint {
    /// Its name.
    pub name: String,
    /// λ (P).
    pub params: Vec<f64>,
}

/// The `[points]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointsConfig {
    /// The estimator whose climb finds the points, by name.
    pub by: Option<String>,
    /// Which points of the climb are used; all three by default.
    #[serde(rename = "use")]
    pub names: Vec<PointName>,
    /// Iterations of the climb; 2000 by default.
    pub max_iterations: u64,
    /// Its optimizer: a name, or a table with its settings.
    #[serde(deserialize_with = "optimizer::name_or_table")]
    pub optimizer: AnyOptimizer,
    /// Which average of its iterates is used.
    pub averaging: Averaging,
    /// Samples of the ELBOs that tell the middle; 2000 by default.
    pub n_evaluate: usize,
    /// Points of one's own.
    pub given: Vec<GivenPoint>,
}

impl Default for PointsConfig {
    fn default() -> Self {
        let inner = vi_sgvi::SgviSettings::default();
        Self {
            by: None,
            names: vec![PointName::Start, PointName::Middle, PointName::Optimum],
            max_iterations: 2000,
            optimizer: inner.optimizer,
            averaging: inner.averaging,
            n_evaluate: 2000,
            given: Vec::new(),
        }
    }
}

/// What bias is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    /// The exact gradient where one is known, a large paired run otherwise.
    #[default]
    Auto,
    /// The exact gradient.
    Exact,
    /// Another estimator, replicate by replicate under the same keys.
    Paired,
    /// Nothing.
    None,
}

/// The `[reference]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceConfig {
    /// What it is.
    pub kind: ReferenceKind,
    /// The estimator of a paired run; by default leave-one-out with 1000 samples.
    pub estimator: EstimatorSettings,
    pub(crate) owner_at: Location,
}

impl EstimatorBench {
    /// Reads a bench file; data files are looked for beside it.
    ///
    /// # Errors
    /// [`LabError`] names the file, the place and the mistake.
    pub fn load(path: &Path) -> Result<Self, LabError> {
        let (text, directory) = super::read_file(path)?;
        Self::parse(&text, &path.display().to_string(), &directory)
    }

    /// Reads a bench from memory; see [`Experiment::parse`].
    ///
    /// # Errors
    /// As for [`EstimatorBench::load`].
    pub fn parse(text: &str, file: &str, directory: &Path) -> Result<Self, LabError> {
        let (experiment, tables) =
            Experiment::parse_with(text, file, directory, &TABLES, |reader, root, experiment| {
                Tables::read(reader, root, experiment.study.as_ref())
            })?;
        let Tables { family, parametrisation, estimators, points, reference, settings } = tables;
        Ok(Self { experiment, family, parametrisation, estimators, points, reference, settings })
    }

    /// The form of the model that is benched.
    pub fn target(&self) -> Target<'_> {
        let target = self.experiment.study.target(self.parametrisation);
        target.unwrap_or_else(|| unreachable!("the form was checked when the file was read"))
    }
}

impl EstimatorConfig {
    /// How errors call it.
    pub(crate) fn owner(&self) -> Owner {
        Owner { at: self.at.clone(), what: format!("estimator `{}`", self.name) }
    }
}

impl ReferenceConfig {
    /// How errors call it.
    pub(crate) fn owner(&self) -> Owner {
        Owner { at: self.owner_at.clone(), what: "[reference]".to_owned() }
    }
}

impl PointsConfig {
    /// The points of one's own.
    pub(crate) fn given(&self) -> impl Iterator<Item = vi_sgvi::bench::Point> {
        self.given.iter().map(|p| vi_sgvi::bench::Point::new(&p.name, Array1::from(p.params.clone())))
    }

    /// The settings of the climb.
    pub(crate) fn climb(&self) -> vi_sgvi::SgviSettings {
        vi_sgvi::SgviSettings {
            n_iterations: self.max_iterations,
            optimizer: self.optimizer,
            averaging: self.averaging,
            n_evaluate: self.n_evaluate,
            ..vi_sgvi::SgviSettings::default()
        }
    }
}

impl PointName {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::Optimum => "optimum",
        }
    }
}
