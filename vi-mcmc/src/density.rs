//! A model in the shape that nuts-rs asks for.

use std::cell::RefCell;

use ndarray::{ArrayView1, ArrayViewMut1};
use nuts_rs::{CpuLogpFunc, CpuMathError, HasDims, LogpError, rand};
use vi_core::GradLogJoint;

use crate::error::McmcError;
use crate::target::Target;

/// What a density has seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) n_gradient: u64,
    pub(crate) fault: Option<McmcError>,
}

/// The density of one chain.
#[derive(Debug)]
pub(crate) struct Density<'a, M> {
    target: &'a Target<M>,
    tally: &'a RefCell<Tally>,
}

impl<'a, M: GradLogJoint> Density<'a, M> {
    pub(crate) fn new(target: &'a Target<M>, tally: &'a RefCell<Tally>) -> Self {
        Self { target, tally }
    }
}

/// Why there is no density at a point.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DensityError {
    #[error("zero density")]
    Zero,
    /// The tally holds the details.
    #[error("the model failed")]
    Fault,
}

impl LogpError for DensityError {
    fn is_recoverable(&self) -> bool {
        matches!(self, Self::Zero)
    }
}

impl<M: GradLogJoint> HasDims for Density<'_, M> {
    #[expect(clippy::disallowed_types, reason = "the signature is that of nuts-rs; nobody iterates over it")]
    fn dim_sizes(&self) -> std::collections::HashMap<String, u64> {
        [("unconstrained_parameter".to_owned(), self.target.dim() as u64)].into_iter().collect()
    }
}

impl<M: GradLogJoint> CpuLogpFunc for Density<'_, M> {
    type LogpError = DensityError;
    type FlowParameters = ();
    type ExpandedVector = ();

    fn dim(&self) -> usize {
        self.target.dim()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, DensityError> {
        let mut tally = self.tally.borrow_mut();
        tally.n_gradient += 1;
        let (u, mut grad) = (ArrayView1::from(position), ArrayViewMut1::from(gradient));
        match self.target.log_joint_and_grad(&u, &mut grad) {
            Ok(f64::NEG_INFINITY) => Err(DensityError::Zero),
            Ok(value) => Ok(value),
            Err(fault) => {
                tally.fault = Some(fault);
                Err(DensityError::Fault)
            }
        }
    }

    fn expand_vector<R: rand::Rng + ?Sized>(&mut self, _: &mut R, _: &[f64]) -> Result<(), CpuMathError> {
        Ok(())
    }
}
