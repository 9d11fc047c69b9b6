//! ELBO against evaluations and against seconds.

use plotters::prelude::*;
use vi_sgvi::bench::{Milestone, RaceReport};

use super::super::canvas::{self, GREY, LABEL};
use super::super::colour;
use crate::error::LabError;

const WIDTH: u32 = 980;
const HEIGHT: u32 = 340;

struct Line {
    colour: RGBColor,
    /// Abscissa, then mean and interval of the ELBO.
    points: Vec<(f64, [f64; 3])>,
}

impl Line {
    /// What does not lie below the figure.
    fn shown(&self, lower: f64) -> impl Iterator<Item = &(f64, [f64; 3])> {
        self.points.iter().skip_while(move |p| p.1[0] <= lower)
    }
}

/// Both figures; `index` gives an estimator's colour.
pub(super) fn figures(race: &RaceReport, index: &dyn Fn(&str) -> usize) -> Result<String, LabError> {
    let by_work =
        draw(race, index, "log joints, or what is worth them, of one seed (log scale)", |m| m.work)?;
    let by_seconds = draw(race, index, "seconds of one seed (log scale)", |m| m.seconds)?;
    Ok(format!(
        "<figure>{by_work}{by_seconds}<figcaption>Mean ELBO of the averaged parameters over {} seeds, with intervals. \
         The first, steep part, and an estimator that never leaves it, may lie below the figure.</figcaption></figure>",
        race.n_seeds
    ))
}

fn draw(
    race: &RaceReport,
    index: &dyn Fn(&str) -> usize,
    axis: &str,
    abscissa: impl Fn(&Milestone) -> f64,
) -> Result<String, LabError> {
    let lines: Vec<Line> = race
        .estimators
        .iter()
        .map(|entry| Line {
            colour: colour::of(index(&entry.name)),
            points: entry
                .milestones
                .iter()
                .map(|m| (abscissa(m).max(1e-9), [m.elbo.value, m.elbo.lower, m.elbo.upper]))
                .collect(),
        })
        .collect();
    let (lower, upper) = limits(&lines);
    let shown = || lines.iter().flat_map(|l| l.shown(lower)).map(|p| p.0);
    let (first, last) = (shown().fold(f64::INFINITY, f64::min), shown().fold(0.0, f64::max));
    if first >= last {
        return Ok(String::new());
    }
    canvas::draw(WIDTH, HEIGHT, &format!("ELBO against {axis}"), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(42)
            .y_label_area_size(78)
            .build_cartesian_2d((first..last).log_scale(), lower..upper)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GREY.mix(0.25))
            .axis_style(GREY)
            .label_style(canvas::text(LABEL))
            .axis_desc_style(canvas::text(LABEL))
            .x_labels(8)
            .y_labels(7)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| canvas::tick(*y, upper - lower))
            .x_desc(axis)
            .y_desc("ELBO in nats")
            .draw()?;
        for line in &lines {
            let points: Vec<_> = line.shown(lower).copied().collect();
            let clip = |y: f64| y.clamp(lower, upper);
            let there = points.iter().map(|p| (p.0, clip(p.1[2])));
            let back = points.iter().rev().map(|p| (p.0, clip(p.1[1])));
            let band: Vec<_> = there.chain(back).collect();
            chart.draw_series([Polygon::new(band, line.colour.mix(0.12))])?;
            let means: Vec<_> = points.iter().map(|p| (p.0, clip(p.1[0]))).collect();
            chart.draw_series(means.iter().map(|p| Circle::new(*p, 3, line.colour.filled())))?;
            chart.draw_series(LineSeries::new(means, line.colour.stroke_width(2)))?;
        }
        Ok(())
    })
}

/// From what every estimator reaches in the second half of its milestones to the best of all.
fn limits(lines: &[Line]) -> (f64, f64) {
    let upper = lines.iter().flat_map(|l| &l.points).map(|p| p.1[2]).fold(f64::NEG_INFINITY, f64::max);
    let late = lines.iter().flat_map(|l| &l.points[l.points.len() / 2..]).map(|p| p.1[1]);
    let best = lines.iter().filter_map(|l| l.points.last()).map(|p| p.1[0]).fold(f64::NEG_INFINITY, f64::max);
    let ends = lines.iter().filter_map(|l| l.points.last()).map(|p| p.1[1]);
    // One that is far behind does not squeeze the others.
    let mut gaps: Vec<f64> = ends.map(|e| best - e).collect();
    gaps.sort_by(f64::total_cmp);
    let reach = 8.0 * gaps.get(gaps.len() / 2).copied().unwrap_or(1.0).max(1e-3);
    let lower = late.fold(f64::INFINITY, f64::min).max(best - reach).min(upper);
    let margin = (0.06 * (upper - lower)).max(1e-6 * upper.abs()).max(1e-6);
    (lower - margin, upper + margin)
}

fn short(x: f64) -> String {
    if x >= 1.0 {
        super::super::figures::count(x.round() as u64)
    } else {
        let s = format!("{x:.6}");
        s.trim_end_matches('0').to_owned()
    }
}
