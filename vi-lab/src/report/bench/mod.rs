//! `report.html` of an estimator bench.

mod dots;
mod race;
mod tables;

use vi_sgvi::bench::{Interval, NoiseReport, PointReport, Report};

use super::html::{chip, escape, section};
use super::{colour, header, page};
use crate::bench::BenchDocument;
use crate::config::EstimatorBench;
use crate::error::LabError;
use dots::{Figure, Mark, Row};

/// The whole page.
///
/// # Errors
/// [`LabError::Render`] when a figure cannot be drawn.
pub fn render(bench: &EstimatorBench, document: &BenchDocument) -> Result<String, LabError> {
    let (experiment, report) = (&bench.experiment, &document.report);
    let words: Vec<String> = bench.estimators.iter().map(|e| e.settings.describe()).collect();
    let names = bench.estimators.iter().map(|e| e.name.as_str());
    let settings: Vec<(&str, &str)> = names.zip(words.iter().map(String::as_str)).collect();
    let page_of = Page { bench, report };
    let mut body = header(experiment);
    let facts = tables::facts(document);
    let what = super::tables::experiment(experiment, &document.model, document.seed, &facts, &settings);
    body += &section("What was run", &what);
    body += &page_of.warnings();
    body += &section("Verdicts", &tables::verdicts(report, &|name| page_of.colour(name)));
    for point in &report.points {
        body += &section(&format!("Gradients at {}", point.name), &page_of.point(point)?);
    }
    if let Some(race) = &report.race {
        let figures = race::figures(race, &|name| page_of.index(name))?;
        let table = tables::race(race, report, &|name| page_of.colour(name));
        body += &section("Race", &(page_of.legend() + &figures + &table));
    }
    body += &section("Provenance", &super::tables::provenance(experiment, &document.manifest));
    Ok(page(experiment, &body))
}

/// A z-score beyond which nothing more is said.
const FAR: f64 = 30.0;
/// A signal-to-noise ratio beyond which there is no noise to speak of.
const NO_NOISE: f64 = 1e4;

struct Page<'p> {
    bench: &'p EstimatorBench,
    report: &'p Report,
}

impl Page<'_> {
    /// The estimator's number in the file: its colour is the same whoever else finished.
    fn index(&self, name: &str) -> usize {
        self.bench.estimators.iter().position(|e| e.name == name).unwrap_or(0)
    }

    fn colour(&self, name: &str) -> String {
        colour::css(self.index(name))
    }

    fn legend(&self) -> String {
        let chips = self.report.estimators.iter().map(|e| chip(&e.name, &self.colour(&e.name)));
        format!("<div class=\"chips\">{}</div>", chips.collect::<String>())
    }

    fn warnings(&self) -> String {
        let report = self.report;
        let mut items: Vec<String> = Vec::new();
        let item =
            |name: &str, text: &str| format!("<li>{}: {}</li>", chip(name, &self.colour(name)), escape(text));
        for estimator in &report.estimators {
            if let Some(why) = &estimator.bias {
                items.push(item(&estimator.name, &format!("biased by its own account: {why}")));
            }
        }
        for point in &report.points {
            for noise in point.estimators.iter().filter(|n| n.biased == Some(true)) {
                let (parameter, z) = noise.worst.clone().unwrap_or_default();
                let z = tables::short(z);
                items.push(item(&noise.name, &format!("biased at {}: |z| = {z} in {parameter}", point.name)));
            }
        }
        for failure in &report.failures {
            items.push(item(&failure.name, &format!("failed: {}", failure.message)));
        }
        if report.interrupted {
            items.push("<li>interrupted: only estimators that were finished are shown</li>".to_owned());
        }
        if items.is_empty() {
            return "<section class=\"fine\"><h2>No warnings</h2><p class=\"note\">Every estimator finished, and \
                    no bias was seen.</p></section>"
                .to_owned();
        }
        format!("<section class=\"warnings\"><h2>Warnings</h2><ul>{}</ul></section>", items.concat())
    }

    fn rows<'r>(&self, point: &'r PointReport, marks: impl Fn(&'r NoiseReport) -> Vec<Mark>) -> Vec<Row<'r>> {
        let row = |noise: &'r NoiseReport| Row {
            name: &noise.name,
            colour: colour::of(self.index(&noise.name)),
            marks: marks(noise),
        };
        point.estimators.iter().map(row).collect()
    }

    fn point(&self, point: &PointReport) -> Result<String, LabError> {
        let level = self.report.settings.level;
        let mut out = String::new();
        if let Some(yardstick) = &self.report.yardstick {
            let whole = |i: Option<Interval>| i.map(Mark::interval).into_iter().collect::<Vec<_>>();
            let ratio = |title: &str, rows| Figure {
                title: title.to_owned(),
                axis: format!("{title}, relative to {yardstick} (log scale)"),
                log: true,
                lines: vec![1.0],
                rows,
            };
            out += &ratio("variance", self.rows(point, |n| whole(n.relative_variance))).draw()?;
            let with_work = |n: &NoiseReport| {
                let mut marks = whole(n.relative_variance_times_work);
                marks.extend(n.relative_variance_times_seconds.map(Mark::hollow));
                marks
            };
            out += &ratio("variance × cost", self.rows(point, with_work)).draw()?;
            out += &format!(
                "<figcaption>Left is better. Lines are {} % intervals; filled: cost in log joints (a gradient counts \
                 {}, the terms of all blocks once {}), hollow: cost in seconds on this machine.</figcaption>",
                100.0 * (1.0 - level),
                self.report.settings.gradient_work,
                self.report.settings.blocks_work,
            );
        }
        if point.estimators.iter().any(|n| n.z.is_some()) {
            let n_points = self.report.points.len();
            let n_tests = (self.report.param_names.len() * point.estimators.len() * n_points) as f64;
            let limit = tables::z_limit(level, n_tests, self.report.settings.n_replicates);
            out += &Figure {
                title: "bias".to_owned(),
                axis: format!("z of every parameter against {} (up to ±{FAR})", self.report.reference),
                log: false,
                lines: vec![-limit, 0.0, limit],
                rows: self
                    .rows(point, |n| n.z.iter().flatten().map(|z| Mark::point(z.clamp(-FAR, FAR))).collect()),
            }
            .draw()?;
            out += "<figcaption>Dashed: the limit for symmetric noise, corrected for all parameters, estimators and \
                    points. Where replicates are skewed the test asks for more.</figcaption>";
        }
        out += &Figure {
            title: "signal-to-noise ratio".to_owned(),
            axis: "|mean| / standard deviation of one gradient, every parameter (log scale, up to 10⁴)"
                .to_owned(),
            log: true,
            lines: vec![1.0],
            rows: self
                .rows(point, |n| n.snr.iter().map(|snr| Mark::point(snr.value.min(NO_NOISE))).collect()),
        }
        .draw()?;
        out += &tables::noise(point, self.report, &|name| self.colour(name));
        Ok(out + &tables::parameters(point, self.report))
    }
}
