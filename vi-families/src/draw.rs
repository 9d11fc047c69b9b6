//! Draws shared by the families.

use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};
use vi_core::StreamRng;

#[inline]
pub(crate) fn standard_normal(rng: &mut StreamRng) -> f64 {
    StandardNormal.sample(rng)
}

/// log x with x ~ Gamma(shape, 1): exact where x itself would underflow.
///
/// Below 1 it uses Gamma(a) = Gamma(a + 1) · U^{1/a}.
pub(crate) fn log_gamma_variate(shape: f64, rng: &mut StreamRng) -> f64 {
    let unit = |a: f64| Gamma::new(a, 1.0).expect("the shape of a validated member is finite and > 0");
    if shape >= 1.0 {
        return unit(shape).sample(rng).ln();
    }
    let x = unit(shape + 1.0).sample(rng).ln();
    let exponential: f64 = Exp1.sample(rng);
    x - exponential / shape
}

/// eˣ, kept away from 0 and ∞, where densities on (0, ∞) have no value.
pub(crate) fn exp_inside(x: f64) -> f64 {
    x.exp().clamp(f64::MIN_POSITIVE, f64::MAX)
}
