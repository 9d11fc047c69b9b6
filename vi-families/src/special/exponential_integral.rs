//! The exponential integral.

/// eˣ E₁(x) for x > 0, where E₁(x) = ∫ₓ^∞ e^(−t)/t dt.
///
/// Series below 1 (Abramowitz & Stegun 1964, 5.1.11), continued fraction from there on (5.1.22). +∞ at 0, NaN
/// below.
pub fn scaled_exponential_integral(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::INFINITY;
    }
    if x < 1.0 {
        let (mut power, mut sum) = (-1.0, 0.0);
        for k in 1..30 {
            let k = f64::from(k);
            power *= -x / k;
            let term = power / k;
            sum += term;
            if term.abs() < 1e-17 * sum {
                break;
            }
        }
        const EULER: f64 = 0.577_215_664_901_532_9;
        return x.exp() * (sum - x.ln() - EULER);
    }
    if x > 1e17 {
        return 1.0 / x;
    }
    // 1/(x + 1 − 1²/(x + 3 − 2²/(x + 5 − …))), backwards; 10 + 80/√x levels leave 1e-17 or less.
    let n = 12 + (110.0 / x.sqrt()) as u32;
    let mut tail = 0.0;
    for k in (1..=n).rev() {
        let k = f64::from(k);
        tail = k * k / (x + 2.0 * k + 1.0 - tail);
    }
    1.0 / (x + 1.0 - tail)
}
