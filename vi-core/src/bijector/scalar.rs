//! Scalars: the positive half-line by the logarithm, an interval by the scaled logit.

use crate::numerics::{sigmoid_scalar, softplus_scalar};

/// eᵘ kept positive, finite and with a finite reciprocal, so that a point of the support stays one after
/// rounding. NaN stays NaN.
#[inline]
pub(super) fn positive_exp(u: f64) -> f64 {
    u.exp().clamp(f64::MIN_POSITIVE, f64::MAX)
}

/// z = lower + (upper − lower) σ(u), kept inside the open interval; returns log dz/du.
#[inline]
pub(super) fn interval_constrain(lower: f64, upper: f64, u: f64, z: &mut f64) -> f64 {
    let width = upper - lower;
    // From the nearer end, so that the distance to it keeps its relative precision.
    let x = if u < 0.0 { lower + width * sigmoid_scalar(u) } else { upper - width * sigmoid_scalar(-u) };
    let (first, last) = (lower.next_up(), upper.next_down());
    *z = if first <= last { x.clamp(first, last) } else { x };
    width.ln() - softplus_scalar(u) - softplus_scalar(-u)
}

/// u = logit((z − lower) / (upper − lower)).
#[inline]
pub(super) fn interval_unconstrain(lower: f64, upper: f64, z: f64) -> f64 {
    (z - lower).ln() - (upper - z).ln()
}

/// dz/du · grad + d/du log dz/du.
#[inline]
pub(super) fn interval_pullback(lower: f64, upper: f64, u: f64, grad: f64) -> f64 {
    let (s, t) = (sigmoid_scalar(u), sigmoid_scalar(-u));
    (upper - lower) * (s * t) * grad + (t - s)
}
