//! The distribution function of the inverse Gaussian, each tail with its relative accuracy.

use crate::special::erfcx;

const TWO_OVER_SQRT_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// P(z ≤ x) and P(z > x) of the inverse Gaussian with mean 1 and this shape, for x in (0, ∞).
///
/// ```text
/// P(z ≤ x) = ½ e^(−α²) [erfcx(−α) + erfcx(β)]      P(z > x) = ½ e^(−α²) [erfcx(α) − erfcx(β)]
/// α = √(shape/(2x)) (x − 1)      β = √(shape/(2x)) (x + 1)
/// ```
/// This is Φ(√2 α) + e^(2 shape) Φ(−√2 β) with exponents that do not overflow (Giner & Smyth 2016, R Journal 8:339,
/// work with its logarithms).
pub(super) fn tails(x: f64, shape: f64) -> (f64, f64) {
    if x.is_nan() {
        return (x, x);
    }
    // x is a ratio, which may leave the range of numbers.
    if x == 0.0 || x == f64::INFINITY {
        return if x == 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let factor = shape.sqrt() / (2.0 * x).sqrt();
    let (alpha, beta) = (factor * (x - 1.0), factor * (x + 1.0));
    let weight = 0.5 * (-alpha * alpha).exp();
    if weight == 0.0 {
        return if alpha < 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let lower = || weight * (erfcx(-alpha) + erfcx(beta));
    let upper = || weight * erfcx_difference(alpha, 2.0 * factor);
    if alpha <= 0.0 {
        let p = lower();
        (p, if p < 0.5 { 1.0 - p } else { upper() })
    } else {
        let q = upper();
        (if q < 0.5 { 1.0 - q } else { lower() }, q)
    }
}

/// Nodes and weights of the 8-point Gauss-Legendre rule on (−1, 1), the positive half.
const RULE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// erfcx(a) − erfcx(a + d) for d > 0: where the two are close, the integral of the derivative between them.
fn erfcx_difference(a: f64, d: f64) -> f64 {
    let (first, second) = (erfcx(a), erfcx(a + d));
    if second < 0.7 * first {
        return first - second;
    }
    let (centre, half) = (a + 0.5 * d, 0.5 * d);
    let rule = RULE.iter().map(|(x, w)| w * (slope(centre - half * x) + slope(centre + half * x)));
    half * rule.sum::<f64>()
}

/// −d erfcx(t)/dt = 2/√π − 2t erfcx(t).
///
/// Above 2, where the difference cancels, it is 2 erfcx(t) ρ₁ with the continued fraction of repeated integrals of
/// erfc, ρ_{n−1} = 1/(2t + 2n ρ_n) (Abramowitz & Stegun 1964, 7.2.5).
fn slope(t: f64) -> f64 {
    if t < 2.0 {
        return TWO_OVER_SQRT_PI - 2.0 * t * erfcx(t);
    }
    let n_terms = if t < 4.0 { 70 } else { 24 };
    let ratio = (2..=n_terms).rev().fold(0.0, |rho, n| 1.0 / (2.0 * t + 2.0 * f64::from(n) * rho));
    2.0 * erfcx(t) * ratio
}
