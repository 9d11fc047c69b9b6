//! The components of a mixture as a table.

use vi_core::ParameterSpace;
use vi_diagnostics::Summary;

use crate::report::figures::number;
use crate::study::found::Finding;

/// A component with less weight is one that the data do not ask for.
const LEAST: f64 = 0.01;

/// Weight and means of every component with weight, the heaviest first; `names` are those of the data's columns.
pub(super) fn components(space: &ParameterSpace, parameters: &[Summary], names: &[String]) -> Vec<Finding> {
    let of = |name: &str| {
        let found = space.parameters().iter().find(|p| p.name() == name);
        found.map_or(&[][..], |p| &parameters[p.range()])
    };
    let (weights, means) = (of("weights"), of("mean"));
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
