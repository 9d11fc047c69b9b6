//! The marginal posterior of one coordinate, all methods over each other.

use plotters::prelude::*;
use vi_core::Support;

use super::canvas::{self, GREY};
use super::colour;
use super::density::{common_range, kernel_density};
use crate::error::LabError;
use crate::result::{ExactParameter, MethodResult};

const WIDTH: u32 = 310;
const HEIGHT: u32 = 190;

/// The figure of coordinate `d`; `None` when no method has draws of it.
pub(crate) fn svg(
    results: &[MethodResult],
    d: usize,
    name: &str,
    support: Support,
    exact: Option<&ExactParameter>,
) -> Result<Option<String>, LabError> {
    let sorted: Vec<(usize, Vec<f64>)> = results
        .iter()
        .enumerate()
        .filter_map(|(i, r)| {
            let mut x: Vec<f64> =
                r.draws.as_ref()?.coordinate(d).iter().copied().filter(|v| v.is_finite()).collect();
            x.sort_unstable_by(f64::total_cmp);
            (x.len() > 1).then_some((i, x))
        })
        .collect();
    if sorted.is_empty() {
        return Ok(None);
    }
    let values: Vec<Vec<f64>> = sorted.iter().map(|s| s.1.clone()).collect();
    let (lower, upper) = common_range(&values, support);
    let curves: Vec<(usize, Vec<(f64, f64)>)> =
        sorted.iter().map(|(i, x)| (*i, kernel_density(x, support, lower, upper).points)).collect();
    let top = ceiling(&curves);
    canvas::draw(WIDTH, HEIGHT, &format!("marginal posterior of {name}"), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(6)
            .margin_right(12)
            .caption(name, canvas::text(15))
            .x_label_area_size(26)
            .y_label_area_size(20)
            .build_cartesian_2d(lower..upper, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(GREY)
            .label_style(canvas::text(12))
            .axis_desc_style(canvas::text(12))
            .x_labels(5)
            .y_labels(0)
            .x_label_formatter(&|x| canvas::tick(*x, upper - lower))
            .y_desc("density")
            .draw()?;
        for (i, points) in &curves {
            let points: Vec<_> = points.iter().map(|&(x, y)| (x, y.min(top))).collect();
            let colour = colour::of(*i);
            chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, colour.mix(0.05)))?;
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        }
        if let Some(mean) = exact.and_then(|e| e.mean) {
            let line = [(mean, 0.0), (mean, top)];
            chart.draw_series(DashedLineSeries::new(line, 5, 4, BLACK.stroke_width(1)))?;
        }
        Ok(())
    })
    .map(Some)
}

/// The highest peak, but no more than four times the middle one: a spike must not flatten all others.
fn ceiling(curves: &[(usize, Vec<(f64, f64)>)]) -> f64 {
    let mut peaks: Vec<f64> = curves.iter().map(|c| c.1.iter().map(|p| p.1).fold(0.0, f64::max)).collect();
    peaks.sort_unstable_by(f64::total_cmp);
    let highest = peaks.last().copied().unwrap_or(1.0);
    let top = highest.min(4.0 * peaks[(peaks.len() - 1) / 2]);
    if top > 0.0 { 1.05 * top } else { 1.0 }
}
