//! Log joints and scores of many points: what every method that works with ∇ log p at a set of points begins with.

use ndarray::{Array1, Array2, ArrayRef2, ArrayViewMut1, aview1, s};
use vi_core::{CommError, Exec, GradLogJoint};

use crate::error::{NamedValues, SgviError};
use crate::workspace::{matrix, matrix_mut};

/// Points evaluated by one call of the model: batches and sets of particles are small, and are still to be shared among
/// threads. Bits may depend on it.
const CHUNK: usize = 16;

/// log p(x, z_i) and ∇_z log p(x, z_i) of n points, known to every rank.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scores {
    pub(crate) log_joint: Array1<f64>,
    /// (n, D).
    pub(crate) grad: Array2<f64>,
    /// Chunk by chunk: log joints, then gradients.
    buffer: Vec<f64>,
}

impl Scores {
    /// Evaluates the model at the rows of `points` (n, D), row-major: n gradients.
    pub(crate) fn evaluate<M: GradLogJoint + ?Sized>(
        &mut self,
        model: &M,
        points: &ArrayRef2<f64>,
        exec: Exec<'_>,
    ) -> Result<(), CommError> {
        let (n, d) = points.dim();
        self.buffer.resize(n * (d + 1), 0.0);
        let (nothing, partials) = (&mut Array1::default(0), &mut Vec::new());
        exec.map_and_sum_in(n, CHUNK, &mut self.buffer, nothing, partials, |items, values, _| {
            let (log_joint, grad) = values.split_at_mut(items.len());
            let (z, mut grad) = (points.slice(s![items, ..]), matrix_mut(grad, d));
            model.log_joint_and_grad_batch(&z, &mut ArrayViewMut1::from(log_joint), &mut grad);
        })?;
        if self.grad.dim() != (n, d) {
            (self.log_joint, self.grad) = (Array1::zeros(n), Array2::zeros((n, d)));
        }
        for (c, values) in self.buffer.chunks(CHUNK * (d + 1)).enumerate() {
            let m = values.len() / (d + 1);
            let items = c * CHUNK..c * CHUNK + m;
            let (log_joint, grad) = values.split_at(m);
            self.log_joint.slice_mut(s![items.clone()]).assign(&aview1(log_joint));
            self.grad.slice_mut(s![items, ..]).assign(&matrix(grad, d));
        }
        Ok(())
    }

    /// The first of the points whose log joint or score is not finite.
    ///
    /// # Errors
    /// [`SgviError::NonFiniteLogJoint`] or [`SgviError::NonFiniteLogJointGradient`], which shows z.
    pub(crate) fn check<M: GradLogJoint + ?Sized>(
        &self,
        model: &M,
        points: &ArrayRef2<f64>,
    ) -> Result<(), SgviError> {
        let names = model.parameters().names();
        for (sample, (value, grad)) in self.log_joint.iter().zip(self.grad.rows()).enumerate() {
            let z = || NamedValues::new(names, points.row(sample));
            if !value.is_finite() {
                return Err(SgviError::NonFiniteLogJoint { value: *value, sample, z: z() });
            }
            if let Some(i) = grad.iter().position(|g| !g.is_finite()) {
                let (coordinate, value) = (names[i].clone(), grad[i]);
                return Err(SgviError::NonFiniteLogJointGradient { coordinate, value, sample, z: z() });
            }
        }
        Ok(())
    }
}
