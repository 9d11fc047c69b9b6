//! Tail probabilities of the standard Student-t distribution and their inverse.

use super::student_t::log_one_plus_square;
use crate::special::{
    inverse_regularized_beta, log_beta, normal_cdf, normal_quantile, regularized_beta, regularized_beta_upper,
};

/// From these degrees of freedom on, Hill's expansion about the Gaussian has all digits.
const ALMOST_GAUSSIAN: f64 = 3e4;

/// From this t/√ν on 1 + t²/ν is t²/ν to all digits.
const FAR: f64 = 1e9;

/// P(T > t) for t ≥ 0, with its relative accuracy.
///
/// ```text
/// P(T > t) = ½ I_x(ν/2, ½),  x = ν/(ν + t²)      (Abramowitz & Stegun 1964, 26.7.1)
/// ```
pub(super) fn upper_tail(dof: f64, t: f64) -> f64 {
    let r = t / dof.sqrt();
    if dof >= ALMOST_GAUSSIAN {
        normal_cdf(-gaussian_equivalent(dof, t))
    } else if r <= 1.0 {
        // x is close to 1: its complement has the digits.
        let square = r * r;
        0.5 * regularized_beta_upper(0.5, 0.5 * dof, square / (1.0 + square))
    } else if r < FAR {
        0.5 * regularized_beta(0.5 * dof, 0.5, 1.0 / (1.0 + r * r))
    } else {
        far_tail(dof, r.ln())
    }
}

/// The t ≥ 0 with P(T > t) = `q`, for 0 ≤ q ≤ ½; ∞ where it leaves the range of `f64`.
pub(super) fn upper_quantile(dof: f64, q: f64) -> f64 {
    if q == 0.0 {
        return f64::INFINITY;
    }
    if dof >= ALMOST_GAUSSIAN {
        return from_gaussian_equivalent(dof, -normal_quantile(q));
    }
    let root = dof.sqrt();
    // Where the far tail begins, its own formula is solved at once.
    if q < far_tail(dof, FAR.ln()) {
        return root * (-((2.0 * q).ln() + log_half_dof_beta(dof)) / dof).exp();
    }
    if q > 0.1 {
        let y = inverse_regularized_beta(0.5, 0.5 * dof, 1.0 - 2.0 * q);
        return root * (y / (1.0 - y)).sqrt();
    }
    let x = inverse_regularized_beta(0.5 * dof, 0.5, 2.0 * q);
    if x < 0.9 {
        polish(dof, q, root * ((1.0 - x) / x).sqrt())
    } else {
        // 1 − x has lost its digits; this far out with x > 0.9, T is close to Gaussian.
        polish(dof, q, from_gaussian_equivalent(dof, -normal_quantile(q)))
    }
}

/// Newton's steps from `t` on log P(T > t) = log q.
fn polish(dof: f64, q: f64, mut t: f64) -> f64 {
    // log of the density at 0.
    let top = -log_beta(0.5 * dof, 0.5) - 0.5 * dof.ln();
    for _ in 0..8 {
        let tail = upper_tail(dof, t);
        let density = (top - 0.5 * (dof + 1.0) * log_one_plus_square(t / dof.sqrt())).exp();
        let step = (tail / q).ln() * tail / density;
        if !step.is_finite() {
            break;
        }
        t = (t + step).max(0.5 * t);
        if step.abs() <= 4.0 * f64::EPSILON * t {
            break;
        }
    }
    t
}

/// P(T > t) from log(t/√ν) where 1 + t²/ν is t²/ν to all digits: ½ x^(ν/2) / (ν/2 · B(ν/2, ½)).
fn far_tail(dof: f64, log_r: f64) -> f64 {
    0.5 * (-dof * log_r - log_half_dof_beta(dof)).exp()
}

/// log(ν/2 · B(ν/2, ½)).
fn log_half_dof_beta(dof: f64) -> f64 {
    (0.5 * dof).ln() + log_beta(0.5 * dof, 0.5)
}

/// The u with P(Z > u) = P(T > t) for a standard Gaussian Z (Hill 1970, CACM 13:617, algorithm 395).
///
/// ```text
/// u = √y (1 + c(y)),  y = (ν − ½) log(1 + t²/ν)
/// ```
fn gaussian_equivalent(dof: f64, t: f64) -> f64 {
    let a = dof - 0.5;
    let r = t / dof.sqrt();
    // Below, the logarithm is r² to all digits, which may underflow.
    let root = if r < 1e-9 { t * (a / dof).sqrt() } else { (a * log_one_plus_square(r)).sqrt() };
    root * (1.0 + hill_correction(dof, root * root))
}

/// The inverse of [`gaussian_equivalent`].
fn from_gaussian_equivalent(dof: f64, u: f64) -> f64 {
    let a = dof - 0.5;
    let mut y = u * u;
    // c is of the size of y/ν², so that each round gives several digits.
    for _ in 0..6 {
        y = (u / (1.0 + hill_correction(dof, y))).powi(2);
    }
    let s = y / a;
    let growth = if s > f64::MIN_POSITIVE { s.exp_m1() / s } else { 1.0 };
    y.sqrt() * (dof / a * growth).sqrt()
}

fn hill_correction(dof: f64, y: f64) -> f64 {
    let b = 48.0 * (dof - 0.5).powi(2);
    let third = -(((0.4 * y + 3.3) * y + 24.0) * y + 85.5) / (0.8 * y * y + 100.0 + b);
    (third + y + 3.0) / b
}
