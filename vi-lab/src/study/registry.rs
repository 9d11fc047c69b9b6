//! The models by name.

mod bits;
mod factors;
mod groups;
mod mixture;
mod more;
mod plate;
mod regressions;
mod robust;
mod series;
mod topics;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vi_models::ModelError;
use vi_models::eight_schools::EightSchoolsData;
use vi_models::linear_regression::LinearRegression;
use vi_models::logistic_regression::LogisticRegression;
use vi_models::normal_mean_precision::NormalMeanPrecision;

use super::eight_schools::EightSchools;
use super::plain::Plain;
use super::{Conditionals, Study};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{ConfigError, LabError, Location};

/// A model that experiments can name.
#[derive(Clone, Copy)]
pub struct ModelEntry {
    /// Its name in `[model] name = "…"`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its `[data]` and `[model]` on a built-in data set: an example, and what `vi-lab models` asks for its
    /// capabilities.
    pub example: &'static str,
    /// The keys of `[data]` that it reads besides `set` and `file`; any other one is refused.
    pub data_keys: &'static [&'static str],
    /// Whether it reads data at all; without, the file has no `[data]`.
    pub reads_data: bool,
    build: Build,
}

type Build = fn(&Reader<'_>, Table<'_>, Location, &Dataset) -> Result<Box<dyn Study>, LabError>;

impl std::fmt::Debug for ModelEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All models.
pub const MODELS: [ModelEntry; 29] = [
    regressions::ARD_REGRESSION,
    series::AUTOREGRESSION,
    ModelEntry {
        name: "eight_schools",
        about: "normal hierarchy with known standard errors and a half-Cauchy prior of the between-group scale",
        example: "[data]\nset = \"eight_schools\"\n\n[model]\nname = \"eight_schools\"\n",
        data_keys: &["response", "standard_errors"],
        reads_data: true,
        build: eight_schools,
    },
    factors::FACTOR_ANALYSIS,
    series::GARCH,
    mixture::GAUSSIAN_MIXTURE,
    more::GAUSSIAN_PROCESS_POISSON,
    more::GAUSSIAN_PROCESS_REGRESSION,
    more::GAUSSIAN_REGRESSION,
    series::HIDDEN_MARKOV,
    groups::HIERARCHICAL_NORMAL,
    bits::ISING,
    topics::LATENT_DIRICHLET,
    ModelEntry {
        name: "linear_regression",
        about: "normal linear regression with a conjugate prior; exact posterior and evidence known",
        example: "[data]\nset = \"kidiq\"\nstandardise = true\nintercept = true\n\n\
                  [model]\nname = \"linear_regression\"\n",
        data_keys: &["response", "covariates", "standardise", "standardise_response", "intercept"],
        reads_data: true,
        build: linear_regression,
    },
    more::LOGEARN_INTERACTION,
    ModelEntry {
        name: "logistic_regression",
        about: "Bernoulli regression with logit link and Gaussian priors",
        example: "[data]\nset = \"breast_cancer\"\nstandardise = true\nintercept = true\n\n\
                  [model]\nname = \"logistic_regression\"\n",
        data_keys: &["response", "covariates", "standardise", "intercept"],
        reads_data: true,
        build: logistic_regression,
    },
    factors::MATRIX_FACTORISATION,
    regressions::MULTINOMIAL_REGRESSION,
    more::NES,
    ModelEntry {
        name: "normal_mean_precision",
        about: "normal data with unknown mean and precision",
        example: "[data]\nset = \"kidiq\"\nresponse = \"mom_iq\"\n\n[model]\nname = \"normal_mean_precision\"\n",
        data_keys: &["response", "standardise_response"],
        reads_data: true,
        build: normal_mean_precision,
    },
    more::ONE_COMPARTMENT,
    factors::POISSON_FACTORISATION,
    groups::POISSON_GAMMA,
    factors::PRINCIPAL_COMPONENTS,
    regressions::PROBIT_REGRESSION,
    plate::SIGMOID_BELIEF_NETWORK,
    regressions::SPIKE_AND_SLAB,
    robust::STUDENT_T_REGRESSION,
    more::TWO_NORMALS,
];

/// The model that `[model]` names, on its data.
pub(crate) fn build(
    reader: &Reader<'_>,
    mut table: Table<'_>,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let at = crate::config::place(reader, &table);
    let name = reader.string(&mut table, "name")?;
    match MODELS.iter().find(|m| m.name == name.get_ref()) {
        Some(entry) if !entry.reads_data && !data.is_nothing() => {
            Err(LabError::Config(ConfigError::NoData { at: data.at().clone(), model: entry.name }))
        }
        Some(entry) => {
            data.check_keys(entry.name, entry.data_keys)?;
            (entry.build)(reader, table, at, data)
        }
        None => {
            let known = MODELS.map(|m| m.name.to_owned()).to_vec();
            Err(LabError::Config(ConfigError::UnknownValue {
                at: reader.at(name.span().start),
                what: "model".into(),
                value: name.into_inner(),
                known,
            }))
        }
    }
}

/// Whether the model that a `[model]` table names reads no data.
pub(crate) fn reads_no_data(table: &Table<'_>) -> bool {
    let name = table.entries.get("name").and_then(|name| name.get_ref().as_str());
    MODELS.iter().any(|m| Some(m.name) == name && !m.reads_data)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyPriors {
    #[serde(rename = "priors")]
    _priors: Option<serde::de::IgnoredAny>,
}

/// The priors, their defaults where the file is silent; nothing else may be in the table.
fn priors<P>(reader: &Reader<'_>, mut table: Table<'_>) -> Result<(P, Value), LabError>
where
    P: DeserializeOwned + Serialize + Default,
{
    let given = table.entries.remove("priors");
    reader.rest::<OnlyPriors>(table, &["name"])?;
    let priors = match given {
        Some(value) => reader.rest(reader.as_table(value, "[model.priors]".into())?, &[])?,
        None => P::default(),
    };
    let described = described(&priors)?;
    Ok((priors, described))
}

/// Priors as the report shows them.
fn described<P: Serialize>(priors: &P) -> Result<Value, LabError> {
    serde_json::to_value(priors).map_err(|e| LabError::Render { what: "the priors", message: e.to_string() })
}

/// What the model says of its data and priors, with the place in the file.
fn checked<M>(at: &Location, model: Result<M, ModelError>) -> Result<M, LabError> {
    model.map_err(|source| LabError::Config(ConfigError::Model { at: at.clone(), source: Box::new(source) }))
}

fn eight_schools(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let (priors, described) = priors(reader, table)?;
    let effect = data.response("eight_schools")?;
    let standard_error = data.standard_errors("eight_schools")?;
    let data = EightSchoolsData { effect, standard_error };
    Ok(Box::new(checked(&at, EightSchools::new(data, priors, described))?))
}

fn normal_mean_precision(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let (given, priors) = priors(reader, table)?;
    let model = NormalMeanPrecision::new(data.response("normal_mean_precision")?, given);
    let model = checked(&at, model)?;
    Ok(Box::new(Plain {
        conjugate: |m| Some(Conditionals::of(m).natural(m)),
        exact: |m| Some(m),
        local: |m| Some(m),
        ..Plain::smooth("normal_mean_precision", model, data.n_rows(), priors)
    }))
}

fn linear_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let (given, priors) = priors(reader, table)?;
    let (regression, names) = data.regression("linear_regression")?;
    let model = checked(&at, LinearRegression::new(regression, given))?;
    Ok(Box::new(Plain {
        labels: slopes(names),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        exact: |m| Some(m),
        local: |m| Some(m),
        ..Plain::smooth("linear_regression", model, data.n_rows(), priors)
    }))
}

fn logistic_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let (given, priors) = priors(reader, table)?;
    let (regression, names) = data.regression("logistic_regression")?;
    let model = checked(&at, LogisticRegression::new(regression, given))?;
    Ok(Box::new(Plain {
        labels: slopes(names),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        local: |m| Some(m),
        gaussian: |m| Some(m),
        ..Plain::smooth("logistic_regression", model, data.n_rows(), priors)
    }))
}

fn slopes(names: Vec<String>) -> Vec<(String, String)> {
    names.into_iter().enumerate().map(|(j, name)| (format!("beta[{}]", j + 1), name)).collect()
}
