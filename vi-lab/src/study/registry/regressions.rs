//! Regressions: with relevance of every coefficient, with a choice of covariates, of two and of several classes.

use serde::Deserialize;
use vi_core::{LogJoint, ParameterSpace};
use vi_diagnostics::Summary;
use vi_models::ard_regression::{ArdRegression, ArdRegressionPriors};
use vi_models::logistic_regression::LogisticRegressionPriors;
use vi_models::multinomial_regression::MultinomialRegression;
use vi_models::probit_regression::{ProbitRegression, ProbitRegressionPriors};
use vi_models::spike_and_slab::{SpikeAndSlab, SpikeAndSlabPriors};

use super::{ModelEntry, checked, described, priors, slopes};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::report::figures::number;
use crate::study::found::{Finding, Found, of, texts};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const ARD_REGRESSION: ModelEntry = ModelEntry {
    name: "ard_regression",
    about: "linear regression with a precision of every coefficient (automatic relevance determination): those that the data \
            do not ask for shrink to zero",
    example: "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n\n\
              [model]\nname = \"ard_regression\"\n",
    data_keys: LINEAR_KEYS,
    reads_data: true,
    build: ard_regression,
};

pub(super) const SPIKE_AND_SLAB: ModelEntry = ModelEntry {
    name: "spike_and_slab",
    about: "linear regression with a bit for every covariate that says whether it is in it at all",
    example: "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n\n\
              [model]\nname = \"spike_and_slab\"\n",
    data_keys: LINEAR_KEYS,
    reads_data: true,
    build: spike_and_slab,
};

pub(super) const PROBIT_REGRESSION: ModelEntry = ModelEntry {
    name: "probit_regression",
    about: "Bernoulli regression with probit link and Gaussian priors",
    example: "[data]\nset = \"breast_cancer\"\nstandardise = true\nintercept = true\n\n\
              [model]\nname = \"probit_regression\"\n",
    data_keys: CLASS_KEYS,
    reads_data: true,
    build: probit_regression,
};

pub(super) const MULTINOMIAL_REGRESSION: ModelEntry = ModelEntry {
    name: "multinomial_regression",
    about: "regression of `n_classes` classes 0, 1, … by stick-breaking logits and Gaussian priors; it depends on their order",
    example: "[data]\nset = \"digits\"\ncovariates = [\"pixel_3_3\", \"pixel_3_6\", \"pixel_6_3\", \"pixel_6_6\"]\n\
              standardise = true\nintercept = true\n\n[model]\nname = \"multinomial_regression\"\nn_classes = 10\n",
    data_keys: CLASS_KEYS,
    reads_data: true,
    build: multinomial_regression,
};

const LINEAR_KEYS: &[&str] = &["response", "covariates", "standardise", "standardise_response", "intercept"];
const CLASS_KEYS: &[&str] = &["response", "covariates", "standardise", "intercept"];

fn ard_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = ARD_REGRESSION.name;
    let (given, priors) = priors::<ArdRegressionPriors>(reader, table)?;
    let (regression, names) = data.regression(name)?;
    let model = checked(&at, ArdRegression::new(regression, given))?;
    let space = model.parameters().clone();
    let study = Plain {
        labels: slopes(names.clone()),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        local: |m| Some(m),
        ..Plain::smooth(name, model, data.n_rows(), priors)
    };
    let read = move |parameters: &[Summary]| relevances(&space, parameters, &names);
    Ok(Box::new(Found::new(study, read)))
}

/// Coefficients by their size over their standard deviation.
fn relevances(space: &ParameterSpace, parameters: &[Summary], names: &[String]) -> Vec<Finding> {
    let (beta, alpha) = (of(space, parameters, "beta"), of(space, parameters, "alpha"));
    let mut order: Vec<(f64, usize)> =
        beta.iter().enumerate().map(|(j, b)| ((b.mean / b.sd).abs(), j)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows = order.iter().map(|(size, j)| {
        let (b, a) = (&beta[*j], &alpha[*j]);
        let figures = [number(Some(b.mean)), number(Some(b.sd)), format!("{size:.2}"), number(Some(a.mean))];
        std::iter::once(names[*j].clone()).chain(figures).collect()
    });
    vec![Finding {
        title: "Relevance of the covariates".to_owned(),
        header: texts([
            "covariate",
            "coefficient",
            "its sd",
            "|coefficient| / sd",
            "mean of its precision α",
        ]),
        rows: rows.collect(),
        note:
            "A large precision holds a coefficient at zero; 1/α is on the scale of the coefficient squared."
                .to_owned(),
    }]
}

fn spike_and_slab(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = SPIKE_AND_SLAB.name;
    let (given, priors) = priors::<SpikeAndSlabPriors>(reader, table)?;
    let (regression, names) = data.regression(name)?;
    let model = checked(&at, SpikeAndSlab::new(regression, given))?;
    let space = model.parameters().clone();
    let labels = names.iter().enumerate();
    let labels = labels.map(|(d, name)| (format!("w[{}], s[{}]", d + 1, d + 1), name.clone())).collect();
    let study = Plain {
        labels,
        conjugate: |m| Some(Conditionals::of(m)),
        ..Plain::new(name, model, data.n_rows(), priors)
    };
    let read = move |parameters: &[Summary]| inclusions(&space, parameters, &names);
    Ok(Box::new(Found::new(study, read)))
}

/// How probable it is that a covariate is in the regression, the most probable first.
fn inclusions(space: &ParameterSpace, parameters: &[Summary], names: &[String]) -> Vec<Finding> {
    let included = of(space, parameters, "s");
    let mut order: Vec<usize> = (0..included.len()).collect();
    order.sort_by(|a, b| included[*b].mean.total_cmp(&included[*a].mean));
    let rows = order.iter().map(|d| vec![names[*d].clone(), format!("{:.3}", included[*d].mean)]);
    let n: f64 = included.iter().map(|p| p.mean).sum();
    vec![Finding {
        title: "Probability of inclusion".to_owned(),
        header: texts(["covariate", "probability"]),
        rows: rows.collect(),
        note: format!(
            "Shares of the posterior draws; {n:.2} of {} covariates are expected in the regression. w is the coefficient where s is \
             1, and follows its prior where s is 0: its mean and sd in the tables are over both.",
            included.len()
        ),
    }]
}

fn probit_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = PROBIT_REGRESSION.name;
    let (given, priors) = priors::<ProbitRegressionPriors>(reader, table)?;
    let (regression, names) = data.regression(name)?;
    let model = checked(&at, ProbitRegression::new(regression, given))?;
    Ok(Box::new(Plain {
        labels: slopes(names),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        local: |m| Some(m),
        ..Plain::smooth(name, model, data.n_rows(), priors)
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    n_classes: usize,
    #[serde(default)]
    priors: LogisticRegressionPriors,
}

fn multinomial_regression(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = MULTINOMIAL_REGRESSION.name;
    let Classes { n_classes, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let (regression, names) = data.regression(name)?;
    let intercept = regression.has_intercept().then(|| "intercept".to_owned());
    let model = checked(&at, MultinomialRegression::new(regression, n_classes, given))?;
    let labels = intercept.into_iter().chain(names).enumerate();
    Ok(Box::new(Plain {
        labels: labels.map(|(d, name)| (format!("beta[·,{}]", d + 1), name)).collect(),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        ..Plain::smooth(name, model, data.n_rows(), priors)
    }))
}
