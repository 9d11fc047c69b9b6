//! Distribution functions of counts at real arguments, and their inverse by bisection.

use crate::special::{regularized_beta, regularized_beta_upper};

/// I_x(a, b) and 1 − I_x(a, b) at x = 1 − `y`, from whichever of x and y holds more digits.
pub(crate) fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= y {
        (regularized_beta(a, b, x), regularized_beta_upper(a, b, x))
    } else {
        (regularized_beta_upper(b, a, y), regularized_beta(b, a, y))
    }
}

/// A number as a count, if it is one.
pub(crate) fn count_from_f64(x: f64) -> Option<u64> {
    // 2⁶⁴, the first number above.
    const END: f64 = 18_446_744_073_709_551_616.0;
    ((0.0..END).contains(&x) && x.fract() == 0.0).then_some(x as u64)
}

/// P(z ≤ x) from its values at whole 0 ≤ k < `last`, `last` the largest count or ∞.
pub(crate) fn count_cdf(x: f64, last: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x < 0.0 {
        0.0
    } else if x >= last {
        1.0
    } else {
        cdf(x.floor())
    }
}

/// P(z > x) from its values at whole 0 ≤ k < `last`, `last` the largest count or ∞.
pub(crate) fn count_survival(x: f64, last: f64, survival: impl Fn(f64) -> f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x < 0.0 {
        1.0
    } else if x >= last {
        0.0
    } else {
        survival(x.floor())
    }
}

/// The smallest count k ≤ `last` with P(z ≤ k) ≥ `p`, for a distribution function `cdf` of all numbers.
///
/// Bisection between mean ± 8 sd, or wider where that does not hold the answer.
pub(crate) fn count_quantile(p: f64, mean: f64, sd: f64, last: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return last;
    }
    let mut low = (mean - 8.0 * sd).floor().max(-1.0);
    if low >= 0.0 && cdf(low) >= p {
        low = -1.0;
    }
    let mut high = (mean + 8.0 * sd).ceil().min(last);
    while cdf(high) < p && high < 1e300 {
        low = high;
        high = (2.0 * high + 1.0).min(last);
    }
    loop {
        let middle = (low + 0.5 * (high - low)).floor();
        if middle <= low || middle >= high {
            return high;
        }
        if cdf(middle) >= p {
            high = middle;
        } else {
            low = middle;
        }
    }
}
