//! Gaussians of one variable: known precision, known mean, neither.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::{Gamma, Gaussian, InverseGamma, LOG_TWO_PI, NormalGamma, NormalInverseGamma};
use crate::error::FamilyError;
use crate::predictive::StudentT;
use crate::validate::{finite, positive};

/// The Gaussian x ~ N(μ, 1/τ) with unknown mean μ and known precision τ; conjugate to the [`Gaussian`].
///
/// ```text
/// m(x) = (τx, −½τ)      log h(x) = ½ log τ/2π − ½τx²      x̂ ~ N(mean, variance + 1/τ)
/// ```
/// (Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution", section 2.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMean {
    precision: f64,
}

impl GaussianMean {
    /// The likelihood with this precision, the reciprocal of the variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_precision(precision: f64) -> Result<Self, FamilyError> {
        Ok(Self { precision: positive(Self::NAME, "precision", precision)? })
    }

    /// The likelihood with this variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn from_variance(variance: f64) -> Result<Self, FamilyError> {
        Ok(Self { precision: 1.0 / positive(Self::NAME, "variance", variance)? })
    }

    /// The known precision τ.
    pub fn precision(&self) -> f64 {
        self.precision
    }
}

impl ConjugateLikelihood for GaussianMean {
    type Value = f64;
    type Prior = Gaussian;
    type Predictive = Gaussian;
    const NAME: &'static str = "GaussianMean";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        let precision = weight * self.precision;
        out[0] += precision * x;
        out[1] -= 0.5 * precision;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if_finite(x, 0.5 * (self.precision.ln() - LOG_TWO_PI - self.precision * x * x))
    }
    fn predictive(&self, prior: &Gaussian) -> Result<Gaussian, FamilyError> {
        Gaussian::from_mean_variance(prior.mean(), prior.variance() + 1.0 / self.precision)
    }
}

/// The Gaussian x ~ N(μ, 1/τ) with known mean μ and unknown precision τ; conjugate to the [`Gamma`].
///
/// ```text
/// m(x) = (½, −½(x − μ)²)      log h(x) = −½ log 2π      x̂ ~ t(2 · shape, μ, √(rate/shape))
/// ```
/// (Murphy 2007, section 4.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianPrecision {
    mean: f64,
}

/// The Gaussian x ~ N(μ, σ²) with known mean μ and unknown variance σ²; conjugate to the [`InverseGamma`].
///
/// ```text
/// m(x) = (−½, −½(x − μ)²)      log h(x) = −½ log 2π      x̂ ~ t(2 · shape, μ, √(scale/shape))
/// ```
/// (Murphy 2007, section 5.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianVariance {
    mean: f64,
}

impl GaussianPrecision {
    /// The likelihood with this mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Ok(Self { mean: finite(Self::NAME, "mean", mean)? })
    }

    /// The known mean μ.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

impl GaussianVariance {
    /// The likelihood with this mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Ok(Self { mean: finite(Self::NAME, "mean", mean)? })
    }

    /// The known mean μ.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

impl ConjugateLikelihood for GaussianPrecision {
    type Value = f64;
    type Prior = Gamma;
    type Predictive = StudentT;
    const NAME: &'static str = "GaussianPrecision";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        let d = x - self.mean;
        out[0] += 0.5 * weight;
        out[1] -= 0.5 * weight * d * d;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if_finite(x, -0.5 * LOG_TWO_PI)
    }
    fn predictive(&self, prior: &Gamma) -> Result<StudentT, FamilyError> {
        student_t(self.mean, prior.shape(), prior.rate(), None)
    }
}

impl ConjugateLikelihood for GaussianVariance {
    type Value = f64;
    type Prior = InverseGamma;
    type Predictive = StudentT;
    const NAME: &'static str = "GaussianVariance";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        let d = x - self.mean;
        out[0] -= 0.5 * weight;
        out[1] -= 0.5 * weight * d * d;
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if_finite(x, -0.5 * LOG_TWO_PI)
    }
    fn predictive(&self, prior: &InverseGamma) -> Result<StudentT, FamilyError> {
        student_t(self.mean, prior.shape(), prior.scale(), None)
    }
}

/// The Gaussian x ~ N(μ, 1/τ) with unknown mean and precision; conjugate to the [`NormalGamma`].
///
/// ```text
/// m(x) = (½, −½x², x, −½)      x̂ ~ t(2 · shape, mean, √(rate (1 + 1/count)/shape))
/// ```
/// with log h(x) = −½ log 2π. (Murphy 2007, section 3.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaussianMeanPrecision;

/// The Gaussian x ~ N(μ, σ²) with unknown mean and variance; conjugate to the [`NormalInverseGamma`].
///
/// ```text
/// m(x) = (−½, −½x², x, −½)      x̂ ~ t(2 · shape, mean, √(scale (1 + 1/count)/shape))
/// ```
/// with log h(x) = −½ log 2π. (Murphy 2007, section 6.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaussianMeanVariance;

impl ConjugateLikelihood for GaussianMeanPrecision {
    type Value = f64;
    type Prior = NormalGamma;
    type Predictive = StudentT;
    const NAME: &'static str = "GaussianMeanPrecision";

    fn n_params(&self) -> usize {
        4
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += 0.5 * weight;
        add_square(*x, weight, out);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if_finite(x, -0.5 * LOG_TWO_PI)
    }
    fn predictive(&self, prior: &NormalGamma) -> Result<StudentT, FamilyError> {
        student_t(prior.mean(), prior.shape(), prior.rate(), Some(prior.count()))
    }
}

impl ConjugateLikelihood for GaussianMeanVariance {
    type Value = f64;
    type Prior = NormalInverseGamma;
    type Predictive = StudentT;
    const NAME: &'static str = "GaussianMeanVariance";

    fn n_params(&self) -> usize {
        4
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] -= 0.5 * weight;
        add_square(*x, weight, out);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        if_finite(x, -0.5 * LOG_TWO_PI)
    }
    fn predictive(&self, prior: &NormalInverseGamma) -> Result<StudentT, FamilyError> {
        student_t(prior.mean(), prior.shape(), prior.scale(), Some(prior.count()))
    }
}

/// Adds the part of −½τ(x − μ)² that multiplies (τ, τμ, τμ²).
fn add_square(x: f64, weight: f64, out: &mut ArrayRef1<f64>) {
    out[1] -= 0.5 * weight * x * x;
    out[2] += weight * x;
    out[3] -= 0.5 * weight;
}

/// N(μ, 1/τ) with τ ~ Gamma(shape, rate), and μ ~ N(location, 1/(count · τ)) where there is a count.
fn student_t(location: f64, shape: f64, rate: f64, count: Option<f64>) -> Result<StudentT, FamilyError> {
    let widening = count.map_or(1.0, |k| (1.0 + 1.0 / k).sqrt());
    StudentT::from_location_scale_dof(location, (rate / shape).sqrt() * widening, 2.0 * shape)
}

/// `value`, or −∞ where x is no number.
fn if_finite(x: &f64, value: f64) -> f64 {
    if x.is_finite() { value } else { f64::NEG_INFINITY }
}
