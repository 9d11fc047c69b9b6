//! Estimators that work on the factors of a product one by one, or on some of them.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayViewMut1};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{FactorizedDistribution, VariationalDistribution, VariationalFamily};

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{EstimatorState, Evaluations, Memory};
use crate::workspace::{Columns, Workspace, matrix_mut};

mod coupled_bits;
mod enumeration;
mod local_expectations;
mod measure_valued;
mod one_at_a_time;
mod overdispersed_factors;
mod per_factor;
mod restricted;

pub use coupled_bits::{Arm, ArmWeights, CoupledBits, DisArm, DisArmWeights, PairWeights};
pub use enumeration::Enumeration;
pub use local_expectations::{GaussHermite, LocalExpectations, LocalQuadrature, Values};
pub use measure_valued::{MeasureValued, Measures};
pub use one_at_a_time::{FactorLocality, FactorRule, Misfit, OneAtATime};
pub use overdispersed_factors::{Adaptation, DispersionState, OverdispersedFactors};
pub use per_factor::PerFactor;
pub use restricted::Restricted;

/// Some of the factors of a product, told by their coordinates in z.
#[derive(Clone, Copy, Debug)]
pub struct FactorSet<'a> {
    mask: &'a [bool],
    inside: bool,
    /// Where the factors belong too.
    outer: Option<&'a FactorSet<'a>>,
}

impl<'a> FactorSet<'a> {
    /// All factors.
    pub const ALL: FactorSet<'static> = FactorSet { mask: &[], inside: false, outer: None };

    /// The factors over the coordinates whose element of `mask` (D) is true.
    pub fn new(mask: &'a [bool]) -> Self {
        Self { mask, inside: true, outer: None }
    }

    /// The factors over the coordinates whose element of `mask` (D) is false.
    pub fn except(mask: &'a [bool]) -> Self {
        Self { mask, inside: false, outer: None }
    }

    /// Those of [`FactorSet::new`] or [`FactorSet::except`] that belong to `outer` too.
    fn within(self, outer: &'a FactorSet<'a>) -> Self {
        Self { outer: Some(outer), ..self }
    }

    /// Whether the factor over these coordinates belongs to the set.
    pub fn contains(self, coordinates: Range<usize>) -> bool {
        self.mask.get(coordinates.start).copied().unwrap_or(false) == self.inside
            && self.outer.is_none_or(|outer| outer.contains(coordinates))
    }

    /// Whether the factor over these coordinates lies partly inside and partly outside.
    pub fn cuts(self, mut coordinates: Range<usize>) -> bool {
        let first = self.contains(coordinates.clone());
        coordinates.any(|d| self.contains(d..d + 1) != first)
    }

    /// The numbers of the factors of `q` that belong to the set, in order.
    pub fn factors<Q: FactorizedDistribution>(self, q: &Q) -> impl Iterator<Item = usize> {
        (0..q.n_factors()).filter(move |i| self.contains(q.factor(*i)))
    }
}

/// An estimator that can be confined to some factors, for [`PerFactor`]; all of them are
/// [`GradientEstimator`](crate::GradientEstimator)s too, whose gradient is the part of all factors.
pub trait PartialEstimator<M: ?Sized, F: VariationalFamily>: Send + Sync {
    /// What is remembered from one iteration to the next.
    type State: EstimatorState;

    /// As [`GradientEstimator::estimate`](crate::GradientEstimator::estimate), but `grad` (P) is estimated for the
    /// elements of λ that belong to `factors` and 0 elsewhere.
    ///
    /// # Errors
    /// [`SgviError`] as for the whole; and when a factor of the set is none that the estimator can treat.
    #[expect(
        clippy::too_many_arguments,
        reason = "those of GradientEstimator::estimate and the set of factors"
    )]
    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<Self::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>;

    /// What one estimate costs.
    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations;

    /// The estimator in words.
    fn partial_name(&self) -> String;

    /// The estimator in words, where it serves what others leave.
    fn name_for_the_rest(&self) -> String {
        format!("{} for the rest", self.partial_name())
    }

    /// Why the gradient is biased; `None` if it is not.
    fn partial_bias(&self) -> Option<&'static str> {
        None
    }

    /// Whether an estimate depends on those before it; by default whether the state holds anything.
    fn partial_remembers(&self) -> bool {
        size_of::<Self::State>() > 0
    }
}

/// Makes a [`PartialEstimator`] a [`GradientEstimator`](crate::GradientEstimator): the part of all factors.
macro_rules! whole_gradient {
    ($estimator:ty $(, $parameter:ident)*) => {
        impl<M, F $(, $parameter)*> $crate::GradientEstimator<M, F> for $estimator
        where
            M: ?Sized,
            F: vi_families::VariationalFamily,
            Self: $crate::PartialEstimator<M, F>,
        {
            type State = <Self as $crate::PartialEstimator<M, F>>::State;

            fn estimate(
                &self,
                elbo: $crate::Elbo<'_, M, F>,
                params: &ndarray::ArrayRef1<f64>,
                key: vi_core::StreamKey,
                exec: vi_core::Exec<'_>,
                memory: &mut $crate::Memory<Self::State>,
                grad: &mut ndarray::ArrayRef1<f64>,
            ) -> Result<vi_core::ElboEstimate, $crate::SgviError> {
                self.estimate_factors(elbo, params, $crate::FactorSet::ALL, key, exec, memory, grad)
            }
            fn cost(&self, elbo: $crate::Elbo<'_, M, F>) -> $crate::Evaluations {
                self.partial_cost(elbo, $crate::FactorSet::ALL)
            }
            fn name(&self) -> String {
                self.partial_name()
            }
            fn bias(&self) -> Option<&'static str> {
                self.partial_bias()
            }
            fn remembers(&self) -> bool {
                self.partial_remembers()
            }
        }
    };
}
use whole_gradient;

/// The name of the coordinates of a factor, for errors.
pub(crate) fn factor_name<M: LogJoint + ?Sized>(model: &M, coordinates: Range<usize>) -> String {
    let names = model.parameters().names();
    match coordinates.len() {
        0 | 1 => names[coordinates.start].clone(),
        n => format!("{} to {}", names[coordinates.start], names[coordinates.start + n - 1]),
    }
}

/// What a cost depends on beside λ is the same for all members: calls `count` with the default one.
fn of_any_member<F: VariationalFamily>(family: &F, count: impl FnOnce(&F::Member<'_>) -> u64) -> u64 {
    let params = family.init();
    let member = family.bind(&params);
    member.map_or(0, |q| count(&q))
}

/// Draws n points from q into the rows of the workspace, evaluates them, and estimates the ELBO.
pub(crate) fn draw_points<M, Q>(
    model: &M,
    q: &Q,
    n: usize,
    key: StreamKey,
    exec: Exec<'_>,
    workspace: &mut Workspace,
) -> Result<ElboEstimate, SgviError>
where
    M: LogJoint + ?Sized,
    Q: VariationalDistribution,
{
    let columns = Columns::default();
    workspace.reserve(n, q.dim(), columns);
    exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |samples, values, rows| {
        let mut z = matrix_mut(rows, q.dim());
        q.sample_batch(key, samples, &mut z);
        let [log_joint, log_q, ..] = columns.split(values);
        model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
        q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
    })?;
    workspace.log_ratios(n, 1, columns, model, |s, z| q.sample(&mut key.rng(s as u64), z))
}
