//! Estimators that vary one factor and leave the others at drawn values.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut1, s};
use vi_core::{CHUNK, ElboEstimate, Exec, LocalLogJoint, LogJoint, StreamKey};
use vi_families::{FactorizedDistribution, VariationalDistribution, VariationalFamily};

use super::{FactorSet, PartialEstimator, draw_points, factor_name, of_any_member, whole_gradient};
use crate::elbo::Elbo;
use crate::error::{NamedValues, SgviError};
use crate::estimator::{Evaluations, Memory};
use crate::locality::{Joint, MarkovBlanket};
use crate::workspace::{Workspace, matrix, matrix_mut};
use vi_core::scratch;

/// Why a rule cannot treat a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The factor does not have finitely many values.
    Values,
    /// An element of λ, with its number, has no known decomposition into a pair of measures.
    Decomposition(usize),
}

/// Which points are evaluated to learn about one factor while the others stay, and what they say about its λ_i.
pub trait FactorRule<Q>: Send + Sync {
    /// In words, for tables and errors.
    fn name(&self) -> String;
    /// Why the gradient is biased; `None` if it is not.
    fn bias(&self) -> Option<&'static str> {
        None
    }
    /// Whether the rule can treat factor `i`.
    ///
    /// # Errors
    /// [`Misfit`] says why not.
    fn check(&self, q: &Q, i: usize) -> Result<(), Misfit>;
    /// The number n of points for factor `i`.
    fn n_points(&self, q: &Q, i: usize) -> usize;
    /// How many of these points are the draw itself, whatever was drawn: their log joint is known.
    fn n_draws(&self, q: &Q, i: usize) -> usize {
        let _ = (q, i);
        0
    }
    /// Moves factor `i` in the rows of `z` (n, D), which hold a draw from q. Randomness comes from `key.rng(sample)`.
    fn set_points(&self, q: &Q, i: usize, key: StreamKey, sample: usize, z: &mut ArrayRef2<f64>);
    /// out (P) += weight · the estimate for λ_i from the points `z` (n, D) and their log joints (n), which may be
    /// overwritten. A term that does not depend on factor i may be missing in all of them.
    fn add(
        &self,
        q: &Q,
        i: usize,
        z: &ArrayRef2<f64>,
        log_joints: &mut [f64],
        weight: f64,
        out: &mut ArrayRef1<f64>,
    );
}

/// Which terms of the log joint are evaluated when one factor moves: all ([`Joint`]), or those of its block
/// ([`MarkovBlanket`]), which are fewer and say the same.
pub trait FactorLocality<M: ?Sized>: Send + Sync {
    /// In words; empty for all terms.
    fn name(&self) -> &'static str;
    /// Whether the factor over these coordinates lies in one block.
    fn fits(&self, model: &M, coordinates: Range<usize>) -> bool;
    /// Overwrites `out` (n) with the terms of the log joint at every row of `z` (n, D).
    fn log_joints(&self, model: &M, coordinates: Range<usize>, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>);
    /// Whether these terms are known at a draw from q, where the whole log joint is.
    fn known_at_draws(&self) -> bool {
        false
    }
    /// What `n` of these evaluations count as.
    fn evaluations(&self, n: u64) -> Evaluations;
}

impl<M: LogJoint + ?Sized> FactorLocality<M> for Joint {
    fn name(&self) -> &'static str {
        ""
    }
    fn fits(&self, _model: &M, _coordinates: Range<usize>) -> bool {
        true
    }
    fn log_joints(
        &self,
        model: &M,
        _coordinates: Range<usize>,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        model.log_joint_batch(z, out);
    }
    fn known_at_draws(&self) -> bool {
        true
    }
    fn evaluations(&self, n: u64) -> Evaluations {
        Evaluations { n_log_joint: n, ..Evaluations::default() }
    }
}

impl<M: LocalLogJoint + ?Sized> FactorLocality<M> for MarkovBlanket {
    fn name(&self) -> &'static str {
        "Markov blanket"
    }
    fn fits(&self, model: &M, coordinates: Range<usize>) -> bool {
        block_of(model, &coordinates).is_some()
    }
    fn log_joints(&self, model: &M, coordinates: Range<usize>, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        let b = block_of(model, &coordinates).expect("checked before the first draw");
        for (z, out) in z.rows().into_iter().zip(out.iter_mut()) {
            *out = model.log_joint_block(b, &z);
        }
    }
    fn evaluations(&self, n: u64) -> Evaluations {
        Evaluations { n_log_joint_block: n, ..Evaluations::default() }
    }
}

/// The block that holds all of these coordinates.
fn block_of<M: LocalLogJoint + ?Sized>(model: &M, coordinates: &Range<usize>) -> Option<usize> {
    let holds = |b: usize| {
        let block = model.block(b);
        block.start <= coordinates.start && coordinates.end <= block.end
    };
    // Where every coordinate is a block, its number is that of the coordinate.
    let guess = coordinates.start;
    if guess < model.n_blocks() && holds(guess) {
        Some(guess)
    } else {
        (0..model.n_blocks()).find(|b| holds(*b))
    }
}

/// The estimator that treats factor after factor, the others at values drawn from q.
///
/// ```text
/// ĝ_i = (1/S) Σ_s rule_i(z_s,−i)      with E[rule_i | z_−i] = ∇_{λ_i} E_{q_i}[log p(x, z) − log q_i(z_i)]
/// ```
/// Two types say the rest: the [`FactorRule`], and with [`FactorLocality`] which terms of the log joint it sees. See
/// [`LocalExpectations`](crate::LocalExpectations) and [`MeasureValued`](crate::MeasureValued). Requirements: members
/// of the family are [`FactorizedDistribution`]s; for [`MarkovBlanket`] the model is a [`LocalLogJoint`] and every
/// factor lies in one of its blocks. Cost: S log joints, which also estimate the ELBO, and S Σ_i n_i points, in batches
/// of about 64; of these, points that are the draw itself are not evaluated once more where the whole log joint is asked
/// for.
#[derive(Clone, Debug, PartialEq)]
pub struct OneAtATime<R, L = Joint> {
    /// The number S of draws.
    pub n_samples: usize,
    /// What is done with a factor.
    pub rule: R,
    /// Which terms of the log joint are evaluated.
    pub locality: L,
}

impl<R, L> OneAtATime<R, L> {
    /// The same with the terms of a factor's block alone.
    pub fn rao_blackwellized(self) -> OneAtATime<R, MarkovBlanket> {
        OneAtATime { n_samples: self.n_samples, rule: self.rule, locality: MarkovBlanket }
    }

    /// How many points of factor `i` need no evaluation.
    fn n_draws<M: ?Sized, Q>(&self, q: &Q, i: usize) -> usize
    where
        R: FactorRule<Q>,
        L: FactorLocality<M>,
    {
        if self.locality.known_at_draws() { self.rule.n_draws(q, i) } else { 0 }
    }

    fn label<M: ?Sized, Q>(&self) -> String
    where
        R: FactorRule<Q>,
        L: FactorLocality<M>,
    {
        match self.locality.name() {
            "" => self.rule.name(),
            locality => format!("{locality}, {}", self.rule.name()),
        }
    }
}

/// What a pass over the samples needs.
struct Pass<'a, M: ?Sized, Q, R, L> {
    model: &'a M,
    q: &'a Q,
    estimator: &'a OneAtATime<R, L>,
    factors: FactorSet<'a>,
    key: StreamKey,
    points: &'a [f64],
    /// Of every chunk of points: their log joints, then their log densities.
    values: &'a [f64],
}

impl<M, Q, R, L> Pass<'_, M, Q, R, L>
where
    M: LogJoint + ?Sized,
    Q: FactorizedDistribution,
    R: FactorRule<Q>,
    L: FactorLocality<M>,
{
    /// Calls `f(sample, points, their log joints)` for factor i and every sample.
    fn for_each(
        &self,
        i: usize,
        samples: Range<usize>,
        mut f: impl FnMut(usize, &ArrayRef2<f64>, &mut [f64]),
    ) {
        let (d, rule) = (self.q.dim(), &self.estimator.rule);
        let n_points = rule.n_points(self.q, i);
        if n_points == 0 {
            return;
        }
        let n_draws = self.estimator.n_draws::<M, Q>(self.q, i);
        let (key, batch) = (self.key.fold_in(i as u64), (CHUNK / n_points).max(1));
        for start in samples.clone().step_by(batch) {
            let part = start..(start + batch).min(samples.end);
            let n_rows = part.len() * n_points;
            scratch::with(n_rows * (d + 1), |scratch| {
                let (rows, log_joints) = scratch.split_at_mut(n_rows * d);
                for (s, rows) in part.clone().zip(rows.chunks_mut(n_points * d)) {
                    for row in rows.chunks_mut(d) {
                        row.copy_from_slice(&self.points[s * d..(s + 1) * d]);
                    }
                    rule.set_points(self.q, i, key, s, &mut matrix_mut(rows, d));
                }
                let z = matrix(rows, d);
                if n_draws == 0 {
                    let mut out = ArrayViewMut1::from(&mut *log_joints);
                    self.estimator.locality.log_joints(self.model, self.q.factor(i), &z, &mut out);
                } else {
                    self.log_joints_of_others(i, n_draws, part.clone(), &z, log_joints);
                }
                for (j, (s, log_joints)) in part.zip(log_joints.chunks_mut(n_points)).enumerate() {
                    f(s, &z.slice(s![j * n_points..(j + 1) * n_points, ..]), log_joints);
                }
            });
        }
    }

    /// Overwrites `log_joints` as the locality does, but evaluates only those rows of `z` that are not the draw of
    /// their sample; the first `n_draws` that are take its log joint.
    fn log_joints_of_others(
        &self,
        i: usize,
        n_draws: usize,
        samples: Range<usize>,
        z: &ArrayRef2<f64>,
        log_joints: &mut [f64],
    ) {
        let (d, coordinates) = (self.q.dim(), self.q.factor(i));
        let n_points = z.nrows() / samples.len();
        scratch::with(z.len() + z.nrows(), |scratch| {
            let (rows, values) = scratch.split_at_mut(z.len());
            let mut n_others = 0;
            for (j, s) in samples.enumerate() {
                let drawn = &self.points[s * d..(s + 1) * d][coordinates.clone()];
                let mut n_found = 0;
                let of_sample = j * n_points..(j + 1) * n_points;
                for (f, row) in log_joints[of_sample.clone()].iter_mut().zip(of_sample) {
                    let z = z.row(row);
                    if n_found < n_draws && coordinates.clone().map(|c| z[c]).eq(drawn.iter().copied()) {
                        n_found += 1;
                        *f = self.values[2 * (s / CHUNK) * CHUNK + s % CHUNK];
                    } else {
                        let other = &mut rows[n_others * d..(n_others + 1) * d];
                        other.iter_mut().zip(z).for_each(|(o, z)| *o = *z);
                        n_others += 1;
                        // The log joint of a draw is a number: this marks the others.
                        *f = f64::NAN;
                    }
                }
            }
            if n_others == 0 {
                return;
            }
            let others = matrix(&rows[..n_others * d], d);
            let mut out = ArrayViewMut1::from(&mut values[..n_others]);
            self.estimator.locality.log_joints(self.model, coordinates, &others, &mut out);
            let missing = log_joints.iter_mut().filter(|f| f.is_nan());
            missing.zip(&out).for_each(|(f, value)| *f = *value);
        });
    }

    fn add(&self, samples: Range<usize>, out: &mut ArrayRef1<f64>) {
        let weight = 1.0 / self.estimator.n_samples as f64;
        for i in self.factors.factors(self.q) {
            self.for_each(i, samples.clone(), |_, z, log_joints| {
                self.estimator.rule.add(self.q, i, z, log_joints, weight, out);
            });
        }
    }

    /// The rare path: the first point whose log joint spoilt the sum.
    fn find_non_finite(&self) -> Option<SgviError> {
        let mut found = None;
        for i in self.factors.factors(self.q) {
            self.for_each(i, 0..self.estimator.n_samples, |sample, z, log_joints| {
                if found.is_none()
                    && let Some(k) = log_joints.iter().position(|f| !f.is_finite())
                {
                    let z = NamedValues::new(self.model.parameters().names(), z.row(k));
                    found = Some(SgviError::NonFiniteLogJoint { value: log_joints[k], sample, z });
                }
            });
        }
        found
    }
}

impl<M, F, R, L> PartialEstimator<M, F> for OneAtATime<R, L>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
    R: for<'a> FactorRule<F::Member<'a>>,
    L: FactorLocality<M>,
{
    type State = ();

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), self.n_samples);
        if n == 0 {
            return Err(SgviError::TooFewSamples {
                estimator: "one factor at a time",
                minimum: 1,
                actual: n,
            });
        }
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        for i in factors.factors(&q) {
            self.rule.check(&q, i).map_err(|misfit| self.refuse(elbo, q.factor(i), misfit))?;
            if !self.locality.fits(model, q.factor(i)) {
                return Err(SgviError::FactorAcrossBlocks { factor: factor_name(model, q.factor(i)) });
            }
        }
        let estimate = draw_points(model, &q, n, key, exec, &mut memory.workspace)?;
        let Workspace { rows, values, partials, .. } = &mut memory.workspace;
        let pass = Pass { model, q: &q, estimator: self, factors, key, points: rows, values };
        exec.sum_in(n, grad, partials, |samples, partial| pass.add(samples, partial))?;
        if grad.iter().all(|g| g.is_finite()) {
            return Ok(estimate);
        }
        // Other ranks hold other points; draw them all once more to name the one.
        memory.workspace.redraw(&q, n, key);
        let Workspace { rows, values, .. } = &memory.workspace;
        let pass = Pass { model, q: &q, estimator: self, factors, key, points: rows, values };
        pass.find_non_finite().map_or(Ok(estimate), Err)
    }

    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations {
        let points = of_any_member(elbo.family(), |q| {
            let of_factor = |i| (self.rule.n_points(q, i) - self.n_draws::<M, F::Member<'_>>(q, i)) as u64;
            factors.factors(q).map(of_factor).sum()
        });
        let n = self.n_samples as u64;
        let mut cost = self.locality.evaluations(n * points);
        cost.n_log_joint += n;
        cost
    }

    fn partial_name(&self) -> String {
        self.label::<M, F::Member<'_>>()
    }

    fn partial_bias(&self) -> Option<&'static str> {
        <R as FactorRule<F::Member<'_>>>::bias(&self.rule)
    }
}

impl<R, L> OneAtATime<R, L> {
    fn refuse<M, F>(&self, elbo: Elbo<'_, M, F>, coordinates: Range<usize>, misfit: Misfit) -> SgviError
    where
        M: LogJoint + ?Sized,
        F: VariationalFamily,
        R: for<'a> FactorRule<F::Member<'a>>,
    {
        match misfit {
            Misfit::Values => SgviError::NotFinitelyMany {
                estimator: <R as FactorRule<F::Member<'_>>>::name(&self.rule),
                factor: factor_name(elbo.model(), coordinates),
            },
            Misfit::Decomposition(i) => {
                SgviError::NoDecomposition { parameter: elbo.family().param_names().swap_remove(i) }
            }
        }
    }
}

whole_gradient!(OneAtATime<R, L>, R, L);
