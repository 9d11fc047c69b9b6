//! Probit regression.
//!
//! ```text
//! y_n | β ~ Bernoulli(Φ(x_nᵀβ))      n = 1 … N,  y_n ∈ {0, 1}
//! β_j ~ N(0, s_j²)
//! ```
//! z = β, the intercept (if any) first. With a latent g_n whose sign is what is seen the model is conditionally conjugate:
//!
//! ```text
//! g_n | β ~ N(x_nᵀβ, 1),   y_n = [g_n > 0]
//! g_n | β, y_n ~ N(x_nᵀβ, 1) on g > 0 if y_n = 1, on g < 0 if y_n = 0
//! β | g        ~ N(V Xᵀg, V),   V⁻¹ = diag(1/s²) + XᵀX
//! ```
//! V does not depend on g: a sweep is one product with X, one with Xᵀ and N truncated means.
//!
//! The density of g_n is taken against the standard normal measure on its half-line, with t_n = ±1 for y_n = 1, 0:
//!
//! ```text
//! log p(y_n, g_n | β) = g_n η_n − η_n²/2,   η = Xβ
//! log q(g_n)          = g_n c_n − c_n²/2 − log Φ(t_n c_n)
//! ```
//! so that no second moment of g is needed. c_n = `E[η_n]`.
//!
//! Sources: J. H. Albert & S. Chib, *Bayesian analysis of binary and polychotomous response data*, JASA 88 (1993) 669–679;
//! J. T. Ormerod & M. P. Wand, *Explaining variational approximations*, The American Statistician 64 (2010) 140–153, §4.2;
//! G. Consonni & J.-M. Marin, *Mean-field variational approximate Bayesian inference for latent variable models*,
//! Computational Statistics & Data Analysis 52 (2007) 790–798, who show that its means shrink towards 0.

mod capabilities;
mod conjugate;
mod exchangeable;
mod half_normal;
mod natural;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::{ParameterSpace, linalg};
use vi_families::special::normal_log_cdf;

use crate::ModelError;
use crate::checks::{binary_response, positive};
use crate::coefficients::{CoefficientPrior, evaluate_predictors};
use crate::regression::{RegressionData, log_joint_by_evaluate};

pub use conjugate::{ProbitRegressionBlock, ProbitRegressionFactors, ProbitRegressionStats};
pub use exchangeable::ProbitRegressionBatch;

const MODEL: &str = "probit_regression";

/// The priors of the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbitRegressionPriors {
    /// The prior standard deviation s > 0 of every coefficient. Default 1.5, weakly informative for covariates of unit
    /// scale: logits are some 1.6 times probits.
    pub scale: f64,
    /// That of the intercept, > 0. Default: as for the other coefficients.
    pub intercept_scale: Option<f64>,
}

impl Default for ProbitRegressionPriors {
    fn default() -> Self {
        Self { scale: 1.5, intercept_scale: None }
    }
}

/// Probit regression; see the [module](self).
#[derive(Clone, Debug)]
pub struct ProbitRegression {
    data: RegressionData,
    priors: ProbitRegressionPriors,
    prior: CoefficientPrior,
    /// diag(1/s²) + XᵀX (D, D).
    precision: Array2<f64>,
    space: ParameterSpace,
}

impl ProbitRegression {
    /// The regression of `data`, whose responses are 0 or 1, under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the response that is neither 0 nor 1, or the prior parameter outside its domain.
    pub fn new(data: RegressionData, priors: ProbitRegressionPriors) -> Result<Self, ModelError> {
        positive(MODEL, "scale", priors.scale)?;
        positive(MODEL, "intercept_scale", priors.intercept_scale.unwrap_or(1.0))?;
        binary_response(MODEL, data.y())?;
        let intercept = priors.intercept_scale.map(|s| s.powi(-2));
        let prior = CoefficientPrior::new(&data, priors.scale.powi(-2), intercept);
        let space = ParameterSpace::new(data.coefficient_parameters())?;
        let mut precision = Array2::from_diag(&prior.precisions);
        linalg::symmetric_rank_update(1.0, &data.x().t(), 1.0, &mut precision);
        Ok(Self { data, priors, prior, precision, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &ProbitRegressionPriors {
        &self.priors
    }

    fn evaluate(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, mut grad: Option<&mut ArrayRef2<f64>>) {
        let wants_gradient = grad.is_some();
        let y = self.data.y();
        evaluate_predictors(self.data.x(), z, out, grad.as_deref_mut(), |_, eta, _| {
            let mut sum = 0.0;
            for (eta, y) in eta.iter_mut().zip(y) {
                let sign = 2.0 * y - 1.0;
                sum += normal_log_cdf(sign * *eta);
                if wants_gradient {
                    *eta = sign * half_normal::log_cdf_slope(sign * *eta);
                }
            }
            sum
        });
        self.prior.add_batch(z, out, grad);
    }
}

log_joint_by_evaluate!(ProbitRegression);
