//! Rows of dots and intervals, one row for every estimator.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use vi_sgvi::bench::Interval;

use super::super::canvas::{self, GREY, LABEL};
use crate::error::LabError;

const WIDTH: u32 = 980;
/// Pixels per row.
const PITCH: u32 = 26;

/// A dot, with an interval or without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    low: f64,
    middle: f64,
    high: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Interval,
    Hollow,
    /// One of many.
    Point,
}

impl Mark {
    pub(super) fn interval(i: Interval) -> Self {
        Self { low: i.lower, middle: i.value, high: i.upper, kind: Kind::Interval }
    }
    pub(super) fn hollow(at: f64) -> Self {
        Self { low: at, middle: at, high: at, kind: Kind::Hollow }
    }
    pub(super) fn point(at: f64) -> Self {
        Self { low: at, middle: at, high: at, kind: Kind::Point }
    }
}

/// An estimator.
#[derive(Debug)]
pub(super) struct Row<'r> {
    pub(super) name: &'r str,
    pub(super) colour: RGBColor,
    pub(super) marks: Vec<Mark>,
}

/// A figure.
#[derive(Debug)]
pub(super) struct Figure<'r> {
    pub(super) title: String,
    pub(super) axis: String,
    pub(super) log: bool,
    /// Where vertical lines stand.
    pub(super) lines: Vec<f64>,
    pub(super) rows: Vec<Row<'r>>,
}

impl Figure<'_> {
    /// The figure as HTML.
    pub(super) fn draw(&self) -> Result<String, LabError> {
        let (lower, upper) = self.limits();
        let height = self.rows.len() as u32 * PITCH + 62;
        let longest = self.rows.iter().map(|r| r.name.chars().count()).max().unwrap_or(4);
        let svg = canvas::draw(WIDTH, height, &self.title, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin(6)
                .margin_right(24)
                .x_label_area_size(46)
                .y_label_area_size(longest as u32 * 8 + 24)
                .build_cartesian_2d(lower..upper, self.rows.len() as f64..0.0)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .axis_style(GREY)
                .label_style(canvas::text(LABEL))
                .axis_desc_style(canvas::text(LABEL))
                .x_labels(0)
                .y_labels(0)
                .x_desc(self.axis.as_str())
                .draw()?;
            let bottom = self.rows.len() as f64;
            for (at, label) in self.ticks(lower, upper) {
                let line = [(at, 0.0), (at, bottom)];
                chart.draw_series(LineSeries::new(line, GREY.mix(0.25).stroke_width(1)))?;
                let foot = chart.backend_coord(&(at, bottom));
                let style = canvas::text(LABEL).pos(Pos::new(HPos::Center, VPos::Top));
                area.draw(&Text::new(label, (foot.0, foot.1 + 6), style))?;
            }
            for at in self.lines.iter().map(|x| self.scaled(*x)).filter(|x| (lower..=upper).contains(x)) {
                let line = [(at, 0.0), (at, bottom)];
                chart.draw_series(DashedLineSeries::new(line, 5, 4, BLACK.mix(0.6).stroke_width(1)))?;
            }
            for (r, row) in self.rows.iter().enumerate() {
                let y = r as f64 + 0.5;
                let left = chart.backend_coord(&(lower, y));
                let style = canvas::anchored(LABEL, HPos::Right);
                area.draw(&Text::new(row.name.to_owned(), (left.0 - 10, left.1), style))?;
                for mark in &row.marks {
                    let clip = |x: f64| self.scaled(x).clamp(lower, upper);
                    let at = clip(mark.middle);
                    let dot = match mark.kind {
                        Kind::Interval => {
                            let ends = [(clip(mark.low), y), (clip(mark.high), y)];
                            chart.draw_series(LineSeries::new(ends, row.colour.stroke_width(2)))?;
                            Circle::new((at, y), 4, row.colour.filled())
                        }
                        Kind::Hollow => Circle::new((at, y), 5, row.colour.stroke_width(2)),
                        Kind::Point => Circle::new((at, y), 4, row.colour.mix(0.35).filled()),
                    };
                    chart.draw_series([dot])?;
                }
            }
            Ok(())
        })?;
        Ok(format!("<figure><h3>{}</h3>{svg}</figure>", super::escape(&self.title)))
    }

    /// A value on the axis; beyond all limits for what a log scale cannot show.
    fn scaled(&self, x: f64) -> f64 {
        if self.log { if x > 0.0 { x.log10() } else { f64::NEG_INFINITY } } else { x }
    }

    /// All dots and intervals, as far as they can be shown, and a margin.
    fn limits(&self) -> (f64, f64) {
        let marks = self.rows.iter().flat_map(|r| &r.marks).flat_map(|m| [m.low, m.middle, m.high]);
        let shown = marks.chain(self.lines.iter().copied()).filter(|x| x.abs() < 1e300);
        let scaled = shown.map(|x| self.scaled(x)).filter(|x| x.is_finite());
        let (lower, upper) =
            scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if lower > upper {
            return (-1.0, 1.0);
        }
        let margin = (0.04 * (upper - lower)).max(0.1);
        (lower - margin, upper + margin)
    }

    /// Round numbers on the axis.
    fn ticks(&self, lower: f64, upper: f64) -> Vec<(f64, String)> {
        if !self.log {
            let rough = (upper - lower) / 8.0;
            let power = 10f64.powf(rough.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough);
            let step = step.unwrap_or(rough);
            let (first, last) = ((lower / step).ceil() as i64, (upper / step).floor() as i64);
            let tick = |i: i64| (i as f64 * step, canvas::tick(i as f64 * step, upper - lower));
            return (first..=last).map(tick).collect();
        }
        let (first, last) = (lower.floor() as i32, upper.ceil() as i32);
        let digits: &[f64] = match last - first {
            ..=2 => &[1.0, 2.0, 5.0],
            3..=4 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let thin = ((last - first) / 10).max(1);
        (first..=last)
            .filter(|k| k % thin == 0)
            .flat_map(|k| digits.iter().map(move |d| (k, *d)))
            .map(|(k, d)| (d.log10() + f64::from(k), d * 10f64.powi(k)))
            .filter(|(at, _)| (lower..=upper).contains(at))
            .map(|(at, value)| (at, label(value)))
            .collect()
    }
}

/// A power of ten, or a few of them, in the shortest form.
fn label(value: f64) -> String {
    if (1e-3..1e5).contains(&value) {
        let s = format!("{value:.3}");
        s.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.0e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(log: bool, marks: &[f64]) -> Figure<'static> {
        let marks = marks.iter().map(|x| Mark::point(*x)).collect();
        let rows = vec![Row { name: "a", colour: BLACK, marks }];
        Figure { title: "t".into(), axis: "x".into(), log, lines: vec![1.0], rows }
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let figure = figure(true, &[0.01, 2.0]);
        let (lower, upper) = figure.limits();
        let labels: Vec<String> = figure.ticks(lower, upper).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["0.01", "0.03", "0.1", "0.3", "1"]);
    }

    #[test]
    fn what_a_log_scale_cannot_show_does_not_spoil_the_figure() {
        let figure = figure(true, &[0.0, f64::MAX, 3.0]);
        let (lower, upper) = figure.limits();
        assert!(lower.is_finite() && upper < 1.0, "{lower} {upper}");
        assert!(figure.draw().expect("a figure").contains("<svg"));
    }
}
