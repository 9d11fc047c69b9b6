//! Factors of a table: principal components, factor analysis, matrix factorisation, counts.

use serde::{Deserialize, Serialize};
use vi_core::{LogJoint, ParameterSpace};
use vi_diagnostics::Summary;
use vi_models::factor_model::{
    Diagonal, FactorModel, FactorModelPriors, InterceptPrior, Isotropic, NoiseShape, PrecisionPrior,
};
use vi_models::observed_matrix::ObservedMatrix;
use vi_models::poisson_factorisation::{PoissonFactorisation, PoissonFactorisationPriors};
use vi_models::sparse_counts::SparseCounts;

use super::{ModelEntry, checked, described};
use crate::config::{Reader, Table};
use crate::data::{Dataset, Entries};
use crate::error::{LabError, Location};
use crate::report::figures::number;
use crate::study::found::{Finding, Found, of, texts};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const PRINCIPAL_COMPONENTS: ModelEntry = ModelEntry {
    name: "principal_components",
    about: "probabilistic PCA with `n_factors` factors, switched off by automatic relevance determination; scores \
            integrated out",
    example: "[data]\nset = \"kidiq\"\nstandardise = true\n\n[model]\nname = \"principal_components\"\nn_factors = 2\n",
    data_keys: MATRIX_KEYS,
    reads_data: true,
    build: principal_components,
};

pub(super) const FACTOR_ANALYSIS: ModelEntry = ModelEntry {
    name: "factor_analysis",
    about: "factor analysis with `n_factors` factors and noise of every column's own; scores integrated out",
    example: "[data]\nset = \"breast_cancer\"\ncolumns = [\"mean_radius\", \"mean_area\", \"mean_texture\", \
              \"mean_smoothness\"]\nstandardise = true\n\n[model]\nname = \"factor_analysis\"\nn_factors = 2\n",
    data_keys: MATRIX_KEYS,
    reads_data: true,
    build: factor_analysis,
};

pub(super) const MATRIX_FACTORISATION: ModelEntry = ModelEntry {
    name: "matrix_factorisation",
    about: "Gaussian matrix factorisation with `n_factors` factors, precisions of rows and of columns learned alike, entries \
            missing; factors of rows integrated out",
    example: "[data]\nset = \"kidiq\"\nstandardise = true\n\n[model]\nname = \"matrix_factorisation\"\nn_factors = 2\n",
    data_keys: MATRIX_KEYS,
    reads_data: true,
    build: matrix_factorisation,
};

pub(super) const POISSON_FACTORISATION: ModelEntry = ModelEntry {
    name: "poisson_factorisation",
    about: "hierarchical Poisson-Gamma factorisation of counts with `n_factors` factors, from a table or from a list of row, \
            column, count",
    example: "[data]\nset = \"digits\"\ncolumns = [\"pixel_3_3\", \"pixel_3_6\", \"pixel_6_3\", \"pixel_6_6\"]\n\n\
              [model]\nname = \"poisson_factorisation\"\nn_factors = 2\n",
    data_keys: &["columns", "entries", "missing"],
    reads_data: true,
    build: poisson_factorisation,
};

const MATRIX_KEYS: &[&str] = &["columns", "standardise", "missing", "entries"];

/// Columns shown for a factor of counts: as many as fit a line.
const N_COLUMNS: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factors<P: Default> {
    n_factors: usize,
    #[serde(default)]
    priors: P,
}

/// The priors of matrix factorisation: those of the factor model with defaults of their own.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct MatrixFactorisationPriors {
    loading: PrecisionPrior,
    score: PrecisionPrior,
    noise: PrecisionPrior,
    intercept: Option<InterceptPrior>,
}

impl Default for MatrixFactorisationPriors {
    fn default() -> Self {
        let FactorModelPriors { loading, score, noise, intercept } =
            FactorModelPriors::matrix_factorisation();
        Self { loading, score, noise, intercept }
    }
}

fn principal_components(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Factors { n_factors, priors } = reader.rest(table, &["name"])?;
    factor_model::<Isotropic>(PRINCIPAL_COMPONENTS.name, n_factors, priors, &at, data)
}

fn factor_analysis(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Factors { n_factors, priors } = reader.rest(table, &["name"])?;
    factor_model::<Diagonal>(FACTOR_ANALYSIS.name, n_factors, priors, &at, data)
}

fn matrix_factorisation(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Factors::<MatrixFactorisationPriors> { n_factors, priors } = reader.rest(table, &["name"])?;
    let MatrixFactorisationPriors { loading, score, noise, intercept } = priors;
    let priors = FactorModelPriors { loading, score, noise, intercept };
    factor_model::<Isotropic>(MATRIX_FACTORISATION.name, n_factors, priors, &at, data)
}

fn factor_model<S: NoiseShape>(
    name: &'static str,
    n_factors: usize,
    given: FactorModelPriors,
    at: &Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let priors = described(&given)?;
    let (n_data, matrix, names) = match data.entries()? {
        Some(Entries { rows, columns, values }) => {
            let (n, d) = (rows.names.len(), columns.names.len());
            let entries = rows.index.iter().zip(&columns.index).zip(&values);
            let entries = entries.map(|((row, column), value)| (*row, *column, *value));
            (n, ObservedMatrix::from_entries(n, d, entries), columns.names)
        }
        None => {
            let observations = data.observations()?;
            (data.n_rows(), ObservedMatrix::from_dense(&observations.values), observations.names)
        }
    };
    let labels =
        names.iter().enumerate().map(|(d, name)| (format!("loading[{},·]", d + 1), name.clone())).collect();
    let model = checked(at, FactorModel::<S>::new(checked(at, matrix)?, n_factors, given))?;
    let space = model.parameters().clone();
    let study = Plain {
        labels,
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m).expanding()),
        ..Plain::smooth(name, model, n_data, priors)
    };
    let read = move |parameters: &[Summary]| components(&space, parameters, &names, n_factors);
    Ok(Box::new(Found::new(study, read)))
}

/// How much every factor explains, and its loadings; those that are switched off are counted alone.
fn components(
    space: &ParameterSpace,
    parameters: &[Summary],
    names: &[String],
    n_factors: usize,
) -> Vec<Finding> {
    let loading = of(space, parameters, "loading");
    let (relevance, noise) =
        (of(space, parameters, "loading_precision"), of(space, parameters, "noise_precision"));
    let scores = of(space, parameters, "score_precision");
    let of_scores = |k: usize| scores.get(k).map_or(1.0, |p| 1.0 / p.mean);
    let explained =
        |k: usize| of_scores(k) * loading.chunks_exact(n_factors).map(|row| row[k].mean.powi(2)).sum::<f64>();
    let mut order: Vec<(f64, usize)> = (0..n_factors).map(|k| (explained(k), k)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let noise_of = |d: usize| noise.get(if noise.len() == 1 { 0 } else { d }).map(|p| 1.0 / p.mean);
    let noise: f64 = (0..names.len()).filter_map(noise_of).sum();
    let total: f64 = order.iter().map(|(e, _)| e).sum::<f64>() + noise;
    let active: Vec<usize> = order.iter().filter(|(e, _)| *e > 1e-3 * total).map(|(_, k)| *k).collect();
    let rows = order.iter().map(|(explained, k)| {
        let precision = relevance.get(*k).map_or("known".to_owned(), |p| number(Some(p.mean)));
        let state = if active.contains(k) { "" } else { "switched off" };
        vec![(k + 1).to_string(), format!("{:.2} %", 100.0 * explained / total), precision, state.to_owned()]
    });
    let relevance = Finding {
        title: "Relevance of the factors".to_owned(),
        header: texts(["factor", "share of the variance", "precision of its loadings", ""]),
        rows: rows.collect(),
        note: format!(
            "{} of {n_factors} factors explain more than a thousandth; noise has {:.1} % of the variance.",
            active.len(),
            100.0 * noise / total
        ),
    };
    let header =
        std::iter::once("column".to_owned()).chain(active.iter().map(|k| format!("factor {}", k + 1)));
    let rows = loading.chunks_exact(n_factors).zip(names).enumerate().map(|(d, (row, name))| {
        let cells = active.iter().map(|k| format!("{:.3}", row[*k].mean));
        let noise = number(noise_of(d).map(f64::sqrt));
        std::iter::once(name.clone()).chain(cells).chain([noise]).collect()
    });
    let header = header.chain(["sd of the noise".to_owned()]);
    let loadings = Finding {
        title: "Loadings".to_owned(),
        header: header.collect(),
        rows: rows.collect(),
        note: "Posterior means; the sign of a factor is arbitrary, and so is its direction where factors explain alike."
            .to_owned(),
    };
    vec![relevance, loadings]
}

/// Counts with the names of their columns.
struct Counts {
    counts: SparseCounts,
    missing: Vec<(usize, usize)>,
    names: Vec<String>,
}

/// Counts of a table, 0 where they are missing; or of a list, in which what is not named is 0.
fn counts(at: &Location, data: &Dataset) -> Result<Counts, LabError> {
    if let Some(Entries { rows, columns, values }) = data.entries()? {
        let entries = rows.index.iter().zip(&columns.index).zip(&values);
        let entries = entries.map(|((row, column), count)| (*row, *column, *count));
        let counts = SparseCounts::from_entries(rows.names.len(), columns.names.len(), entries);
        return Ok(Counts { counts: checked(at, counts)?, missing: Vec::new(), names: columns.names });
    }
    let observations = data.observations()?;
    let values = observations.values;
    let missing = values.indexed_iter().filter(|(_, v)| v.is_nan()).map(|(place, _)| place).collect();
    let counts = SparseCounts::from_dense(&values.mapv(|v| if v.is_nan() { 0.0 } else { v }));
    Ok(Counts { counts: checked(at, counts)?, missing, names: observations.names })
}

fn poisson_factorisation(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Factors::<PoissonFactorisationPriors> { n_factors, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let Counts { counts, missing, names } = counts(&at, data)?;
    let model = checked(&at, PoissonFactorisation::new(counts, n_factors, given))?;
    let model = checked(&at, model.with_missing(missing))?;
    let (n_data, space) = (model.counts().n_rows(), model.parameters().clone());
    let labels = names.iter().enumerate();
    let labels = labels.map(|(d, name)| (format!("column_factor[{},·]", d + 1), name.clone())).collect();
    let study = Plain {
        labels,
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        ..Plain::smooth(POISSON_FACTORISATION.name, model, n_data, priors)
    };
    let read = move |parameters: &[Summary]| top_columns(&space, parameters, &names, n_factors);
    Ok(Box::new(Found::new(study, read)))
}

/// The columns that a factor of counts has most of, factor by factor, the largest first.
fn top_columns(
    space: &ParameterSpace,
    parameters: &[Summary],
    names: &[String],
    n_factors: usize,
) -> Vec<Finding> {
    let (rows, columns) = (of(space, parameters, "row_factor"), of(space, parameters, "column_factor"));
    let sum = |side: &[Summary], k: usize| side.chunks_exact(n_factors).map(|row| row[k].mean).sum::<f64>();
    let sizes: Vec<f64> = (0..n_factors).map(|k| sum(rows, k) * sum(columns, k)).collect();
    let total: f64 = sizes.iter().sum();
    let mut order: Vec<usize> = (0..n_factors).collect();
    order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    let row = |k: usize| {
        let mut of_factor: Vec<(f64, &String)> =
            columns.chunks_exact(n_factors).map(|row| row[k].mean).zip(names).collect();
        of_factor.sort_by(|a, b| b.0.total_cmp(&a.0));
        let whole: f64 = of_factor.iter().map(|(v, _)| v).sum();
        let top =
            of_factor.iter().take(N_COLUMNS).map(|(v, name)| format!("{name} {:.0} %", 100.0 * v / whole));
        let share = format!("{:.1} %", 100.0 * sizes[k] / total);
        vec![(k + 1).to_string(), share, top.collect::<Vec<_>>().join(", ")]
    };
    vec![Finding {
        title: "Columns of every factor".to_owned(),
        header: texts(["factor", "share of the expected counts", "largest columns, with their shares of the factor"]),
        rows: order.into_iter().map(row).collect(),
        note: "Products of posterior means. Factors have no order: where they change places from draw to draw, as in \
               samplers, they blur."
            .to_owned(),
    }]
}
