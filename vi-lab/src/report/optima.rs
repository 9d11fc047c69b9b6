//! What the restarts of coordinate ascent found.

use super::colour;
use super::figures::{count, fixed};
use super::html::{self, chip};
use crate::result::MethodResult;

/// Optima shown of one method; `summary.json` holds all.
const MAX_ROWS: usize = 20;

/// Every optimum with how often it was found, for the methods that were started several times; empty without any.
pub(crate) fn table(results: &[MethodResult]) -> String {
    let header = ["method", "ELBO", "below the best", "restarts", "frequency", "converged"];
    let (mut rows, mut left_out) = (Vec::new(), 0);
    for (i, result) in results.iter().enumerate().filter(|(_, r)| r.n_restarts() > 1) {
        let best = result.optima[0].elbo;
        left_out += result.optima.len().saturating_sub(MAX_ROWS);
        rows.extend(result.optima.iter().take(MAX_ROWS).map(|optimum| {
            let n = optimum.restarts.len();
            vec![
                chip(&result.name, &colour::css(i)),
                fixed(Some(optimum.elbo), 4),
                fixed(Some(best - optimum.elbo), 4),
                format!("{n} of {}", result.n_restarts()),
                format!("{:.0} %", 100.0 * optimum.frequency),
                format!("{} of {n}", optimum.n_converged),
            ]
        }));
    }
    if rows.is_empty() {
        return String::new();
    }
    let rest = match left_out {
        0 => String::new(),
        n => format!(" {} more are in <code>summary.json</code>.", count(n as u64)),
    };
    html::table(&header.map(str::to_owned), &rows)
        + &format!(
            "<p class=\"note\">Restarts whose bounds are equal to within <code>same_optimum</code> count as one optimum; \
             the figures of this report are those of the best. Where no restart converged it may be a place on the \
             way.{rest}</p>"
        )
}
