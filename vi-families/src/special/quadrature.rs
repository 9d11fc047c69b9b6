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

/// The integral from `from` to `to`: Gauss–Legendre with four panels of 16 points.
pub(crate) fn interval(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
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
    let half = 0.125 * (to - from);
    let mut sum = 0.0;
    for panel in 0..4 {
        let centre = from + half * f64::from(2 * panel + 1);
        for (node, weight) in NODES {
            sum += weight * (f(centre - half * node) + f(centre + half * node));
        }
    }
    half * sum
}
