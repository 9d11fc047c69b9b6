//! Gaussian processes with a squared-exponential covariance and unknown length scale and magnitude.
//!
//! ```text
//! K_ij = α² exp(−(x_i − x_j)²/(2ρ²)),    ρ ~ Gamma(25, 4) and α ~ half-normal(2) by default
//! ```
//! [`GaussianProcessRegression`] has a real response, [`GaussianProcessPoisson`] counts. Both factorise the
//! covariances of eight samples side by side and take gradients backwards through the factorisation, for which the
//! number of inputs should be in the tens; the cost is N³/3 operations a sample.
//!
//! Sources: C. E. Rasmussen & C. K. I. Williams, *Gaussian Processes for Machine Learning* (2006), §2.2, §5.4.1;
//! the defaults are those of posteriordb's `gp_regr` and `gp_pois_regr`.

mod kernel;
mod poisson;
mod regression;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::checks::finite_vector;
use crate::prior::PositivePrior;

pub use poisson::GaussianProcessPoisson;
pub use regression::GaussianProcessRegression;

/// Name of the models in errors.
const MODEL: &str = "gaussian_process";

/// The priors of ρ, α and, in the regression, σ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianProcessPriors {
    /// The prior of the length scale ρ. Default Gamma(25, 4).
    pub length_scale: PositivePrior,
    /// The prior of the magnitude α. Default half-normal with scale 2.
    pub magnitude: PositivePrior,
    /// The prior of the noise variance σ, in the regression. Default half-normal with scale 1.
    pub noise: PositivePrior,
}

impl Default for GaussianProcessPriors {
    fn default() -> Self {
        Self {
            length_scale: PositivePrior::Gamma { shape: 25.0, rate: 4.0 },
            magnitude: PositivePrior::HalfNormal { scale: 2.0 },
            noise: PositivePrior::HalfNormal { scale: 1.0 },
        }
    }
}

impl GaussianProcessPriors {
    fn check(&self) -> Result<(), ModelError> {
        self.length_scale.check(MODEL, "length_scale")?;
        self.magnitude.check(MODEL, "magnitude")?;
        self.noise.check(MODEL, "noise")
    }

    /// log p(ρ) + log p(α) without constants.
    fn log_kernel(&self, rho: f64, alpha: f64) -> f64 {
        self.length_scale.log_kernel(rho) + self.magnitude.log_kernel(alpha)
    }
}

/// Inputs and responses, finite and of one length.
fn check_data(x: &ArrayRef1<f64>, name: &'static str, response: &ArrayRef1<f64>) -> Result<(), ModelError> {
    finite_vector(MODEL, "x", x)?;
    finite_vector(MODEL, name, response)?;
    if x.len() != response.len() {
        let (expected, actual) = (x.len(), response.len());
        return Err(ModelError::Length { model: MODEL, data: name, expected, actual });
    }
    Ok(())
}

/// A copy without strides.
fn contiguous(values: Array1<f64>) -> Array1<f64> {
    if values.is_standard_layout() { values } else { values.iter().copied().collect() }
}
