//! Overdispersed proposals with a proposal and a weight for every factor, whose dispersions adapt themselves.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut1};
use serde::{Deserialize, Serialize};
use vi_core::{CHUNK, ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{DisperseFactors, FactorizedDistribution, VariationalDistribution, VariationalFamily};

use super::one_at_a_time::FactorLocality;
use super::{FactorSet, PartialEstimator, draw_points, factor_name, of_any_member, whole_gradient};
use crate::baseline::leave_one_group_out;
use crate::elbo::Elbo;
use crate::error::{NamedValues, SgviError, require};
use crate::estimator::{Evaluations, Memory};
use crate::locality::{Joint, MarkovBlanket};
use crate::workspace::{Workspace, matrix, matrix_mut};
use vi_core::scratch;

/// Overdispersed proposals, one for every factor: factor i is drawn from r_i, all others from q, so that its weight is
/// that of one factor and does not grow with the dimension.
///
/// ```text
/// z_s ~ q,   z*_si ~ r_i ∝ q_i^{1/τ_i},   u_si = q_i(z*_si)/r_i(z*_si),   f_si = log p(x, z) − log q(z) at z = (z*_si, z_s,−i)
/// ĝ_i = (1/S) Σ_s u_si (f_si − c_si) ∇ log q_i(z*_si),   c_si = Σ_{r≠s} u_ri f_ri / Σ_{r≠s} u_ri
/// ```
/// The dispersions τ_i ≥ 1 are learned ([`Adaptation`]), from the points of past iterations alone: given λ_t they do not
/// depend on those of iteration t, and nothing is biased. They are the estimator's state, part of a checkpoint.
///
/// Requirements: members are [`DisperseFactors`] (mean-field and block-diagonal Gaussians, products); S ≥ 2; with
/// [`OverdispersedFactors::rao_blackwellized`] the model is a [`vi_core::LocalLogJoint`] and every factor lies in one of its blocks.
/// Cost: S log joints, which estimate the ELBO, and S for every factor, or that many terms of one block; memory
/// O(S·(D + F)) for F factors.
///
/// Source: Ruiz, Titsias & Blei 2016, §3, <https://arxiv.org/abs/1603.01140>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverdispersedFactors<L = Joint> {
    /// The number S of draws.
    pub n_samples: usize,
    adaptation: Adaptation,
    locality: L,
}

/// How the dispersion of a proposal r ∝ q^{1/τ} follows the variance of the gradient.
///
/// ```text
/// d/dτ E_r[|u f ∇ log q|²] = τ⁻² Cov_r(|u f ∇ log q|², log q)
/// log τ ← log τ − ρ Corr_s(|u_s (f_s − c_s) ∇ log q|², log q(z_s)),   kept within [0, log τ_max]
/// ```
/// Where the large terms lie in the tails of q, the correlation is negative and τ grows. The correlation, not the
/// covariance, so that a step does not depend on the scale of the model and is no longer than ρ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adaptation {
    /// τ before the first iteration, ≥ 1; by default 1.5.
    pub start: f64,
    /// ρ ≥ 0; by default 0.05, and 0 for τ that stay.
    pub rate: f64,
    /// τ_max; by default 3. Weights have no variance any more where Gamma, Beta or Dirichlet parameters are below
    /// (τ − 1)/(2τ − 1).
    pub maximum: f64,
}

impl Default for Adaptation {
    fn default() -> Self {
        Self { start: 1.5, rate: 0.05, maximum: 3.0 }
    }
}

impl Adaptation {
    fn validate(&self) -> Result<(), SgviError> {
        require(self.start >= 1.0, "dispersion", self.start, "finite and at least 1")?;
        require(self.rate >= 0.0, "dispersion.rate", self.rate, "finite and at least 0")?;
        require(
            self.maximum >= self.start,
            "dispersion.maximum",
            self.maximum,
            "finite and at least the start",
        )
    }

    /// τ after an iteration in which |u (f − c) ∇ log q|² was `squares` where log q was `log_q`.
    fn step(&self, dispersion: f64, squares: &[f64], log_q: &[f64]) -> f64 {
        let moved = dispersion * (-self.rate * correlation(squares, log_q)).exp();
        moved.clamp(1.0, self.maximum)
    }
}

/// 0 where one of them does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let [mut aa, mut ab, mut bb] = [0.0; 3];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        ab += a * b;
        bb += b * b;
    }
    let scale = (aa * bb).sqrt();
    if scale > 0.0 && scale.is_finite() { ab / scale } else { 0.0 }
}

/// What [`OverdispersedFactors`] remembers: τ of every factor of q.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DispersionState {
    dispersions: Vec<f64>,
}

impl DispersionState {
    /// τ of every factor; empty before the first iteration.
    pub fn dispersions(&self) -> &[f64] {
        &self.dispersions
    }
}

impl OverdispersedFactors {
    /// Around S draws, with the default [`Adaptation`].
    pub fn new(n_samples: usize) -> Self {
        Self { n_samples, adaptation: Adaptation::default(), locality: Joint }
    }
}

impl<L> OverdispersedFactors<L> {
    /// The same with another adaptation.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn with_adaptation(self, adaptation: Adaptation) -> Result<Self, SgviError> {
        adaptation.validate()?;
        Ok(Self { adaptation, ..self })
    }

    /// The same with the terms of a factor's block alone.
    pub fn rao_blackwellized(self) -> OverdispersedFactors<MarkovBlanket> {
        let Self { n_samples, adaptation, .. } = self;
        OverdispersedFactors { n_samples, adaptation, locality: MarkovBlanket }
    }

    /// How τ moves.
    pub fn adaptation(&self) -> Adaptation {
        self.adaptation
    }
}

const NAME: &str = "overdispersed factors";

/// What is known of the point of one sample and one factor; each is contiguous within a chunk of samples.
const N_VALUES: usize = 4;
/// The log joint, less the log density of the other factors where the whole one is asked for. The first of them.
const LOG_JOINT: usize = 0;
const LOG_Q: usize = 1;
const LOG_WEIGHT: usize = 2;
const SQUARED_SCORE: usize = 3;

/// What the passes over the samples share.
struct Pass<'a, M: ?Sized, Q, R, L> {
    model: &'a M,
    q: &'a Q,
    proposal: &'a R,
    locality: &'a L,
    factors: FactorSet<'a>,
    n_samples: usize,
    /// Values of a sample: [`N_VALUES`] for every factor of the set.
    width: usize,
    key: StreamKey,
}

impl<M, Q, R, L> Pass<'_, M, Q, R, L>
where
    M: LogJoint + ?Sized,
    Q: FactorizedDistribution,
    R: FactorizedDistribution,
    L: FactorLocality<M>,
{
    /// Overwrites `z` at factor i with the draw of `sample` from its proposal.
    fn draw(&self, i: usize, sample: usize, z: &mut ArrayRef1<f64>) {
        self.proposal.sample_factor(i, &mut self.key.fold_in(i as u64).rng(sample as u64), z);
    }

    /// Draws the factors anew in the rows of `fresh` (n, D), and evaluates each around the draws `points` (n, D).
    fn evaluate(&self, samples: Range<usize>, points: &[f64], values: &mut [f64], fresh: &mut [f64]) {
        let (n, d) = (samples.len(), self.q.dim());
        let mut fresh = matrix_mut(fresh, d);
        scratch::with(n * (d + 1), |scratch| {
            let (rows, log_q) = scratch.split_at_mut(n * d);
            rows.copy_from_slice(points);
            let mut z = matrix_mut(rows, d);
            // With the log density of the other factors f varies less; for one block alone they are beside the point.
            let whole = self.locality.known_at_draws();
            if whole {
                self.q.log_prob_batch(&z, &mut ArrayViewMut1::from(&mut *log_q));
            }
            let of_factors = values.chunks_mut(N_VALUES * n);
            for (i, values) in self.factors.factors(self.q).zip(of_factors) {
                for (s, mut row) in samples.clone().zip(fresh.rows_mut()) {
                    self.draw(i, s, &mut row);
                }
                let of_factor = |z: &ArrayRef1<f64>| self.q.log_prob_factor(i, z);
                if whole {
                    log_q.iter_mut().zip(z.rows()).for_each(|(log_q, z)| *log_q -= of_factor(&z));
                }
                exchange(&mut z, &mut fresh, self.q.factor(i));
                self.describe(i, &z, values);
                exchange(&mut z, &mut fresh, self.q.factor(i));
                if whole {
                    values[..n].iter_mut().zip(&*log_q).for_each(|(f, others)| *f -= others);
                    log_q.iter_mut().zip(z.rows()).for_each(|(log_q, z)| *log_q += of_factor(&z));
                }
            }
        });
    }

    /// The values of factor i at the points `z`, of which it holds draws from its proposal.
    fn describe(&self, i: usize, z: &ArrayRef2<f64>, values: &mut [f64]) {
        let n = z.nrows();
        let log_joint = &mut values[LOG_JOINT * n..(LOG_JOINT + 1) * n];
        self.locality.log_joints(self.model, self.q.factor(i), z, &mut ArrayViewMut1::from(log_joint));
        scratch::with(self.q.n_params(), |score| {
            let mut score = ArrayViewMut1::from(score);
            for (s, z) in z.rows().into_iter().enumerate() {
                let log_q = self.q.log_prob_factor(i, &z);
                self.q.factor_params(i).for_each(|p| score[p] = 0.0);
                self.q.add_score_factor(i, &z, 1.0, &mut score);
                values[LOG_Q * n + s] = log_q;
                values[LOG_WEIGHT * n + s] = log_q - self.proposal.log_prob_factor(i, &z);
                values[SQUARED_SCORE * n + s] = self.q.factor_params(i).map(|p| score[p] * score[p]).sum();
            }
        });
    }

    /// Overwrites `out` (S) with value `which` of factor number `j` of the set.
    fn column(&self, values: &[f64], j: usize, which: usize, out: &mut [f64]) {
        for (of_chunk, out) in values.chunks(self.width * CHUNK).zip(out.chunks_mut(CHUNK)) {
            let start = (N_VALUES * j + which) * out.len();
            out.copy_from_slice(&of_chunk[start..start + out.len()]);
        }
    }

    /// Overwrites `weights` (S, a factor after the other) with the weights of the scores, and moves the dispersions.
    fn weigh(
        &self,
        adaptation: Adaptation,
        values: &[f64],
        weights: &mut [f64],
        dispersions: &mut [f64],
    ) -> Result<(), SgviError> {
        let n = self.n_samples;
        scratch::with(3 * n, |scratch| {
            let (f, rest) = scratch.split_at_mut(n);
            let (u, log_q) = rest.split_at_mut(n);
            let of_factors = weights.chunks_mut(n);
            for (j, (i, weights)) in self.factors.factors(self.q).zip(of_factors).enumerate() {
                self.column(values, j, LOG_JOINT, f);
                self.column(values, j, LOG_Q, log_q);
                self.column(values, j, LOG_WEIGHT, u);
                for (s, (f, log_q)) in f.iter_mut().zip(&*log_q).enumerate() {
                    if !(f.is_finite() && log_q.is_finite()) {
                        return Err(self.non_finite(i, s, *f, *log_q));
                    }
                    *f -= log_q;
                }
                u.iter_mut().for_each(|u| *u = u.exp());
                leave_one_group_out(f, |s| u[s], 1, weights);
                // From here on u holds the squares of the terms.
                self.column(values, j, SQUARED_SCORE, u);
                u.iter_mut().zip(&*weights).for_each(|(square, w)| *square *= w * w);
                dispersions[i] = adaptation.step(dispersions[i], u, log_q);
            }
            Ok(())
        })
    }

    fn non_finite(&self, i: usize, sample: usize, log_joint: f64, log_q: f64) -> SgviError {
        let mut z = ndarray::Array1::zeros(self.q.dim());
        self.q.sample(&mut self.key.rng(sample as u64), &mut z);
        self.draw(i, sample, &mut z);
        let z = NamedValues::new(self.model.parameters().names(), &z);
        if log_joint.is_finite() {
            SgviError::NonFiniteLogProb { value: log_q, sample, z }
        } else {
            SgviError::NonFiniteLogJoint { value: log_joint, sample, z }
        }
    }
}

/// Exchanges some columns of two matrices.
fn exchange(a: &mut ArrayRef2<f64>, b: &mut ArrayRef2<f64>, columns: Range<usize>) {
    for (mut a, mut b) in a.rows_mut().into_iter().zip(b.rows_mut()) {
        columns.clone().for_each(|c| std::mem::swap(&mut a[c], &mut b[c]));
    }
}

impl<M, F, L> PartialEstimator<M, F> for OverdispersedFactors<L>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: DisperseFactors,
    L: FactorLocality<M>,
{
    type State = DispersionState;

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<DispersionState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), self.n_samples);
        if n < 2 {
            return Err(SgviError::TooFewSamples { estimator: NAME, minimum: 2, actual: n });
        }
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        if let Some(i) = factors.factors(&q).find(|i| !self.locality.fits(model, q.factor(*i))) {
            return Err(SgviError::FactorAcrossBlocks { factor: factor_name(model, q.factor(i)) });
        }
        let Memory { state: DispersionState { dispersions }, workspace } = memory;
        if dispersions.len() != q.n_factors() {
            *dispersions = vec![self.adaptation.start; q.n_factors()];
        }
        let proposal = q.disperse_factors(dispersions)?;
        let estimate = draw_points(model, &q, n, key, exec, workspace)?;

        let (d, n_factors) = (q.dim(), factors.factors(&q).count());
        let Workspace { values, rows, partials, log_ratios: weights, extra: fresh, .. } = workspace;
        let (locality, width) = (&self.locality, N_VALUES * n_factors);
        let pass = Pass { model, q: &q, proposal: &proposal, locality, factors, n_samples: n, width, key };
        values.resize(n * width, 0.0);
        fresh.resize(n * d, 0.0);
        weights.resize(n * n_factors, 0.0);
        exec.map_chunks(n, values, fresh, |samples, values, fresh| {
            let points = &rows[samples.start * d..samples.end * d];
            pass.evaluate(samples, points, values, fresh);
        })?;
        pass.weigh(self.adaptation, values, weights, dispersions)?;
        exec.sum_in(n, grad, partials, |samples, partial| {
            let z = matrix(&fresh[samples.start * d..samples.end * d], d);
            for (i, weights) in factors.factors(&q).zip(weights.chunks(n)) {
                for (s, z) in samples.clone().zip(z.rows()) {
                    q.add_score_factor(i, &z, weights[s], partial);
                }
            }
        })?;
        Ok(estimate)
    }

    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations {
        let n_factors = of_any_member(elbo.family(), |q| factors.factors(q).count() as u64);
        let n = self.n_samples as u64;
        let mut cost = self.locality.evaluations(n * n_factors);
        cost.n_log_joint += n;
        cost
    }

    fn partial_name(&self) -> String {
        match self.locality.name() {
            "" => NAME.to_owned(),
            locality => format!("{locality}, {NAME}"),
        }
    }
}

whole_gradient!(OverdispersedFactors<L>, L);
