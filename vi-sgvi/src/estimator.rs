//! The contract of a gradient estimator.

use std::fmt::Debug;

use ndarray::ArrayRef1;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, StreamKey};
use vi_families::VariationalFamily;

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::importance::Bound;
use crate::workspace::Workspace;

/// Evaluations of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluations {
    /// Log joints evaluated without a gradient.
    pub n_log_joint: u64,
    /// Log joints evaluated with their gradient.
    pub n_gradient: u64,
    /// Parts of log joints that belong to one block ([`vi_core::LocalLogJoint`]).
    #[serde(default)]
    pub n_log_joint_block: u64,
}

impl std::ops::AddAssign for Evaluations {
    fn add_assign(&mut self, other: Self) {
        self.n_log_joint += other.n_log_joint;
        self.n_gradient += other.n_gradient;
        self.n_log_joint_block += other.n_log_joint_block;
    }
}

/// What an estimator may remember from one iteration to the next: part of a checkpoint.
///
/// The default is the state before the first iteration. Implemented by every type that fits; `()` for estimators
/// that remember nothing.
pub trait EstimatorState: Clone + Debug + Default + Send + Sync + Serialize + DeserializeOwned {}

impl<T: Clone + Debug + Default + Send + Sync + Serialize + DeserializeOwned> EstimatorState for T {}

/// What an estimator has between calls: its state, which matters and is saved, and scratch, which does neither.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory<S = ()> {
    /// What is remembered.
    pub state: S,
    /// Scratch: sized by the first gradient, reused by all that follow.
    #[serde(skip)]
    pub workspace: Workspace,
}

/// An estimator of ∇_λ ELBO(λ), or of the gradient of another bound that it names. What it needs of model and family is said by the bounds of its `impl`.
///
/// An implementation is checked by `testing::check_estimator` (feature `testing`) in one line.
pub trait GradientEstimator<M: ?Sized, F: VariationalFamily>: Send + Sync {
    /// What is remembered from one iteration to the next.
    type State: EstimatorState;

    /// Overwrites `grad` (P) with an estimate of the gradient of the [bound](GradientEstimator::bound), for most the ELBO,
    /// at `params` (P), and returns the estimate of the bound from the same samples. The gradient is unbiased unless [`GradientEstimator::bias`] says otherwise.
    ///
    /// The samples are a function of `key` and the state alone: the same ones give the same bits on any number of
    /// threads and ranks. With a used workspace a call allocates nothing beyond what model and family allocate
    /// themselves.
    ///
    /// # Errors
    /// [`SgviError`] when λ is outside its domain or the model returns a non-finite value.
    ///
    /// # Panics
    /// If `grad` does not have length P.
    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<Self::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>;

    /// What one estimate costs.
    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations;

    /// What the estimate after this state costs, for estimators whose cost changes from one to the next; by default
    /// [`GradientEstimator::cost`].
    fn cost_after(&self, elbo: Elbo<'_, M, F>, _state: &Self::State) -> Evaluations {
        self.cost(elbo)
    }

    /// The estimator in words, for tables and errors.
    fn name(&self) -> String;

    /// Why the gradient is biased; `None` if it is not.
    fn bias(&self) -> Option<&'static str> {
        None
    }

    /// What is ascended, and so what the returned value estimates; by default the ELBO.
    fn bound(&self) -> Bound {
        Bound::Elbo
    }

    /// Whether an estimate depends on those before it; by default whether the state holds anything.
    fn remembers(&self) -> bool {
        size_of::<Self::State>() > 0
    }
}

impl<M: ?Sized, F: VariationalFamily, E: GradientEstimator<M, F>> GradientEstimator<M, F> for &E {
    type State = E::State;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<E::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        E::estimate(self, elbo, params, key, exec, memory, grad)
    }
    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        E::cost(self, elbo)
    }
    fn cost_after(&self, elbo: Elbo<'_, M, F>, state: &E::State) -> Evaluations {
        E::cost_after(self, elbo, state)
    }
    fn name(&self) -> String {
        E::name(self)
    }
    fn bias(&self) -> Option<&'static str> {
        E::bias(self)
    }
    fn bound(&self) -> Bound {
        E::bound(self)
    }
    fn remembers(&self) -> bool {
        E::remembers(self)
    }
}
