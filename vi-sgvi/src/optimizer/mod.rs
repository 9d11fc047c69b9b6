//! Stochastic-gradient *ascent*: λ moves along the gradient of the ELBO.

mod ada_grad;
mod adam;
mod any;
mod dog;
mod learning_rate;
mod momentum;
mod natural_gradient;
mod rms_prop;
mod sgd;

use ndarray::ArrayRef1;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_families::VariationalFamily;

use crate::error::SgviError;

pub use ada_grad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use any::{AnyOptimizer, AnyOptimizerState};
pub use dog::{Dog, DogState, Dowg, DowgState};
pub use learning_rate::LearningRate;
pub use momentum::{Momentum, MomentumState};
pub use natural_gradient::{NaturalGradient, NaturalGradientState, StepCoordinates, TrustRegion};
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

/// A rule that moves λ and may ask the family what λ means. Every [`Optimizer`] is one that does not ask.
pub trait AscentRule: Send + Sync {
    /// What is remembered from one step to the next.
    type State: Clone + Send + Serialize + DeserializeOwned;

    /// Checks the settings.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    fn check(&self) -> Result<(), SgviError>;

    /// The state before the first step on `n_params` parameters.
    fn start(&self, n_params: usize) -> Self::State;

    /// One step uphill: changes the parameters `params` (P) of a member of `family` given `grad` (P), an estimate of
    /// ∇_λ ELBO. λ stays as it was when there is an error.
    ///
    /// # Errors
    /// [`SgviError`] when the family does not have what the rule asks of it.
    fn step<F: VariationalFamily>(
        &self,
        family: &F,
        state: &mut Self::State,
        grad: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) -> Result<(), SgviError>;
}

impl<O: Optimizer> AscentRule for O {
    type State = O::State;

    fn check(&self) -> Result<(), SgviError> {
        self.validate()
    }
    fn start(&self, n_params: usize) -> O::State {
        self.init(n_params)
    }
    fn step<F: VariationalFamily>(
        &self,
        _family: &F,
        state: &mut O::State,
        grad: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) -> Result<(), SgviError> {
        self.ascend(state, grad, params);
        Ok(())
    }
}
