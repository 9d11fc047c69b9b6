//! Quantiles of the Gamma and Beta distributions: Newton on the logarithm of the smaller tail, which is concave in
//! the logarithm (logit) of the point, so that steps from the one side never overshoot.

use super::gamma::{digamma, log_gamma, trigamma};
use super::incomplete_beta::{Split, beta_factor, split_tails};
use super::incomplete_gamma::{gamma_factor, gamma_tails};
use super::normal::normal_quantile;

/// The x with P(a, x) = `p`, for a > 0 and p in \[0, 1\]; NaN outside.
pub fn inverse_regularized_gamma_lower(a: f64, p: f64) -> f64 {
    inverse_gamma(a, p, 1.0 - p)
}

/// The x with Q(a, x) = `q`, for a > 0 and q in \[0, 1\]; NaN outside.
pub fn inverse_regularized_gamma_upper(a: f64, q: f64) -> f64 {
    inverse_gamma(a, 1.0 - q, q)
}

fn inverse_gamma(a: f64, p: f64, q: f64) -> f64 {
    if !(a > 0.0 && a < f64::INFINITY && (0.0..=1.0).contains(&p) && (0.0..=1.0).contains(&q)) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if q == 0.0 {
        return f64::INFINITY;
    }
    // P ≤ xᵃ / Γ(a + 1) everywhere.
    let leading = (p.ln() + log_gamma(a + 1.0)) / a;
    if leading < -740.0 {
        return 0.0;
    }
    let lower = p <= q;
    let target = if lower { p } else { q };
    let start = gamma_start(a, p, q, leading);
    let log_x = newton(start, lower, target, |t| {
        let x = t.exp();
        let (p, q) = gamma_tails(a, x);
        (if lower { p } else { q }, a * gamma_factor(a, x))
    });
    log_x.exp()
}

/// Wilson–Hilferty, or in the lower tail of a small shape the leading term.
fn gamma_start(a: f64, p: f64, q: f64, leading: f64) -> f64 {
    let z = if p <= q { normal_quantile(p) } else { -normal_quantile(q) };
    let c = 1.0 / (9.0 * a);
    let root = 1.0 - c + z * c.sqrt();
    if a < 0.5 || root < 0.2 { leading } else { 3.0 * root.ln() + a.ln() }
}

/// The x with I_x(a, b) = `p`, for a, b > 0 and p in \[0, 1\]; NaN outside.
pub fn inverse_regularized_beta(a: f64, b: f64, p: f64) -> f64 {
    inverse_beta(a, b, p, 1.0 - p)
}

fn inverse_beta(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let inside = a > 0.0 && b > 0.0 && a < f64::INFINITY && b < f64::INFINITY;
    if !(inside && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || q == 0.0 {
        return p;
    }
    let lower = p <= q;
    let target = if lower { p } else { q };
    let z = if lower { normal_quantile(p) } else { -normal_quantile(q) };
    let start = digamma(a) - digamma(b) + z * (trigamma(a) + trigamma(b)).sqrt();
    let logit = newton(start.clamp(-740.0, 740.0), lower, target, |t| {
        let at = if t < 0.0 { Split::at(sigmoid(t)) } else { Split::below_one(sigmoid(-t)) };
        let (p, q) = split_tails(a, b, &at);
        (if lower { p } else { q }, beta_factor(a, b, &at))
    });
    sigmoid(logit)
}

fn sigmoid(t: f64) -> f64 {
    if t < 0.0 { t.exp() / (1.0 + t.exp()) } else { 1.0 / (1.0 + (-t).exp()) }
}

/// Solves tail(t) = `target`, where `f` gives the tail and |d tail/dt|, inside a bracket.
fn newton(start: f64, increasing: bool, target: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (-745.0, 710.0);
    let mut t = start.clamp(low, high);
    for _ in 0..200 {
        let (tail, slope) = f(t);
        if tail == target {
            return t;
        }
        if (tail < target) == increasing {
            low = t;
        } else {
            high = t;
        }
        let log_ratio = if tail > 0.5 * target && tail < 2.0 * target {
            ((tail - target) / target).ln_1p()
        } else {
            (tail / target).ln()
        };
        let step = log_ratio * tail / slope;
        let next = if increasing { t - step } else { t + step };
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - t).abs() <= 1e-16 || low >= high {
            return next;
        }
        t = next;
    }
    t
}
