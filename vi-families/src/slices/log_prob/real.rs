//! Families on the line, on intervals and on the circle.

use std::f64::consts::PI;

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::{LogProbSlice, outside};
use crate::distributions::{ContinuousBernoulli, Laplace, TruncatedGaussian, VonMises};
use crate::exponential_family::ExponentialFamily;

/// offset − rate |z − location|
struct Distance {
    location: f64,
    rate: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Distance {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        [L::mul_add(-self.rate, (z - self.location).abs(), self.offset)]
    }
}

impl LogProbSlice for Laplace {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let offset = -self.log_partition();
        map_slices(&Distance { location: self.location(), rate: self.rate(), offset }, [z], [out]);
    }
}

/// offset − x (κ + ½x) with x = (z − peak) / scale, between the bounds
struct Piece {
    peak: f64,
    scale: f64,
    kappa: f64,
    offset: f64,
    lower: f64,
    upper: f64,
}

impl SliceFunction<1, 1> for Piece {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let x = (z - self.peak) / self.scale;
        let value = L::mul_add(-x, L::mul_add(0.5, x, self.kappa), self.offset);
        [if (z <= self.lower) | (z >= self.upper) { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for TruncatedGaussian {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let [peak, kappa, ..] = self.seen_from_peak();
        let function = Piece {
            peak,
            scale: self.scale(),
            kappa,
            offset: -self.log_integral(),
            lower: self.lower(),
            upper: self.upper(),
        };
        map_slices(&function, [z], [out]);
    }
}

/// offset − 2κ sin²((z − μ)/2) on [−π, π]
struct Versine {
    mean_direction: f64,
    concentration: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Versine {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let (sin, _) = L::sin_cos(0.5 * (z - self.mean_direction));
        let value = L::mul_add(-2.0 * self.concentration * sin, sin, self.offset);
        [if z.abs() > PI { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for VonMises {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let mean_direction = self.mean_direction();
        let offset = self.log_prob(&mean_direction);
        map_slices(&Versine { mean_direction, concentration: self.concentration(), offset }, [z], [out]);
    }
}

/// offset − rate |z − peak| on [0, 1], the peak at one of its ends
struct FromEnd(Distance);

impl SliceFunction<1, 1> for FromEnd {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let [value] = self.0.apply::<L>([z]);
        [if outside(z, 0.0, 1.0) { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for ContinuousBernoulli {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let location = if self.logit() < 0.0 { 0.0 } else { 1.0 };
        let offset = self.log_prob(&location);
        map_slices(&FromEnd(Distance { location, rate: self.logit().abs(), offset }), [z], [out]);
    }
}
