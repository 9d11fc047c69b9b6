//! Exact enumeration of small discrete spaces.

use ndarray::{ArrayRef1, ArrayViewMut1, aview1};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{FactorizedDistribution, VariationalDistribution, VariationalFamily};

use super::{FactorSet, PartialEstimator, factor_name, of_any_member, whole_gradient};
use crate::elbo::Elbo;
use crate::error::{NamedValues, SgviError};
use crate::estimator::{Evaluations, Memory};
use crate::workspace::{Columns, Workspace, matrix, matrix_mut};

/// The sum over all combinations of values: the exact gradient and the exact ELBO.
///
/// ```text
/// ĝ = Σ_z q(z) (log p(x, z) − log q(z)) ∇_λ log q(z)
/// ```
/// Over some factors of a product (see [`PerFactor`](crate::PerFactor)) the sum runs over their combinations around
/// each of S draws of the rest, and is exact in the sense that those factors add no noise.
///
/// Requirements: factors with finitely many values, and no more than `limit` points. Cost: S Π_i K_i log joints in
/// parallel, S = 1 when all factors are enumerated; memory O(S Π_i K_i D).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// The number S of draws of the factors that are not enumerated; without any, one is enough and is taken.
    pub n_samples: usize,
    /// The largest number of points.
    pub limit: usize,
}

impl Default for Enumeration {
    /// One draw and at most 2¹⁶ points.
    fn default() -> Self {
        Self { n_samples: 1, limit: 1 << 16 }
    }
}

impl Enumeration {
    /// Around S draws of the factors that are not enumerated, with at most 2¹⁶ points.
    pub fn around(n_samples: usize) -> Self {
        Self { n_samples, ..Self::default() }
    }
}

/// Gives the factors of the set the values of combination number `state`.
fn set_state<Q: FactorizedDistribution>(
    q: &Q,
    factors: FactorSet<'_>,
    mut state: usize,
    z: &mut ArrayRef1<f64>,
) {
    for i in factors.factors(q) {
        let n_values = q.n_values(i).unwrap_or(1);
        q.set_value(i, state % n_values, z);
        state /= n_values;
    }
}

/// log q of the factors of the set.
fn log_prob<Q: FactorizedDistribution>(q: &Q, factors: FactorSet<'_>, z: &ArrayRef1<f64>) -> f64 {
    factors.factors(q).map(|i| q.log_prob_factor(i, z)).sum()
}

/// The points of one estimate: number `item` is combination `item % n_states` around draw `item / n_states`.
struct Points<'a, Q> {
    q: &'a Q,
    factors: FactorSet<'a>,
    n_states: usize,
    n_draws: usize,
    key: StreamKey,
    /// Whether any factor is drawn.
    mixed: bool,
}

impl<Q: FactorizedDistribution> Points<'_, Q> {
    fn n_items(&self) -> usize {
        self.n_states * self.n_draws
    }

    fn fill(&self, item: usize, z: &mut ArrayRef1<f64>) {
        if self.mixed {
            self.q.sample(&mut self.key.rng((item / self.n_states) as u64), z);
        }
        set_state(self.q, self.factors, item % self.n_states, z);
    }
}

impl Enumeration {
    fn points<'a, M, F, Q>(
        &self,
        elbo: Elbo<'_, M, F>,
        q: &'a Q,
        factors: FactorSet<'a>,
        key: StreamKey,
    ) -> Result<Points<'a, Q>, SgviError>
    where
        M: LogJoint + ?Sized,
        Q: FactorizedDistribution,
    {
        let (mut n_states, mut n_members) = (1u128, 0);
        for i in factors.factors(q) {
            let n_values = q.n_values(i).ok_or_else(|| SgviError::NotFinitelyMany {
                estimator: NAME.to_owned(),
                factor: factor_name(elbo.model(), q.factor(i)),
            })?;
            n_states = n_states.saturating_mul(n_values as u128);
            n_members += 1;
        }
        let mixed = n_members < q.n_factors();
        let n_draws = if mixed { self.n_samples } else { 1 };
        if n_draws == 0 {
            return Err(SgviError::TooFewSamples { estimator: NAME, minimum: 1, actual: 0 });
        }
        let n_points = n_states.saturating_mul(n_draws as u128);
        if n_points > self.limit as u128 {
            return Err(SgviError::TooManyStates { n_points, limit: self.limit });
        }
        // It fits: the limit does.
        Ok(Points { q, factors, n_states: n_states as usize, n_draws, key, mixed })
    }
}

const NAME: &str = "enumeration";

/// The ELBO from the values of all points; the sum over a draw's combinations is one term of it.
fn elbo_of<M: LogJoint + ?Sized, Q: FactorizedDistribution>(
    model: &M,
    points: &Points<'_, Q>,
    workspace: &mut Workspace,
) -> Result<ElboEstimate, SgviError> {
    let n = points.n_items();
    let Workspace { values, rows, log_ratios, group_means, .. } = workspace;
    group_means.clear();
    group_means.resize(points.n_draws, 0.0);
    for (c, values) in values.chunks_mut(3 * vi_core::CHUNK).enumerate() {
        let [log_joint, log_q, log_weight, _] = WEIGHTED.split(values);
        for j in 0..log_joint.len() {
            let (item, weight) = (c * vi_core::CHUNK + j, log_weight[j].exp());
            log_ratios[item] = 0.0;
            // Values of probability zero count for nothing, whatever the model says of them.
            if weight == 0.0 {
                continue;
            }
            let f = log_joint[j] - log_q[j];
            if !f.is_finite() {
                let mut z = ndarray::Array1::zeros(points.q.dim());
                points.fill(item, &mut z);
                let (z, sample) = (NamedValues::new(model.parameters().names(), &z), item);
                return Err(if log_q[j].is_finite() {
                    SgviError::NonFiniteLogJoint { value: log_joint[j], sample, z }
                } else {
                    SgviError::NonFiniteLogProb { value: log_q[j], sample, z }
                });
            }
            log_ratios[item] = f;
            group_means[item / points.n_states] += weight * f;
        }
    }
    debug_assert_eq!(rows.len(), n * points.q.dim());
    if !points.mixed {
        return Ok(ElboEstimate::exact(group_means[0]));
    }
    Ok(match points.n_draws {
        1 => ElboEstimate { value: group_means[0], mcse: f64::INFINITY, n_samples: 1 },
        _ => ElboEstimate::from_log_ratios(&aview1(group_means)),
    })
}

/// Log joints, log q, and log q of the enumerated factors, which is the log weight.
const WEIGHTED: Columns = Columns { weighted: true, local: 0 };

impl<M, F> PartialEstimator<M, F> for Enumeration
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
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
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        let (model, d, workspace) = (elbo.model(), q.dim(), &mut memory.workspace);
        let points = self.points(elbo, &q, factors, key)?;
        let n = points.n_items();
        workspace.reserve(n, d, WEIGHTED);
        exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |items, values, rows| {
            let mut z = matrix_mut(rows, d);
            let [log_joint, log_q, log_weight, _] = WEIGHTED.split(values);
            for ((item, mut z), log_weight) in items.zip(z.rows_mut()).zip(log_weight) {
                points.fill(item, &mut z);
                *log_weight = log_prob(&q, factors, &z);
            }
            model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
        })?;
        let estimate = elbo_of(model, &points, workspace)?;

        let Workspace { rows, log_ratios, partials, .. } = workspace;
        exec.sum_in(n, grad, partials, |items, partial| {
            let z = matrix(&rows[items.start * d..items.end * d], d);
            for (item, z) in items.zip(z.rows()) {
                if log_ratios[item] == 0.0 {
                    continue;
                }
                let weight = log_prob(&q, factors, &z).exp() * log_ratios[item] / points.n_draws as f64;
                for i in factors.factors(&q) {
                    q.add_score_factor(i, &z, weight, partial);
                }
            }
        })?;
        Ok(estimate)
    }

    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations {
        let key = StreamKey::from_seed(0);
        let n_log_joint = of_any_member(elbo.family(), |q| {
            self.points(elbo, q, factors, key).map_or(0, |points| points.n_items() as u64)
        });
        Evaluations { n_log_joint, ..Evaluations::default() }
    }
    fn partial_name(&self) -> String {
        NAME.to_owned()
    }
}

whole_gradient!(Enumeration);
