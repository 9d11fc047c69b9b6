//! Reuse of past samples by importance weights.

use ndarray::{ArrayRef1, ArrayView1, ArrayViewMut1};
use vi_core::{CHUNK, ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::baseline::{Baseline, LeaveOneOut, Terms};
use crate::elbo::Elbo;
use crate::error::{SgviError, require};
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::locality::{Joint, StoredScores};
use crate::workspace::{Columns, Workspace, matrix, matrix_mut};

mod state;

pub use state::SampleReuseState;

/// The score-function estimator over the points of the last K iterations: S new log joints, K S terms.
///
/// ```text
/// ĝ_t = 1/(KS) Σ_k Σ_s u_ks (f_ks − c_s) ∇ log q_t(z_ks),   f = log p(x, z) − log q_t(z),   z_ks ~ q_{λ_k}
/// u_ks = q_t(z_ks) / (1/K) Σ_j q_{λ_j}(z_ks)
/// ```
/// λ_t is among the λ_j, so that no weight exceeds K. The first iterations use as many as there are. Point s of every
/// iteration makes up group s: the baseline of a group comes from the other groups, whose law is that of any group.
///
/// **Biased inside a run**, because λ_t depends on the points that are used again. For a sequence of λ that is fixed
/// beforehand it is unbiased.
///
/// Requirements: `M: LogJoint`, any [`VariationalFamily`]; a baseline that remembers nothing (a moving average would
/// remember points that come again), and for [`crate::ControlVariate`] K ≤ 2. Cost: S log joints, 2K S densities and K members bound
/// again, K S scores; memory K S (D + 1 + K) numbers, which are part of the checkpoint. It pays where the log joint costs
/// more than K densities and λ moves little in K iterations.
///
/// Source: Veach & Guibas 1995, §3.3 (balance heuristic); Sakaya & Klami 2017, §3, <https://arxiv.org/abs/1704.05786>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleReuse<B = LeaveOneOut> {
    /// The number S of new samples per gradient.
    pub n_samples: usize,
    /// The number K of iterations whose samples are used, the present one included.
    pub n_iterations: usize,
    /// What is subtracted from the log ratios.
    pub baseline: B,
}

impl SampleReuse<LeaveOneOut> {
    /// With the leave-one-out baseline; S ≥ 2.
    pub fn leave_one_out(n_samples: usize, n_iterations: usize) -> Self {
        Self { n_samples, n_iterations, baseline: LeaveOneOut }
    }
}

impl<B: Baseline<State = ()>> SampleReuse<B> {
    fn check(&self) -> Result<(), SgviError> {
        let (n, k) = (self.n_samples, self.n_iterations);
        let minimum = self.baseline.min_groups().max(1);
        if n < minimum {
            return Err(SgviError::TooFewSamples { estimator: self.baseline.name(), minimum, actual: n });
        }
        require(k > 0, "n_iterations", k as f64, "at least 1")?;
        if self.baseline.whole_groups() && k > 2 {
            let requirement = "n_iterations at most 2 with this baseline";
            return Err(SgviError::Groups { n_samples: n, group: k, requirement });
        }
        Ok(())
    }

    /// Draws the new points and evaluates them; an error leaves them out of the state.
    fn draw<M, Q>(
        &self,
        model: &M,
        q: &Q,
        key: StreamKey,
        exec: Exec<'_>,
        state: &mut SampleReuseState,
    ) -> Result<(), SgviError>
    where
        M: LogJoint + ?Sized,
        Q: VariationalDistribution,
    {
        let (n, d) = (self.n_samples, q.dim());
        let new = state.begin();
        exec.map_chunks(n, state.points_mut(new), &mut [], |samples, z, _| {
            q.sample_batch(key, samples, &mut matrix_mut(z, d));
        })?;
        let (points, log_joint) = state.points_and_log_joint_mut(new);
        exec.map_chunks(n, log_joint, &mut [], |samples, out, _| {
            let z = matrix(&points[samples.start * d..samples.end * d], d);
            model.log_joint_batch(&z, &mut ArrayViewMut1::from(out));
        })?;
        state.check_finite(new, model)
    }

    /// The densities of the points of slot `points` under `q`, the member of slot `of`.
    fn densities<Q: VariationalDistribution>(
        &self,
        q: &Q,
        exec: Exec<'_>,
        state: &mut SampleReuseState,
        points: usize,
        of: usize,
    ) -> Result<(), SgviError> {
        let d = q.dim();
        let (z, out) = state.points_and_densities_mut(points, of);
        exec.map_chunks(self.n_samples, out, &mut [], |samples, out, _| {
            let z = matrix(&z[samples.start * d..samples.end * d], d);
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(out));
        })?;
        Ok(())
    }

    /// Lays the points out group after group: point s of every iteration, the oldest first.
    fn lay_out(&self, state: &SampleReuseState, d: usize, workspace: &mut Workspace) -> Columns {
        let (n, columns, group) = (self.n_samples, Columns { weighted: true, local: 0 }, state.n_used());
        workspace.reserve(n * group, d, columns);
        let chunks = workspace.values.chunks_mut(3 * CHUNK).zip(workspace.rows.chunks_mut(d * CHUNK));
        for (c, (values, rows)) in chunks.enumerate() {
            let [log_joint, log_q, log_weights, _] = columns.split(values);
            for (i, z) in rows.chunks_mut(d).enumerate() {
                let (s, slot) = ((c * CHUNK + i) / group, state.used((c * CHUNK + i) % group));
                z.copy_from_slice(&state.points(slot)[s * d..(s + 1) * d]);
                log_joint[i] = state.log_joint(slot)[s];
                log_q[i] = state.densities(slot, state.newest())[s];
                log_weights[i] = log_q[i] - state.log_mean_density(slot, s);
            }
        }
        columns
    }
}

impl<M, F, B> GradientEstimator<M, F> for SampleReuse<B>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    B: Baseline<State = ()>,
{
    type State = SampleReuseState;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<SampleReuseState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        self.check()?;
        let (model, family) = (elbo.model(), elbo.family());
        let q = family.bind(params)?;
        let (n, d) = (self.n_samples, q.dim());
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        let Memory { state, workspace } = memory;
        state.fit(self.n_iterations, n, d, params.len());
        self.draw(model, &q, key, exec, state)?;
        state.commit(params);

        let new = state.newest();
        for i in 0..state.n_used() {
            let slot = state.used(i);
            self.densities(&q, exec, state, slot, new)?;
            if slot != new {
                // Members borrow their parameters: a copy, so that the state can be written to.
                workspace.scratch(params.len()).copy_from_slice(state.params(slot));
                let past = ArrayView1::from(&*workspace.scratch(params.len()));
                self.densities(&family.bind(&past)?, exec, state, new, slot)?;
            }
        }

        let (columns, group) = (self.lay_out(state, d, workspace), state.n_used());
        let redraw = |s: usize, z: &mut ArrayRef1<f64>| {
            let (slot, s) = (state.used(s % group), s / group);
            z.assign(&ArrayView1::from(&state.points(slot)[s * d..(s + 1) * d]));
        };
        let estimate = workspace.log_ratios(n * group, group, columns, model, redraw)?;
        let (log_ratios, importance, points, scratch) = workspace.terms(n * group, columns);
        let scores = StoredScores { model, q: &q, locality: &Joint, points, dim: d };
        let terms = Terms { n_samples: n * group, group, log_ratios, importance, scores: &scores };
        self.baseline.combine(&mut (), &terms, exec, scratch, grad)?;
        Ok(estimate)
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_log_joint: self.n_samples as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        format!("samples of {} iterations, {}", self.n_iterations, self.baseline.name())
    }

    fn bias(&self) -> Option<&'static str> {
        Some("the parameters depend on the past points that are used again")
    }
}
