//! The score function for bounds from several samples.

use ndarray::{ArrayRef1, aview1};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use super::bound::{Bound, ImportanceBound, LeaveOneOutMean, of_groups};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::factors::draw_points;
use crate::workspace::{Workspace, matrix};
use vi_core::scratch;

/// VIMCO: the score function of a bound from K samples, each sample with a baseline of its own from the others.
///
/// ```text
/// ĝ = (1/M) Σ_m Σ_k (L̂ − L̂₋ₖ − w̃_k) ∇_λ log q_λ(z_k),   w̃_k = ∂L̂/∂log w_k
/// ```
/// L̂₋ₖ is L̂ with w_k replaced by a mean of the other weights, so that it does not depend on z_k and takes nothing from
/// the mean. Any log joint and any family, discrete latents included; the gradient of [`ImportanceBound`] is unbiased.
///
/// Requirements: `M: LogJoint`; K ≥ 2. Cost: M·K log joints and scores; memory O(M·K·D).
///
/// Source: Mnih & Rezende 2016, <https://arxiv.org/abs/1602.06725>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vimco {
    /// The bound, with its K.
    pub bound: ImportanceBound,
    /// The number M of groups of K samples per gradient.
    pub n_groups: usize,
    /// What stands for the weight that is left out.
    pub mean: LeaveOneOutMean,
}

impl Vimco {
    /// With the geometric mean.
    pub fn new(bound: ImportanceBound, n_groups: usize) -> Self {
        Self { bound, n_groups, mean: LeaveOneOutMean::Geometric }
    }

    /// With another mean.
    #[must_use]
    pub fn with_mean(self, mean: LeaveOneOutMean) -> Self {
        Self { mean, ..self }
    }

    fn n_samples(&self) -> usize {
        self.n_groups * self.bound.n_importance()
    }
}

impl<M, F> GradientEstimator<M, F> for Vimco
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    type State = ();

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (n, k) = (self.n_samples(), self.bound.n_importance());
        if n == 0 || k < 2 {
            return Err(SgviError::TooFewSamples { estimator: "VIMCO", minimum: 2, actual: n.min(k) });
        }
        exec.enter(|| {
            let q = elbo.family().bind(params)?;
            assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
            let workspace = &mut memory.workspace;
            draw_points(elbo.model(), &q, n, key, exec, workspace)?;
            let Workspace { log_ratios, group_means, extra, rows, partials, .. } = workspace;
            extra.resize(n, 0.0);
            let estimate = of_groups(self.bound, log_ratios, group_means, extra, |f, value, weights| {
                scratch::with(f.len(), |without| {
                    self.bound.without_each(f, self.mean, without);
                    for (w, without) in weights.iter_mut().zip(&*without) {
                        *w = (value - without - *w) / self.n_groups as f64;
                    }
                });
            });
            exec.sum_in(n, grad, partials, |samples, partial| {
                let z = matrix(&rows[samples.start * q.dim()..samples.end * q.dim()], q.dim());
                q.add_score_batch(&z, &aview1(&extra[samples]), partial);
            })?;
            Ok(estimate)
        })
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_log_joint: self.n_samples() as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        let mean = match self.mean {
            LeaveOneOutMean::Geometric => "geometric mean",
            LeaveOneOutMean::Arithmetic => "arithmetic mean",
        };
        format!("VIMCO ({}), {mean}", self.bound)
    }

    fn bound(&self) -> Bound {
        Bound::Importance(self.bound)
    }
}
