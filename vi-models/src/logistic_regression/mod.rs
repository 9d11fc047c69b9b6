//! Logistic regression.
//!
//! ```text
//! y_n | β ~ Bernoulli(σ(x_nᵀβ))      n = 1 … N,  y_n ∈ {0, 1}
//! β_j ~ N(0, s_j²)
//! ```
//! z = β, the intercept (if any) first. The log joint of S samples is one matrix product X Zᵀ; the terms with y
//! collapse to (Xᵀy)ᵀβ.
//!
//! Augmented with ω_n ~ PG(1, 0) the model is conditionally conjugate (Polson, Scott & Windle 2013):
//!
//! ```text
//! p(y_n | β) = ½ exp(κ_n η_n) E_ω[exp(−ω_n η_n²/2)],   κ_n = y_n − ½,  η_n = x_nᵀβ
//! β | ω ~ N(m, V),  V⁻¹ = diag(1/s²) + Xᵀ diag(ω) X,  m = V Xᵀκ        ω_n | β ~ PG(1, η_n)
//! ```
//! The density of ω is taken against the PG(1, 0) measure: log p(ω_n) = 0 and
//! log q(ω_n) = log cosh(c_n/2) − c_n²ω_n/2. Coordinate ascent on it is the bound of Jaakkola & Jordan (2000).
//!
//! Sources: N. G. Polson, J. G. Scott & J. Windle, JASA 108 (2013) 1339–1349; T. S. Jaakkola & M. I. Jordan,
//! *Bayesian parameter estimation via variational methods*, Statistics and Computing 10 (2000) 25–37;
//! D. Durante & T. Rigon, *Conditionally conjugate mean-field variational Bayes for logistic models*,
//! Statistical Science 34 (2019) 472–485 (their equality).

mod capabilities;
mod conjugate;
mod exchangeable;
mod expectation;
mod likelihood;
mod natural;
mod polya_gamma;

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};

use crate::ModelError;
use crate::checks::{LOG_2_PI, positive};
use crate::regression::{RegressionData, at_one_point};
use likelihood::Likelihood;

pub use capabilities::LogisticRegressionMinibatch;
pub use conjugate::{LogisticRegressionBlock, LogisticRegressionFactors, LogisticRegressionStats};
pub use exchangeable::LogisticRegressionBatch;
pub use polya_gamma::PolyaGamma;

const MODEL: &str = "logistic_regression";

/// The priors of the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegressionPriors {
    /// The prior standard deviation s > 0 of every coefficient. Default 2.5, weakly informative for covariates
    /// of unit scale.
    pub scale: f64,
    /// That of the intercept, > 0. Default: as for the other coefficients.
    pub intercept_scale: Option<f64>,
}

impl Default for LogisticRegressionPriors {
    fn default() -> Self {
        Self { scale: 2.5, intercept_scale: None }
    }
}

/// Logistic regression; see the [module](self).
#[derive(Clone, Debug)]
pub struct LogisticRegression {
    data: RegressionData,
    priors: LogisticRegressionPriors,
    prior: Prior,
    likelihood: Likelihood,
    /// Xᵀκ, κ_n = y_n − ½ (D).
    shift: Array1<f64>,
    space: ParameterSpace,
}

/// The Gaussian prior of the coefficients.
#[derive(Clone, Debug)]
struct Prior {
    /// 1/s² (D).
    precisions: Array1<f64>,
    /// ½ Σ log(1/s²) − D/2 log 2π.
    log_constant: f64,
}

impl Prior {
    fn new(priors: &LogisticRegressionPriors, data: &RegressionData) -> Self {
        let mut precisions = Array1::from_elem(data.n_columns(), priors.scale.powi(-2));
        if let (true, Some(s)) = (data.has_intercept(), priors.intercept_scale) {
            precisions[0] = s.powi(-2);
        }
        let log_constant = precisions.iter().map(|p| 0.5 * (p.ln() - LOG_2_PI)).sum();
        Self { precisions, log_constant }
    }

    /// Σ_j β_j²/s_j².
    fn squares(&self, z: &ArrayRef1<f64>) -> f64 {
        self.precisions.iter().zip(z).map(|(p, b)| p * b * b).sum()
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_constant - 0.5 * self.squares(z)
    }

    /// The log density of coefficient `b`.
    fn log_prob_of(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let p = self.precisions[b];
        0.5 * (p.ln() - LOG_2_PI - p * z[b] * z[b])
    }

    /// Adds the log density of every row to `out` and its gradient to `grad`.
    fn add_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, grad: Option<&mut ArrayRef2<f64>>) {
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o += self.log_prob(&row);
        }
        for (mut g, row) in grad.into_iter().flat_map(|g| g.rows_mut().into_iter().zip(z.rows())) {
            for ((g, b), p) in g.iter_mut().zip(row).zip(&self.precisions) {
                *g -= p * b;
            }
        }
    }
}

impl LogisticRegression {
    /// The regression of `data`, whose responses are 0 or 1, under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the response that is neither 0 nor 1, or the prior parameter outside its domain.
    pub fn new(data: RegressionData, priors: LogisticRegressionPriors) -> Result<Self, ModelError> {
        positive(MODEL, "scale", priors.scale)?;
        positive(MODEL, "intercept_scale", priors.intercept_scale.unwrap_or(1.0))?;
        if let Some((row, &value)) = data.y().iter().enumerate().find(|(_, y)| **y != 0.0 && **y != 1.0) {
            let requirement = "0 or 1";
            return Err(ModelError::Datum { model: MODEL, data: "y", row, column: 0, value, requirement });
        }
        let space = ParameterSpace::new(data.coefficient_parameters())?;
        let prior = Prior::new(&priors, &data);
        let likelihood = Likelihood::new(data.x().clone(), data.y(), 1.0);
        let shift = data.x().t().dot(&data.y().mapv(|y| y - 0.5));
        Ok(Self { data, priors, prior, likelihood, shift, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &LogisticRegressionPriors {
        &self.priors
    }

    fn evaluate(
        &self,
        likelihood: &Likelihood,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<&mut ArrayRef2<f64>>,
    ) {
        likelihood.evaluate(z, out, grad.as_deref_mut());
        self.prior.add_batch(z, out, grad);
    }

    fn log_joint_with(&self, likelihood: &Likelihood, z: &ArrayRef1<f64>) -> f64 {
        at_one_point(z, None, |z, out, grad| self.evaluate(likelihood, z, out, grad))
    }

    fn log_joint_and_grad_with(
        &self,
        likelihood: &Likelihood,
        z: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) -> f64 {
        at_one_point(z, Some(grad), |z, out, grad| self.evaluate(likelihood, z, out, grad))
    }
}

impl LogJoint for LogisticRegression {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_with(&self.likelihood, z)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(&self.likelihood, z, out, None);
    }
}

impl GradLogJoint for LogisticRegression {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad_with(&self.likelihood, z, grad)
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.evaluate(&self.likelihood, z, out, Some(grad));
    }
}
