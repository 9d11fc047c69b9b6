//! Many draws of one member.

use rand_distr::{Distribution, Exp1, StandardNormal};
use vi_core::StreamRng;

use crate::distributions::{
    Beta, ChiSquared, ContinuousBernoulli, Exponential, Gamma, Gaussian, HalfNormal, InverseGamma,
    InverseGaussian, Laplace, LogNormal, Pareto, Rayleigh, TruncatedGaussian, VonMises, Weibull,
};
use crate::draw::GammaDraw;
use crate::exponential_family::ExponentialFamily;

/// Draws on slices: bit for bit the numbers that [`ExponentialFamily::sample`] gives one after the other, and the
/// stream is left at the same place.
///
/// An empty implementation is that loop. [`Gaussian`], [`Gamma`], [`InverseGamma`], [`ChiSquared`] and
/// [`Exponential`] compute what depends on the member alone once.
pub trait SampleSlice: ExponentialFamily<Value = f64> {
    /// out ← independent draws.
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        for out in out {
            *out = self.sample(rng);
        }
    }
}

macro_rules! one_by_one {
    ($($family:ty),*) => { $(impl SampleSlice for $family {})* };
}

one_by_one!(
    Beta,
    ContinuousBernoulli,
    HalfNormal,
    InverseGaussian,
    Laplace,
    LogNormal,
    Pareto,
    Rayleigh,
    TruncatedGaussian,
    VonMises,
    Weibull
);

/// out ← draws of `draw`.
#[inline(always)]
fn fill(rng: &mut StreamRng, out: &mut [f64], draw: impl Fn(&mut StreamRng) -> f64) {
    for out in out {
        *out = draw(rng);
    }
}

/// out ← independent standard normals, the same as `rand_distr::StandardNormal` gives one by one.
pub fn fill_standard_normal(rng: &mut StreamRng, out: &mut [f64]) {
    fill(rng, out, |rng| StandardNormal.sample(rng));
}

impl SampleSlice for Gaussian {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let (mean, sd) = (self.mean(), self.sd());
        fill(rng, out, |rng| {
            let normal: f64 = StandardNormal.sample(rng);
            mean + sd * normal
        });
    }
}

impl SampleSlice for Gamma {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let (unit, rate) = (GammaDraw::new(self.shape()), self.rate());
        fill(rng, out, |rng| unit.over(rate, rng));
    }
}

impl SampleSlice for ChiSquared {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let unit = GammaDraw::new(0.5 * self.dof());
        fill(rng, out, |rng| unit.over(0.5, rng));
    }
}

impl SampleSlice for InverseGamma {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let (unit, scale) = (GammaDraw::new(self.shape()), self.scale());
        fill(rng, out, |rng| unit.under(scale, rng));
    }
}

impl SampleSlice for Exponential {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let rate = self.rate();
        fill(rng, out, |rng| {
            let unit: f64 = Exp1.sample(rng);
            (unit / rate).min(f64::MAX)
        });
    }
}
