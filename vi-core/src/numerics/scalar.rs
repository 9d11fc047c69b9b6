//! One value at a time, on the standard library.

/// Softplus of one value.
///
/// ```text
/// log(1 + eˣ) = max(x, 0) + log(1 + e^{−|x|})
/// ```
#[inline]
pub fn softplus_scalar(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Logistic sigmoid of one value.
///
/// ```text
/// σ(x) = 1 / (1 + e⁻ˣ)
/// ```
#[inline]
pub fn sigmoid_scalar(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let numerator = if x >= 0.0 { 1.0 } else { e };
    numerator / (1.0 + e)
}
