//! Many draws of one member.

use vi_core::StreamRng;

use crate::distributions::{
    Beta, ChiSquared, ContinuousBernoulli, Exponential, Gamma, Gaussian, HalfNormal, InverseGamma,
    InverseGaussian, Laplace, LogNormal, Pareto, Rayleigh, TruncatedGaussian, VonMises, Weibull,
};
use crate::draw::{GammaDraw, exp_inside, fill_from_exponential, fill_from_laplace, fill_from_normal};
use crate::exponential_family::ExponentialFamily;

/// Draws on slices: bit for bit the numbers that [`ExponentialFamily::sample`] gives one after the other, and the
/// stream is left at the same place.
///
/// An empty implementation is that loop. Families drawn through one normal or exponential variate take the words of
/// the stream in blocks and vectorise the common case; those drawn through Gamma variates, [`Gamma`],
/// [`InverseGamma`], [`ChiSquared`] and [`Beta`], compute what depends on the member alone once.
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

one_by_one!(ContinuousBernoulli, InverseGaussian, TruncatedGaussian, VonMises);

/// out ← independent standard normals, the same as [`Gaussian::sample`] gives one by one with mean 0 and variance 1.
pub fn fill_standard_normal(rng: &mut StreamRng, out: &mut [f64]) {
    fill_from_normal(rng, out, |normal| normal);
}

impl SampleSlice for Gaussian {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let (mean, sd) = (self.mean(), self.sd());
        fill_from_normal(rng, out, |normal| mean + sd * normal);
    }
}

impl SampleSlice for Gamma {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        GammaDraw::new(self.shape()).fill_over(self.rate(), rng, out);
    }
}

impl SampleSlice for ChiSquared {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        GammaDraw::new(0.5 * self.dof()).fill_over(0.5, rng, out);
    }
}

impl SampleSlice for InverseGamma {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        GammaDraw::new(self.shape()).fill_under(self.scale(), rng, out);
    }
}

impl SampleSlice for Exponential {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let rate = self.rate();
        fill_from_exponential(rng, out, |unit| (unit / rate).min(f64::MAX));
    }
}

impl SampleSlice for HalfNormal {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let scale = self.scale();
        fill_from_normal(rng, out, |normal| (normal.abs() * scale).min(f64::MAX));
    }
}

impl SampleSlice for LogNormal {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let (mean, sd) = (self.log_mean(), 1.0 / self.log_precision().sqrt());
        fill_from_normal(rng, out, |normal| exp_inside(mean + sd * normal));
    }
}

impl SampleSlice for Laplace {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        fill_from_laplace(rng, out, |standard| self.draw_from(standard));
    }
}

impl SampleSlice for Rayleigh {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let scale = self.scale();
        fill_from_exponential(rng, out, |unit| {
            ((2.0 * unit).sqrt() * scale).clamp(f64::MIN_POSITIVE, f64::MAX)
        });
    }
}

impl SampleSlice for Weibull {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        fill_from_exponential(rng, out, |unit| self.draw_from(unit));
    }
}

impl SampleSlice for Pareto {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        fill_from_exponential(rng, out, |unit| self.draw_from(unit));
    }
}

impl SampleSlice for Beta {
    fn sample_slice(&self, rng: &mut StreamRng, out: &mut [f64]) {
        let draws = self.gamma_draws();
        for out in out {
            *out = self.draw_from(draws, rng);
        }
    }
}
