//! The tables of a bench.

use vi_sgvi::Evaluations;
use vi_sgvi::bench::{Interval, PairReport, PointReport, RaceReport, Report, Verdict};

use super::super::figures::{count, with_error};
use super::super::html::{chip, details, escape, table};
use crate::bench::BenchDocument;

type Colour<'c> = &'c dyn Fn(&str) -> String;

/// What is said of a bench beside its experiment: names and HTML.
pub(super) fn facts(document: &BenchDocument) -> Vec<(&'static str, String)> {
    let (report, family) = (&document.report, &document.family);
    let settings = &report.settings;
    vec![
        ("Family", format!("{}: {} parameters", escape(&family.settings), family.n_params)),
        ("Bias against", escape(&report.reference)),
        (
            "Replicates",
            format!(
                "{} gradients at each of {} points, under the same keys for all",
                count(settings.n_replicates),
                report.points.len()
            ),
        ),
        (
            "Level",
            format!(
                "{}: what every interval leaves out, and the probability that a family of tests rejects by chance",
                settings.level
            ),
        ),
    ]
}

/// In the words of the table on the terminal.
fn verdict(pairs: &[PairReport], yardstick: Option<&str>, name: &str, better: &str, worse: &str) -> String {
    let pair = yardstick.filter(|y| *y != name).and_then(|y| Report::pair(pairs, y, name));
    let Some(pair) = pair else { return "–".to_owned() };
    let first = pair.first == name;
    match pair.verdict {
        Verdict::NotDistinguishable => "not distinguishable",
        Verdict::FirstIsBetter if first => better,
        Verdict::SecondIsBetter if !first => better,
        _ => worse,
    }
    .to_owned()
}

/// Every estimator against the first, at every point and in the race.
pub(super) fn verdicts(report: &Report, colour: Colour<'_>) -> String {
    let yardstick = report.yardstick.as_deref();
    let Some(first) = yardstick else {
        return "<p class=\"note\">The first estimator did not finish: there is nothing to compare with.</p>"
            .to_owned();
    };
    let mut header = vec![format!("against {}", escape(first))];
    header.extend(report.points.iter().map(|p| format!("variance at {}", escape(&p.name))));
    if let Some(race) = &report.race {
        header.push(format!("ELBO after {} log joints", count(race.budget as u64)));
        header.extend(race.by_seconds.as_ref().map(|b| format!("ELBO after {}", seconds(b.seconds))));
    }
    let others = report.estimators.iter().filter(|e| e.name != first);
    let rows: Vec<Vec<String>> = others
        .map(|e| {
            let mut row = vec![chip(&e.name, &colour(&e.name))];
            let of = |pairs, better, worse| verdict(pairs, yardstick, &e.name, better, worse);
            row.extend(report.points.iter().map(|p| of(&p.pairs, "less", "more")));
            if let Some(race) = &report.race {
                row.push(of(&race.pairs, "higher", "lower"));
                row.extend(race.by_seconds.as_ref().map(|b| of(&b.pairs, "higher", "lower")));
            }
            row
        })
        .collect();
    table(&header, &rows)
        + "<p class=\"note\">Paired tests on common random numbers, corrected for their number by Holm's method. What \
           costs more per gradient may have less variance and still lose: see variance × cost, and the race.</p>"
}

/// The figures of all estimators at a point.
pub(super) fn noise(point: &PointReport, report: &Report, colour: Colour<'_>) -> String {
    let header = [
        "estimator",
        "evaluations",
        "time",
        "max |z|",
        "bias",
        "median SNR",
        "variance",
        "relative",
        "× cost",
        "× time",
    ];
    let rows: Vec<Vec<String>> = point
        .estimators
        .iter()
        .zip(&report.estimators)
        .map(|(noise, estimator)| {
            let mut snr: Vec<f64> = noise.snr.iter().map(|s| s.value).collect();
            snr.sort_by(f64::total_cmp);
            let biased = noise.biased.map_or("–", |b| if b { "biased" } else { "none seen" });
            let biased = if noise.biased == Some(true) {
                format!("<span class=\"bad\">{biased}</span>")
            } else {
                biased.into()
            };
            vec![
                chip(&noise.name, &colour(&noise.name)),
                evaluations(estimator.evaluations),
                seconds(noise.seconds),
                noise.worst.as_ref().map_or("–".into(), |w| short(w.1)),
                biased,
                short(vi_core::quantile_sorted(&snr, 0.5)),
                short(noise.total_variance.value),
                noise.relative_variance.map_or("–".into(), with_range),
                noise.relative_variance_times_work.map_or("–".into(), |r| short(r.value)),
                noise.relative_variance_times_seconds.map_or("–".into(), short),
            ]
        })
        .collect();
    table(&header.map(str::to_owned), &rows)
}

/// Log joints, gradients and terms of blocks, as far as there are any.
fn evaluations(cost: Evaluations) -> String {
    let parts =
        [(cost.n_log_joint, ""), (cost.n_gradient, " gradients"), (cost.n_log_joint_block, " block terms")];
    let given = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{}{what}", count(*n)));
    given.collect::<Vec<_>>().join(" + ")
}

/// Every parameter of every estimator, behind a click.
pub(super) fn parameters(point: &PointReport, report: &Report) -> String {
    let header = ["parameter", "mean", "standard error", "z", "variance", "signal-to-noise ratio"];
    let of = |noise: &vi_sgvi::bench::NoiseReport| {
        let rows: Vec<Vec<String>> = report
            .param_names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                vec![
                    escape(name),
                    short(noise.mean[i]),
                    short(noise.mcse[i]),
                    noise.z.as_ref().map_or("–".into(), |z| short(z[i])),
                    with_range(noise.variance[i]),
                    with_range(noise.snr[i]),
                ]
            })
            .collect();
        details(&format!("Every parameter of {}", noise.name), &table(&header.map(str::to_owned), &rows))
    };
    point.estimators.iter().map(of).collect()
}

/// Where the race ended.
pub(super) fn race(race: &RaceReport, report: &Report, colour: Colour<'_>) -> String {
    let yardstick = report.yardstick.as_deref();
    let mut header =
        ["estimator", "iterations", "time", "ELBO", "against the first"].map(str::to_owned).to_vec();
    if let Some(by_seconds) = &race.by_seconds {
        header.extend([format!("after {}", seconds(by_seconds.seconds)), "against the first".to_owned()]);
    }
    let elbo = |i: Interval| with_error(i.value, i.upper - i.value);
    let rows: Vec<Vec<String>> = race
        .estimators
        .iter()
        .filter_map(|entry| {
            let last = entry.milestones.last()?;
            let mut row = vec![
                chip(&entry.name, &colour(&entry.name)),
                count(last.n_iterations),
                seconds(last.seconds),
                elbo(last.elbo),
                verdict(&race.pairs, yardstick, &entry.name, "higher", "lower"),
            ];
            if let Some(by_seconds) = &race.by_seconds {
                let then = by_seconds.estimators.iter().find(|e| e.name == entry.name)?;
                row.extend([
                    elbo(then.elbo),
                    verdict(&by_seconds.pairs, yardstick, &entry.name, "higher", "lower"),
                ]);
            }
            Some(row)
        })
        .collect();
    table(&header, &rows)
}

/// The |z| at which a test among `n_tests` rejects.
pub(super) fn z_limit(level: f64, n_tests: f64, n_replicates: u64) -> f64 {
    vi_sgvi::bench::z_limit(level, n_tests, n_replicates)
}

fn with_range(i: Interval) -> String {
    if i.lower == i.upper {
        return short(i.value);
    }
    format!("{} <small>({} … {})</small>", short(i.value), short(i.lower), short(i.upper))
}

/// Three significant digits.
pub(super) fn short(x: f64) -> String {
    match x.abs() {
        1e300.. => "no noise".to_owned(),
        a if a > 0.0 && a < 1e-3 => format!("{x:.2e}").replace('-', "−"),
        _ => super::super::figures::number_with(x, 3),
    }
}

fn seconds(s: f64) -> String {
    if s < 1e-3 { format!("{:.0} µs", s * 1e6) } else { super::super::figures::seconds(s) }
}
