//! Draws shared by the families.

use rand::Rng;
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};
use vi_core::StreamRng;

#[inline]
pub(crate) fn standard_normal(rng: &mut StreamRng) -> f64 {
    StandardNormal.sample(rng)
}

/// Gamma(shape, 1), with what depends on the shape computed once.
///
/// Below 1 it uses Gamma(a) = Gamma(a + 1) · U^{1/a}, on the log scale, where it cannot underflow.
pub(crate) struct GammaDraw {
    unit: Gamma<f64>,
    shape: f64,
}

impl GammaDraw {
    #[inline]
    pub(crate) fn new(shape: f64) -> Self {
        let at_least_one = if shape >= 1.0 { shape } else { shape + 1.0 };
        let unit = Gamma::new(at_least_one, 1.0).expect("the shape of a validated member is finite and > 0");
        Self { unit, shape }
    }

    /// log x
    #[inline]
    pub(crate) fn log(&self, rng: &mut (impl Rng + ?Sized)) -> f64 {
        let log = self.unit.sample(rng).ln();
        if self.shape >= 1.0 {
            return log;
        }
        log - self.shift(rng)
    }

    /// x / rate, kept away from 0 and ∞.
    #[inline]
    pub(crate) fn over(&self, rate: f64, rng: &mut (impl Rng + ?Sized)) -> f64 {
        let unit = self.unit.sample(rng);
        if self.shape >= 1.0 {
            return (unit * rate.recip()).clamp(f64::MIN_POSITIVE, f64::MAX);
        }
        let shift = self.shift(rng);
        let x = unit * (-shift).exp() * rate.recip();
        // Where a factor may have underflowed, on the log scale.
        if shift < 650.0 && x.is_normal() { x } else { exp_inside(unit.ln() - shift - rate.ln()) }
    }

    /// scale / x, kept away from 0 and ∞.
    #[inline]
    pub(crate) fn under(&self, scale: f64, rng: &mut (impl Rng + ?Sized)) -> f64 {
        let unit = self.unit.sample(rng);
        if self.shape >= 1.0 {
            return (scale / unit).clamp(f64::MIN_POSITIVE, f64::MAX);
        }
        let shift = self.shift(rng);
        let quotient = scale / unit;
        let x = quotient * shift.exp();
        if quotient.is_normal() && shift < 650.0 && x.is_normal() {
            x
        } else {
            exp_inside(scale.ln() - unit.ln() + shift)
        }
    }

    /// E / shape with E ~ Exp(1), for a shape below 1: −log of what U^(1/shape) is.
    #[inline]
    fn shift(&self, rng: &mut (impl Rng + ?Sized)) -> f64 {
        let exponential: f64 = Exp1.sample(rng);
        exponential / self.shape
    }
}

/// log x with x ~ Gamma(shape, 1): exact where x itself would underflow.
pub(crate) fn log_gamma_variate(shape: f64, rng: &mut StreamRng) -> f64 {
    GammaDraw::new(shape).log(rng)
}

/// eˣ, kept away from 0 and ∞, where densities on (0, ∞) have no value.
pub(crate) fn exp_inside(x: f64) -> f64 {
    x.exp().clamp(f64::MIN_POSITIVE, f64::MAX)
}
