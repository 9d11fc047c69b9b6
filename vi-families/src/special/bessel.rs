//! The modified Bessel function of the first kind on the log scale, and the ratio of neighbouring orders.

use super::bessel_tables::{U, V};
use super::gamma::{log_gamma, polynomial};

/// From this order on Debye's expansion has full accuracy.
const DEBYE_FROM: f64 = 25.0;
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// log I_ν(x) for ν ≥ 0 and x ≥ 0.
///
/// Power series (DLMF 10.25.2) while it is short; Debye's uniform expansion (DLMF 10.41.3) at orders from 25 on; from
/// lower orders the recurrence up to them. NaN outside the domain, −∞ at x = 0 unless ν = 0.
pub fn log_bessel_i(nu: f64, x: f64) -> f64 {
    if !(nu >= 0.0 && x >= 0.0) || nu == f64::INFINITY {
        return f64::NAN;
    }
    if x == f64::INFINITY {
        return f64::INFINITY;
    }
    if x == 0.0 {
        return if nu == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if series_is_short(nu, x) { log_series(nu, x) } else { x + log_scaled(nu, x) }
}

/// log(e⁻ˣ I_ν(x)) for ν ≥ 0 and x ≥ 0: what is left of [`log_bessel_i`] at large x, without cancellation.
pub fn log_scaled_bessel_i(nu: f64, x: f64) -> f64 {
    if !(nu >= 0.0 && x > 0.0) || nu == f64::INFINITY || x == f64::INFINITY {
        return if x == f64::INFINITY && nu < x { f64::NEG_INFINITY } else { log_bessel_i(nu, x) };
    }
    if series_is_short(nu, x) { log_series(nu, x) - x } else { log_scaled(nu, x) }
}

fn series_is_short(nu: f64, x: f64) -> bool {
    x < 6.0 || 0.25 * x * x < nu + 1.0
}

fn log_series(nu: f64, x: f64) -> f64 {
    let square = 0.25 * x * x;
    let (mut term, mut sum) = (1.0, 0.0);
    for k in 1..100 {
        let k = f64::from(k);
        term *= square / (k * (nu + k));
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    if nu == 0.0 {
        return sum.ln_1p();
    }
    nu * (0.5 * x).ln() - log_gamma(nu + 1.0) + sum.ln_1p()
}

/// How often the order has to be raised for Debye's expansion.
fn shifts(nu: f64) -> u32 {
    if nu < DEBYE_FROM { (DEBYE_FROM - nu).ceil() as u32 } else { 0 }
}

/// log(e⁻ˣ I_ν(x)) through Debye's expansion.
fn log_scaled(nu: f64, x: f64) -> f64 {
    let n = shifts(nu);
    let top = nu + f64::from(n);
    let radius = top.hypot(x);
    let u = series(&U, top, radius);
    // ν η − x = [√(ν² + x²) − x] + ν log(x / (ν + √(ν² + x²))), without the cancellation at either end.
    let log_ratio = -((top + (top / (radius + x)) * top) / x).ln_1p();
    let exponent = top * (top / (radius + x)) + top * log_ratio;
    let value = exponent - HALF_LOG_TWO_PI - 0.5 * radius.ln() + u.ln();
    // I_ν = I_top / Π r.
    let mut ratio = debye_ratio(top, x);
    let mut product = 1.0;
    for k in (0..n).rev() {
        ratio = 1.0 / (2.0 * (nu + f64::from(k) + 1.0) / x + ratio);
        product *= ratio;
    }
    value - product.ln()
}

/// Σ u_k(p) / ν^k with p = ν / √(ν² + x²), as a series in 1/√(ν² + x²).
fn series(table: &[&[f64]; 17], nu: f64, radius: f64) -> f64 {
    let p = nu / radius;
    let square = p * p;
    let (mut power, mut sum) = (1.0, 0.0);
    for coefficients in table {
        sum += power * polynomial(coefficients, square);
        power /= radius;
    }
    sum
}

/// I_{ν+1}(x) / I_ν(x) for ν ≥ 25 from the expansions of I and I′ (DLMF 10.41.3 and 10.41.5), or Gauss's fraction.
fn debye_ratio(nu: f64, x: f64) -> f64 {
    if x < 2.0 * nu {
        return gauss_fraction(nu, x);
    }
    let radius = nu.hypot(x);
    (radius * (series(&V, nu, radius) / series(&U, nu, radius)) - nu) / x
}

/// I_{ν+1}(x) / I_ν(x) = 1 / (2(ν + 1)/x + 1 / (2(ν + 2)/x + …)), backwards from Amos's bound (1974, eq. 16).
fn gauss_fraction(nu: f64, x: f64) -> f64 {
    // Every step contracts by the square of a ratio below x / (2 (ν + k)).
    let n = 12 + (1.2 * x / (1.0 + (nu / x.max(1.0)))).min(200.0) as u32;
    let top = nu + f64::from(n);
    let mut ratio = x / (top + 0.5 + (top + 1.5).hypot(x));
    for k in (0..n).rev() {
        ratio = 1.0 / (2.0 * (nu + f64::from(k) + 1.0) / x + ratio);
    }
    ratio
}

/// I_{ν+1}(x) / I_ν(x) for ν ≥ 0 and x ≥ 0, between 0 and 1: the mean resultant length of a von Mises–Fisher
/// distribution on the sphere in 2ν + 2 dimensions.
///
/// NaN outside the domain.
pub fn bessel_i_ratio(nu: f64, x: f64) -> f64 {
    if !(nu >= 0.0 && x >= 0.0) || nu == f64::INFINITY {
        return f64::NAN;
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    if x == 0.0 {
        return 0.0;
    }
    if x < 30.0 || x < 2.0 * nu {
        return gauss_fraction(nu, x);
    }
    let n = shifts(nu);
    let mut ratio = debye_ratio(nu + f64::from(n), x);
    for k in (0..n).rev() {
        ratio = 1.0 / (2.0 * (nu + f64::from(k) + 1.0) / x + ratio);
    }
    ratio
}
