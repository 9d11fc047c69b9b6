//! Where an ascent of a log joint begins.

use ndarray::Array1;
use rand::RngExt;
use vi_core::{GradLogJoint, Role, StreamKey};

use super::{Lbfgs, LbfgsState, LogJointObjective};
use crate::error::SgviError;

/// Half the width of the cube in which starts are drawn, on the unconstrained scale.
const RADIUS: f64 = 2.0;
/// Starts that are tried until the log joint is finite at one.
const N_TRIES: u64 = 20;

/// The state at a start drawn from the uniform distribution on (−2, 2)ᴰ, the first of twenty where the log joint is finite.
///
/// # Errors
/// [`SgviError::NonFiniteStart`] shows the last one tried.
pub(crate) fn random_start<M: GradLogJoint + ?Sized>(
    ascent: &Lbfgs<LogJointObjective<'_, M>>,
    dim: usize,
    key: StreamKey,
) -> Result<LbfgsState, SgviError> {
    let attempt = |i: u64| {
        let mut rng = key.role(Role::Init).rng(i);
        let start: Array1<f64> = (0..dim).map(|_| rng.random_range(-RADIUS..RADIUS)).collect();
        let state = ascent.start(start);
        state.map(|state| LbfgsState { n_gradient: i + 1, ..state })
    };
    let mut state = attempt(0);
    for i in 1..N_TRIES {
        if state.is_ok() {
            break;
        }
        state = attempt(i);
    }
    state
}
