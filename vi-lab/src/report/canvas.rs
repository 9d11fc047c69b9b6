//! Inline SVG by plotters, with text that takes the page's font.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::LabError;

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// Axes and grids.
pub(crate) const GREY: RGBColor = RGBColor(130, 138, 148);
/// Text.
pub(crate) const INK: RGBColor = RGBColor(45, 52, 60);
/// Size of axis labels.
pub(crate) const LABEL: i32 = 13;

/// Text of this size in ink.
pub(crate) fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Text anchored at the middle of its left or right end.
pub(crate) fn anchored(size: i32, h: HPos) -> TextStyle<'static> {
    text(size).pos(Pos::new(h, VPos::Center))
}

/// Draws a figure and returns the SVG element; `title` is for those who listen to the page.
pub(crate) fn draw(
    width: u32,
    height: u32,
    title: &str,
    f: impl FnOnce(&Area<'_>) -> Result<(), DrawError>,
) -> Result<String, LabError> {
    let mut svg = String::new();
    let failed = |e: DrawError| LabError::Render { what: "a figure", message: e.to_string() };
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        f(&area).map_err(failed)?;
        area.present().map_err(failed)?;
    }
    let label = super::html::escape(title);
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1))
}

/// A tick label with as many decimals as the range gives sense to.
pub(crate) fn tick(x: f64, range: f64) -> String {
    let decimals = (1 - range.abs().max(1e-12).log10().floor() as i32).clamp(0, 6) as usize;
    if x.abs() >= 1e6 {
        return format!("{x:.1e}");
    }
    let s = format!("{x:.decimals$}");
    let s = if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.') } else { &s };
    if s == "-0" { "0".to_owned() } else { s.replacen('-', "−", 1) }
}
