//! Inverses of digamma-like functions, to the last digits: what (∇A)⁻¹ of the Gamma-like families needs.

use crate::distributions::dirichlet_expected_log;
pub(crate) use crate::special::inverse_digamma;
use crate::special::{digamma, log_minus_digamma, trigamma, trigamma_minus_reciprocal};

/// The root of a decreasing function on (0, ∞) by Newton steps kept inside a bracket.
///
/// `f(t)` returns the value and the derivative. `None` if no sign change is found between 1e-300 and 1e300.
fn decreasing_root(start: f64, f: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let (mut low, mut high) = (start, start);
    let mut factor = 4.0;
    while f(low).0.is_nan() || f(low).0 < 0.0 {
        high = low;
        low /= factor;
        factor *= factor;
        if low < 1e-300 {
            return None;
        }
    }
    factor = 4.0;
    while f(high).0.is_nan() || f(high).0 > 0.0 {
        low = low.max(high);
        high *= factor;
        factor *= factor;
        if high > 1e300 {
            return None;
        }
    }
    let mut t = (low * high).sqrt();
    for _ in 0..200 {
        let (value, slope) = f(t);
        if value == 0.0 {
            return Some(t);
        }
        if value > 0.0 {
            low = t;
        } else {
            high = t;
        }
        let newton = t - value / slope;
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        if (next - t).abs() <= 2.0 * f64::EPSILON * t {
            return Some(next);
        }
        t = next;
    }
    Some(t)
}

/// The a > (p − 1)/2 with Σ_{i<p} [log a − ψ(a − i/2)] = `gap`, for gap > 0.
///
/// For p = 1 this is the maximum-likelihood equation of a Gamma shape, log a − ψ(a) = log x̄ − mean(log x); for
/// p > 1 of half the degrees of freedom of a Wishart. Newton runs on the reciprocal, which is almost linear in a.
pub(crate) fn inverse_log_minus_digamma(p: usize, gap: f64) -> Option<f64> {
    if !(gap > 0.0 && gap.is_finite()) {
        return None;
    }
    let shift = 0.5 * (p - 1) as f64;
    let reciprocal = |t: f64| {
        let a = t + shift;
        let (mut value, mut slope) = (0.0, 0.0);
        for i in 0..p {
            let half = 0.5 * i as f64;
            // t + (shift − half) keeps its digits where a is close to its lower end.
            let b = t + (shift - half);
            value += log_minus_digamma(b) - (-half / a).ln_1p();
            slope -= trigamma_minus_reciprocal(b) + half / (a * b);
        }
        // 1/gap − 1/f decreases in a, because f does.
        (1.0 / gap - 1.0 / value, slope / (value * value))
    };
    let t = decreasing_root(0.25 * (p * (p + 1)) as f64 / gap, reciprocal)?;
    Some(t + shift)
}

/// The α > 0 with ψ(α_k) − ψ(Σα) = μ_k for all k.
///
/// Given the total s the α_k = ψ⁻¹(μ_k + ψ(s)) are explicit, so that only Σ α_k(s) = s has to be solved, which
/// has exactly one root when Σ exp μ_k < 1. Newton steps in all of α, with the diagonal-plus-rank-one Hessian of
/// Minka (2000), eq. 13–18, take the last digits.
pub(crate) fn dirichlet_concentration(mu: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = mu.iter().map(|m| m.exp()).sum();
    if mu.len() < 2 || mu.iter().any(|m| !m.is_finite()) || total.is_nan() || total >= 1.0 {
        return None;
    }
    let balance = |s: f64| {
        let (psi, psi1) = (digamma(s), trigamma(s));
        let (mut value, mut slope) = (0.0, 0.0);
        for m in mu {
            let a = inverse_digamma(m + psi);
            value += a / s;
            slope += psi1 / trigamma(a) / s - a / (s * s);
        }
        (value - 1.0, slope)
    };
    let start = 0.5 * (mu.len() - 1) as f64 / (1.0 - total);
    let s = decreasing_root(start, balance)?;
    let psi = digamma(s);
    let mut alpha: Vec<f64> = mu.iter().map(|m| inverse_digamma(m + psi)).collect();
    for _ in 0..3 {
        polish(mu, &mut alpha);
    }
    alpha.iter().all(|a| a.is_finite() && *a > 0.0).then_some(alpha)
}

/// One Newton step on ψ(α_k) − ψ(Σα) = μ_k, not taken if it would leave the positive orthant.
fn polish(mu: &[f64], alpha: &mut [f64]) {
    let psi1 = trigamma(alpha.iter().sum());
    let expected_log = dirichlet_expected_log(alpha);
    let (mut weighted, mut mass) = (0.0, 0.0);
    let mut steps = vec![0.0; alpha.len()];
    for (k, step) in steps.iter_mut().enumerate() {
        let q = trigamma(alpha[k]);
        *step = (mu[k] - expected_log[k]) / q;
        weighted += *step;
        mass += 1.0 / q;
    }
    let common = psi1 * weighted / (1.0 - psi1 * mass);
    for (step, a) in steps.iter_mut().zip(alpha.iter()) {
        *step += common / trigamma(*a);
    }
    let small = steps.iter().zip(alpha.iter()).all(|(d, a)| d.is_finite() && d.abs() < 1e-3 * a);
    if small {
        for (a, d) in alpha.iter_mut().zip(&steps) {
            *a += d;
        }
    }
}
