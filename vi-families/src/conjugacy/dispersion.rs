//! Likelihoods with unknown dispersion around something known, and the log-normal with unknown log-mean.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::{Gamma, Gaussian, HalfNormal, InverseGaussian, LogNormal, deviance};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::{DoubleLomax, HalfStudentT, InverseGaussianMixture, LogStudentT};
use crate::validate::{finite, positive};

/// A half-normal datum x ≥ 0 with unknown precision z ~ Gamma.
///
/// ```text
/// m(x) = (½, −x²/2)      h(x) = √(2/π)      x̂ ~ HalfStudentT(dof = 2 shape, scale = √(rate/shape))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfNormalPrecision;

impl ConjugateLikelihood for HalfNormalPrecision {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = HalfStudentT;
    const NAME: &'static str = "HalfNormalPrecision";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += 0.5 * weight;
        out[1] -= weight * (0.5 * x * x);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        HalfNormal::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<HalfStudentT, FamilyError> {
        HalfStudentT::from_dof_scale(2.0 * prior.shape(), prior.rate().sqrt() / prior.shape().sqrt())
    }
}

/// A log-normal datum x > 0 of known log-precision τ with unknown log-mean z ~ Gaussian.
///
/// ```text
/// m(x) = (τ log x, −τ/2)      h(x) = √(τ/2π) / x · exp(−τ log²x / 2)
/// x̂ ~ LogNormal(log-mean = mean, log-variance = variance + 1/τ)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogNormalLogMean {
    log_precision: f64,
}

impl LogNormalLogMean {
    /// The likelihood with this known precision of log x.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_log_precision(log_precision: f64) -> Result<Self, FamilyError> {
        Ok(Self { log_precision: positive("LogNormalLogMean", "log_precision", log_precision)? })
    }

    /// The known precision of log x.
    pub fn log_precision(&self) -> f64 {
        self.log_precision
    }
}

impl ConjugateLikelihood for LogNormalLogMean {
    type Value = f64;
    type Prior = Gaussian;
    type Predictive = LogNormal;
    const NAME: &'static str = "LogNormalLogMean";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * self.log_precision * x.ln();
        out[1] -= weight * (0.5 * self.log_precision);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        let h = LogNormal::log_base_measure_given(&(), x);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let log = x.ln();
        h + 0.5 * (self.log_precision.ln() - self.log_precision * log * log)
    }
    fn predictive(&self, prior: &Gaussian) -> Result<LogNormal, FamilyError> {
        LogNormal::from_log_mean_log_variance(prior.mean(), prior.variance() + 1.0 / self.log_precision)
    }
}

/// A log-normal datum x > 0 of known log-mean m with unknown log-precision z ~ Gamma.
///
/// ```text
/// m(x) = (½, −(log x − m)²/2)      h(x) = (2π)^(−1/2) / x
/// x̂ ~ LogStudentT(dof = 2 shape, location = m, scale = √(rate/shape))
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogNormalLogPrecision {
    log_mean: f64,
}

impl LogNormalLogPrecision {
    /// The likelihood with this known mean of log x.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite.
    pub fn from_log_mean(log_mean: f64) -> Result<Self, FamilyError> {
        Ok(Self { log_mean: finite("LogNormalLogPrecision", "log_mean", log_mean)? })
    }

    /// The known mean of log x.
    pub fn log_mean(&self) -> f64 {
        self.log_mean
    }
}

impl ConjugateLikelihood for LogNormalLogPrecision {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = LogStudentT;
    const NAME: &'static str = "LogNormalLogPrecision";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        let d = x.ln() - self.log_mean;
        out[0] += 0.5 * weight;
        out[1] -= weight * (0.5 * d * d);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        LogNormal::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<LogStudentT, FamilyError> {
        let scale = prior.rate().sqrt() / prior.shape().sqrt();
        LogStudentT::from_dof_location_scale(2.0 * prior.shape(), self.log_mean, scale)
    }
}

/// A Laplace datum x of known location m with unknown z = 1/scale ~ Gamma.
///
/// ```text
/// m(x) = (1, −|x − m|)      h(x) = ½      x̂ ~ DoubleLomax(m, shape, scale = rate)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaplaceRate {
    location: f64,
}

impl LaplaceRate {
    /// The likelihood with this known location.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite.
    pub fn from_location(location: f64) -> Result<Self, FamilyError> {
        Ok(Self { location: finite("LaplaceRate", "location", location)? })
    }

    /// The known location.
    pub fn location(&self) -> f64 {
        self.location
    }
}

impl ConjugateLikelihood for LaplaceRate {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = DoubleLomax;
    const NAME: &'static str = "LaplaceRate";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] -= weight * (x - self.location).abs();
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if x.is_infinite() { f64::NEG_INFINITY } else { -std::f64::consts::LN_2 }
    }
    fn predictive(&self, prior: &Gamma) -> Result<DoubleLomax, FamilyError> {
        DoubleLomax::from_location_shape_scale(self.location, prior.shape(), prior.rate())
    }
}

/// An inverse Gaussian datum x > 0 of known mean m with unknown shape z ~ Gamma.
///
/// ```text
/// m(x) = (½, −(x − m)²/(2 m² x))      h(x) = (2π x³)^(−1/2)
/// x̂ ~ InverseGaussianMixture(m, shape, rate)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InverseGaussianShape {
    mean: f64,
}

impl InverseGaussianShape {
    /// The likelihood with this known mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Ok(Self { mean: positive("InverseGaussianShape", "mean", mean)? })
    }

    /// The known mean.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

impl ConjugateLikelihood for InverseGaussianShape {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = InverseGaussianMixture;
    const NAME: &'static str = "InverseGaussianShape";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += 0.5 * weight;
        out[1] -= weight * deviance(*x, self.mean);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        InverseGaussian::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &Gamma) -> Result<InverseGaussianMixture, FamilyError> {
        InverseGaussianMixture::from_mean_shape_rate(self.mean, prior.shape(), prior.rate())
    }
}
