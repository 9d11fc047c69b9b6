//! Gauss–Legendre sums over intervals, and roots of increasing functions: what distribution functions without a
//! closed form are made of.

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

/// The root in [low, high] of an increasing `f`, which returns its value and its slope.
///
/// Newton steps, and bisection where one would leave the bracket or the value is infinite.
pub(crate) fn increasing_root(mut low: f64, mut high: f64, start: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut x = start;
    for step in 0..200 {
        let (value, slope) = f(x);
        if value == 0.0 {
            return x;
        }
        if value < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - value / slope;
        // A bisection now and then ends a crawl.
        let inside = newton > low && newton < high && step % 8 != 7;
        let next = if inside { newton } else { low + 0.5 * (high - low) };
        if (next - x).abs() <= f64::EPSILON * x.abs() || next <= low || next >= high {
            return next.clamp(low, high);
        }
        x = next;
    }
    x
}
