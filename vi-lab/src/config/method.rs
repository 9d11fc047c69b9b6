//! The `[[methods]]` tables.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vi_sgvi::{AnyOptimizer, Averaging, Clipping, ElboPlateau, Starts, Stationarity, Window};

use super::approximation::ApproximationSettings;
use super::conjugate::{CaviSettings, GibbsSettings, SviSettings};
use super::estimator::EstimatorSettings;
use super::family::FamilySettings;
use super::kind::MethodKind;
use super::reader::{Reader, Table};
use super::{Owner, optimizer};
use crate::error::{ConfigError, Location};

/// The form of a model that has more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrisation {
    /// Effects as they are reported.
    Centred,
    /// Standardised effects, from which the reported ones are computed.
    NonCentred,
}

/// Draws of a variational posterior unless the experiment says otherwise.
pub(super) const N_DRAWS: usize = 4000;

/// Settings of SGVI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgviSettings {
    /// The variational family: its keys stand beside these.
    #[serde(skip_deserializing, flatten)]
    pub family: FamilySettings,
    /// The gradient estimator: its keys, too.
    #[serde(skip_deserializing, flatten)]
    pub estimator: EstimatorSettings,
    /// Budget of iterations.
    pub max_iterations: u64,
    /// The optimizer: a name, or a table with its settings.
    #[serde(deserialize_with = "optimizer::name_or_table")]
    pub optimizer: AnyOptimizer,
    /// Whether gradients are cut to a length, which biases them.
    pub clipping: Clipping,
    /// Which average of the iterates is reported.
    pub averaging: Averaging,
    /// Windows of the ELBO trace that are compared.
    pub window: Window,
    /// When the difference of two windows counts as none.
    pub tolerance: ElboPlateau,
    /// Stops when the iterates are stationary and their average is known well enough, instead of by `tolerance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stationarity: Option<Stationarity>,
    /// Several starts, of which the best bound is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for SgviSettings {
    fn default() -> Self {
        let inner = vi_sgvi::SgviSettings::default();
        Self {
            family: FamilySettings::default(),
            estimator: EstimatorSettings::default(),
            max_iterations: inner.n_iterations,
            optimizer: inner.optimizer,
            clipping: inner.clipping,
            averaging: inner.averaging,
            window: inner.window,
            tolerance: inner.tolerance,
            stationarity: None,
            starts: None,
            parametrisation: None,
            n_draws: N_DRAWS,
        }
    }
}

/// Settings of NUTS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NutsSettings {
    /// Chains.
    pub n_chains: usize,
    /// Draws that tune step size and mass matrix and are thrown away, per chain.
    pub n_warmup: usize,
    /// Draws kept per chain.
    pub n_draws: usize,
    /// Acceptance statistic aimed at.
    pub target_accept: f64,
    /// A trajectory has fewer than 2^max_tree_depth steps.
    pub max_tree_depth: u32,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
}

impl Default for NutsSettings {
    fn default() -> Self {
        Self {
            n_chains: 4,
            n_warmup: 1000,
            n_draws: 1000,
            target_accept: 0.8,
            max_tree_depth: 10,
            parametrisation: None,
        }
    }
}

/// Settings of the random walk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomWalkSettings {
    /// Chains.
    pub n_chains: usize,
    /// Iterations that tune the proposal and are thrown away, per chain.
    pub n_warmup: usize,
    /// Draws kept per chain.
    pub n_draws: usize,
    /// Iterations per draw kept.
    pub thin: usize,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
}

impl Default for RandomWalkSettings {
    fn default() -> Self {
        Self { n_chains: 4, n_warmup: 5000, n_draws: 2000, thin: 10, parametrisation: None }
    }
}

/// A JSON object as words: `{"a":1,"b":{"c":2},"d":null}` is `a = 1, b = {c = 2}`.
pub(crate) fn words(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let given = object.iter().filter(|(_, v)| !v.is_null());
            let pairs = given.map(|(k, v)| match v {
                Value::Object(_) => format!("{k} = {{{}}}", words(v)),
                v => format!("{k} = {}", words(v)),
            });
            pairs.collect::<Vec<_>>().join(", ")
        }
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// The settings of a method.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "a handful of them, read once from a file")]
pub enum MethodSettings {
    /// Of CAVI.
    Cavi(CaviSettings),
    /// Of stochastic variational inference.
    Svi(SviSettings),
    /// Of SGVI.
    Sgvi(SgviSettings),
    /// Of a method beside it.
    Approximation(ApproximationSettings),
    /// Of NUTS.
    Nuts(NutsSettings),
    /// Of the Gibbs sampler.
    Gibbs(GibbsSettings),
    /// Of the random walk.
    RandomWalk(RandomWalkSettings),
}

/// One method of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodConfig {
    /// Its name, which names its output files.
    pub name: String,
    /// Its settings, and with them what it is.
    pub settings: MethodSettings,
    /// Where it stands.
    pub at: Location,
    pub(crate) offset: usize,
}

impl MethodConfig {
    /// Which method it is.
    pub fn kind(&self) -> MethodKind {
        match &self.settings {
            MethodSettings::Cavi(_) => MethodKind::Cavi,
            MethodSettings::Svi(_) => MethodKind::Svi,
            MethodSettings::Sgvi(_) => MethodKind::Sgvi,
            MethodSettings::Approximation(s) => s.kind(),
            MethodSettings::Nuts(_) => MethodKind::Nuts,
            MethodSettings::Gibbs(_) => MethodKind::Gibbs,
            MethodSettings::RandomWalk(_) => MethodKind::RandomWalk,
        }
    }

    /// How errors call it.
    pub(crate) fn owner(&self) -> Owner {
        Owner { at: self.at.clone(), what: format!("method `{}`", self.name) }
    }

    /// The method and its settings in words.
    pub fn describe(&self) -> String {
        let settings = serde_json::to_value(&self.settings)
            .unwrap_or_else(|_| unreachable!("settings are tables of plain values"));
        format!("{}: {}", self.kind().name(), words(&settings))
    }

    pub(crate) fn read(reader: &Reader<'_>, mut table: Table<'_>) -> Result<Self, ConfigError> {
        const TAKEN: [&str; 2] = ["name", "method"];
        let offset = table.span.start;
        let method = reader.string(&mut table, "method")?;
        let name = if table.entries.contains_key("name") {
            reader.string(&mut table, "name")?.into_inner()
        } else {
            method.get_ref().clone()
        };
        let known = MethodKind::ALL.map(|k| k.name().to_owned());
        let Some(kind) = MethodKind::ALL.into_iter().find(|k| k.name() == method.get_ref()) else {
            return Err(ConfigError::UnknownValue {
                at: reader.at(method.span().start),
                what: "method".into(),
                value: method.into_inner(),
                known: known.to_vec(),
            });
        };
        table.name = format!("[[methods]] `{name}`");
        use ApproximationSettings as A;
        let approximation = MethodSettings::Approximation;
        let settings = match kind {
            MethodKind::Cavi => MethodSettings::Cavi(reader.rest(table, &TAKEN)?),
            MethodKind::Svi => MethodSettings::Svi(reader.rest(table, &TAKEN)?),
            MethodKind::Sgvi => {
                let family = reader.part(&mut table, &FamilySettings::KEYS)?;
                let estimator = reader.part(&mut table, &EstimatorSettings::KEYS)?;
                let taken = [&TAKEN[..], &FamilySettings::KEYS, &EstimatorSettings::KEYS].concat();
                let rest: SgviSettings = reader.rest(table, &taken)?;
                MethodSettings::Sgvi(SgviSettings { family, estimator, ..rest })
            }
            MethodKind::Advise => approximation(A::Advise(reader.rest(table, &TAKEN)?)),
            MethodKind::Laplace => approximation(A::Laplace(reader.rest(table, &TAKEN)?)),
            MethodKind::Pathfinder => approximation(A::Pathfinder(reader.rest(table, &TAKEN)?)),
            MethodKind::MultiPathfinder => approximation(A::MultiPathfinder(reader.rest(table, &TAKEN)?)),
            MethodKind::BatchAndMatch => approximation(A::BatchAndMatch(reader.rest(table, &TAKEN)?)),
            MethodKind::GaussianScoreMatching => {
                approximation(A::GaussianScoreMatching(reader.rest(table, &TAKEN)?))
            }
            MethodKind::DeterministicAdvi => approximation(A::DeterministicAdvi(reader.rest(table, &TAKEN)?)),
            MethodKind::Svgd => approximation(A::Svgd(reader.rest(table, &TAKEN)?)),
            MethodKind::Nuts => MethodSettings::Nuts(reader.rest(table, &TAKEN)?),
            MethodKind::Gibbs => MethodSettings::Gibbs(reader.rest(table, &TAKEN)?),
            MethodKind::RandomWalk => MethodSettings::RandomWalk(reader.rest(table, &TAKEN)?),
        };
        let config = Self { name, settings, at: reader.at(offset), offset };
        super::validate::method(&config)?;
        Ok(config)
    }
}
