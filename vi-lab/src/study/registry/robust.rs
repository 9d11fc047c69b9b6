//! A regression that outliers do not pull.

use vi_diagnostics::Summary;
use vi_models::student_t_regression::{StudentTRegression, StudentTRegressionPriors};

use super::{ModelEntry, checked, priors, slopes};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::report::figures::number;
use crate::study::found::{Finding, Found, texts};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const STUDENT_T_REGRESSION: ModelEntry = ModelEntry {
    name: "student_t_regression",
    about: "linear regression under Student-t noise, degrees of freedom known or on a grid: outliers lose their weight",
    example: "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n\n\
              [model]\nname = \"student_t_regression\"\n",
    data_keys: &["response", "covariates", "standardise", "standardise_response", "intercept"],
    reads_data: true,
    build: student_t_regression,
};

/// Rows shown.
const N_SHOWN: usize = 10;

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
        labels: slopes(names),
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        local: |m| Some(m),
        ..Plain::smooth(STUDENT_T_REGRESSION.name, model, n_data, described)
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
