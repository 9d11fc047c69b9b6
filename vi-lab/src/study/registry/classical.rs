//! Classical models: topics of documents, factors of a table, a regression that outliers do not pull.

use serde::Deserialize;
use vi_core::ParameterSpace;
use vi_diagnostics::Summary;
use vi_models::factor_model::{FactorModelPriors, ProbabilisticPca};
use vi_models::latent_dirichlet::{LatentDirichletAllocation, LatentDirichletPriors};
use vi_models::observed_matrix::ObservedMatrix;
use vi_models::sparse_counts::SparseCounts;
use vi_models::student_t_regression::{StudentTRegression, StudentTRegressionPriors};

use super::{ModelEntry, checked, described, priors, slopes};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::report::figures::number;
use crate::study::Study;
use crate::study::found::{Finding, Found};
use crate::study::plain::Plain;

pub(super) const LATENT_DIRICHLET: ModelEntry = ModelEntry {
    name: "latent_dirichlet",
    about: "latent Dirichlet allocation: documents as mixtures of `n_topics` topics, from a list of document, word, count",
    example: "[data]\nset = \"pride_and_prejudice\"\n\n[model]\nname = \"latent_dirichlet\"\nn_topics = 3\n",
    data_keys: &["columns"],
    reads_data: true,
    build: latent_dirichlet,
};

pub(super) const PRINCIPAL_COMPONENTS: ModelEntry = ModelEntry {
    name: "principal_components",
    about: "probabilistic PCA with `n_factors` factors, switched off by automatic relevance determination; scores \
            integrated out",
    example: "[data]\nset = \"kidiq\"\nstandardise = true\n\n[model]\nname = \"principal_components\"\nn_factors = 2\n",
    data_keys: &["columns", "standardise"],
    reads_data: true,
    build: principal_components,
};

pub(super) const STUDENT_T_REGRESSION: ModelEntry = ModelEntry {
    name: "student_t_regression",
    about: "linear regression under Student-t noise, degrees of freedom known or on a grid: outliers lose their weight",
    example: "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n\n\
              [model]\nname = \"student_t_regression\"\n",
    data_keys: &["response", "covariates", "standardise", "standardise_response", "intercept"],
    reads_data: true,
    build: student_t_regression,
};

/// Words shown for a topic, and rows for a regression.
const N_SHOWN: usize = 10;

/// The figures of a variable.
fn of<'p>(space: &ParameterSpace, parameters: &'p [Summary], name: &str) -> &'p [Summary] {
    let found = space.parameters().iter().find(|p| p.name() == name);
    found.map_or(&[], |p| &parameters[p.range()])
}

fn texts<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topics {
    n_topics: usize,
    #[serde(default)]
    priors: LatentDirichletPriors,
}

fn latent_dirichlet(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Topics { n_topics, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let (documents, words, counts) = data.counts()?;
    let n_data = documents.names.len();
    let entries = documents.index.iter().zip(&words.index).zip(&counts);
    let entries = entries.map(|((document, word), count)| (*document, *word, *count));
    let counts = checked(&at, SparseCounts::from_entries(n_data, words.names.len(), entries))?;
    let corpus = counts.clone();
    let model = checked(&at, LatentDirichletAllocation::new(counts, n_topics, given))?;
    let model = checked(&at, model.with_vocabulary(words.names.clone()))?;
    let space = vi_core::LogJoint::parameters(&model).clone();
    let study = Plain {
        name: LATENT_DIRICHLET.name,
        model,
        n_data,
        priors,
        labels: Vec::new(),
        conjugate: |m| Some(m),
        exact: |_| None,
        local: |_| None,
        gaussian: |_| None,
    };
    let read = move |parameters: &[Summary]| top_words(&space, parameters, &words.names, &corpus);
    Ok(Box::new(Found::new(study, read)))
}

/// The words that a topic gives most to, topic by topic, the commonest topic first.
fn top_words(
    space: &ParameterSpace,
    parameters: &[Summary],
    words: &[String],
    corpus: &SparseCounts,
) -> Vec<Finding> {
    let (topics, shares) = (of(space, parameters, "topics"), of(space, parameters, "proportions"));
    let n_topics = topics.len() / words.len();
    let total = corpus.total();
    let (mut share, mut log_likelihood) = (vec![0.0; n_topics], 0.0);
    for (d, row) in shares.chunks_exact(n_topics).enumerate() {
        let (of_document, counts) = corpus.row(d);
        let length: f64 = counts.iter().sum();
        share.iter_mut().zip(row).for_each(|(s, p)| *s += p.mean * length / total);
        for (word, count) in of_document.iter().zip(counts) {
            let p: f64 =
                row.iter().enumerate().map(|(k, p)| p.mean * topics[k * words.len() + word].mean).sum();
            log_likelihood += count * p.ln();
        }
    }
    let per_word = log_likelihood / total;
    let mut rows: Vec<(f64, Vec<String>)> = (0..n_topics)
        .map(|k| {
            let mut of_topic: Vec<(f64, &String)> =
                topics[k * words.len()..(k + 1) * words.len()].iter().map(|p| p.mean).zip(words).collect();
            of_topic.sort_by(|a, b| b.0.total_cmp(&a.0));
            let top = of_topic.iter().take(N_SHOWN).map(|(p, word)| format!("{word} ({p:.3})"));
            (
                share[k],
                vec![
                    (k + 1).to_string(),
                    format!("{:.1} %", 100.0 * share[k]),
                    top.collect::<Vec<_>>().join(", "),
                ],
            )
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    vec![Finding {
        title: "Top words of every topic".to_owned(),
        header: texts(["topic", "share of the tokens", "words with their probabilities"]),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        note: format!(
            "Posterior means of the topics, words as the data call them; the share is the mean of the documents' \
             proportions, by their lengths. At these means the words of the data themselves (not held out) have \
             {per_word:.3} nats each, a perplexity of {:.0}.",
            (-per_word).exp()
        ),
    }]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factors {
    n_factors: usize,
    #[serde(default)]
    priors: FactorModelPriors,
}

fn principal_components(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Factors { n_factors, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let observations = data.observations()?;
    let names = observations.names;
    let labels =
        names.iter().enumerate().map(|(d, name)| (format!("loading[{},·]", d + 1), name.clone())).collect();
    let n_data = data.n_rows();
    let matrix = checked(&at, ObservedMatrix::from_dense(&observations.values))?;
    let model = checked(&at, ProbabilisticPca::new(matrix, n_factors, given))?;
    let space = vi_core::LogJoint::parameters(&model).clone();
    let study = Plain {
        name: PRINCIPAL_COMPONENTS.name,
        model,
        n_data,
        priors,
        labels,
        conjugate: |m| Some(m),
        exact: |_| None,
        local: |_| None,
        gaussian: |_| None,
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
    let explained = |k: usize| loading.chunks_exact(n_factors).map(|row| row[k].mean.powi(2)).sum::<f64>();
    let mut order: Vec<(f64, usize)> = (0..n_factors).map(|k| (explained(k), k)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let noise: f64 = names.len() as f64 * noise.first().map_or(0.0, |p| 1.0 / p.mean);
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
    let rows = loading.chunks_exact(n_factors).zip(names).map(|(row, name)| {
        let cells = active.iter().map(|k| format!("{:.3}", row[*k].mean));
        std::iter::once(name.clone()).chain(cells).collect()
    });
    let loadings = Finding {
        title: "Loadings".to_owned(),
        header: header.collect(),
        rows: rows.collect(),
        note: "Posterior means; the sign of a factor is arbitrary, and so is its direction where factors explain alike."
            .to_owned(),
    };
    vec![relevance, loadings]
}

fn student_t_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let (given, described): (StudentTRegressionPriors, _) = priors(reader, table)?;
    let dof = given.dof.clone();
    let (regression, names) = data.regression(STUDENT_T_REGRESSION.name)?;
    let model = checked(&at, StudentTRegression::new(regression, given))?;
    let n_data = data.n_rows();
    let judge = model.clone();
    let study = Plain {
        name: STUDENT_T_REGRESSION.name,
        model,
        n_data,
        priors: described,
        labels: slopes(names),
        conjugate: |m| Some(m),
        exact: |_| None,
        local: |m| Some(m),
        gaussian: |_| None,
    };
    let read = move |parameters: &[Summary]| outliers(&judge, &dof, parameters);
    Ok(Box::new(Found::new(study, read)))
}

/// The degrees of freedom, and the data that weigh least.
///
/// ```text
/// E[λ_n | ν, β, τ] = (ν + 1)/(ν + τ (y_n − x_nᵀβ)²)
/// ```
fn outliers(model: &StudentTRegression, dof: &[f64], parameters: &[Summary]) -> Vec<Finding> {
    let z: ndarray::Array1<f64> = parameters.iter().map(|p| p.mean).collect();
    let p = model.dof_probabilities(&z);
    let n = model.n_coefficients();
    let (data, tau) = (model.data(), z.get(n).copied());
    let residuals = data.y() - &data.x().dot(&z.slice(ndarray::s![..n]));
    let tau = tau.unwrap_or_else(|| match model.priors().noise {
        vi_models::linear_regression::NoisePrior::Known { precision } => precision,
        _ => f64::NAN,
    });
    let weight =
        |r: f64| dof.iter().zip(&p).map(|(dof, p)| p * (dof + 1.0) / (dof + tau * r * r)).sum::<f64>();
    let mut rows: Vec<(f64, usize)> = residuals.iter().enumerate().map(|(i, r)| (weight(*r), i)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_light = rows.iter().filter(|(w, _)| *w < 0.5).count();
    let shown = rows.iter().take(N_SHOWN).map(|(w, i)| {
        let in_sd = residuals[*i] * tau.sqrt();
        vec![(i + 1).to_string(), number(Some(data.y()[*i])), format!("{in_sd:.2}"), format!("{w:.3}")]
    });
    let mut out = vec![Finding {
        title: "The data that weigh least".to_owned(),
        header: texts(["row", "response", "residual in scales of the noise", "weight"]),
        rows: shown.collect(),
        note: format!(
            "Weights at the posterior mean: 1 is that of a datum under normal noise; {n_light} of {} weigh less than half.",
            rows.len()
        ),
    }];
    if dof.len() > 1 {
        let rows = dof.iter().zip(&p).map(|(dof, p)| vec![number(Some(*dof)), format!("{p:.3}")]);
        out.push(Finding {
            title: "Degrees of freedom".to_owned(),
            header: texts(["ν", "probability"]),
            rows: rows.collect(),
            note: "At the posterior mean of the other parameters; alike beforehand.".to_owned(),
        });
    }
    out
}
