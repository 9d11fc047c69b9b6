//! Models with interchangeable components: what moves between their optima need.

use ndarray::Array1;

use crate::conjugate::{ConditionallyConjugate, ConjugateError};
use crate::exec::Exec;
use crate::key::StreamKey;

/// Factors, and statistics expected under them.
pub type FactorsAndStats<M> = (<M as ConditionallyConjugate>::Factors, <M as ConditionallyConjugate>::Stats);

/// A model with K interchangeable components that can be split, merged and deleted.
///
/// K stays as it is: what a merge frees is an empty component, and a split needs one to go into. A move only proposes where
/// to go on from; whoever makes it compares bounds after some sweeps, with every constant, and keeps the better one.
///
/// Source: Ueda, Nakano, Ghahramani & Hinton, "SMEM algorithm for mixture models", Neural Computation 12 (2000);
/// Hughes & Sudderth, "Memoized online variational inference for Dirichlet process mixture models", NIPS 2013.
pub trait SplitMerge: ConditionallyConjugate {
    /// The number K of components.
    fn n_components(&self) -> usize;

    /// The expected number of data of every component (K).
    fn component_sizes(&self, stats: &Self::Stats) -> Array1<f64>;

    /// Pairs of components that might be one, the most likely first. Pairs that are not worth a trial may be left out.
    fn merge_candidates(&self, factors: &Self::Factors, stats: &Self::Stats) -> Vec<(usize, usize)>;

    /// Component `from` in two: one stays, one goes `into` a component that is empty or nearly so, and keeps what that had.
    /// Attempts 0, 1, … look for the halves in different ways, and with different keys may find others. `None` if there is
    /// nothing to split.
    ///
    /// # Errors
    /// [`ConjugateError`] when no component fits a half.
    fn split(
        &self,
        from: usize,
        into: usize,
        factors: &Self::Factors,
        attempt: usize,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError>;

    /// Components in the order that the prior of their weights favours; `None` (the default) if it favours none, or they
    /// stand in it.
    ///
    /// # Errors
    /// [`ConjugateError`] when what was a component is none in another place.
    fn reorder(
        &self,
        _factors: &Self::Factors,
        _stats: &Self::Stats,
        _exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        Ok(None)
    }

    /// All data of component `from` given to component `into`.
    ///
    /// # Errors
    /// [`ConjugateError`] when no component fits them.
    fn merge(
        &self,
        from: usize,
        into: usize,
        factors: &Self::Factors,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError>;

    /// The data of `component` shared out among the others, as if it had never been there.
    ///
    /// # Errors
    /// [`ConjugateError`] when no component fits them.
    fn delete(
        &self,
        component: usize,
        factors: &Self::Factors,
        stats: &Self::Stats,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError>;
}
