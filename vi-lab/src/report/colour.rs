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

/// The colour of method number `i`: the palette, then its darker shades, then its lighter ones.
pub(crate) fn of(i: usize) -> RGBColor {
    let (r, g, b) = PALETTE[i % PALETTE.len()];
    let shade = |c: u8| match (i / PALETTE.len()) % 3 {
        0 => c,
        1 => (f64::from(c) * 0.55) as u8,
        _ => (255.0 - (255.0 - f64::from(c)) * 0.55) as u8,
    };
    RGBColor(shade(r), shade(g), shade(b))
}

/// The same for a style sheet.
pub(crate) fn css(i: usize) -> String {
    let RGBColor(r, g, b) = of(i);
    format!("#{r:02x}{g:02x}{b:02x}")
}
