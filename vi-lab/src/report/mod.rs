//! `report.html`: one self-contained page for people.

mod bench;
mod canvas;
mod colour;
mod density;
mod elbo;
pub(crate) mod figures;
mod forest;
mod html;
mod marginals;
mod optima;
mod tables;

pub use bench::render as render_bench;
use html::{chip, details, escape, section};

use crate::config::Experiment;
use crate::error::LabError;
use crate::result::{Exact, MethodResult};
use crate::summary::Summary;

/// Marginal posteriors and intervals are drawn for this many coordinates; the tables hold all.
const MAX_COORDINATES: usize = 60;

/// The whole page.
///
/// # Errors
/// [`LabError::Render`] when a figure cannot be drawn.
pub fn render(
    experiment: &Experiment,
    results: &[MethodResult],
    summary: &Summary,
) -> Result<String, LabError> {
    let exact = summary.exact.as_ref();
    let settings: Vec<(&str, &str)> =
        results.iter().map(|r| (r.name.as_str(), r.settings.as_str())).collect();
    let mut body = header(experiment);
    body += &section(
        "What was run",
        &tables::experiment(experiment, &summary.model, summary.seed, &[], &settings),
    );
    body += &warnings(experiment, results);
    body += &section("Methods", &tables::methods(results, exact));
    let optima = optima::table(results);
    if !optima.is_empty() {
        body += &section("Optima", &optima);
    }
    let findings = findings(experiment, results);
    if !findings.is_empty() {
        body += &section("What was found", &findings);
    }
    if let Some(svg) = elbo::svg(results, exact.and_then(|e| e.log_evidence))? {
        body += &section("ELBO traces", &elbo_figure(&svg, results, exact));
    }
    body += &section("Marginal posteriors", &marginal_figures(experiment, results, exact)?);
    body += &section("Forest plot", &forest_figures(experiment, results, exact)?);
    body += &section("Parameters", &tables::parameters(experiment, results, exact));
    body += &section("Provenance", &tables::provenance(experiment, &summary.manifest));
    Ok(page(experiment, &body))
}

/// The frame of a page.
fn page(experiment: &Experiment, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{} – vi-lab</title><style>{}</style></head><body><main>{body}</main></body></html>\n",
        escape(&experiment.name),
        include_str!("style.css"),
    )
}

fn header(experiment: &Experiment) -> String {
    format!(
        "<header><h1>{}</h1><p>{}</p></header>",
        escape(&experiment.name),
        escape(&experiment.description)
    )
}

fn warnings(experiment: &Experiment, results: &[MethodResult]) -> String {
    let mut items: Vec<String> = results
        .iter()
        .enumerate()
        .flat_map(|(i, r)| r.warnings().into_iter().map(move |w| (i, &r.name, w)))
        .map(|(i, name, w)| format!("<li>{}: {}</li>", chip(name, &colour::css(i)), escape(&w)))
        .collect();
    // The run failed or was interrupted: what is missing is no good news.
    let missing = experiment.methods.iter().filter(|m| results.iter().all(|r| r.name != m.name));
    items
        .extend(missing.map(|m| format!("<li>{}: no result: the run ended before it</li>", escape(&m.name))));
    if items.is_empty() {
        return "<section class=\"fine\"><h2>No warnings</h2><p class=\"note\">Every method converged; no k-hat \
                above 0.7, no R-hat above 1.01, no divergent transitions.</p></section>"
            .to_owned();
    }
    format!("<section class=\"warnings\"><h2>Warnings</h2><ul>{}</ul></section>", items.concat())
}

/// The tables of the model, method by method.
fn findings(experiment: &Experiment, results: &[MethodResult]) -> String {
    let mut out = String::new();
    for (i, result) in results.iter().enumerate() {
        for finding in experiment.study.findings(&result.parameters) {
            let escaped = |cells: &[String]| cells.iter().map(|c| escape(c)).collect::<Vec<_>>();
            let rows: Vec<Vec<String>> = finding.rows.iter().map(|row| escaped(row)).collect();
            out += &format!(
                "<h3>{} {}</h3>{}<p class=\"note\">{}</p>",
                chip(&result.name, &colour::css(i)),
                escape(&finding.title),
                html::table(&escaped(&finding.header), &rows),
                escape(&finding.note)
            );
        }
    }
    out
}

/// The methods that a figure shows, with what stands for the exact answer.
fn legend(results: &[MethodResult], shown: impl Fn(&MethodResult) -> bool, exact: Option<&str>) -> String {
    let methods = results.iter().enumerate().filter(|(_, r)| shown(r));
    let mut out: String = methods.map(|(i, r)| chip(&r.name, &colour::css(i))).collect::<Vec<_>>().concat();
    if let Some(text) = exact {
        out += &format!("<span class=\"chip\"><span class=\"dashed\"></span>{}</span>", escape(text));
    }
    format!("<div class=\"chips\">{out}</div>")
}

fn elbo_figure(svg: &str, results: &[MethodResult], exact: Option<&Exact>) -> String {
    let evidence = exact.and_then(|e| e.log_evidence).map(|_| "exact log evidence");
    format!(
        "{}<figure>{svg}<figcaption>Higher is better; every ELBO is a lower bound on log p(x) with all \
         constants. Stochastic estimates are averaged within bins of the log-iteration axis. The first, steep \
         part of a trace may lie below the figure.</figcaption></figure>",
        legend(results, |r| r.trace.column("elbo").is_some(), evidence)
    )
}

fn marginal_figures(
    experiment: &Experiment,
    results: &[MethodResult],
    exact: Option<&Exact>,
) -> Result<String, LabError> {
    let space = experiment.study.reported();
    let mut figures = String::new();
    for parameter in space.parameters() {
        for d in parameter.range().take_while(|d| *d < MAX_COORDINATES) {
            let exact = exact.and_then(|e| e.parameters.get(d));
            if let Some(svg) = marginals::svg(results, d, &space.names()[d], parameter.support(), exact)? {
                figures += &format!("<figure>{svg}</figure>");
            }
        }
    }
    let mean = exact.filter(|e| e.parameters.iter().any(|p| p.mean.is_some())).map(|_| "exact mean");
    let note = "<p class=\"note\">Kernel densities of the draws. A peak that would flatten the others is cut off \
                at the top; tails that would hide the peaks are cut off at the sides.</p>";
    let legend = legend(results, |r| r.draws.is_some(), mean);
    Ok(format!("{legend}<div class=\"grid\">{figures}</div>{note}{}", omitted(space.dim())))
}

fn forest_figures(
    experiment: &Experiment,
    results: &[MethodResult],
    exact: Option<&Exact>,
) -> Result<String, LabError> {
    let space = experiment.study.reported();
    let mut figures = String::new();
    for variable in space.parameters().iter().filter(|p| p.range().start < MAX_COORDINATES) {
        if let Some(svg) = forest::svg(results, variable, space.names(), exact, MAX_COORDINATES)? {
            figures += &format!("<figure><h3>{}</h3>{svg}</figure>", escape(variable.name()));
        }
    }
    let known = exact.filter(|e| e.parameters.iter().any(|p| p.mean.is_some() && p.sd.is_some()));
    let note = known.map_or(
        "",
        |_| "<p class=\"note\">Black: the exact posterior mean ± 1.64 exact standard deviations, within the support.</p>",
    );
    Ok(format!("{}{note}{figures}", legend(results, |r| !r.parameters.is_empty(), None)))
}

fn omitted(dim: usize) -> String {
    if dim <= MAX_COORDINATES {
        return String::new();
    }
    format!("<p class=\"note\">The first {MAX_COORDINATES} of {dim} coordinates are drawn.</p>")
}

fn labels(experiment: &Experiment) -> String {
    let labels = experiment.study.labels();
    if labels.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> =
        labels.iter().map(|(name, meaning)| vec![escape(name), escape(meaning)]).collect();
    details("What the coordinates stand for", &html::table(&["coordinate".into(), "column".into()], &rows))
}
