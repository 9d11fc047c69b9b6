//! Small functions shared by the distributions on (0, ∞).

/// The Euler-Mascheroni constant −ψ(1).
pub(super) const EULER: f64 = 0.577_215_664_901_532_9;

/// x − log(1 + x) for x > −1, with its relative accuracy where x is small.
pub(crate) fn minus_log_1p(x: f64) -> f64 {
    if x.abs() > 0.25 {
        return x - x.ln_1p();
    }
    // log(1 + x) = 2 artanh s, whose first term 2s is x − s x.
    let s = x / (2.0 + x);
    let s2 = s * s;
    let tail = (1..=9).rev().fold(0.0, |sum, k| s2 * (sum + 1.0 / f64::from(2 * k + 1)));
    s * x - 2.0 * s * tail
}

/// KL(Gamma(count, rate) ‖ Gamma(count, other)), also of all functions of such variables.
pub(super) fn kl_of_rates(count: f64, rate: f64, other: f64) -> f64 {
    let ratio = other / rate;
    if (0.5..2.0).contains(&ratio) {
        return count * minus_log_1p((other - rate) / rate);
    }
    count * (ratio - 1.0 - (other.ln() - rate.ln()))
}

/// `p` where it is a probability, else NaN.
pub(crate) fn probability(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { p } else { f64::NAN }
}

/// −log(1 − p): the quantile of the unit exponential; NaN unless `p` is a probability.
pub(crate) fn exponential_quantile(p: f64) -> f64 {
    -(-probability(p)).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::minus_log_1p;

    /// From mpmath at 50 digits.
    #[test]
    fn minus_log_1p_keeps_its_digits() {
        for (x, expected) in [
            (1e-9, 4.999_999_996_666_667e-19),
            (-1e-3, 5.003_335_835_335_001_6e-7),
            (0.2, 0.017_678_443_206_045_376),
            (-0.25, 0.037_682_072_451_780_927),
            (0.3, 0.037_635_735_532_508_945),
            (5.0, 3.208240530771945),
        ] {
            let value = minus_log_1p(x);
            assert!(((value - expected) / expected).abs() < 2e-14, "{x}: {value} {expected}");
        }
    }
}
