//! Forest plots: 90 % intervals of every coordinate of a variable, method by method.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use vi_core::{Parameter, Support};

use super::canvas::{self, GREY, LABEL};
use super::colour;
use crate::error::LabError;
use crate::result::{Exact, MethodResult};

const WIDTH: u32 = 980;
/// Pixels per interval and per gap between coordinates.
const PITCH: f64 = 13.0;
/// The 95 % quantile of the standard normal distribution.
const Z_95: f64 = 1.644_853_626_951_472_7;

struct Interval {
    colour: RGBColor,
    low: f64,
    middle: f64,
    high: f64,
    exact: bool,
}

/// The figure of one variable, of coordinates before number `n_shown`; `None` when no method has intervals.
pub(crate) fn svg(
    results: &[MethodResult],
    variable: &Parameter,
    names: &[String],
    exact: Option<&Exact>,
    n_shown: usize,
) -> Result<Option<String>, LabError> {
    let rows: Vec<(&str, Vec<Interval>)> = variable
        .range()
        .take_while(|d| *d < n_shown)
        .map(|d| (names[d].as_str(), intervals(results, d, variable.support(), exact)))
        .collect();
    let n_lines = rows.iter().map(|r| r.1.len()).max().unwrap_or(0);
    if n_lines == 0 {
        return Ok(None);
    }
    let per_row = n_lines as f64 + 1.2;
    let height = (rows.len() as f64 * per_row * PITCH) as u32 + 58;
    let (lower, upper) = limits(&rows);
    let label_width = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(4) as u32 * 8 + 24;
    canvas::draw(WIDTH, height, &format!("90 % intervals of {}", variable.name()), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(6)
            .margin_right(16)
            .x_label_area_size(42)
            .y_label_area_size(label_width)
            .build_cartesian_2d(lower..upper, (rows.len() as f64 * per_row)..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GREY.mix(0.25))
            .axis_style(GREY)
            .label_style(canvas::text(LABEL))
            .axis_desc_style(canvas::text(LABEL))
            .x_labels(8)
            .y_labels(0)
            .x_label_formatter(&|x| canvas::tick(*x, upper - lower))
            .x_desc("posterior median and 90 % interval")
            .draw()?;
        if lower < 0.0 && upper > 0.0 {
            let line = [(0.0, 0.0), (0.0, rows.len() as f64 * per_row)];
            chart.draw_series(LineSeries::new(line, GREY.stroke_width(1)))?;
        }
        for (r, (name, lines)) in rows.iter().enumerate() {
            let top = r as f64 * per_row;
            let centre = chart.backend_coord(&(lower, top + per_row / 2.0));
            area.draw(&Text::new(*name, (centre.0 - 10, centre.1), canvas::anchored(LABEL, HPos::Right)))?;
            if r > 0 {
                let rule = [(lower, top), (upper, top)];
                chart.draw_series(LineSeries::new(rule, GREY.mix(0.25).stroke_width(1)))?;
            }
            for (i, line) in lines.iter().enumerate() {
                let y = top + 1.1 + i as f64;
                let clip = |x: f64| x.clamp(lower, upper);
                let ends = [(clip(line.low), y), (clip(line.high), y)];
                chart.draw_series(LineSeries::new(ends, line.colour.stroke_width(2)))?;
                if (lower..=upper).contains(&line.middle) {
                    let dot = if line.exact { line.colour.stroke_width(2) } else { line.colour.filled() };
                    chart.draw_series([Circle::new((line.middle, y), 4, dot)])?;
                }
            }
        }
        Ok(())
    })
    .map(Some)
}

fn intervals(results: &[MethodResult], d: usize, support: Support, exact: Option<&Exact>) -> Vec<Interval> {
    let (lowest, highest) = match support {
        Support::Positive => (0.0, f64::INFINITY),
        Support::Interval { lower, upper } => (lower, upper),
        Support::Simplex => (0.0, 1.0),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    let of_methods = results.iter().enumerate().filter_map(|(i, r)| {
        let p = r.parameters.get(d)?;
        let colour = colour::of(i);
        let finite = p.q05.is_finite() && p.q50.is_finite() && p.q95.is_finite();
        finite.then_some(Interval { colour, low: p.q05, middle: p.q50, high: p.q95, exact: false })
    });
    let of_exact = exact.and_then(|e| e.parameters.get(d)).and_then(|p| {
        let (mean, sd) = (p.mean?, p.sd?);
        let (low, high) = ((mean - Z_95 * sd).max(lowest), (mean + Z_95 * sd).min(highest));
        Some(Interval { colour: BLACK, low, middle: mean, high, exact: true })
    });
    of_methods.chain(of_exact).collect()
}

/// All medians, and the intervals as far as they do not squeeze the others.
fn limits(rows: &[(&str, Vec<Interval>)]) -> (f64, f64) {
    let all = || rows.iter().flat_map(|r| &r.1);
    let mut widths: Vec<f64> = all().map(|i| i.high - i.low).collect();
    widths.sort_unstable_by(f64::total_cmp);
    let reach = 6.0 * widths[widths.len() / 2];
    let (mut lower, mut upper) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in all() {
        lower = lower.min(i.low.max(i.middle - reach));
        upper = upper.max(i.high.min(i.middle + reach));
    }
    let margin = (0.04 * (upper - lower)).max(1e-9);
    (lower - margin, upper + margin)
}
