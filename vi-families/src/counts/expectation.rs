//! Expectations over counts, by sums over the window where the probability is.

use crate::special::log_gamma;

/// The least standard deviation at which only every step-th count is summed.
const SMOOTH: f64 = 10.0;

/// The distance between the counts that [`windowed_mean`] needs to visit.
///
/// For a distribution with characteristic function φ the sum over every s-th count is 1/s up to
/// Σ |φ(2πm/s)|: at s ≤ sd/2.5 that is below 10⁻⁴⁰ for bell-shaped probabilities, so that a mean costs some
/// fifty terms whatever the size of the counts.
pub(crate) fn step_for(sd: f64) -> f64 {
    if sd < SMOOTH { 1.0 } else { (sd / 2.5).floor() }
}

/// `E[value(k, log p(k))]` over whole 0 ≤ k ≤ `last`, outward from `mode` in steps of `step`.
///
/// The probabilities must fall on both sides of `mode`. The sum ends where probabilities are below 10⁻¹⁹ of
/// the largest and terms below 10⁻¹⁸ of the sum; it is divided by the sum of the probabilities.
pub(crate) fn windowed_mean(
    mode: f64,
    last: f64,
    step: f64,
    log_mass: impl Fn(f64) -> f64,
    value: impl Fn(f64, f64) -> f64,
) -> f64 {
    let top = log_mass(mode);
    let (mut sum, mut total) = (value(mode, top), 1.0);
    for direction in [-step, step] {
        for j in 1_u32.. {
            let k = mode + direction * f64::from(j);
            if !(0.0..=last).contains(&k) {
                break;
            }
            let log_probability = log_mass(k);
            let weight = (log_probability - top).exp();
            let term = if weight > 0.0 { weight * value(k, log_probability) } else { 0.0 };
            sum += term;
            total += weight;
            if weight.is_nan() || j >= 4 && weight < 1e-19 && term.abs() <= 1e-18 * sum.abs() {
                break;
            }
        }
    }
    sum / total
}

/// `E[log k!]` for probabilities as [`windowed_mean`] takes them, with standard deviation `sd`.
pub(crate) fn expected_log_factorial(mode: f64, last: f64, sd: f64, log_mass: impl Fn(f64) -> f64) -> f64 {
    windowed_mean(mode, last, step_for(sd), log_mass, |k, _| log_gamma(k + 1.0))
}
