//! Optimizers by name for particles, which have no family that an optimizer could ask.

use ndarray::ArrayRef1;
use vi_sgvi::{AnyOptimizer, AnyOptimizerState, AscentRule, Optimizer, SgviError};

/// Any optimizer but the natural gradient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Particles(pub(super) AnyOptimizer);

impl Optimizer for Particles {
    type State = AnyOptimizerState;

    fn validate(&self) -> Result<(), SgviError> {
        self.0.check()
    }

    fn init(&self, n_params: usize) -> AnyOptimizerState {
        self.0.start(n_params)
    }

    /// # Panics
    /// If the state is another optimizer's, or the optimizer is the natural gradient.
    fn ascend(&self, state: &mut AnyOptimizerState, grad: &ArrayRef1<f64>, params: &mut ArrayRef1<f64>) {
        use AnyOptimizer as O;
        use AnyOptimizerState as S;
        match (&self.0, state) {
            (O::Sgd(o), S::Sgd(s)) => o.ascend(s, grad, params),
            (O::RmsProp(o), S::RmsProp(s)) => o.ascend(s, grad, params),
            (O::Adam(o), S::Adam(s)) => o.ascend(s, grad, params),
            (O::Momentum(o), S::Momentum(s)) => o.ascend(s, grad, params),
            (O::AdaGrad(o), S::AdaGrad(s)) => o.ascend(s, grad, params),
            (O::Dog(o), S::Dog(s)) => o.ascend(s, grad, params),
            (O::Dowg(o), S::Dowg(s)) => o.ascend(s, grad, params),
            (optimizer, state) => panic!("{optimizer:?} does not move particles with {state:?}"),
        }
    }
}
