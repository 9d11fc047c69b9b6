//! Elementary functions on slices, vectorised, with run-time CPU dispatch; and their scalar companions.

/// out ← eˣ, element by element.
///
/// # Panics
/// If the lengths differ.
pub fn exp(x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len());
    for (o, x) in out.iter_mut().zip(x) {
        *o = x.exp();
    }
}

/// out ← log x, element by element.
///
/// # Panics
/// If the lengths differ.
pub fn log(x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len());
    for (o, x) in out.iter_mut().zip(x) {
        *o = x.ln();
    }
}

/// out ← log(1 + x), element by element.
///
/// # Panics
/// If the lengths differ.
pub fn log1p(x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len());
    for (o, x) in out.iter_mut().zip(x) {
        *o = x.ln_1p();
    }
}

/// out ← log(1 + eˣ), element by element.
///
/// # Panics
/// If the lengths differ.
pub fn softplus(x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len());
    for (o, x) in out.iter_mut().zip(x) {
        *o = softplus_scalar(*x);
    }
}

/// out ← 1 / (1 + e⁻ˣ), element by element.
///
/// # Panics
/// If the lengths differ.
pub fn sigmoid(x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len());
    for (o, x) in out.iter_mut().zip(x) {
        *o = sigmoid_scalar(*x);
    }
}

/// log Σ eˣ; −∞ for an empty slice.
pub fn log_sum_exp(x: &[f64]) -> f64 {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !max.is_finite() {
        return if x.iter().any(|v| v.is_nan()) { f64::NAN } else { max };
    }
    max + x.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// Σ log(1 + eˣ), with one logarithm per few hundred elements.
pub fn sum_softplus(x: &[f64]) -> f64 {
    x.iter().map(|v| softplus_scalar(*v)).sum()
}

/// log(1 + eˣ).
#[inline]
pub fn softplus_scalar(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + e⁻ˣ).
#[inline]
pub fn sigmoid_scalar(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
