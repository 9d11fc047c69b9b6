//! The table at the end of a run, on standard output.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};

use crate::report::figures::{count, fixed, number, seconds, with_error};
use crate::result::{Exact, MethodResult};

/// Coordinates shown; all of them are in the report and in `summary.json`.
const MAX_ROWS: usize = 16;

/// Methods, then posterior means and standard deviations, then warnings.
pub fn render(title: &str, results: &[MethodResult], exact: Option<&Exact>) -> String {
    let mut out = format!("{title}\n{}\n\n", methods(results, exact));
    for r in results.iter().filter(|r| r.n_restarts() > 1) {
        let _ = writeln!(out, "{}", optima(r));
    }
    let shown = results.iter().map(|r| r.parameters.len()).max().unwrap_or(0);
    if shown > 0 {
        let _ = writeln!(out, "posterior mean (sd)\n{}", parameters(results, exact));
    }
    if shown > MAX_ROWS {
        let _ = writeln!(out, "… and {} more coordinates in the report", shown - MAX_ROWS);
    }
    for r in results {
        for warning in r.warnings() {
            let _ = writeln!(out, "warning: {}: {warning}", r.name);
        }
    }
    out
}

fn methods(results: &[MethodResult], exact: Option<&Exact>) -> Table {
    let mut table =
        new_table(&["method", "ELBO", "k-hat", "R-hat", "min ESS", "iterations", "time", "ended"]);
    for r in results {
        table.add_row(right([
            r.name.clone(),
            r.elbo.map_or("–".into(), |e| with_error(e.value, e.mcse)),
            fixed(r.khat, 2),
            fixed(r.max_rhat(), 3),
            fixed(r.min_ess(), 0),
            count(r.iterations),
            seconds(r.elapsed_s),
            ended(r),
        ]));
    }
    if let Some(evidence) = exact.and_then(|e| e.log_evidence) {
        let dash = || "–".to_owned();
        let value = fixed(Some(evidence), 4);
        table.add_row(right([
            "exact".into(),
            value,
            dash(),
            dash(),
            dash(),
            dash(),
            dash(),
            "log evidence".into(),
        ]));
    }
    table
}

/// Optima named in the line of a method.
const MAX_OPTIMA: usize = 6;

/// What the restarts of a method found, in a line.
fn optima(r: &MethodResult) -> String {
    let shown = r.optima.iter().take(MAX_OPTIMA).map(|o| {
        let (elbo, frequency) = (fixed(Some(o.elbo), 4), 100.0 * o.frequency);
        format!("{elbo} ({} restarts, {frequency:.0} %)", o.restarts.len())
            .replace("(1 restarts", "(1 restart")
    });
    let shown: Vec<String> = shown.collect();
    let rest = match r.optima.len().saturating_sub(MAX_OPTIMA) {
        0 => String::new(),
        n => format!(", and {n} more in the report"),
    };
    format!("optima of {}: {}{rest}", r.name, shown.join(", "))
}

/// In a word or two; the whole reason is in the report and in `summary.json`.
fn ended(r: &MethodResult) -> String {
    if r.converged {
        return "converged".to_owned();
    }
    // What was seen stands behind a colon.
    r.stop_reason.split(':').next().unwrap_or_default().to_owned()
}

fn parameters(results: &[MethodResult], exact: Option<&Exact>) -> Table {
    let exact = exact.filter(|e| e.parameters.iter().any(|p| p.mean.is_some()));
    let mut header = vec![""];
    header.extend(results.iter().map(|r| r.name.as_str()));
    header.extend(exact.map(|_| "exact"));
    let mut table = new_table(&header);
    let Some(longest) = results.iter().max_by_key(|r| r.parameters.len()) else { return table };
    let cell = |mean: Option<f64>, sd: Option<f64>| format!("{} ({})", number(mean), number(sd));
    for (d, p) in longest.parameters.iter().take(MAX_ROWS).enumerate() {
        let of_methods = results
            .iter()
            .map(|r| r.parameters.get(d).map_or("–".to_owned(), |p| cell(Some(p.mean), Some(p.sd))));
        let of_exact = exact.map(|e| cell(e.parameters[d].mean, e.parameters[d].sd));
        table.add_row(right([p.name.clone()].into_iter().chain(of_methods).chain(of_exact)));
    }
    table
}

/// Rules above and below, as in books; none between rows.
const RULES: TableStyle = TableStyle::new().top_border(RULE).header_separator(RULE).bottom_border(RULE);
const RULE: LineStyle = LineStyle::none().fill('─').junction('─');

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(RULES);
    table.set_header(right(header.iter().map(|h| (*h).to_owned())));
    table
}

/// Figures to the right, names to the left.
fn right(cells: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let aligned = |i: usize| if i == 0 { CellAlignment::Left } else { CellAlignment::Right };
    cells.into_iter().enumerate().map(|(i, c)| Cell::new(c).set_alignment(aligned(i))).collect()
}
