//! One colour per method, the same in every figure.

use plotters::style::RGBColor;

/// Okabe & Ito's palette, which readers with any kind of colour vision tell apart; black is kept for what is
/// exact.
const PALETTE: [(u8, u8, u8); 8] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (120, 94, 240),
    (127, 127, 127),
];

/// The colour of method number `i`.
pub(crate) fn of(i: usize) -> RGBColor {
    let (r, g, b) = PALETTE[i % PALETTE.len()];
    RGBColor(r, g, b)
}

/// The same for a style sheet.
pub(crate) fn css(i: usize) -> String {
    let (r, g, b) = PALETTE[i % PALETTE.len()];
    format!("#{r:02x}{g:02x}{b:02x}")
}
