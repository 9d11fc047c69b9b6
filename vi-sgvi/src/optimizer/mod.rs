//! Stochastic-gradient *ascent*: λ moves along the gradient of the ELBO.

mod adam;
mod any;
mod learning_rate;
mod rms_prop;
mod sgd;

use ndarray::ArrayRef1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SgviError;

pub use adam::{Adam, AdamState};
pub use any::{AnyOptimizer, AnyOptimizerState};
pub use learning_rate::LearningRate;
pub use rms_prop::{RmsProp, RmsPropState};
pub use sgd::{Sgd, SgdState};

/// A rule that turns gradients into steps. What it remembers is an explicit, serialisable state.
pub trait Optimizer: Send + Sync {
    /// What is remembered from one step to the next.
    type State: Clone + Send + Serialize + DeserializeOwned;

    /// Checks the settings.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    fn validate(&self) -> Result<(), SgviError>;

    /// The state before the first step on `n_params` parameters.
    fn init(&self, n_params: usize) -> Self::State;

    /// One step uphill: changes `params` (P) given `grad` (P), an estimate of ∇_λ ELBO.
    fn ascend(&self, state: &mut Self::State, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>);
}
