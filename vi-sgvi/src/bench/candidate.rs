//! Estimators of different types in one list.

use std::fmt;
use std::time::{Duration, Instant};

use ndarray::{Array1, ArrayRef1};
use vi_core::{ElboEstimate, Exec, Kernel, LogJoint, Role, StreamKey};
use vi_families::VariationalFamily;

use crate::averaging::Averaging;
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::factors::{FactorSet, PartialEstimator};
use crate::kernel::Sgvi;
use crate::optimizer::AnyOptimizer;

/// A named estimator whose type is forgotten; what it remembers between estimates stays inside.
pub struct Candidate<'a, M: ?Sized, F> {
    name: String,
    inner: Box<dyn Erased<M, F> + 'a>,
}

impl<M: ?Sized, F> fmt::Debug for Candidate<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a, M, F> Candidate<'a, M, F>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    /// Any estimator, under its own name.
    pub fn new<E: GradientEstimator<M, F> + 'a>(estimator: E) -> Self {
        Self { name: estimator.name(), inner: Box::new(estimator) }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why its gradient is biased; `None` if it is not.
    pub fn bias(&self) -> Option<&'static str> {
        self.inner.bias_in_words()
    }

    /// What one estimate costs.
    pub fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        self.inner.cost_of_one(elbo)
    }

    pub(super) fn inner(&self) -> &dyn Erased<M, F> {
        &*self.inner
    }
}

/// An estimator on a model that can more than the one of the bench: the same joint with its gradient, or with its
/// blocks, while the bench itself asks for a [`LogJoint`].
#[derive(Clone, Copy)]
pub struct OnModel<'a, N: ?Sized, E> {
    /// The model that the estimator sees.
    pub model: &'a N,
    /// The estimator.
    pub estimator: E,
}

impl<N: ?Sized, E: fmt::Debug> fmt::Debug for OnModel<'_, N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnModel").field("estimator", &self.estimator).finish_non_exhaustive()
    }
}

impl<M, N, F, E> GradientEstimator<M, F> for OnModel<'_, N, E>
where
    M: LogJoint + ?Sized,
    N: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<N, F>,
{
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
        let elbo = Elbo::new(self.model, elbo.family())?;
        self.estimator.estimate(elbo, params, key, exec, memory, grad)
    }
    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        Elbo::new(self.model, elbo.family()).map_or(Evaluations::default(), |elbo| self.estimator.cost(elbo))
    }
    fn cost_after(&self, elbo: Elbo<'_, M, F>, state: &E::State) -> Evaluations {
        let elbo = Elbo::new(self.model, elbo.family());
        elbo.map_or(Evaluations::default(), |elbo| self.estimator.cost_after(elbo, state))
    }
    fn bound(&self) -> crate::importance::Bound {
        self.estimator.bound()
    }
    fn name(&self) -> String {
        self.estimator.name()
    }
    fn bias(&self) -> Option<&'static str> {
        self.estimator.bias()
    }
    fn remembers(&self) -> bool {
        self.estimator.remembers()
    }
}

impl<M, N, F, E> PartialEstimator<M, F> for OnModel<'_, N, E>
where
    M: LogJoint + ?Sized,
    N: LogJoint + ?Sized,
    F: VariationalFamily,
    E: PartialEstimator<N, F>,
{
    type State = E::State;

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<E::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let elbo = Elbo::new(self.model, elbo.family())?;
        self.estimator.estimate_factors(elbo, params, factors, key, exec, memory, grad)
    }
    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations {
        Elbo::new(self.model, elbo.family())
            .map_or(Evaluations::default(), |elbo| self.estimator.partial_cost(elbo, factors))
    }
    fn partial_name(&self) -> String {
        self.estimator.partial_name()
    }
    fn name_for_the_rest(&self) -> String {
        self.estimator.name_for_the_rest()
    }
    fn partial_bias(&self) -> Option<&'static str> {
        self.estimator.partial_bias()
    }
    fn partial_remembers(&self) -> bool {
        self.estimator.partial_remembers()
    }
}

/// Independent gradients at one λ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicates {
    pub(super) n_replicates: u64,
    /// Estimates that an estimator with a state makes before the one that counts.
    pub(super) n_warmup: u64,
    /// Replicate r draws from `key.fold_in(r)`.
    pub(super) key: StreamKey,
}

/// How a race, or the way to the optimum, is climbed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ascent {
    pub(super) n_iterations: u64,
    pub(super) optimizer: AnyOptimizer,
    pub(super) averaging: Averaging,
    pub(super) key: StreamKey,
}

/// After an iteration.
pub(super) struct Step<'s> {
    /// Iterations done.
    pub(super) t: u64,
    /// The time that they took.
    pub(super) elapsed: Duration,
    /// The average of the iterates.
    pub(super) average: &'s dyn Fn() -> Array1<f64>,
}

type EachGradient<'f> = dyn FnMut(u64, &ArrayRef1<f64>, Duration) -> bool + 'f;
type EachStep<'f> = dyn FnMut(&Step<'_>) -> Result<bool, SgviError> + 'f;

/// An estimator without its type. `false` from a callback ends the work.
pub(super) trait Erased<M: ?Sized, F: VariationalFamily>: Send + Sync {
    fn bias_in_words(&self) -> Option<&'static str>;
    fn cost_of_one(&self, elbo: Elbo<'_, M, F>) -> Evaluations;
    fn replicates(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        replicates: Replicates,
        exec: Exec<'_>,
        each: &mut EachGradient<'_>,
    ) -> Result<(), SgviError>;
    fn ascend(
        &self,
        elbo: Elbo<'_, M, F>,
        start: &ArrayRef1<f64>,
        ascent: Ascent,
        exec: Exec<'_>,
        each: &mut EachStep<'_>,
    ) -> Result<(), SgviError>;
}

impl<M, F, E> Erased<M, F> for E
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    fn bias_in_words(&self) -> Option<&'static str> {
        self.bias()
    }
    fn cost_of_one(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        self.cost(elbo)
    }

    fn replicates(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        replicates: Replicates,
        exec: Exec<'_>,
        each: &mut EachGradient<'_>,
    ) -> Result<(), SgviError> {
        let mut memory = Memory::<E::State>::default();
        let mut grad = Array1::from_elem(params.len(), f64::NAN);
        let n_warmup = if self.remembers() { replicates.n_warmup } else { 0 };
        for r in 0..replicates.n_replicates {
            let key = replicates.key.fold_in(r);
            // Every replicate has a past of its own, or they would not be independent.
            memory.state = E::State::default();
            for w in 0..n_warmup {
                let past = key.role(Role::Init).fold_in(w);
                self.estimate(elbo, params, past, exec, &mut memory, &mut grad)?;
            }
            let started = Instant::now();
            self.estimate(elbo, params, key, exec, &mut memory, &mut grad)?;
            if !each(r, &grad, started.elapsed()) {
                break;
            }
        }
        Ok(())
    }

    fn ascend(
        &self,
        elbo: Elbo<'_, M, F>,
        start: &ArrayRef1<f64>,
        ascent: Ascent,
        exec: Exec<'_>,
        each: &mut EachStep<'_>,
    ) -> Result<(), SgviError> {
        let kernel = Sgvi::new(elbo.model(), elbo.family(), self, ascent.optimizer)?;
        let kernel = kernel.with_averaging(ascent.averaging)?.with_exec(exec);
        let mut state = kernel.init_at(start)?;
        let mut elapsed = Duration::ZERO;
        for t in 0..ascent.n_iterations {
            let started = Instant::now();
            kernel.step(ascent.key.fold_in(t), &mut state)?;
            elapsed += started.elapsed();
            let average = || kernel.averaged_params(&state);
            if !each(&Step { t: t + 1, elapsed, average: &average })? {
                break;
            }
        }
        Ok(())
    }
}
