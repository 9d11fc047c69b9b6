//! Mixtures of Gaussians.

use serde::Deserialize;
use vi_core::{LogJoint, ParameterSpace};
use vi_diagnostics::Summary;
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

use super::{ModelEntry, checked, described};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::report::figures::number;
use crate::study::found::{Finding, Found, of};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const GAUSSIAN_MIXTURE: ModelEntry = ModelEntry {
    name: "gaussian_mixture",
    about: "finite mixture of Gaussians, assignments summed out: full, tied, diagonal or spherical covariances, Dirichlet or \
            stick-breaking weights, missing values",
    example: "[data]\nset = \"old_faithful\"\nstandardise = true\n\n\
              [model]\nname = \"gaussian_mixture\"\nn_components = 6\n",
    data_keys: &["columns", "standardise", "missing"],
    reads_data: true,
    build: gaussian_mixture,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    n_components: usize,
    #[serde(default)]
    priors: GaussianMixturePriors,
}

fn gaussian_mixture(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Size { n_components, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let observations = data.observations()?;
    let names = observations.names;
    let labels =
        names.iter().enumerate().map(|(j, name)| (format!("mean[·,{}]", j + 1), name.clone())).collect();
    let values = observations.values;
    let model = if values.iter().any(|v| v.is_nan()) {
        GaussianMixture::with_missing_values(values, n_components, given)
    } else {
        GaussianMixture::new(values, n_components, given)
    };
    let model = checked(&at, model)?;
    let space = model.parameters().clone();
    let study = Plain {
        labels,
        conjugate: |m| Some(Conditionals::of(m).natural(m).moves(m).exchangeable(m)),
        ..Plain::smooth(GAUSSIAN_MIXTURE.name, model, data.n_rows(), priors)
    };
    let read = move |parameters: &[Summary]| components(&space, parameters, &names);
    Ok(Box::new(Found::new(study, read)))
}

/// A component with less weight is one that the data do not ask for.
const LEAST: f64 = 0.01;

/// Weight and means of every component with weight, the heaviest first; `names` are those of the data's columns.
fn components(space: &ParameterSpace, parameters: &[Summary], names: &[String]) -> Vec<Finding> {
    let (weights, means) = (of(space, parameters, "weights"), of(space, parameters, "mean"));
    let mut order: Vec<usize> = (0..weights.len()).filter(|k| weights[*k].mean >= LEAST).collect();
    order.sort_by(|a, b| weights[*b].mean.total_cmp(&weights[*a].mean));
    let cell = |p: &Summary| format!("{} ± {}", number(Some(p.mean)), number(Some(p.sd)));
    let row = |k: &usize| {
        let of_columns = means.chunks_exact(names.len()).nth(*k).unwrap_or_default();
        let cells = [(k + 1).to_string(), cell(&weights[*k])].into_iter();
        cells.chain(of_columns.iter().map(cell)).collect()
    };
    let rows: Vec<Vec<String>> = order.iter().map(row).collect();
    let header = ["component".to_owned(), "weight".to_owned()].into_iter();
    let n_others = weights.len() - rows.len();
    vec![Finding {
        title: "Components".to_owned(),
        header: header.chain(names.iter().map(|name| format!("mean of {name}"))).collect(),
        rows,
        note: format!(
            "Posterior means ± standard deviations; {n_others} of {} components have less than 1 % of the weight. Where components \
             change places from draw to draw, as in samplers, they blur.",
            weights.len()
        ),
    }]
}
