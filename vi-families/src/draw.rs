//! Draws shared by the families; the methods are described in `docs/algorithms/draws.md`.

mod block;
mod gamma;
mod gamma_many;
mod tables;
mod ziggurat;

use vi_core::StreamRng;

use block::{fill, single};
use gamma::{Boosted, BoostedGamma, UnitGamma};
use ziggurat::{Exponential, Normal, SignedExponential};

pub(crate) use gamma_many::{GammaProposals, Proposal, fill_gamma};

/// A standard normal.
#[inline]
pub(crate) fn standard_normal(rng: &mut StreamRng) -> f64 {
    single(&Normal, rng)
}

/// out ← f(standard normals)
#[inline(always)]
pub(crate) fn fill_from_normal(rng: &mut StreamRng, out: &mut [f64], f: impl Fn(f64) -> f64) {
    fill(&Normal, rng, out, f);
}

/// An exponential variate with mean 1.
#[inline]
pub(crate) fn standard_exponential(rng: &mut StreamRng) -> f64 {
    single(&Exponential, rng)
}

/// out ← f(exponential variates with mean 1)
#[inline(always)]
pub(crate) fn fill_from_exponential(rng: &mut StreamRng, out: &mut [f64], f: impl Fn(f64) -> f64) {
    fill(&Exponential, rng, out, f);
}

/// A Laplace variate around 0 with scale 1.
#[inline]
pub(crate) fn standard_laplace(rng: &mut StreamRng) -> f64 {
    single(&SignedExponential, rng)
}

/// out ← f(Laplace variates around 0 with scale 1)
#[inline(always)]
pub(crate) fn fill_from_laplace(rng: &mut StreamRng, out: &mut [f64], f: impl Fn(f64) -> f64) {
    fill(&SignedExponential, rng, out, f);
}

/// Gamma(shape, 1), with what depends on the shape computed once.
///
/// Below 1 it uses Gamma(a) = Gamma(a + 1) · U^{1/a}, on the log scale, where it cannot underflow; at 1 it is an
/// exponential variate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GammaDraw {
    AboveOne(UnitGamma),
    One,
    BelowOne(BoostedGamma),
}

impl GammaDraw {
    #[inline(always)]
    pub(crate) fn new(shape: f64) -> Self {
        if shape > 1.0 {
            Self::AboveOne(UnitGamma::new(shape))
        } else if shape == 1.0 {
            Self::One
        } else {
            Self::BelowOne(BoostedGamma::new(shape))
        }
    }

    /// log x
    #[inline(always)]
    pub(crate) fn log(&self, rng: &mut StreamRng) -> f64 {
        match self {
            Self::AboveOne(draw) => draw.draw(rng).ln(),
            Self::One => standard_exponential(rng).ln(),
            Self::BelowOne(draw) => {
                let Boosted { unit, shift } = draw.draw(rng);
                unit.ln() - shift
            }
        }
    }

    /// x / rate, kept away from 0 and ∞.
    #[inline(always)]
    pub(crate) fn over(&self, rate: f64, rng: &mut StreamRng) -> f64 {
        match self {
            Self::AboveOne(draw) => inside(draw.draw(rng) * rate.recip()),
            Self::One => inside(standard_exponential(rng) * rate.recip()),
            Self::BelowOne(draw) => boosted_over(draw.draw(rng), rate),
        }
    }

    /// out ← draws of x / rate, the same as one by one.
    pub(crate) fn fill_over(&self, rate: f64, rng: &mut StreamRng, out: &mut [f64]) {
        match self {
            Self::One => {
                let scale = rate.recip();
                fill(&Exponential, rng, out, |unit| inside(unit * scale));
            }
            // Normals and levels take turns in the stream: blocks of them are no faster.
            _ => out.iter_mut().for_each(|out| *out = self.over(rate, rng)),
        }
    }

    /// scale / x, kept away from 0 and ∞.
    #[inline(always)]
    pub(crate) fn under(&self, scale: f64, rng: &mut StreamRng) -> f64 {
        match self {
            Self::AboveOne(draw) => inside(scale / draw.draw(rng)),
            Self::One => inside(scale / standard_exponential(rng)),
            Self::BelowOne(draw) => boosted_under(draw.draw(rng), scale),
        }
    }

    /// out ← draws of scale / x, the same as one by one.
    pub(crate) fn fill_under(&self, scale: f64, rng: &mut StreamRng, out: &mut [f64]) {
        match self {
            Self::One => fill(&Exponential, rng, out, |unit| inside(scale / unit)),
            _ => out.iter_mut().for_each(|out| *out = self.under(scale, rng)),
        }
    }
}

/// x, kept away from 0 and ∞.
#[inline(always)]
fn inside(x: f64) -> f64 {
    x.clamp(f64::MIN_POSITIVE, f64::MAX)
}

/// The largest shift whose e^shift is far from overflow.
const MODERATE_SHIFT: f64 = 650.0;

#[inline(always)]
fn boosted_over(Boosted { unit, shift }: Boosted, rate: f64) -> f64 {
    let x = unit * (-shift).exp() * rate.recip();
    // Where a factor may have underflowed, on the log scale.
    if shift < MODERATE_SHIFT && x.is_normal() { x } else { exp_inside(unit.ln() - shift - rate.ln()) }
}

#[inline(always)]
fn boosted_under(Boosted { unit, shift }: Boosted, scale: f64) -> f64 {
    let quotient = scale / unit;
    let x = quotient * shift.exp();
    if quotient.is_normal() && shift < MODERATE_SHIFT && x.is_normal() {
        x
    } else {
        exp_inside(scale.ln() - unit.ln() + shift)
    }
}

/// A draw of log x with x ~ Gamma(shape, 1), shape > 0: exact where x itself would underflow.
pub fn log_gamma_variate(shape: f64, rng: &mut StreamRng) -> f64 {
    GammaDraw::new(shape).log(rng)
}

/// eˣ, kept away from 0 and ∞, where densities on (0, ∞) have no value.
pub(crate) fn exp_inside(x: f64) -> f64 {
    inside(x.exp())
}
