//! Multivariate Gaussians: known precision, known mean, neither.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::{
    InverseWishart, LOG_TWO_PI, MvGaussian, NormalInverseWishart, NormalWishart, Wishart,
};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::MvStudentT;
use crate::symmetric::{dual, vech_index, vech_len};
use crate::validate::{finite_vector, length};

/// The Gaussian x ~ N(μ, Λ⁻¹) on ℝᵖ with unknown mean μ and known precision Λ; conjugate to the [`MvGaussian`].
///
/// ```text
/// m(x) = (Λx, dual(−½Λ))      log h(x) = ½ log|Λ/2π| − ½xᵀΛx      x̂ ~ N(mean, covariance + Λ⁻¹)
/// ```
/// (Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution", section 7.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MvGaussianMean {
    /// N(0, Λ⁻¹).
    noise: MvGaussian,
}

impl MvGaussianMean {
    /// The likelihood with this precision Λ (p, p), the inverse of the covariance.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is symmetric positive definite.
    pub fn from_precision(precision: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let noise = MvGaussian::from_mean_precision(&Array1::zeros(precision.nrows()), precision)?;
        Ok(Self { noise })
    }

    /// The likelihood with this covariance (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is symmetric positive definite.
    pub fn from_covariance(covariance: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let noise = MvGaussian::from_mean_covariance(&Array1::zeros(covariance.nrows()), covariance)?;
        Ok(Self { noise })
    }

    /// The law N(0, Λ⁻¹) of x − μ.
    pub fn noise(&self) -> &MvGaussian {
        &self.noise
    }
}

impl ConjugateLikelihood for MvGaussianMean {
    type Value = ArrayRef1<f64>;
    type Prior = MvGaussian;
    type Predictive = MvGaussian;
    const NAME: &'static str = "MvGaussianMean";

    fn n_params(&self) -> usize {
        self.noise.n_params()
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let p = self.noise.dim();
        let mut matrix = vec![0.0; vech_len(p)];
        dual(self.noise.precision(), -0.5 * weight, &mut matrix);
        let vector = self.noise.precision().dot(x) * weight;
        for (out, message) in out.iter_mut().zip(vector.iter().chain(&matrix)) {
            *out += message;
        }
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        if is_vector(x, self.noise.dim()) { self.noise.log_prob(x) } else { f64::NEG_INFINITY }
    }
    fn predictive(&self, prior: &MvGaussian) -> Result<MvGaussian, FamilyError> {
        length(Self::NAME, "mean of the prior", prior.dim(), self.noise.dim())?;
        MvGaussian::from_mean_covariance(prior.mean(), &(prior.covariance() + self.noise.covariance()))
    }
}

/// The Gaussian x ~ N(μ, Λ⁻¹) on ℝᵖ with known mean μ and unknown precision Λ; conjugate to the [`Wishart`].
///
/// ```text
/// m(x) = (½, dual(−½(x − μ)(x − μ)ᵀ))      log h(x) = −½p log 2π
/// x̂ ~ t(ν − p + 1, μ, W⁻¹/(ν − p + 1))
/// ```
/// (Murphy 2007, section 8.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MvGaussianPrecision {
    mean: Array1<f64>,
}

/// The Gaussian x ~ N(μ, Σ) on ℝᵖ with known mean μ and unknown covariance Σ; conjugate to the
/// [`InverseWishart`].
///
/// ```text
/// m(x) = (−½, dual(−½(x − μ)(x − μ)ᵀ))      log h(x) = −½p log 2π
/// x̂ ~ t(ν − p + 1, μ, Ψ/(ν − p + 1))
/// ```
/// (Murphy 2007, section 9.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MvGaussianCovariance {
    mean: Array1<f64>,
}

impl MvGaussianCovariance {
    /// The likelihood with this mean (p).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and not empty.
    pub fn from_mean(mean: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Ok(Self { mean: known_mean(Self::NAME, mean)? })
    }

    /// The known mean μ (p).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }
}

impl MvGaussianPrecision {
    /// The likelihood with this mean (p).
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and not empty.
    pub fn from_mean(mean: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Ok(Self { mean: known_mean(Self::NAME, mean)? })
    }

    /// The known mean μ (p).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }
}

impl ConjugateLikelihood for MvGaussianPrecision {
    type Value = ArrayRef1<f64>;
    type Prior = Wishart;
    type Predictive = MvStudentT;
    const NAME: &'static str = "MvGaussianPrecision";

    fn n_params(&self) -> usize {
        1 + vech_len(self.mean.len())
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += 0.5 * weight;
        add_outer(|i| x[i] - self.mean[i], self.mean.len(), weight, out);
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        log_base_measure(x, self.mean.len())
    }
    fn predictive(&self, prior: &Wishart) -> Result<MvStudentT, FamilyError> {
        length(Self::NAME, "scale of the prior", prior.order(), self.mean.len())?;
        student_t(&self.mean, prior, None)
    }
}

impl ConjugateLikelihood for MvGaussianCovariance {
    type Value = ArrayRef1<f64>;
    type Prior = InverseWishart;
    type Predictive = MvStudentT;
    const NAME: &'static str = "MvGaussianCovariance";

    fn n_params(&self) -> usize {
        1 + vech_len(self.mean.len())
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] -= 0.5 * weight;
        add_outer(|i| x[i] - self.mean[i], self.mean.len(), weight, out);
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        log_base_measure(x, self.mean.len())
    }
    fn predictive(&self, prior: &InverseWishart) -> Result<MvStudentT, FamilyError> {
        length(Self::NAME, "scale of the prior", prior.order(), self.mean.len())?;
        student_t(&self.mean, prior.precision_twin(), None)
    }
}

/// The Gaussian x ~ N(μ, Λ⁻¹) on ℝᵖ with unknown mean and precision; conjugate to the [`NormalWishart`].
///
/// ```text
/// m(x) = (½, dual(−½xxᵀ), x, −½)      log h(x) = −½p log 2π
/// x̂ ~ t(ν − p + 1, m, W⁻¹(1 + 1/κ)/(ν − p + 1))
/// ```
/// (Murphy 2007, section 8; Bishop 2006, section 10.2.3.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MvGaussianMeanPrecision {
    dim: usize,
}

/// The Gaussian x ~ N(μ, Σ) on ℝᵖ with unknown mean and covariance; conjugate to the [`NormalInverseWishart`].
///
/// ```text
/// m(x) = (−½, dual(−½xxᵀ), x, −½)      log h(x) = −½p log 2π
/// x̂ ~ t(ν − p + 1, m, Ψ(1 + 1/κ)/(ν − p + 1))
/// ```
/// (Gelman et al. 2013, "Bayesian Data Analysis", section 3.6.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MvGaussianMeanCovariance {
    dim: usize,
}

impl MvGaussianMeanPrecision {
    /// The likelihood on ℝᵖ with p = `dim`.
    ///
    /// # Errors
    /// [`FamilyError::Length`] when p is 0.
    pub fn from_dim(dim: usize) -> Result<Self, FamilyError> {
        length(Self::NAME, "mean", dim, dim.max(1))?;
        Ok(Self { dim })
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.dim
    }
}

impl MvGaussianMeanCovariance {
    /// The likelihood on ℝᵖ with p = `dim`.
    ///
    /// # Errors
    /// [`FamilyError::Length`] when p is 0.
    pub fn from_dim(dim: usize) -> Result<Self, FamilyError> {
        length(Self::NAME, "mean", dim, dim.max(1))?;
        Ok(Self { dim })
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.dim
    }
}

impl ConjugateLikelihood for MvGaussianMeanPrecision {
    type Value = ArrayRef1<f64>;
    type Prior = NormalWishart;
    type Predictive = MvStudentT;
    const NAME: &'static str = "MvGaussianMeanPrecision";

    fn n_params(&self) -> usize {
        2 + self.dim + vech_len(self.dim)
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += 0.5 * weight;
        add_square(x, weight, out);
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        log_base_measure(x, self.dim)
    }
    fn predictive(&self, prior: &NormalWishart) -> Result<MvStudentT, FamilyError> {
        length(Self::NAME, "mean of the prior", prior.dim(), self.dim)?;
        student_t(prior.mean(), prior.precision_marginal(), Some(prior.count()))
    }
}

impl ConjugateLikelihood for MvGaussianMeanCovariance {
    type Value = ArrayRef1<f64>;
    type Prior = NormalInverseWishart;
    type Predictive = MvStudentT;
    const NAME: &'static str = "MvGaussianMeanCovariance";

    fn n_params(&self) -> usize {
        2 + self.dim + vech_len(self.dim)
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] -= 0.5 * weight;
        add_square(x, weight, out);
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        log_base_measure(x, self.dim)
    }
    fn predictive(&self, prior: &NormalInverseWishart) -> Result<MvStudentT, FamilyError> {
        length(Self::NAME, "mean of the prior", prior.dim(), self.dim)?;
        let twin = prior.precision_twin();
        student_t(prior.mean(), twin.precision_marginal(), Some(prior.count()))
    }
}

fn known_mean(name: &'static str, mean: &ArrayRef1<f64>) -> Result<Array1<f64>, FamilyError> {
    length(name, "mean", mean.len(), mean.len().max(1))?;
    finite_vector(name, "mean", mean)?;
    Ok(mean.to_owned())
}

/// Adds weight · dual(−½ddᵀ) behind the first entry.
fn add_outer(d: impl Fn(usize) -> f64, p: usize, weight: f64, out: &mut ArrayRef1<f64>) {
    for i in 0..p {
        for j in 0..=i {
            let half = if i == j { 0.5 } else { 1.0 };
            out[1 + vech_index(i, j)] -= half * weight * d(i) * d(j);
        }
    }
}

/// Adds the part of −½(x − μ)ᵀΛ(x − μ) that multiplies (vech(Λ), Λμ, μᵀΛμ).
fn add_square(x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
    let p = x.len();
    add_outer(|i| x[i], p, weight, out);
    for i in 0..p {
        out[1 + vech_len(p) + i] += weight * x[i];
    }
    out[1 + vech_len(p) + p] -= 0.5 * weight;
}

fn is_vector(x: &ArrayRef1<f64>, p: usize) -> bool {
    x.len() == p && x.iter().all(|v| v.is_finite())
}

fn log_base_measure(x: &ArrayRef1<f64>, p: usize) -> f64 {
    if is_vector(x, p) { -0.5 * p as f64 * LOG_TWO_PI } else { f64::NEG_INFINITY }
}

/// N(μ, Λ⁻¹) with Λ ~ `precision`, and μ ~ N(location, (count · Λ)⁻¹) where there is a count.
fn student_t(
    location: &Array1<f64>,
    precision: &Wishart,
    count: Option<f64>,
) -> Result<MvStudentT, FamilyError> {
    let dof = precision.dof() - (precision.order() - 1) as f64;
    let widening = count.map_or(1.0, |k| 1.0 + 1.0 / k);
    // The scale is a multiple of W⁻¹, whose factor is at hand.
    let factor = precision.inverse_scale_factor()?.as_ref() * (widening / dof).sqrt();
    MvStudentT::from_factor(location.clone(), factor, dof)
}
