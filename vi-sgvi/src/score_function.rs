//! The score-function estimator.

use ndarray::{ArrayRef1, ArrayView1, ArrayViewMut1};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::baseline::{Baseline, LeaveOneOut, NoBaseline};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator};
use crate::workspace::{Workspace, chunk_values, matrix, matrix_mut};

/// The score-function (REINFORCE, likelihood-ratio) estimator: any log joint, any family, discrete latents
/// included.
///
/// ```text
/// ĝ = Σ_s w_s ∇_λ log q_λ(z_s),   f_s = log p(x, z_s) − log q_λ(z_s),   z_s ~ q_λ
/// ```
/// The weights w_s come from f through the baseline `B`: [`NoBaseline`] or [`LeaveOneOut`].
///
/// Requirements: `M: LogJoint`, any [`VariationalFamily`]. Cost: S log joints and S scores; memory O(S·D).
///
/// Source: Ranganath, Gerrish & Blei 2014, eq. 2–3, <https://arxiv.org/abs/1401.0118>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreFunction<B> {
    /// The number S of samples per gradient.
    pub n_samples: usize,
    /// What is subtracted from the log ratios.
    pub baseline: B,
}

impl ScoreFunction<NoBaseline> {
    /// Without baseline.
    pub fn naive(n_samples: usize) -> Self {
        Self { n_samples, baseline: NoBaseline }
    }
}

impl ScoreFunction<LeaveOneOut> {
    /// With the leave-one-out baseline; S ≥ 2.
    pub fn leave_one_out(n_samples: usize) -> Self {
        Self { n_samples, baseline: LeaveOneOut }
    }
}

impl<M, F, B> GradientEstimator<M, F> for ScoreFunction<B>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    B: Baseline,
{
    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        workspace: &mut Workspace,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), self.n_samples);
        if n < B::MIN_SAMPLES {
            return Err(SgviError::TooFewSamples { estimator: B::NAME, minimum: B::MIN_SAMPLES, actual: n });
        }
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        let d = q.dim();

        // First pass: draws and log ratios, in disjoint rows.
        workspace.reserve(n, d);
        exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |samples, values, z| {
            let mut z = matrix_mut(z, d);
            q.sample_batch(key, samples, &mut z);
            let (log_joint, log_q) = chunk_values(values);
            model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
        })?;
        let estimate = workspace.log_ratios(n, model, |s, z| q.sample(&mut key.rng(s as u64), z))?;

        // Second pass: a baseline needs the log ratios of all samples before any score is weighted.
        let Workspace { rows, partials, log_ratios, weights, .. } = workspace;
        self.baseline.weights(&ArrayView1::from(&*log_ratios), &mut ArrayViewMut1::from(&mut weights[..]));
        exec.sum_in(n, grad, partials, |samples, partial| {
            let z = matrix(&rows[samples.start * d..samples.end * d], d);
            q.add_score_batch(&z, &ArrayView1::from(&weights[samples]), partial);
        })?;
        Ok(estimate)
    }

    fn cost(&self) -> Evaluations {
        Evaluations { n_log_joint: self.n_samples as u64, n_gradient: 0 }
    }
}
