//! Gradients for free: a log joint written once, generic over its scalar.

use std::borrow::Cow;
use std::ops::{Add, Div, Mul, Sub};

use echidna::Reverse;
use ndarray::ArrayRef1;

use crate::model::{GradLogJoint, LogJoint};
use crate::parameter::ParameterSpace;

/// A number in a log joint: a plain `f64`, or one that records how it came about.
///
/// It has the methods of [`num_traits::Float`] (`ln`, `exp`, `powi`, …) and takes an `f64` on the right of
/// `+ − × ÷`; on the left write [`Scalar::constant`].
pub trait Scalar:
    echidna::Scalar<Float = f64>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// A number that does not depend on z.
    #[inline]
    fn constant(x: f64) -> Self {
        Self::from_f(x)
    }

    /// log(1 + eˣ), without overflow and with its derivative σ(x) in the tails.
    #[inline]
    fn softplus(self) -> Self {
        if self.value() > 0.0 { self + (-self).exp().ln_1p() } else { self.exp().ln_1p() }
    }
}

impl<T> Scalar for T where
    T: echidna::Scalar<Float = f64>
        + Add<f64, Output = T>
        + Sub<f64, Output = T>
        + Mul<f64, Output = T>
        + Div<f64, Output = T>
{
}

/// log Σ exp(x) of scalars; −∞ for none.
pub fn log_sum_exp<T: Scalar>(x: &[T]) -> T {
    let max = x.iter().map(|v| v.value()).fold(f64::NEG_INFINITY, f64::max);
    if !max.is_finite() {
        // All terms vanish, or one of them is +∞ or NaN: the sum itself says which.
        return x.iter().fold(T::constant(0.0), |sum, v| sum + v.exp()).ln();
    }
    x.iter().fold(T::constant(0.0), |sum, v| sum + (*v - max).exp()).ln() + max
}

/// A log joint that is generic over its scalar. [`AutoGrad`] makes a model of it.
pub trait ScalarLogJoint: Send + Sync {
    /// Names, shapes and supports of the latent variables: the layout of `z`.
    fn parameters(&self) -> &ParameterSpace;

    /// log p(x, z), every constant included.
    fn log_joint<T: Scalar>(&self, z: &[T]) -> T;
}

/// A [`ScalarLogJoint`] with its gradient by reverse-mode automatic differentiation.
///
/// Expect some 20 times the cost of a hand gradient: good for prototypes, and as the judge of hand gradients.
///
/// ```
/// use ndarray::array;
/// use vi_core::{AutoGrad, GradLogJoint, Parameter, ParameterSpace, Scalar, ScalarLogJoint, Support};
///
/// /// y_n ~ N(mu, 1), mu ~ N(0, 10²), up to a constant.
/// struct Mean { space: ParameterSpace, y: Vec<f64> }
///
/// impl ScalarLogJoint for Mean {
///     fn parameters(&self) -> &ParameterSpace { &self.space }
///     fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
///         let prior = (z[0] / 10.0).powi(2) * -0.5;
///         self.y.iter().fold(prior, |sum, &y| sum - (z[0] - y).powi(2) * 0.5)
///     }
/// }
///
/// let space = ParameterSpace::new([Parameter::scalar("mu", Support::Real)])?;
/// let model = AutoGrad(Mean { space, y: vec![1.0, 2.0] });
/// let mut grad = array![0.0];
/// let value = model.log_joint_and_grad(&array![1.0], &mut grad);
/// assert!((value - -0.505).abs() < 1e-15);
/// assert!((grad[0] - 0.99).abs() < 1e-15);
/// # Ok::<(), vi_core::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoGrad<F>(
    /// The log joint.
    pub F,
);

impl<F: ScalarLogJoint> LogJoint for AutoGrad<F> {
    fn parameters(&self) -> &ParameterSpace {
        self.0.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.0.log_joint::<f64>(&contiguous(z))
    }
}

impl<F: ScalarLogJoint> GradLogJoint for AutoGrad<F> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (value, gradient) =
            echidna::vjp(|z: &[Reverse<f64>]| vec![self.0.log_joint(z)], &contiguous(z), &[1.0]);
        grad.iter_mut().zip(gradient).for_each(|(g, new)| *g = new);
        value[0]
    }
}

fn contiguous(z: &ArrayRef1<f64>) -> Cow<'_, [f64]> {
    z.as_slice().map_or_else(|| Cow::Owned(z.to_vec()), Cow::Borrowed)
}
