//! The log-normal distribution with log-mean and dispersion unknown: Gaussian pairs of log x.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::{ConjugateLikelihood, GaussianMeanPrecision, GaussianMeanVariance};
use crate::distributions::{LogNormal, NormalGamma, NormalInverseGamma};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::{LogStudentT, StudentT};

/// A log-normal datum x > 0 with unknown mean and precision of log x, (μ, τ) ~ [`NormalGamma`].
///
/// ```text
/// m(x) = (½, −½ log²x, log x, −½)      h(x) = (2π)^(−1/2) / x
/// x̂ ~ LogStudentT(dof = 2 shape, location = mean, scale = √(rate (1 + 1/count)/shape))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogNormalLogMeanPrecision;

/// A log-normal datum x > 0 with unknown mean and variance of log x, (μ, σ²) ~ [`NormalInverseGamma`].
///
/// ```text
/// m(x) = (−½, −½ log²x, log x, −½)      h(x) = (2π)^(−1/2) / x
/// x̂ ~ LogStudentT(dof = 2 shape, location = mean, scale = √(scale (1 + 1/count)/shape))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogNormalLogMeanVariance;

impl ConjugateLikelihood for LogNormalLogMeanPrecision {
    type Value = f64;
    type Prior = NormalGamma;
    type Predictive = LogStudentT;
    const NAME: &'static str = "LogNormalLogMeanPrecision";

    fn n_params(&self) -> usize {
        4
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        GaussianMeanPrecision.add_message(&x.ln(), weight, out);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        LogNormal::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &NormalGamma) -> Result<LogStudentT, FamilyError> {
        exponential_of(&GaussianMeanPrecision.predictive(prior)?)
    }
}

impl ConjugateLikelihood for LogNormalLogMeanVariance {
    type Value = f64;
    type Prior = NormalInverseGamma;
    type Predictive = LogStudentT;
    const NAME: &'static str = "LogNormalLogMeanVariance";

    fn n_params(&self) -> usize {
        4
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        GaussianMeanVariance.add_message(&x.ln(), weight, out);
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        LogNormal::log_base_measure_given(&(), x)
    }
    fn predictive(&self, prior: &NormalInverseGamma) -> Result<LogStudentT, FamilyError> {
        exponential_of(&GaussianMeanVariance.predictive(prior)?)
    }
}

/// The law of eᵗ.
fn exponential_of(t: &StudentT) -> Result<LogStudentT, FamilyError> {
    LogStudentT::from_dof_location_scale(t.dof(), t.location(), t.scale())
}
