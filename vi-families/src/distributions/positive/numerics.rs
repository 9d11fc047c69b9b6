//! Small functions shared by the distributions on (0, ∞).

use crate::special::log_1p_minus;

/// The Euler-Mascheroni constant −ψ(1).
pub(crate) const EULER: f64 = 0.577_215_664_901_532_9;

/// KL(Gamma(count, rate) ‖ Gamma(count, other)), also of all functions of such variables.
pub(super) fn kl_of_rates(count: f64, rate: f64, other: f64) -> f64 {
    let ratio = other / rate;
    if (0.5..2.0).contains(&ratio) {
        return -count * log_1p_minus((other - rate) / rate);
    }
    count * (ratio - 1.0 - (other.ln() - rate.ln()))
}

/// −log(1 − p): the quantile of the unit exponential; NaN unless `p` is a probability.
pub(crate) fn exponential_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { -(-p).ln_1p() } else { f64::NAN }
}

/// log(eʸ − 1) for y > 0.
pub(crate) fn log_exp_m1(y: f64) -> f64 {
    if y < 1.0 { y.exp_m1().ln() } else { y + (-(-y).exp()).ln_1p() }
}

/// The quantile of a continuous distribution on (0, ∞): Newton on the logarithm of the smaller tail as a function
/// of log x, kept inside a bracket.
///
/// `tails(x)` returns P(z ≤ x) and P(z > x).
pub(super) fn quantile_on_positive(
    p: f64,
    start: f64,
    tails: impl Fn(f64) -> (f64, f64),
    log_density: impl Fn(f64) -> f64,
) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { 0.0 } else { f64::INFINITY };
    }
    // Decreasing in log x for the upper tail: `sign` makes it increasing.
    let (target, sign) = if p <= 0.5 { (p.ln(), 1.0) } else { ((-p).ln_1p(), -1.0) };
    let tail = |u: f64| {
        let (lower, upper) = tails(u.exp());
        if p <= 0.5 { lower } else { upper }
    };
    let excess = |u: f64| sign * (tail(u).ln() - target);
    let (mut low, mut high) = bracket(start.ln(), excess);
    let mut u = 0.5 * (low + high);
    for _ in 0..200 {
        let value = excess(u);
        if value == 0.0 || high - low <= f64::EPSILON * u.abs() {
            break;
        }
        if value < 0.0 {
            low = u;
        } else {
            high = u;
        }
        let slope = (log_density(u.exp()) + u - tail(u).ln()).exp();
        let newton = u - value / slope;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let done = (next - u).abs() <= 2.0 * f64::EPSILON * u.abs().max(1.0);
        u = next;
        if done {
            break;
        }
    }
    u.exp()
}

/// The ends of an interval of log x with `excess` ≤ 0 and ≥ 0, or of the range of numbers.
fn bracket(start: f64, excess: impl Fn(f64) -> f64) -> (f64, f64) {
    const RANGE: (f64, f64) = (-744.0, 709.0);
    let (mut low, mut high, mut step) = (start, start, 1.0);
    while low > RANGE.0 && excess(low) > 0.0 {
        (high, low) = (low, (low - step).max(RANGE.0));
        step *= 2.0;
    }
    step = 1.0;
    while high < RANGE.1 && excess(high) < 0.0 {
        (low, high) = (high.max(low), (high + step).min(RANGE.1));
        step *= 2.0;
    }
    (low, high)
}
