//! Gaussians with independent coordinates of known variances.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::DiagonalGaussian;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::validate::length;

/// The Gaussian x ~ N(μ, diag v) on ℝᵈ with unknown mean μ and known variances v; conjugate to the
/// [`DiagonalGaussian`].
///
/// ```text
/// m(x) = (x₁/v₁, …, x_d/v_d, −1/(2v₁), …, −1/(2v_d))      log h(x) = −½ Σ (log 2πv_i + x_i²/v_i)
/// x̂ ~ N(mean, diag(variances + v))
/// ```
/// Coordinates stay independent: d times the pair of [`GaussianMean`](crate::GaussianMean).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiagonalGaussianMean {
    /// N(0, diag v).
    noise: DiagonalGaussian,
}

impl DiagonalGaussianMean {
    /// The likelihood with these known variances (d).
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1 and they are finite and positive.
    pub fn from_variance(variance: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Ok(Self { noise: DiagonalGaussian::from_mean_variance(&Array1::zeros(variance.len()), variance)? })
    }

    /// The likelihood with these known precisions (d), the reciprocals of the variances.
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1 and they are finite and positive.
    pub fn from_precision(precision: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Ok(Self { noise: DiagonalGaussian::from_mean_precision(&Array1::zeros(precision.len()), precision)? })
    }

    /// The law N(0, diag v) of x − μ.
    pub fn noise(&self) -> &DiagonalGaussian {
        &self.noise
    }
}

impl ConjugateLikelihood for DiagonalGaussianMean {
    type Value = ArrayRef1<f64>;
    type Prior = DiagonalGaussian;
    type Predictive = DiagonalGaussian;
    const NAME: &'static str = "DiagonalGaussianMean";

    fn n_params(&self) -> usize {
        self.noise.n_params()
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let d = self.noise.dim();
        for (i, (x, v)) in x.iter().zip(self.noise.variance()).enumerate() {
            out[i] += weight * (x / v);
            out[d + i] -= weight * (0.5 / v);
        }
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        let inside = x.len() == self.noise.dim() && x.iter().all(|v| v.is_finite());
        if inside { self.noise.log_prob(x) } else { f64::NEG_INFINITY }
    }
    fn predictive(&self, prior: &DiagonalGaussian) -> Result<DiagonalGaussian, FamilyError> {
        length(Self::NAME, "mean of the prior", prior.dim(), self.noise.dim())?;
        DiagonalGaussian::from_mean_variance(prior.mean(), &(prior.variance() + self.noise.variance()))
    }
}
