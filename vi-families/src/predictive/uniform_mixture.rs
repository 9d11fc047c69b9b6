//! A uniform variable whose upper bound is Pareto.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::distributions::{Pareto, log_ratio};
use crate::exponential_family::ExponentialFamily;

/// The law on [0, ∞) of a variable that is uniform on [0, z] with z ~ Pareto(minimum, shape).
///
/// ```text
/// p(x) = k/(k + 1) · m^k / max(x, m)^(k + 1)      m the minimum, k the shape
/// ```
/// Uniform on [0, m] with probability k/(k + 1), else Pareto(m, k). (DeGroot 1970, section 9.7.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UniformMixture {
    bound: Pareto,
}

impl UniformMixture {
    /// The distribution with this law of the upper bound.
    pub fn from_bound(bound: Pareto) -> Self {
        Self { bound }
    }

    /// The law of the upper bound.
    pub fn bound(&self) -> &Pareto {
        &self.bound
    }

    /// log p(x); −∞ outside [0, ∞).
    pub fn log_prob(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        if x < 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        let top = x.max(m);
        -k.recip().ln_1p() - top.ln() - k * log_ratio(top, m)
    }

    /// `E[x]` = `E[z]`/2; ∞ for a shape of 1 or less.
    pub fn mean(&self) -> f64 {
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        if k > 1.0 { 0.5 * m * (k / (k - 1.0)) } else { f64::INFINITY }
    }

    /// `Var[x]` = `E[z²]`/3 − `E[x]²`; ∞ for a shape of 2 or less.
    pub fn variance(&self) -> f64 {
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        if k > 2.0 { m * m * (k / (k - 2.0) / 3.0 - 0.25 * (k / (k - 1.0)).powi(2)) } else { f64::INFINITY }
    }

    /// P(x̂ ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        if x <= m { (x.max(0.0) / m) * (k / (k + 1.0)) } else { 1.0 - self.survival(x) }
    }

    /// P(x̂ > x), with its relative accuracy where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        if x <= m { 1.0 - self.cdf(x) } else { (-k * log_ratio(x, m)).exp() / (k + 1.0) }
    }

    /// The x with P(x̂ ≤ x) = `p`; NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        let (m, k) = (self.bound.minimum(), self.bound.shape());
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p * (k + 1.0) <= k {
            return m * (p * (1.0 + k.recip())).min(1.0);
        }
        m * (-((1.0 - p) * (k + 1.0)).ln() / k).exp()
    }

    /// One draw: a bound, then a value below it.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.bound.sample(rng) * rng.random::<f64>()
    }
}

impl PredictiveDistribution for UniformMixture {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}
