//! The score-function estimator.

use ndarray::{ArrayRef1, ArrayViewMut1};
use vi_core::{CHUNK, ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::baseline::{Baseline, ControlVariate, LeaveOneOut, MovingAverage, NoBaseline, Terms};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::locality::{Joint, Locality, MarkovBlanket, StoredScores};
use crate::sampler::{Antithetic, Independent, QuasiMonteCarlo, SamplePlan, Sampler};
use crate::workspace::{Columns, matrix_mut};

/// The score-function (REINFORCE, likelihood-ratio) estimator: any log joint, any family, discrete latents
/// included.
///
/// ```text
/// ĝ = (1/S) Σ_s u_s (f_s − c_s) ∇_λ log q_λ(z_s),   f_s = log p(x, z_s) − log q_λ(z_s)
/// ```
/// Three types say the rest, and they compose: the [`Sampler`] draws the points z_s and gives them importance weights
/// u_s ([`Independent`]: q itself, all 1; [`Antithetic`]; [`QuasiMonteCarlo`]; [`Overdispersed`](crate::Overdispersed)); the [`Baseline`] subtracts c_s ([`NoBaseline`], [`LeaveOneOut`],
/// [`MovingAverage`], [`ControlVariate`]); the [`Locality`] is [`Joint`], or [`MarkovBlanket`] for
/// Rao–Blackwellisation, where every block of the model has an f and a c of its own.
///
/// ```
/// use vi_sgvi::ScoreFunction;
///
/// let plain = ScoreFunction::leave_one_out(64);
/// // The full BBVI of Ranganath, Gerrish & Blei (2014).
/// let full = ScoreFunction::control_variate(64).rao_blackwellized();
/// ```
/// Requirements: `M: LogJoint`, any [`VariationalFamily`], and what sampler and locality ask for. Cost: S log joints
/// and S scores; memory O(S·D).
///
/// Source: Ranganath, Gerrish & Blei 2014, eq. 2–3, <https://arxiv.org/abs/1401.0118>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreFunction<B = LeaveOneOut, S = Independent, L = Joint> {
    /// The number S of samples per gradient.
    pub n_samples: usize,
    /// What is subtracted from the log ratios.
    pub baseline: B,
    /// How points are drawn.
    pub sampler: S,
    /// Which terms of the log ratio weight which scores.
    pub locality: L,
}

impl<B> ScoreFunction<B> {
    /// With a baseline of your choice, independent draws, and the whole log ratio.
    pub fn new(n_samples: usize, baseline: B) -> Self {
        Self { n_samples, baseline, sampler: Independent, locality: Joint }
    }
}

impl ScoreFunction<NoBaseline> {
    /// Without baseline.
    pub fn naive(n_samples: usize) -> Self {
        Self::new(n_samples, NoBaseline)
    }
}

impl ScoreFunction<LeaveOneOut> {
    /// With the leave-one-out baseline; S ≥ 2.
    pub fn leave_one_out(n_samples: usize) -> Self {
        Self::new(n_samples, LeaveOneOut)
    }
}

impl ScoreFunction<MovingAverage> {
    /// With the average of past iterations as baseline.
    pub fn moving_average(n_samples: usize) -> Self {
        Self::new(n_samples, MovingAverage::default())
    }
}

impl ScoreFunction<ControlVariate> {
    /// With a control variate for every element of λ; S ≥ 2.
    pub fn control_variate(n_samples: usize) -> Self {
        Self::new(n_samples, ControlVariate)
    }
}

impl<B, S, L> ScoreFunction<B, S, L> {
    /// The same with another sampler.
    pub fn with_sampler<T>(self, sampler: T) -> ScoreFunction<B, T, L> {
        let Self { n_samples, baseline, locality, .. } = self;
        ScoreFunction { n_samples, baseline, sampler, locality }
    }

    /// The same with antithetic pairs; S even.
    pub fn antithetic(self) -> ScoreFunction<B, Antithetic, L> {
        self.with_sampler(Antithetic)
    }

    /// The same with scrambled Sobol points in so many independent randomisations, each of a power of two.
    pub fn quasi_monte_carlo(self, n_randomizations: usize) -> ScoreFunction<B, QuasiMonteCarlo, L> {
        self.with_sampler(QuasiMonteCarlo { n_randomizations })
    }

    /// The same with every block weighted by its own terms alone.
    pub fn rao_blackwellized(self) -> ScoreFunction<B, S, MarkovBlanket> {
        let Self { n_samples, baseline, sampler, .. } = self;
        ScoreFunction { n_samples, baseline, sampler, locality: MarkovBlanket }
    }
}

impl<B: Baseline, S, L> ScoreFunction<B, S, L> {
    /// The size of the groups of points, when points and groups are enough.
    fn group<Q>(&self) -> Result<usize, SgviError>
    where
        Q: VariationalDistribution,
        S: Sampler<Q>,
    {
        let n = self.n_samples;
        let too_few =
            |minimum| SgviError::TooFewSamples { estimator: self.baseline.name(), minimum, actual: n };
        if n == 0 {
            return Err(too_few(self.baseline.min_groups()));
        }
        let group = self.sampler.group_size(n)?;
        if !n.is_multiple_of(group) {
            return Err(SgviError::Groups {
                n_samples: n,
                group,
                requirement: "n_samples a multiple of the group",
            });
        }
        if n / group < self.baseline.min_groups() {
            return Err(too_few(group * self.baseline.min_groups()));
        }
        if self.baseline.whole_groups() && !CHUNK.is_multiple_of(group) {
            return Err(SgviError::Groups { n_samples: n, group, requirement: "the group a divisor of 64" });
        }
        Ok(group)
    }

    /// The estimate for a bound member.
    pub(crate) fn estimate_at<M, Q>(
        &self,
        model: &M,
        q: &Q,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<B::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>
    where
        M: LogJoint + ?Sized,
        Q: VariationalDistribution,
        S: Sampler<Q>,
        L: Locality<M, Q>,
    {
        let (n, d, group) = (self.n_samples, q.dim(), self.group::<Q>()?);
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        self.locality.check(model, q)?;
        let plan = self.sampler.plan(q, key, n)?;
        let columns = Columns { weighted: S::Plan::<'_>::WEIGHTED, local: self.locality.n_columns(model) };

        // First pass: draws and log ratios, in disjoint rows.
        let Memory { state, workspace } = memory;
        workspace.reserve(n, d, columns);
        exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |samples, values, z| {
            let mut z = matrix_mut(z, d);
            plan.draw_batch(samples, &mut z);
            let [log_joint, log_q, log_weights, local] = columns.split(values);
            model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
            let mut log_q = ArrayViewMut1::from(log_q);
            q.log_prob_batch(&z, &mut log_q);
            if columns.weighted {
                plan.log_weights_batch(&z, &log_q, &mut ArrayViewMut1::from(log_weights));
            }
            self.locality.log_ratios_batch(model, q, &z, local);
        })?;
        let estimate = workspace.log_ratios(n, group, columns, model, |s, z| plan.draw(s, z))?;

        // Second pass: a baseline needs the log ratios of all samples before any score is weighted.
        let (log_ratios, importance, points, scratch) = workspace.terms(n, columns);
        let scores = StoredScores { model, q, locality: &self.locality, points, dim: d };
        let terms = Terms { n_samples: n, group, log_ratios, importance, scores: &scores };
        self.baseline.combine(state, &terms, exec, scratch, grad)?;
        Ok(estimate)
    }
}

impl<M, F, B, S, L> GradientEstimator<M, F> for ScoreFunction<B, S, L>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    B: Baseline,
    S: for<'a> Sampler<F::Member<'a>>,
    L: for<'a> Locality<M, F::Member<'a>>,
{
    type State = B::State;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<B::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        exec.enter(|| {
            let q = elbo.family().bind(params)?;
            self.estimate_at(elbo.model(), &q, key, exec, memory, grad)
        })
    }

    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        let n = self.n_samples as u64;
        let n_columns = <L as Locality<M, F::Member<'_>>>::n_columns(&self.locality, elbo.model());
        Evaluations { n_log_joint: n, n_gradient: 0, n_log_joint_block: n * n_columns as u64 }
    }

    fn name(&self) -> String {
        let parts = [
            <L as Locality<M, F::Member<'_>>>::name(&self.locality).to_owned(),
            <S as Sampler<F::Member<'_>>>::name(&self.sampler),
            self.baseline.name().to_owned(),
        ];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
    }

    fn bias(&self) -> Option<&'static str> {
        self.baseline.bias()
    }

    fn remembers(&self) -> bool {
        self.baseline.remembers()
    }
}
