//! Evaluation counts, for fair comparisons.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{ArrayRef1, ArrayRef2};

use crate::communicator::CommError;
use crate::exec::Exec;
use crate::model::{GradLogJoint, LocalLogJoint, LogJoint};
use crate::parameter::ParameterSpace;

/// A model that counts its evaluations. A batch of S rows counts S times.
#[derive(Debug, Default)]
pub struct Counted<M> {
    model: M,
    n_log_joint: AtomicU64,
    n_gradient: AtomicU64,
}

impl<M> Counted<M> {
    /// Counts from zero.
    pub fn new(model: M) -> Self {
        Self { model, n_log_joint: AtomicU64::new(0), n_gradient: AtomicU64::new(0) }
    }

    /// The model.
    pub fn inner(&self) -> &M {
        &self.model
    }

    /// Log joints evaluated without a gradient.
    pub fn n_log_joint(&self) -> u64 {
        self.n_log_joint.load(Ordering::Relaxed)
    }

    /// Log joints evaluated with their gradient.
    pub fn n_gradient(&self) -> u64 {
        self.n_gradient.load(Ordering::Relaxed)
    }

    /// Sets both counts, for instance to those of a checkpoint.
    pub fn set(&self, n_log_joint: u64, n_gradient: u64) {
        self.n_log_joint.store(n_log_joint, Ordering::Relaxed);
        self.n_gradient.store(n_gradient, Ordering::Relaxed);
    }
}

impl<M: LogJoint> LogJoint for Counted<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }
    fn dim(&self) -> usize {
        self.model.dim()
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.n_log_joint.fetch_add(1, Ordering::Relaxed);
        self.model.log_joint(z)
    }
    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.n_log_joint.fetch_add(z.nrows() as u64, Ordering::Relaxed);
        self.model.log_joint_batch(z, out);
    }
}

impl<M: GradLogJoint> GradLogJoint for Counted<M> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.n_gradient.fetch_add(1, Ordering::Relaxed);
        self.model.log_joint_and_grad(z, grad)
    }
    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.n_gradient.fetch_add(z.nrows() as u64, Ordering::Relaxed);
        self.model.log_joint_and_grad_batch(z, out, grad);
    }
    fn log_joint_and_grad_batch_in(
        &self,
        exec: Exec<'_>,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) -> Result<(), CommError> {
        self.n_gradient.fetch_add(z.nrows() as u64, Ordering::Relaxed);
        self.model.log_joint_and_grad_batch_in(exec, z, out, grad)
    }
}

impl<M: LocalLogJoint> LocalLogJoint for Counted<M> {
    fn n_blocks(&self) -> usize {
        self.model.n_blocks()
    }
    fn block(&self, b: usize) -> Range<usize> {
        self.model.block(b)
    }
    /// Counts as one evaluation: what a block costs beside the whole is the model's affair.
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        self.n_log_joint.fetch_add(1, Ordering::Relaxed);
        self.model.log_joint_block(b, z)
    }
}
