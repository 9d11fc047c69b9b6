//! Quadrature of tails and intervals.

/// ∫₀^∞ f(s) ds for an analytic f that falls on about this scale, exponentially or faster.
///
/// s = scale · exp(t − e^(−t)) and the trapezoidal rule in t (Takahasi & Mori 1974, Publ. RIMS 9:721); f is taken as
/// zero where it is not finite.
pub(crate) fn half_line(scale: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1.0 / 16.0;
    let mut sum = 0.0;
    for i in -64..=80 {
        let t = f64::from(i) * STEP;
        let tail = (-t).exp();
        let s = (t - tail).exp();
        let height = f(scale * s);
        if height.is_finite() {
            sum += s * (1.0 + tail) * height;
        }
    }
    scale * (STEP * sum)
}

/// The scale on which exp(−slope s − ½ curvature s²) falls.
pub(crate) fn tail_scale(slope: f64, curvature: f64) -> f64 {
    2.0 / (slope + slope.hypot(2.0 * curvature.sqrt()))
}

/// The positive nodes of the 16-point rule on [−1, 1] and their weights.
const NODES: [(f64, f64); 8] = [
    (0.09501250983763744, 0.1894506104550685),
    (0.2816035507792589, 0.18260341504492358),
    (0.45801677765722737, 0.16915651939500254),
    (0.6178762444026438, 0.14959598881657674),
    (0.755404408355003, 0.12462897125553388),
    (0.8656312023878318, 0.09515851168249279),
    (0.9445750230732326, 0.062253523938647894),
    (0.9894009349916499, 0.027152459411754096),
];

/// Calls `add(x, weight)` at the nodes of the 16-point rule on each of `n_panels` equal parts of
/// [from, from + width].
///
/// Where the integrand is e^g with a smooth g that changes by less than about 12 within a panel, the sum is exact
/// to rounding. The width is given for itself: that of a short interval far from 0 keeps its digits.
pub(crate) fn gauss_legendre(from: f64, width: f64, n_panels: usize, mut add: impl FnMut(f64, f64)) {
    let half = 0.5 * width / n_panels as f64;
    for panel in 0..n_panels {
        let centre = (2 * panel + 1) as f64 * half;
        for (node, weight) in NODES {
            add(from + (centre - half * node), half * weight);
            add(from + (centre + half * node), half * weight);
        }
    }
}

/// The integral from `from` to `to`: Gauss–Legendre with four panels of 16 points.
pub(crate) fn interval(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.0;
    gauss_legendre(from, to - from, 4, |x, weight| sum += weight * f(x));
    sum
}
