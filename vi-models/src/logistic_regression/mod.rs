//! Logistic regression.
//!
//! ```text
//! y_n | β ~ Bernoulli(σ(x_nᵀβ))      n = 1 … N,  y_n ∈ {0, 1}
//! β_j ~ N(0, s_j²)
//! ```
//! z = β, the intercept (if any) first. Beside X by rows the model holds the rows ±x_n side by side, for products with few samples
//! and for gradients; the log joint of many samples is one matrix product X Zᵀ, and the terms with y collapse to (Xᵀy)ᵀβ.
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

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::numerics::{RowPanels, sum_softplus_products};
use vi_core::{CHUNK, CommError, Exec, GradLogJoint, LogJoint, ParameterSpace};

use crate::ModelError;
use crate::checks::{binary_response, positive};
use crate::coefficients::CoefficientPrior;
use crate::regression::{RegressionData, at_one_point};
use likelihood::{SignedRows, log_likelihood, sign};

pub use capabilities::LogisticRegressionMinibatch;
pub use conjugate::{LogisticRegressionBlock, LogisticRegressionFactors, LogisticRegressionStats};
pub use exchangeable::LogisticRegressionBatch;
pub use polya_gamma::PolyaGamma;

const MODEL: &str = "logistic_regression";

/// From so many samples on a log joint without its gradient comes straight from the registers of a matrix product.
const MANY: usize = 16;

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
    prior: CoefficientPrior,
    /// The rows (1 − 2y_n) x_n.
    signed: RowPanels,
    /// Xᵀy (D).
    xty: Array1<f64>,
    /// Xᵀκ, κ_n = y_n − ½ (D).
    shift: Array1<f64>,
    space: ParameterSpace,
}

impl LogisticRegression {
    /// The regression of `data`, whose responses are 0 or 1, under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the response that is neither 0 nor 1, or the prior parameter outside its domain.
    pub fn new(data: RegressionData, priors: LogisticRegressionPriors) -> Result<Self, ModelError> {
        positive(MODEL, "scale", priors.scale)?;
        positive(MODEL, "intercept_scale", priors.intercept_scale.unwrap_or(1.0))?;
        binary_response(MODEL, data.y())?;
        let space = ParameterSpace::new(data.coefficient_parameters())?;
        let intercept = priors.intercept_scale.map(|s| s.powi(-2));
        let prior = CoefficientPrior::new(&data, priors.scale.powi(-2), intercept);
        let signed = RowPanels::new(data.x(), |n| sign(data.y()[n]));
        let xty = data.x().t().dot(data.y());
        let shift = data.x().t().dot(&data.y().mapv(|y| y - 0.5));
        Ok(Self { data, priors, prior, signed, xty, shift, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &LogisticRegressionPriors {
        &self.priors
    }

    /// The log joint with the likelihood of `rows` times `weight`, with or without its gradient.
    fn evaluate<R: SignedRows>(
        &self,
        (rows, weight): (&R, f64),
        z: &ArrayRef2<f64>,
        exec: Option<Exec<'_>>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<&mut ArrayRef2<f64>>,
    ) -> Result<(), CommError> {
        log_likelihood(rows, weight, z, exec, out, grad.as_deref_mut())?;
        self.prior.add_batch(z, out, grad);
        Ok(())
    }

    /// [`Self::evaluate`] on the calling thread.
    fn evaluate_here<R: SignedRows>(
        &self,
        likelihood: (&R, f64),
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: Option<&mut ArrayRef2<f64>>,
    ) {
        self.evaluate(likelihood, z, None, out, grad).expect("nothing is exchanged");
    }

    /// [`Self::evaluate_here`] at one point.
    fn at_one_point<R: SignedRows>(
        &self,
        likelihood: (&R, f64),
        z: &ArrayRef1<f64>,
        grad: Option<&mut ArrayRef1<f64>>,
    ) -> f64 {
        at_one_point(z, grad, |z, out, grad| self.evaluate_here(likelihood, z, out, grad))
    }
}

impl LogJoint for LogisticRegression {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.at_one_point((&self.signed, 1.0), z, None)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        if z.nrows() < MANY {
            return self.evaluate_here((&self.signed, 1.0), z, out, None);
        }
        for start in (0..z.nrows()).step_by(CHUNK) {
            let rows = start..(start + CHUNK).min(z.nrows());
            let (z, mut out) = (z.slice(s![rows.clone(), ..]), out.slice_mut(s![rows]));
            sum_softplus_products(self.data.x(), &z, &mut out);
            for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
                *o = self.xty.dot(&row) - *o;
            }
        }
        self.prior.add_batch(z, out, None);
    }
}

impl GradLogJoint for LogisticRegression {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.at_one_point((&self.signed, 1.0), z, Some(grad))
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.evaluate_here((&self.signed, 1.0), z, out, Some(grad));
    }

    fn log_joint_and_grad_batch_in(
        &self,
        exec: Exec<'_>,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) -> Result<(), CommError> {
        self.evaluate((&self.signed, 1.0), z, Some(exec), out, Some(grad))
    }
}
