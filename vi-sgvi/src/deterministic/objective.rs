//! The ELBO of a mean-field Gaussian at fixed draws.

use ndarray::{Array1, Array2, ArrayRef1, Zip, s};
use serde::{Deserialize, Serialize};
use vi_core::{Exec, GradLogJoint};
use vi_families::{MeanFieldGaussian, VariationalFamily};

use super::draws::FixedDraws;
use crate::error::SgviError;
use crate::scores::Scores;

/// Half the width of the differences of gradients, in standard deviations of q: the error of a product with the Hessian is
/// about its square, and rounding errors of the gradient divided by it.
const DIFFERENCE: f64 = 2e-5;

/// F(λ) = (1/S) Σ_s log p(x, m + s ⊙ ε_s) + H[q_λ], λ = (m, log s): the ELBO with its expectation replaced by the mean over
/// draws that stay the same.
///
/// Steps, Hessian and gradient norm are in the coordinates λ = λ₀ + Tx, T = diag(s, 1/√2), in which the Fisher information
/// of q is the identity: whatever the units of z, one is one standard deviation.
#[derive(Debug)]
pub(super) struct Objective<'a, M: ?Sized> {
    pub(super) model: &'a M,
    pub(super) family: &'a MeanFieldGaussian,
    pub(super) draws: &'a FixedDraws,
    pub(super) exec: Exec<'a>,
}

/// F and ∇F (2D) at some λ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Evaluation {
    pub(super) value: f64,
    pub(super) grad: Array1<f64>,
}

impl<M: GradLogJoint + ?Sized> Objective<'_, M> {
    pub(super) fn dim(&self) -> usize {
        self.model.dim()
    }

    /// m + s ⊙ ε_s (S, D).
    pub(super) fn points(&self, params: &ArrayRef1<f64>) -> Array2<f64> {
        let d = self.dim();
        let sd = params.slice(s![d..]).mapv(f64::exp);
        self.draws.noise() * &sd + params.slice(s![..d])
    }

    /// F and ∇F: S gradients of the log joint, folded in the order of draws.
    ///
    /// ```text
    /// ∂F/∂m = (1/S) Σ_s g_s      ∂F/∂log s = (1/S) Σ_s s ⊙ ε_s ⊙ g_s + 1
    /// ```
    pub(super) fn evaluate(&self, params: &ArrayRef1<f64>) -> Result<Evaluation, SgviError> {
        let (scores, points) = self.scores(params)?;
        scores.check(self.model, &points)?;
        self.summed(params, &scores)
    }

    /// The same at a point that may turn out to be a bad one: `None` when the log joint is −∞ at one of the draws.
    pub(super) fn try_evaluate(&self, params: &ArrayRef1<f64>) -> Result<Option<Evaluation>, SgviError> {
        let (scores, points) = self.scores(params)?;
        if scores.log_joint.iter().any(|v| *v == f64::NEG_INFINITY) {
            return Ok(None);
        }
        scores.check(self.model, &points)?;
        Ok(Some(self.summed(params, &scores)?))
    }

    fn scores(&self, params: &ArrayRef1<f64>) -> Result<(Scores, Array2<f64>), SgviError> {
        let (mut scores, points) = (Scores::default(), self.points(params));
        scores.evaluate(self.model, &points, self.exec)?;
        Ok((scores, points))
    }

    fn summed(&self, params: &ArrayRef1<f64>, scores: &Scores) -> Result<Evaluation, SgviError> {
        let (d, n) = (self.dim(), self.draws.n_draws() as f64);
        let log_sd = params.slice(s![d..]);
        let mut grad = Array1::zeros(2 * d);
        for (score, noise) in scores.grad.rows().into_iter().zip(self.draws.noise().rows()) {
            for i in 0..d {
                grad[i] += score[i] / n;
                grad[d + i] += score[i] * noise[i] / n;
            }
        }
        for i in 0..d {
            grad[d + i] = grad[d + i] * log_sd[i].exp() + 1.0;
        }
        if let Some(p) = grad.iter().position(|g: &f64| !g.is_finite()) {
            let parameter = self.family.param_names().swap_remove(p);
            return Err(SgviError::NonFiniteGradient { parameter, value: grad[p] });
        }
        let entropy = log_sd.sum() + 0.5 * d as f64 * (1.0 + std::f64::consts::TAU.ln());
        Ok(Evaluation { value: scores.log_joint.sum() / n + entropy, grad })
    }

    /// T as a vector (2D).
    pub(super) fn scale(&self, params: &ArrayRef1<f64>) -> Array1<f64> {
        let d = self.dim();
        (0..2 * d)
            .map(|p| if p < d { params[d + p].exp() } else { std::f64::consts::FRAC_1_SQRT_2 })
            .collect()
    }

    /// −T ∇²F(λ) T x by a central difference of gradients: 2S gradients of the log joint.
    pub(super) fn curvature(
        &self,
        params: &ArrayRef1<f64>,
        scale: &Array1<f64>,
        x: &ArrayRef1<f64>,
    ) -> Result<Array1<f64>, SgviError> {
        let norm = x.dot(x).sqrt();
        if norm == 0.0 {
            return Ok(Array1::zeros(x.len()));
        }
        let width = DIFFERENCE / norm;
        let at = |signed: f64| {
            let mut moved = params.to_owned();
            Zip::from(&mut moved).and(scale).and(x).for_each(|p, t, x| *p += signed * t * x);
            self.evaluate(&moved)
        };
        let (above, below) = (at(width)?, at(-width)?);
        Ok((below.grad - above.grad) * scale / (2.0 * width))
    }

    /// ∇ of every draw's own term of F, times T: rows (S, 2D), whose mean is T∇F.
    pub(super) fn terms(
        &self,
        params: &ArrayRef1<f64>,
        scale: &Array1<f64>,
    ) -> Result<Array2<f64>, SgviError> {
        let (scores, points) = self.scores(params)?;
        scores.check(self.model, &points)?;
        let d = self.dim();
        let mut terms = Array2::zeros((self.draws.n_draws(), 2 * d));
        let rows = terms.rows_mut().into_iter().zip(scores.grad.rows()).zip(self.draws.noise().rows());
        for ((mut row, score), noise) in rows {
            for i in 0..d {
                row[i] = score[i] * scale[i];
                row[d + i] = (score[i] * noise[i] * scale[i] + 1.0) * scale[d + i];
            }
        }
        Ok(terms)
    }
}
