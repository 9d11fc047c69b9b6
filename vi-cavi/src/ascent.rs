//! What a fit needs of a kernel that ascends a bound.

use vi_core::{ConditionallyConjugate, Exec, Kernel, StreamKey};

use crate::error::CaviError;
use crate::kernel::{Cavi, CaviInfo, StateOf};

/// A kernel that raises the ELBO of a model from starts of the model: what [`crate::Fit`] restarts.
pub trait Ascent: Kernel<Info = CaviInfo, Error = CaviError> {
    /// The model.
    type Model: ConditionallyConjugate;

    /// Where the work is done.
    fn exec(&self) -> Exec<'_>;

    /// The model's start under this key.
    ///
    /// # Errors
    /// [`CaviError`] when the model has no start or the ELBO there is not finite.
    fn start(&self, key: StreamKey) -> Result<Self::State, CaviError>;

    /// What the last iteration reported; `None` before the first.
    fn last(&self, state: &Self::State) -> Option<CaviInfo>;

    /// The state of coordinate ascent within.
    fn ascent(state: &Self::State) -> &StateOf<Self::Model>;

    /// [`Ascent::ascent`], taken out.
    fn into_ascent(state: Self::State) -> StateOf<Self::Model>;
}

impl<M: ConditionallyConjugate> Ascent for Cavi<'_, M> {
    type Model = M;

    fn exec(&self) -> Exec<'_> {
        Cavi::exec(self)
    }

    fn start(&self, key: StreamKey) -> Result<StateOf<M>, CaviError> {
        self.init(key)
    }

    fn last(&self, state: &StateOf<M>) -> Option<CaviInfo> {
        state.last(true)
    }

    fn ascent(state: &StateOf<M>) -> &StateOf<M> {
        state
    }

    fn into_ascent(state: StateOf<M>) -> StateOf<M> {
        state
    }
}
