//! The ELBO over iterations, of all methods that have one.

use plotters::prelude::*;

use super::canvas::{self, GREY, LABEL};
use super::colour;
use crate::error::LabError;
use crate::result::MethodResult;

const WIDTH: u32 = 980;
const HEIGHT: u32 = 360;
/// Points drawn per trace: iterations are averaged within bins that are even on the log scale.
const N_BINS: f64 = 140.0;

struct Line {
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// The figure; `None` when no method has an ELBO trace.
pub(crate) fn svg(results: &[MethodResult], log_evidence: Option<f64>) -> Result<Option<String>, LabError> {
    let lines: Vec<Line> = results
        .iter()
        .enumerate()
        .filter_map(|(i, r)| Some(Line { colour: colour::of(i), points: binned(r.trace.column("elbo")?) }))
        .filter(|l| l.points.len() > 1)
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let last = lines.iter().flat_map(|l| l.points.last()).map(|p| p.0).fold(2.0, f64::max);
    let (lower, upper) = limits(&lines, log_evidence);
    canvas::draw(WIDTH, HEIGHT, "ELBO traces", |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(42)
            .y_label_area_size(78)
            .build_cartesian_2d((1.0..last).log_scale(), lower..upper)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GREY.mix(0.25))
            .axis_style(GREY)
            .label_style(canvas::text(LABEL))
            .axis_desc_style(canvas::text(LABEL))
            .x_labels(8)
            .y_labels(7)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| canvas::tick(*y, upper - lower))
            .x_desc("iteration (log scale)")
            .y_desc("ELBO in nats")
            .draw()?;
        if let Some(evidence) = log_evidence {
            let line = [(1.0, evidence), (last, evidence)];
            chart.draw_series(DashedLineSeries::new(line, 6, 5, BLACK.stroke_width(1)))?;
        }
        for line in &lines {
            let points = line.points.iter().map(|&(x, y)| (x, y.clamp(lower, upper)));
            // What lies below the figure is not drawn as if it lay on its edge.
            let points: Vec<_> = points.skip_while(|p| p.1 <= lower).collect();
            chart.draw_series(LineSeries::new(points, line.colour.stroke_width(2)))?;
        }
        Ok(())
    })
    .map(Some)
}

/// Means over bins even in log iteration: thousands of noisy estimates become a readable line.
fn binned(trace: &[f64]) -> Vec<(f64, f64)> {
    let n = trace.len() as f64;
    let mut out: Vec<(f64, f64)> = Vec::new();
    let mut start = 0;
    let mut edge = 1.0;
    while start < trace.len() {
        edge *= n.max(2.0).powf(1.0 / N_BINS);
        let end = (edge.round() as usize).clamp(start + 1, trace.len());
        let finite: Vec<f64> = trace[start..end].iter().copied().filter(|v| v.is_finite()).collect();
        if !finite.is_empty() {
            let middle = ((start + 1) as f64 * end as f64).sqrt();
            out.push((middle, finite.iter().sum::<f64>() / finite.len() as f64));
        }
        start = end;
    }
    out
}

/// From what every method reaches in the first third of its course to the best of all.
fn limits(lines: &[Line], log_evidence: Option<f64>) -> (f64, f64) {
    let highest = lines.iter().flat_map(|l| &l.points).map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    let upper = log_evidence.map_or(highest, |e| highest.max(e));
    let early = lines.iter().map(|l| {
        let tail = &l.points[l.points.len() / 3..];
        tail.iter().map(|p| p.1).fold(f64::INFINITY, f64::min)
    });
    let lower = early.fold(f64::INFINITY, f64::min);
    let margin = (0.06 * (upper - lower)).max(1e-3 * upper.abs()).max(1e-6);
    (lower - margin, upper + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_cover_every_iteration_in_order() {
        let trace: Vec<f64> = (1..=5000).map(f64::from).collect();
        let bins = binned(&trace);
        assert!(bins.len() < 300 && bins.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
        assert!((bins[0].1 - 1.0).abs() < 1.0 && bins[bins.len() - 1].1 > 4800.0);
    }
}
