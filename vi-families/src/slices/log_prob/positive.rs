//! Families on the positive numbers.

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::{LOG_TWO_PI, LogProbSlice, on_positive, outside};
use crate::distributions::{HalfNormal, InverseGaussian, Pareto, Rayleigh, Weibull};
use crate::exponential_family::ExponentialFamily;

/// offset − ½ (root z)² on [0, ∞)
struct HalfSquare {
    /// √precision: the square of z alone may overflow.
    root: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for HalfSquare {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let scaled = z * self.root;
        let value = L::mul_add(-0.5 * scaled, scaled, self.offset);
        [if z < 0.0 { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for HalfNormal {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let function = HalfSquare { root: self.precision().sqrt(), offset: self.log_prob(&0.0) };
        map_slices(&function, [z], [out]);
    }
}

/// offset + log z − ½ (root z)² on (0, ∞)
struct LogHalfSquare(HalfSquare);

impl SliceFunction<1, 1> for LogHalfSquare {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let scaled = z * self.0.root;
        let value = L::mul_add(-0.5 * scaled, scaled, L::log_of_input(z) + self.0.offset);
        [on_positive(z, value)]
    }
}

impl LogProbSlice for Rayleigh {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let precision = self.precision();
        let function = LogHalfSquare(HalfSquare { root: precision.sqrt(), offset: precision.ln() });
        map_slices(&function, [z], [out]);
    }
}

/// offset − shape (z − mean)² / (2 mean² z) − 3/2 log z on (0, ∞)
struct Reciprocal {
    mean: f64,
    shape: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Reciprocal {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let d = (z - self.mean) / self.mean;
        let deviance = 0.5 * d * (d / z);
        let value = L::mul_add(-1.5, L::log_of_input(z), L::mul_add(-self.shape, deviance, self.offset));
        [on_positive(z, value)]
    }
}

impl LogProbSlice for InverseGaussian {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let (mean, shape) = (self.mean(), self.shape());
        let offset = 0.5 * (shape.ln() - LOG_TWO_PI);
        map_slices(&Reciprocal { mean, shape, offset }, [z], [out]);
    }
}

/// offset − shape log(z / minimum) − log z on [minimum, ∞)
struct Power {
    minimum: f64,
    log_minimum: f64,
    shape: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Power {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let log_z = L::log_of_input(z);
        // Near the minimum a large shape multiplies a small logarithm; far from it the quotient may overflow.
        let excess = (z - self.minimum) / self.minimum;
        let log_ratio = if excess < 1.0 { L::log1p(excess) } else { log_z - self.log_minimum };
        let value = L::mul_add(-self.shape, log_ratio, self.offset - log_z);
        [if outside(z, self.minimum, f64::MAX) { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for Pareto {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let (minimum, shape) = (self.minimum(), self.shape());
        let function = Power { minimum, log_minimum: minimum.ln(), shape, offset: shape.ln() };
        map_slices(&function, [z], [out]);
    }
}

/// offset + (shape − 1) log z − exp(log_rate + shape log z) on (0, ∞)
struct LogHazard {
    shape: f64,
    log_rate: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for LogHazard {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let log_z = L::log_of_input(z);
        // z^shape alone may overflow.
        let hazard = L::exp(L::mul_add(self.shape, log_z, self.log_rate));
        [on_positive(z, L::mul_add(self.shape - 1.0, log_z, self.offset - hazard))]
    }
}

impl LogProbSlice for Weibull {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let (shape, log_rate) = (self.shape(), self.rate().ln());
        map_slices(&LogHazard { shape, log_rate, offset: shape.ln() + log_rate }, [z], [out]);
    }
}
