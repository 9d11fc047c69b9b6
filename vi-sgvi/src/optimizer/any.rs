//! An optimizer chosen by a settings file.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_families::VariationalFamily;

use super::{
    AdaGrad, AdaGradState, Adam, AdamState, AscentRule, Dog, DogState, Dowg, DowgState, Momentum,
    MomentumState, NaturalGradient, NaturalGradientState, Optimizer, RmsProp, RmsPropState, Sgd, SgdState,
};
use crate::error::SgviError;

/// One of the optimizers of this crate, chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AnyOptimizer {
    /// [`Sgd`].
    Sgd(Sgd),
    /// [`RmsProp`].
    RmsProp(RmsProp),
    /// [`Adam`].
    Adam(Adam),
    /// [`NaturalGradient`].
    Natural(NaturalGradient),
    /// [`Momentum`].
    Momentum(Momentum),
    /// [`AdaGrad`].
    AdaGrad(AdaGrad),
    /// [`Dog`].
    Dog(Dog),
    /// [`Dowg`].
    Dowg(Dowg),
}

impl Default for AnyOptimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// What [`AnyOptimizer`] remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnyOptimizerState {
    /// The state of [`Sgd`].
    Sgd(SgdState),
    /// The state of [`RmsProp`].
    RmsProp(RmsPropState),
    /// The state of [`Adam`].
    Adam(AdamState),
    /// The state of [`NaturalGradient`].
    Natural(NaturalGradientState),
    /// The state of [`Momentum`].
    Momentum(MomentumState),
    /// The state of [`AdaGrad`].
    AdaGrad(AdaGradState),
    /// The state of [`Dog`].
    Dog(DogState),
    /// The state of [`Dowg`].
    Dowg(DowgState),
}

impl AscentRule for AnyOptimizer {
    type State = AnyOptimizerState;

    fn check(&self) -> Result<(), SgviError> {
        match self {
            Self::Sgd(o) => o.validate(),
            Self::RmsProp(o) => o.validate(),
            Self::Adam(o) => o.validate(),
            Self::Natural(o) => o.check(),
            Self::Momentum(o) => o.validate(),
            Self::AdaGrad(o) => o.validate(),
            Self::Dog(o) => o.validate(),
            Self::Dowg(o) => o.validate(),
        }
    }

    fn start(&self, n_params: usize) -> AnyOptimizerState {
        match self {
            Self::Sgd(o) => AnyOptimizerState::Sgd(o.init(n_params)),
            Self::RmsProp(o) => AnyOptimizerState::RmsProp(o.init(n_params)),
            Self::Adam(o) => AnyOptimizerState::Adam(o.init(n_params)),
            Self::Natural(o) => AnyOptimizerState::Natural(o.start(n_params)),
            Self::Momentum(o) => AnyOptimizerState::Momentum(o.init(n_params)),
            Self::AdaGrad(o) => AnyOptimizerState::AdaGrad(o.init(n_params)),
            Self::Dog(o) => AnyOptimizerState::Dog(o.init(n_params)),
            Self::Dowg(o) => AnyOptimizerState::Dowg(o.init(n_params)),
        }
    }

    /// # Panics
    /// If the state is another optimizer's.
    fn step<F: VariationalFamily>(
        &self,
        family: &F,
        state: &mut AnyOptimizerState,
        grad: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) -> Result<(), SgviError> {
        match (self, state) {
            (Self::Sgd(o), AnyOptimizerState::Sgd(s)) => o.ascend(s, grad, params),
            (Self::RmsProp(o), AnyOptimizerState::RmsProp(s)) => o.ascend(s, grad, params),
            (Self::Adam(o), AnyOptimizerState::Adam(s)) => o.ascend(s, grad, params),
            (Self::Natural(o), AnyOptimizerState::Natural(s)) => return o.step(family, s, grad, params),
            (Self::Momentum(o), AnyOptimizerState::Momentum(s)) => o.ascend(s, grad, params),
            (Self::AdaGrad(o), AnyOptimizerState::AdaGrad(s)) => o.ascend(s, grad, params),
            (Self::Dog(o), AnyOptimizerState::Dog(s)) => o.ascend(s, grad, params),
            (Self::Dowg(o), AnyOptimizerState::Dowg(s)) => o.ascend(s, grad, params),
            (optimizer, state) => panic!("the state {state:?} is not one of {optimizer:?}"),
        }
        Ok(())
    }
}
