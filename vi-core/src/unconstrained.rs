//! A constrained model seen from ℝᴰ′.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut1, ArrayViewMut2};

use crate::bijector::Bijection;
use crate::communicator::CommError;
use crate::exec::Exec;
use crate::model::{GradLogJoint, LocalLogJoint, LogJoint, Reported, Subsample};
use crate::parameter::{ParameterError, ParameterSpace};

/// A model on ℝᴰ′: every constrained variable is replaced by its image under a [`Bijection`].
///
/// ```text
/// log p(x, u) = log p(x, z(u)) + log |det ∂z/∂u|
/// ```
/// Methods that need ℝᴰ (Gaussian families, NUTS) work on this; [`Unconstrained::bijection`] takes their
/// results back to the natural support. A variable that is real already is copied.
///
/// ```
/// use ndarray::{ArrayRef1, array};
/// use vi_core::{LogJoint, Parameter, ParameterSpace, Support, Unconstrained};
///
/// /// τ ~ Exponential(1).
/// struct Exponential(ParameterSpace);
/// impl LogJoint for Exponential {
///     fn parameters(&self) -> &ParameterSpace { &self.0 }
///     fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 { -z[0] }
/// }
///
/// let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)])?;
/// let model = Unconstrained::new(Exponential(space))?;
/// assert_eq!(model.parameters().names(), ["log(tau)"]);
/// assert_eq!(model.log_joint(&array![0.5]), -f64::exp(0.5) + 0.5);
/// # Ok::<(), vi_core::ParameterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unconstrained<M> {
    model: M,
    bijection: Arc<Bijection>,
}

impl<M: LogJoint> Unconstrained<M> {
    /// The model on ℝᴰ′.
    ///
    /// # Errors
    /// [`ParameterError::Unsupported`] names a discrete variable: marginalise it first.
    pub fn new(model: M) -> Result<Self, ParameterError> {
        let bijection = Arc::new(Bijection::new(model.parameters())?);
        Ok(Self { model, bijection })
    }
}

impl<M> Unconstrained<M> {
    /// The map from ℝᴰ′ onto the support of the model.
    pub fn bijection(&self) -> &Bijection {
        &self.bijection
    }

    /// The model on its natural support.
    pub fn inner(&self) -> &M {
        &self.model
    }

    /// Gives the model back.
    pub fn into_inner(self) -> M {
        self.model
    }
}

impl<M: LogJoint> LogJoint for Unconstrained<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.bijection.unconstrained()
    }

    fn log_joint(&self, u: &ArrayRef1<f64>) -> f64 {
        if self.bijection.is_identity() {
            return self.model.log_joint(u);
        }
        crate::scratch::with_vector(self.model.dim(), |z| {
            let log_det = self.bijection.constrain(u, z);
            self.model.log_joint(z) + log_det
        })
    }

    fn log_joint_batch(&self, u: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        if self.bijection.is_identity() {
            return self.model.log_joint_batch(u, out);
        }
        with_rows(u.nrows(), [self.model.dim(), 0], |[mut z, _], mut log_det| {
            self.bijection.constrain_batch(u, &mut z, &mut log_det);
            self.model.log_joint_batch(&z, out);
            *out += &*log_det;
        });
    }
}

impl<M: GradLogJoint> GradLogJoint for Unconstrained<M> {
    fn log_joint_and_grad(&self, u: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        if self.bijection.is_identity() {
            return self.model.log_joint_and_grad(u, grad);
        }
        let dim = self.model.dim();
        crate::scratch::with_vector(2 * dim, |scratch| {
            let (mut z, mut grad_z) = scratch.view_mut().split_at(ndarray::Axis(0), dim);
            let log_det = self.bijection.constrain(u, &mut z);
            let value = self.model.log_joint_and_grad(&z, &mut grad_z);
            self.bijection.pullback(u, &z, &grad_z, grad);
            value + log_det
        })
    }

    fn log_joint_and_grad_batch(
        &self,
        u: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.batch(u, out, grad, |z, out, grad| {
            self.model.log_joint_and_grad_batch(z, out, grad);
            Ok(())
        })
        .expect("nothing is exchanged");
    }

    fn log_joint_and_grad_batch_in(
        &self,
        exec: Exec<'_>,
        u: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) -> Result<(), CommError> {
        self.batch(u, out, grad, |z, out, grad| self.model.log_joint_and_grad_batch_in(exec, z, out, grad))
    }
}

impl<M: GradLogJoint> Unconstrained<M> {
    /// A batch on ℝᴰ′ by one of the model.
    fn batch(
        &self,
        u: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
        of_model: impl FnOnce(&ArrayRef2<f64>, &mut ArrayRef1<f64>, &mut ArrayRef2<f64>) -> Result<(), CommError>,
    ) -> Result<(), CommError> {
        if self.bijection.is_identity() {
            return of_model(u, out, grad);
        }
        let dim = self.model.dim();
        with_rows(u.nrows(), [dim, dim], |[mut z, mut grad_z], mut log_det| {
            self.bijection.constrain_batch(u, &mut z, &mut log_det);
            of_model(&z, out, &mut grad_z)?;
            *out += &*log_det;
            let rows = u.rows().into_iter().zip(z.rows()).zip(grad_z.rows());
            for (((u, z), grad_z), mut grad_u) in rows.zip(grad.rows_mut()) {
                self.bijection.pullback(&u, &z, &grad_z, &mut grad_u);
            }
            Ok(())
        })
    }
}

/// Calls `f` with two matrices of scratch, `n` rows each, and a vector of length `n`.
fn with_rows<R>(
    n: usize,
    widths: [usize; 2],
    f: impl FnOnce([ArrayViewMut2<'_, f64>; 2], ArrayViewMut1<'_, f64>) -> R,
) -> R {
    crate::scratch::with_vector(n * (widths[0] + widths[1] + 1), |scratch| {
        let axis = ndarray::Axis(0);
        let (first, rest) = scratch.view_mut().split_at(axis, n * widths[0]);
        let (second, last) = rest.split_at(axis, n * widths[1]);
        let first = first.into_shape_with_order((n, widths[0]));
        let second = second.into_shape_with_order((n, widths[1]));
        let (Ok(a), Ok(b)) = (first, second) else {
            unreachable!("the parts are contiguous and n × width long")
        };
        f([a, b], last)
    })
}

/// The blocks of the model, in the coordinates of ℝᴰ′.
///
/// A block's terms gain the log |det J| of its own variables, and no other's.
///
/// # Panics
/// All methods panic when a block of the model cuts a simplex, an ordered vector or a matrix in two: its
/// elements are then not functions of separate coordinates of ℝᴰ′.
impl<M: LocalLogJoint> LocalLogJoint for Unconstrained<M> {
    fn n_blocks(&self) -> usize {
        self.model.n_blocks()
    }

    fn block(&self, b: usize) -> Range<usize> {
        let z = self.model.block(b);
        match self.bijection.unconstrained_range(&z) {
            Some(u) => u,
            None => panic!("block {b} of the model ({z:?}) cuts an element of a support in two"),
        }
    }

    fn log_joint_block(&self, b: usize, u: &ArrayRef1<f64>) -> f64 {
        let block = self.model.block(b);
        let log_det = self.bijection.log_det_range(&block, u);
        crate::scratch::with_vector(self.model.dim(), |z| {
            self.bijection.constrain(u, z);
            self.model.log_joint_block(b, z) + log_det
        })
    }

    fn log_joint_blocks(&self, u: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        if self.bijection.is_identity() {
            return self.model.log_joint_blocks(u, out);
        }
        crate::scratch::with_vector(self.model.dim(), |z| {
            self.bijection.constrain(u, z);
            self.model.log_joint_blocks(z, out);
        });
        for (b, o) in out.iter_mut().enumerate() {
            *o += self.bijection.log_det_range(&self.model.block(b), u);
        }
    }
}

impl<M: Subsample + LogJoint> Subsample for Unconstrained<M> {
    type Minibatch<'a>
        = Unconstrained<M::Minibatch<'a>>
    where
        Self: 'a;

    fn n_data(&self) -> usize {
        self.model.n_data()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a> {
        Unconstrained { model: self.model.minibatch(indices), bijection: Arc::clone(&self.bijection) }
    }
}

/// Reported are the variables of the model, on their natural support.
impl<M: LogJoint> Reported for Unconstrained<M> {
    fn reported(&self) -> &ParameterSpace {
        self.bijection.constrained()
    }

    fn report(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) -> f64 {
        self.bijection.constrain(u, z)
    }

    /// A point outside the support has no image: `u` is then filled with NaN.
    fn unreport(&self, z: &ArrayRef1<f64>, u: &mut ArrayRef1<f64>) {
        if self.bijection.unconstrain(z, u).is_err() {
            u.fill(f64::NAN);
        }
    }
}
