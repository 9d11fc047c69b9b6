//! Likelihoods on (0, ∞) through a function of the datum that is exponential or Gamma: Lomax predictions and kin.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::{Exponential, Gamma, InverseGamma, Pareto, Rayleigh, Weibull, log_ratio};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::{Burr, CompoundGamma, LogLomax, Lomax};
use crate::special::log_gamma;
use crate::validate::positive;

/// An exponential datum x ≥ 0 with unknown rate z ~ Gamma.
///
/// ```text
/// m(x) = (1, −x)      h(x) = 1      x̂ ~ Lomax(shape, scale = rate)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExponentialRate;

impl ConjugateLikelihood for ExponentialRate {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = Lomax;
    const NAME: &'static str = "ExponentialRate";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] -= weight * x;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        Exponential::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<Lomax, FamilyError> {
        Lomax::from_shape_scale(prior.shape(), prior.rate())
    }
}

/// An exponential datum x ≥ 0 with unknown mean z ~ InverseGamma.
///
/// ```text
/// m(x) = (−1, −x)      h(x) = 1      x̂ ~ Lomax(shape, scale)
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExponentialMean;

impl ConjugateLikelihood for ExponentialMean {
    type Value = f64;
    type Prior = InverseGamma;
    type Predictive = Lomax;
    const NAME: &'static str = "ExponentialMean";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] -= weight;
        out[1] -= weight * x;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        Exponential::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &InverseGamma) -> Result<Lomax, FamilyError> {
        Lomax::from_shape_scale(prior.shape(), prior.scale())
    }
}

/// A Gamma datum x > 0 of known shape k with unknown rate z ~ Gamma.
///
/// ```text
/// m(x) = (k, −x)      h(x) = x^(k − 1) / Γ(k)      x̂ ~ CompoundGamma(k, tail = shape, scale = rate)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaRate {
    shape: f64,
}

impl GammaRate {
    /// The likelihood with this known shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_shape(shape: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive("GammaRate", "shape", shape)? })
    }

    /// The known shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }
}

impl ConjugateLikelihood for GammaRate {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = CompoundGamma;
    const NAME: &'static str = "GammaRate";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * self.shape;
        out[1] -= weight * x;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        let h = Gamma::log_base_measure_given(&(), x);
        if h == f64::NEG_INFINITY { h } else { (self.shape - 1.0) * x.ln() - log_gamma(self.shape) }
    }
    fn predictive(&self, prior: &Gamma) -> Result<CompoundGamma, FamilyError> {
        CompoundGamma::from_shape_tail_scale(self.shape, prior.shape(), prior.rate())
    }
}

/// An inverse Gamma datum x > 0 of known shape k with unknown scale z ~ Gamma.
///
/// ```text
/// m(x) = (k, −1/x)      h(x) = x^(−k − 1) / Γ(k)      x̂ ~ CompoundGamma(shape, tail = k, scale = 1/rate)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InverseGammaScale {
    shape: f64,
}

impl InverseGammaScale {
    /// The likelihood with this known shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_shape(shape: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive("InverseGammaScale", "shape", shape)? })
    }

    /// The known shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }
}

impl ConjugateLikelihood for InverseGammaScale {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = CompoundGamma;
    const NAME: &'static str = "InverseGammaScale";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * self.shape;
        out[1] -= weight * x.recip();
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        let h = InverseGamma::log_base_measure_given(&(), x);
        if h == f64::NEG_INFINITY { h } else { -(self.shape + 1.0) * x.ln() - log_gamma(self.shape) }
    }
    fn predictive(&self, prior: &Gamma) -> Result<CompoundGamma, FamilyError> {
        CompoundGamma::from_shape_tail_scale(prior.shape(), self.shape, 1.0 / prior.rate())
    }
}

/// A Pareto datum x ≥ m of known minimum m with unknown shape z ~ Gamma.
///
/// ```text
/// m(x) = (1, −log(x/m))      h(x) = 1/x      x̂ ~ LogLomax(m, shape, scale = rate)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoShape {
    minimum: f64,
}

impl ParetoShape {
    /// The likelihood with this known minimum.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_minimum(minimum: f64) -> Result<Self, FamilyError> {
        Ok(Self { minimum: positive("ParetoShape", "minimum", minimum)? })
    }

    /// The known minimum.
    pub fn minimum(&self) -> f64 {
        self.minimum
    }
}

impl ConjugateLikelihood for ParetoShape {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = LogLomax;
    const NAME: &'static str = "ParetoShape";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] -= weight * log_ratio(*x, self.minimum);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        Pareto::log_base_measure_given(&self.minimum, x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<LogLomax, FamilyError> {
        LogLomax::from_minimum_shape_scale(self.minimum, prior.shape(), prior.rate())
    }
}

/// A Weibull datum x > 0 of known shape k with unknown z = scale^(−k) ~ Gamma.
///
/// ```text
/// m(x) = (1, −x^k)      h(x) = k x^(k − 1)      x̂ ~ Burr(k, tail = shape, scale = rate^(1/k))
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeibullRate {
    shape: f64,
}

impl WeibullRate {
    /// The likelihood with this known shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_shape(shape: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive("WeibullRate", "shape", shape)? })
    }

    /// The known shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }
}

impl ConjugateLikelihood for WeibullRate {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = Burr;
    const NAME: &'static str = "WeibullRate";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] -= weight * x.powf(self.shape);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        Weibull::log_base_measure_given(&self.shape, x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<Burr, FamilyError> {
        Burr::from_shape_tail_scale(self.shape, prior.shape(), prior.rate().powf(1.0 / self.shape))
    }
}

/// A Rayleigh datum x > 0 with unknown z = 1/scale² ~ Gamma.
///
/// ```text
/// m(x) = (1, −x²/2)      h(x) = x      x̂ ~ Burr(2, tail = shape, scale = √(2 rate))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RayleighPrecision;

impl ConjugateLikelihood for RayleighPrecision {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = Burr;
    const NAME: &'static str = "RayleighPrecision";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] -= weight * (0.5 * x * x);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        Rayleigh::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<Burr, FamilyError> {
        Burr::from_shape_tail_scale(2.0, prior.shape(), (2.0 * prior.rate()).sqrt())
    }
}
