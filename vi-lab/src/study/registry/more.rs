//! Models with a gradient and without complete conditionals, whose data are independent or indexed by inputs.

use ndarray::Array1;
use serde::Deserialize;
use serde_json::{Value, json};
use vi_core::GradLogJoint;
use vi_models::ModelError;
use vi_models::gaussian_process::{GaussianProcessPoisson, GaussianProcessPriors, GaussianProcessRegression};
use vi_models::gaussian_regression::{GaussianRegression, NationalElectionStudy};
use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
use vi_models::regression::RegressionData;
use vi_models::two_normals::TwoNormals;

use super::{ModelEntry, checked, priors, slopes};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::study::Study;
use crate::study::plain::Plain;

pub(super) const GAUSSIAN_REGRESSION: ModelEntry = ModelEntry {
    name: "gaussian_regression",
    about: "normal linear regression with unknown sigma and flat, normal, Student-t or half-Cauchy priors",
    example: "[data]\nset = \"kidiq\"\nintercept = true\n\n[model]\nname = \"gaussian_regression\"\n\n\
              [model.priors]\ncoefficients = \"flat\"\nnoise = { half_cauchy = { scale = 2.5 } }\n",
    data_keys: &["response", "covariates", "standardise", "standardise_response", "intercept"],
    reads_data: true,
    build: gaussian_regression,
};

pub(super) const GAUSSIAN_PROCESS_POISSON: ModelEntry = ModelEntry {
    name: "gaussian_process_poisson",
    about: "counts whose log rate is a Gaussian process with squared-exponential covariance",
    example: "[data]\nset = \"gp_pois_regr\"\nresponse = \"k\"\ncovariates = [\"x\"]\n\n\
              [model]\nname = \"gaussian_process_poisson\"\n",
    data_keys: &["response", "covariates"],
    reads_data: true,
    build: gaussian_process_poisson,
};

pub(super) const GAUSSIAN_PROCESS_REGRESSION: ModelEntry = ModelEntry {
    name: "gaussian_process_regression",
    about: "Gaussian process with squared-exponential covariance under normal noise, summed out",
    example: "[data]\nset = \"gp_pois_regr\"\ncovariates = [\"x\"]\n\n\
              [model]\nname = \"gaussian_process_regression\"\n",
    data_keys: &["response", "covariates", "standardise", "standardise_response"],
    reads_data: true,
    build: gaussian_process_regression,
};

pub(super) const ONE_COMPARTMENT: ModelEntry = ModelEntry {
    name: "one_compartment",
    about: "pharmacokinetics: first-order absorption and Michaelis-Menten elimination of one dose",
    example: "[data]\nset = \"one_comp_mm_elim_abs\"\ncovariates = [\"times\"]\n\n\
              [model]\nname = \"one_compartment\"\ndose = 30.0\nvolume = 2.0\n",
    data_keys: &["response", "covariates"],
    reads_data: true,
    build: one_compartment,
};

pub(super) const TWO_NORMALS: ModelEntry = ModelEntry {
    name: "two_normals",
    about: "mixture of two normal distributions with ordered means, assignments summed out",
    example: "[data]\nset = \"low_dim_gauss_mix\"\n\n[model]\nname = \"two_normals\"\n",
    data_keys: &["response", "standardise_response"],
    reads_data: true,
    build: two_normals,
};

pub(super) const LOGEARN_INTERACTION: ModelEntry = ModelEntry {
    name: "logearn_interaction",
    about: "log earnings on height, sex and their product, flat priors; reads the columns earn, height, male",
    example: "[data]\nset = \"earnings\"\n\n[model]\nname = \"logearn_interaction\"\n",
    data_keys: &[],
    reads_data: true,
    build: logearn_interaction,
};

pub(super) const NES: ModelEntry = ModelEntry {
    name: "nes",
    about: "party identification on ideology and six traits, flat priors; reads the columns of nes2000",
    example: "[data]\nset = \"nes2000\"\n\n[model]\nname = \"nes\"\n",
    data_keys: &[],
    reads_data: true,
    build: nes,
};

/// A model that has a gradient and no complete conditionals.
pub(super) fn smooth<M: GradLogJoint + std::fmt::Debug + 'static>(
    name: &'static str,
    model: M,
    n_data: usize,
    priors: Value,
    labels: Vec<(String, String)>,
) -> Box<dyn Study> {
    Box::new(Plain { labels, ..Plain::smooth(name, model, n_data, priors) })
}

/// The response and its one covariate.
fn curve(name: &'static str, at: &Location, data: &Dataset) -> Result<[Array1<f64>; 2], LabError> {
    let (regression, names) = data.regression(name)?;
    if names.len() != 1 {
        let (expected, actual) = (1, names.len());
        return checked(at, Err(ModelError::Length { model: name, data: "covariates", expected, actual }));
    }
    Ok([regression.x().column(0).to_owned(), regression.y().clone()])
}

fn gaussian_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = GAUSSIAN_REGRESSION.name;
    let (given, priors) = priors(reader, table)?;
    let (regression, names): (RegressionData, _) = data.regression(name)?;
    let model = checked(&at, GaussianRegression::new(regression, given))?;
    Ok(smooth(name, model, data.n_rows(), priors, slopes(names)))
}

fn gaussian_process_poisson(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = GAUSSIAN_PROCESS_POISSON.name;
    let (given, priors) = priors::<GaussianProcessPriors>(reader, table)?;
    let [x, counts] = curve(name, &at, data)?;
    let model = checked(&at, GaussianProcessPoisson::new(x, counts, given))?;
    Ok(smooth(name, model, data.n_rows(), priors, Vec::new()))
}

fn gaussian_process_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = GAUSSIAN_PROCESS_REGRESSION.name;
    let (given, priors) = priors::<GaussianProcessPriors>(reader, table)?;
    let [x, y] = curve(name, &at, data)?;
    let model = checked(&at, GaussianProcessRegression::new(x, y, given))?;
    Ok(smooth(name, model, data.n_rows(), priors, Vec::new()))
}

fn two_normals(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = TWO_NORMALS.name;
    let (given, priors) = priors(reader, table)?;
    let model = checked(&at, TwoNormals::new(data.response(name)?, given))?;
    Ok(smooth(name, model, data.n_rows(), priors, Vec::new()))
}

/// A regression whose priors are part of its name.
fn published(
    reader: &Reader<'_>,
    table: Table<'_>,
    name: &'static str,
    model: GaussianRegression,
) -> Result<Box<dyn Study>, LabError> {
    reader.rest::<Nothing>(table, &["name"])?;
    let priors = json!({ "coefficients": model.coefficient_priors()[0], "noise": model.noise_prior() });
    let n_data = model.data().n_points();
    Ok(smooth(name, model, n_data, priors, Vec::new()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn logearn_interaction(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let [earn, height, male] = data.named(["earn", "height", "male"])?;
    let model = checked(&at, GaussianRegression::logearn_interaction(&earn, &height, &male))?;
    published(reader, table, LOGEARN_INTERACTION.name, model)
}

fn nes(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let names = ["partyid7", "real_ideo", "race_adj", "age_discrete", "educ1", "gender", "income"];
    let [partyid7, real_ideo, race_adj, age_discrete, educ1, gender, income] = data.named(names)?;
    let columns =
        NationalElectionStudy { partyid7, real_ideo, race_adj, age_discrete, educ1, gender, income };
    let model = checked(&at, GaussianRegression::nes(&columns))?;
    published(reader, table, NES.name, model)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dose {
    dose: f64,
    volume: f64,
    #[serde(default)]
    start: f64,
    #[serde(default)]
    priors: OneCompartmentPriors,
}

fn one_compartment(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = ONE_COMPARTMENT.name;
    let Dose { dose, volume, start, priors } = reader.rest(table, &["name"])?;
    let [times, concentrations] = curve(name, &at, data)?;
    let measured = OneCompartmentData { dose, volume, start, times, concentrations };
    let model = checked(&at, OneCompartment::new(measured, priors))?;
    Ok(smooth(name, model, data.n_rows(), super::described(&priors)?, Vec::new()))
}
