//! Models of a series: the response column in its order.

use serde::Deserialize;
use serde_json::json;
use vi_models::garch::Garch;
use vi_models::gaussian_regression::GaussianRegression;
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};

use super::more::smooth;
use super::{ModelEntry, checked, described};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::study::Study;
use crate::study::reparametrised::Reparametrised;

pub(super) const AUTOREGRESSION: ModelEntry = ModelEntry {
    name: "autoregression",
    about: "autoregression with normal coefficients and a half-Cauchy prior of sigma, given its first values",
    example: "[data]\nset = \"arK\"\n\n[model]\nname = \"autoregression\"\norder = 5\n",
    data_keys: &["response", "standardise_response"],
    reads_data: true,
    build: autoregression,
};

pub(super) const GARCH: ModelEntry = ModelEntry {
    name: "garch",
    about: "GARCH(1, 1) with flat priors on its stationary region",
    example: "[data]\nset = \"garch\"\n\n[model]\nname = \"garch\"\ninitial_sd = 0.5\n",
    data_keys: &["response", "standardise_response"],
    reads_data: true,
    build: garch,
};

pub(super) const HIDDEN_MARKOV: ModelEntry = ModelEntry {
    name: "hidden_markov",
    about: "hidden Markov chain seen through normal noise, states summed out",
    example: "[data]\nset = \"hmm_example\"\n\n[model]\nname = \"hidden_markov\"\n\n\
              [model.priors]\nmean_mean = [3.0, 10.0]\nmean_sd = [1.0, 1.0]\n",
    data_keys: &["response", "standardise_response"],
    reads_data: true,
    build: hidden_markov,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    order: usize,
}

fn autoregression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = AUTOREGRESSION.name;
    let Order { order } = reader.rest(table, &["name"])?;
    let model = checked(&at, GaussianRegression::autoregression(&data.response(name)?, order))?;
    let priors = json!({ "coefficients": model.coefficient_priors()[0], "noise": model.noise_prior() });
    Ok(smooth(name, model, data.n_rows(), priors, Vec::new()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    initial_sd: f64,
}

fn garch(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = GARCH.name;
    let Start { initial_sd } = reader.rest(table, &["name"])?;
    let model = checked(&at, Garch::new(data.response(name)?, initial_sd))?;
    let flat = ["mu", "alpha0", "alpha1", "beta1"].map(|p| (p.to_owned(), json!("flat")));
    let priors = serde_json::Value::Object(flat.into_iter().collect());
    Ok(Box::new(Reparametrised::new(name, model, data.n_rows(), priors)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct States {
    priors: HiddenMarkovPriors,
}

fn hidden_markov(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = HIDDEN_MARKOV.name;
    let States { priors } = reader.rest(table, &["name"])?;
    let shown = described(&priors)?;
    let model = checked(&at, HiddenMarkov::new(data.response(name)?, priors))?;
    Ok(smooth(name, model, data.n_rows(), shown, Vec::new()))
}
