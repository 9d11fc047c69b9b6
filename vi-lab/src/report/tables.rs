//! The tables of the report.

use super::figures::{count, fixed, number, seconds, with_error};
use super::html::{chip, details, escape, table, table_with_notes};
use super::{colour, labels};
use crate::config::{DataSource, Experiment, words};
use crate::manifest::Manifest;
use crate::result::{Exact, KHAT_LIMIT, MethodResult, RHAT_LIMIT};
use crate::summary::ModelSummary;

/// Coordinates in a table: a page with more is slow to open.
const MAX_ROWS: usize = 1000;

/// What was run on what.
///
/// `facts` are names and HTML of what else is to be said; `settings` has a name and a description of everything that ran.
pub(crate) fn experiment(
    experiment: &Experiment,
    model: &ModelSummary,
    seed: u64,
    facts: &[(&str, String)],
    settings: &[(&str, &str)],
) -> String {
    let standardised = if experiment.data.standardise { ", standardised" } else { "" };
    let rows = format!("{} rows{standardised}", count(model.n_data as u64));
    let source = match &experiment.data.source {
        DataSource::BuiltIn(name) => format!("built-in set <code>{name}</code>, {rows}"),
        DataSource::File(path) => format!("<code>{}</code>, {rows}", escape(&path.display().to_string())),
        DataSource::Nothing => "none".to_owned(),
    };
    let mut out = format!(
        "<dl><dt>Model</dt><dd><code>{}</code>: {} coordinates</dd><dt>Priors, settings</dt><dd>{}</dd>\
         <dt>Data</dt><dd>{source}</dd><dt>Seed</dt><dd>{seed}</dd>",
        escape(&model.name),
        model.dim,
        escape(&words(&experiment.study.priors())),
    );
    for (name, html) in facts {
        out += &format!("<dt>{name}</dt><dd>{html}</dd>");
    }
    for (i, (name, settings)) in settings.iter().enumerate() {
        out += &format!("<dt>{}</dt><dd>{}</dd>", chip(name, &colour::css(i)), escape(settings));
    }
    out + "</dl>" + &labels(experiment)
}

/// One row per method.
pub(crate) fn methods(results: &[MethodResult], exact: Option<&Exact>) -> String {
    let header = [
        "method",
        "ELBO",
        "ELBO by sampling",
        "k-hat",
        "max R-hat",
        "min ESS",
        "iterations",
        "log joints",
        "gradients",
        "block terms",
        "time",
    ];
    let mut rows: Vec<(Vec<String>, String)> =
        results.iter().enumerate().map(|(i, r)| (method_row(i, r), ended(r))).collect();
    if let Some(evidence) = exact.and_then(|e| e.log_evidence) {
        let mut row = vec![chip("exact log evidence", "#000"), fixed(Some(evidence), 4)];
        row.resize(header.len(), "–".to_owned());
        rows.push((row, String::new()));
    }
    table_with_notes(&header.map(str::to_owned), &rows)
        + "<p class=\"note\"><b>ELBO</b>, in nats with every constant: without an error it was computed in \
           closed form, with ± it was estimated by sampling (Monte Carlo standard error). <b>ELBO by \
           sampling</b> is E<sub>q</sub>[log p(x, z) − log q(z)] over the reported variables, evaluated alike for \
           every method that has a density; it may exceed a closed-form ELBO, in which auxiliary variables \
           (assignments, augmentation) have factors of their own. <b>log joints</b>, <b>gradients</b> and <b>block terms</b> (parts of log joints, of one block each) count \
           evaluations of the model while fitting, not those that judge the result.</p>"
}

fn flagged(text: String, bad: bool) -> String {
    if bad { format!("<span class=\"bad\">{text}</span>") } else { text }
}

fn ended(r: &MethodResult) -> String {
    let mut lines = vec![flagged(escape(&r.stop_reason), !r.converged)];
    lines.extend(r.remarks.iter().map(|remark| escape(remark)));
    lines.join("<br>")
}

fn method_row(i: usize, r: &MethodResult) -> Vec<String> {
    let elbo = |e: Option<vi_core::ElboEstimate>| e.map_or("–".to_owned(), |e| with_error(e.value, e.mcse));
    vec![
        chip(&r.name, &colour::css(i)),
        elbo(r.elbo),
        elbo(r.elbo_sampled),
        flagged(fixed(r.khat, 2), r.khat.is_some_and(|k| k > KHAT_LIMIT)),
        flagged(fixed(r.max_rhat(), 3), r.max_rhat().is_some_and(|x| x > RHAT_LIMIT)),
        fixed(r.min_ess(), 0),
        count(r.iterations),
        count(r.n_log_joint),
        count(r.n_gradient),
        count(r.n_log_joint_block),
        seconds(r.elapsed_s),
    ]
}

/// Means and standard deviations side by side, and every figure of every method behind a click.
pub(crate) fn parameters(experiment: &Experiment, results: &[MethodResult], exact: Option<&Exact>) -> String {
    let names = experiment.study.reported().names();
    let n_rows = experiment.max_parameters.unwrap_or(MAX_ROWS).min(MAX_ROWS);
    let known = exact.filter(|e| e.parameters.iter().any(|p| p.mean.is_some()));
    let mut header = vec!["mean (sd)".to_owned()];
    header.extend(results.iter().enumerate().map(|(i, r)| chip(&r.name, &colour::css(i))));
    header.extend(known.map(|_| chip("exact", "#000")));
    let rows: Vec<Vec<String>> =
        names
            .iter()
            .enumerate()
            .take(n_rows)
            .map(|(d, name)| {
                let cell = |mean: Option<f64>, sd: Option<f64>| format!("{} ({})", number(mean), number(sd));
                let mut row = vec![escape(name)];
                row.extend(results.iter().map(|r| {
                    r.parameters.get(d).map_or("–".to_owned(), |p| cell(Some(p.mean), Some(p.sd)))
                }));
                row.extend(known.map(|e| cell(e.parameters[d].mean, e.parameters[d].sd)));
                row
            })
            .collect();
    let mut out = table(&header, &rows);
    if names.len() > n_rows {
        let held = experiment.max_parameters.map_or("all".to_owned(), |n| n.min(names.len()).to_string());
        out += &format!(
            "<p class=\"note\">The first {n_rows} of {} coordinates; <code>summary.json</code> holds {held}.</p>",
            names.len()
        );
    }
    for r in results.iter().filter(|r| !r.parameters.is_empty()) {
        out += &details(&format!("All figures of {}", r.name), &all_figures(r, n_rows));
    }
    out
}

fn all_figures(r: &MethodResult, n_rows: usize) -> String {
    let header =
        ["", "mean", "sd", "5 %", "50 %", "95 %", "MCSE of the mean", "ESS bulk", "ESS tail", "R\u{2011}hat"];
    let rows: Vec<Vec<String>> = r
        .parameters
        .iter()
        .take(n_rows)
        .map(|p| {
            let mut row = vec![escape(&p.name)];
            row.extend([p.mean, p.sd, p.q05, p.q50, p.q95].map(|x| number(Some(x))));
            row.push(number(p.mcse_mean));
            row.extend([fixed(p.ess_bulk, 0), fixed(p.ess_tail, 0), fixed(p.rhat, 3)]);
            row
        })
        .collect();
    table(&header.map(str::to_owned), &rows)
}

/// What is needed to make the results again.
pub(crate) fn provenance(experiment: &Experiment, m: &Manifest) -> String {
    let list = format!(
        "<dl><dt>vi-lab</dt><dd>{} ({})</dd><dt>Compiler</dt><dd>{}</dd><dt>Vector instructions</dt><dd>{}</dd>\
         <dt>Threads</dt><dd>{} (results do not depend on their number)</dd><dt>Chunk</dt><dd>{} items</dd></dl>",
        escape(&m.version),
        m.git.as_deref().map_or("no commit known".to_owned(), |g| format!("commit {}", escape(g))),
        escape(&m.rustc),
        escape(&m.cpu_features.join(", ")),
        m.threads,
        m.chunk,
    );
    list + &details("The experiment file", &format!("<pre>{}</pre>", escape(&experiment.text)))
}
