//! log p of one member at every value of a slice.

use std::f64::consts::LN_2;

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use crate::distributions::{
    Beta, ChiSquared, Exponential, Gamma, Gaussian, InverseGamma, LOG_TWO_PI, LogNormal,
};
use crate::exponential_family::ExponentialFamily;

mod discrete;
mod positive;
mod real;

/// Log densities on slices.
///
/// An empty implementation loops over [`ExponentialFamily::log_prob`]. All univariate families here vectorise, except
/// [`Bernoulli`](crate::Bernoulli) and [`Categorical`](crate::Categorical), which look each value up; they agree with
/// the scalar form to 1e-14 of the largest term of the density.
///
/// Which families have what; v is vectorised, f one pass over the values with what belongs to the member computed once:
///
/// | family | `log_prob_slice` | `log_prob_each` | `mean_params_each` | `entropy_each` |
/// |---|---|---|---|---|
/// | `Gaussian` | v | v | `expected_square_each` v | v |
/// | `Gamma` | v | v | v | v |
/// | `InverseGamma`, `Beta` | v | v | v | v |
/// | `Exponential`, `ChiSquared`, `HalfNormal`, `Rayleigh`, `LogNormal`, `Pareto`, `Weibull` | v | v | v | v |
/// | `Laplace`, `ContinuousBernoulli`, `VonMises` | v | v | v | v |
/// | `InverseGaussian` | v | v | v | – <sup>1</sup> |
/// | `TruncatedGaussian` | v | – <sup>2</sup> | – <sup>2</sup> | – <sup>2</sup> |
/// | `Bernoulli` | f: one of two numbers | v | v | v |
/// | `Geometric` | v | v | v | v |
/// | `Poisson`, `Binomial`, `NegativeBinomial` | v | v | v | – <sup>3</sup> |
/// | `Categorical` | f: log π looked up | `log_prob_rows` v | `probabilities_rows` v | `entropy_rows` v |
/// | `Dirichlet` | – <sup>4</sup> | – <sup>4</sup> | `expected_log_rows` v | – <sup>4</sup> |
/// | matrices, other vectors, joint families | – <sup>4</sup> | – <sup>4</sup> | – <sup>4</sup> | – <sup>4</sup> |
///
/// <sup>1</sup> an exponential integral, which has no kernel here.\
/// <sup>2</sup> integrals over panels whose number depends on the parameters.\
/// <sup>3</sup> sums over the counts, without closed form.\
/// <sup>4</sup> each value is a row or a matrix: its own form works through it.
pub trait LogProbSlice: ExponentialFamily<Value: Sized> {
    /// out ← log p(z | η), value by value; −∞ outside the support, NaN at NaN.
    ///
    /// # Panics
    /// If the lengths differ.
    fn log_prob_slice(&self, z: &[Self::Value], out: &mut [f64]) {
        assert_eq!(z.len(), out.len(), "z and out differ in length");
        for (z, out) in z.iter().zip(out) {
            *out = self.log_prob(z);
        }
    }
}

/// −∞ at and below 0 and at ∞; `value`, and so NaN at NaN, elsewhere.
#[inline(always)]
pub(super) fn on_positive(z: f64, value: f64) -> f64 {
    if (z <= 0.0) | (z > f64::MAX) { f64::NEG_INFINITY } else { value }
}

/// Whether z lies below or above; false for NaN.
#[inline(always)]
pub(super) fn outside(z: f64, lowest: f64, highest: f64) -> bool {
    let (below, above) = (z < lowest, z > highest);
    below | above
}

/// offset − ½ precision (z − centre)²
struct Quadratic {
    centre: f64,
    precision: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Quadratic {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let d = z - self.centre;
        [L::mul_add(-0.5 * self.precision * d, d, self.offset)]
    }
}

impl LogProbSlice for Gaussian {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let precision = self.precision();
        let offset = 0.5 * (precision.ln() - LOG_TWO_PI);
        map_slices(&Quadratic { centre: self.mean(), precision, offset }, [z], [out]);
    }
}

/// offset + coefficient · z on [0, ∞)
struct Linear {
    coefficient: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for Linear {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let value = L::mul_add(self.coefficient, z, self.offset);
        // Two comparisons, both false for NaN.
        let (below, beyond) = (z < 0.0, z > f64::MAX);
        [if below | beyond { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for Exponential {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        map_slices(&Linear { coefficient: -self.rate(), offset: self.rate().ln() }, [z], [out]);
    }
}

/// offset + power (log z + log_scale) + coefficient · z on (0, ∞)
struct LogLinear {
    power: f64,
    log_scale: f64,
    coefficient: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for LogLinear {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let log = L::log_of_input(z) + self.log_scale;
        let value = L::mul_add(self.power, log, L::mul_add(self.coefficient, z, self.offset));
        [on_positive(z, value)]
    }
}

impl LogProbSlice for Gamma {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let function = LogLinear {
            power: self.shape() - 1.0,
            log_scale: 0.0,
            coefficient: -self.rate(),
            offset: -self.log_partition(),
        };
        map_slices(&function, [z], [out]);
    }
}

impl LogProbSlice for ChiSquared {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let half = 0.5 * self.dof();
        // log(z/2) keeps log z and a log 2 from cancelling.
        let function = LogLinear {
            power: half - 1.0,
            log_scale: -LN_2,
            coefficient: -0.5,
            offset: -crate::special::log_gamma(half) - LN_2,
        };
        map_slices(&function, [z], [out]);
    }
}

/// offset + power · log z − scale / z on (0, ∞)
struct LogReciprocal {
    power: f64,
    scale: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for LogReciprocal {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let value = L::mul_add(self.power, L::log_of_input(z), self.offset - self.scale / z);
        [on_positive(z, value)]
    }
}

impl LogProbSlice for InverseGamma {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let function = LogReciprocal {
            power: -(self.shape() + 1.0),
            scale: self.scale(),
            offset: -self.log_partition(),
        };
        map_slices(&function, [z], [out]);
    }
}

/// offset + a log z + b log(1 − z) on (0, 1)
struct LogOdds {
    a: f64,
    b: f64,
    offset: f64,
}

impl SliceFunction<1, 1> for LogOdds {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let value =
            L::mul_add(self.a, L::log_of_input(z), L::mul_add(self.b, L::log_complement(z), self.offset));
        [if (z <= 0.0) | (z >= 1.0) { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for Beta {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let offset = -self.log_partition();
        map_slices(&LogOdds { a: self.alpha() - 1.0, b: self.beta() - 1.0, offset }, [z], [out]);
    }
}

/// offset − log z − ½ precision (log z − centre)² on (0, ∞)
struct LogQuadratic(Quadratic);

impl SliceFunction<1, 1> for LogQuadratic {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let log = L::log_of_input(z);
        let [value] = self.0.apply::<L>([log]);
        [on_positive(z, value - log)]
    }
}

impl LogProbSlice for LogNormal {
    fn log_prob_slice(&self, z: &[f64], out: &mut [f64]) {
        let precision = self.log_precision();
        let offset = 0.5 * (precision.ln() - LOG_TWO_PI);
        let function = LogQuadratic(Quadratic { centre: self.log_mean(), precision, offset });
        map_slices(&function, [z], [out]);
    }
}
