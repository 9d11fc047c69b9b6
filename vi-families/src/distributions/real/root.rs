//! Roots of increasing functions, for distribution functions whose inverse has no closed form.

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
