//! Models: levels of knowledge about a joint distribution p(x, z).
//!
//! A model says what it can as traits, and a method asks for what it needs as a bound: the log joint alone
//! serves the score function and the random walk, its gradient the pathwise estimator and NUTS.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};

use crate::communicator::CommError;
use crate::exec::Exec;
use crate::key::StreamRng;
use crate::parameter::ParameterSpace;

/// A log joint density with the data inside.
///
/// ```text
/// log p(x, z)
/// ```
/// `z` is laid out by [`LogJoint::parameters`], on its natural support. `−∞` means zero density; `NaN` is a
/// fault of the model, which every kernel reports with the offending `z`.
pub trait LogJoint: Send + Sync {
    /// Names, shapes and supports of the latent variables: the layout of `z`.
    fn parameters(&self) -> &ParameterSpace;

    /// The length D of `z`.
    fn dim(&self) -> usize {
        self.parameters().dim()
    }

    /// log p(x, z) at one `z` (D), every constant included.
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64;

    /// log p(x, z_s) for every row of `z` (S, D), into `out` (S).
    ///
    /// Override it with matrix products where the likelihood allows.
    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o = self.log_joint(&row);
        }
    }
}

/// A log joint with its gradient in `z`.
pub trait GradLogJoint: LogJoint {
    /// Returns log p(x, z) and overwrites `grad` (D) with ∇_z log p(x, z).
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64;

    /// The same for every row of `z` (S, D): overwrites `out` (S) and `grad` (S, D).
    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        for ((row, o), mut g) in z.rows().into_iter().zip(out.iter_mut()).zip(grad.rows_mut()) {
            *o = self.log_joint_and_grad(&row, &mut g);
        }
    }

    /// [`GradLogJoint::log_joint_and_grad_batch`] with its bits, on the threads and ranks of `exec`: what a kernel calls that has
    /// too few points to keep them busy. By default on the calling thread alone.
    ///
    /// All ranks of `exec` make the same call. Override it where the data are many: cut them into blocks whose size depends on
    /// the data alone, and sum through `exec`.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    fn log_joint_and_grad_batch_in(
        &self,
        _exec: Exec<'_>,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) -> Result<(), CommError> {
        self.log_joint_and_grad_batch(z, out, grad);
        Ok(())
    }
}

/// A log joint that can say which of its terms involve one block of `z`.
///
/// This is what Rao–Blackwellised score gradients need (Ranganath, Gerrish & Blei 2014, §4.1).
pub trait LocalLogJoint: LogJoint {
    /// The number of blocks; together they cover `z`.
    fn n_blocks(&self) -> usize;
    /// The coordinates of block `b`.
    fn block(&self, b: usize) -> Range<usize>;
    /// The sum of the terms of log p(x, z) in which block `b` occurs.
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64;
    /// Overwrites `out` (n_blocks) with [`LocalLogJoint::log_joint_block`] of every block.
    ///
    /// Override it where blocks share work.
    fn log_joint_blocks(&self, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        for (b, o) in out.iter_mut().enumerate() {
            *o = self.log_joint_block(b, z);
        }
    }
}

/// A model whose data can be subsampled. A minibatch of a model is a model.
///
/// ```text
/// log p(z) + (N/|B|) Σ_{n∈B} log p(x_n | z)
/// ```
pub trait Subsample {
    /// The model of a minibatch.
    type Minibatch<'a>: LogJoint
    where
        Self: 'a;
    /// The number N of data.
    fn n_data(&self) -> usize;
    /// The model of the data with these indices (repeats allowed).
    ///
    /// # Panics
    /// If `indices` is empty or an index is ≥ N.
    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a>;
}

/// p(x̂ | z): what the posterior predictive p(x̂ | x) = E_{z|x}[p(x̂ | z)] needs.
pub trait Predictive: LogJoint {
    /// A set of data points: covariates and responses, or observations alone.
    type Data: Send + Sync;
    /// The data that the model was given.
    fn observed(&self) -> &Self::Data;
    /// The number of points in `data`.
    fn n_points(&self, data: &Self::Data) -> usize;
    /// Overwrites `out` (n_points) with log p(x̂_n | z).
    fn log_likelihood_pointwise(&self, data: &Self::Data, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>);
    /// Draws new responses at the covariates of `data` given `z`.
    fn simulate(&self, data: &Self::Data, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Self::Data;
}

/// A model whose exact answer is known: the judge of all the others. What is not known is `None`.
pub trait KnownPosterior: LogJoint {
    /// E[z | x] (D).
    fn posterior_mean(&self) -> Option<Array1<f64>>;
    /// Cov[z | x] (D, D).
    fn posterior_covariance(&self) -> Option<Array2<f64>>;
    /// log p(x).
    fn log_evidence(&self) -> Option<f64>;
}

/// A model whose expectation under independent Gaussians is known: with it the mean-field ELBO and its gradient are
/// exact, and judge every estimator of them.
///
/// The Gaussians live where [`crate::Unconstrained`] puts the model: a positive τ is log τ there.
pub trait GaussianExpectation: LogJoint {
    /// How it is computed, in words.
    fn how(&self) -> &'static str;
    /// Returns the expectation under u_d ~ N(m_d, s_d²), given m and s (D each), and overwrites `grad_mean` and
    /// `grad_sd` (D each) with its derivatives in m and s.
    ///
    /// ```text
    /// E[log p(x, z(u)) + log |det ∂z/∂u|]
    /// ```
    fn expected_under_gaussians(
        &self,
        mean: &ArrayRef1<f64>,
        sd: &ArrayRef1<f64>,
        grad_mean: &mut ArrayRef1<f64>,
        grad_sd: &mut ArrayRef1<f64>,
    ) -> f64;
}

/// A model whose `z` is a smooth one-to-one reparametrisation of the variables that users read, for instance
/// the non-centred form of a hierarchical model.
///
/// The two layouts describe one joint distribution; results are reported in the second.
pub trait Reported: LogJoint {
    /// The variables that users read.
    fn reported(&self) -> &ParameterSpace;
    /// Overwrites `reported` with the variables that users read at `z`, and returns log |det ∂reported/∂z|.
    fn report(&self, z: &ArrayRef1<f64>, reported: &mut ArrayRef1<f64>) -> f64;
    /// Overwrites `z` with the point that is reported as `reported`.
    fn unreport(&self, reported: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>);
}

macro_rules! forward_log_joint {
    ($($pointer:ty),*) => {$(
        impl<M: LogJoint + ?Sized> LogJoint for $pointer {
            fn parameters(&self) -> &ParameterSpace { (**self).parameters() }
            fn dim(&self) -> usize { (**self).dim() }
            fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 { (**self).log_joint(z) }
            fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) { (**self).log_joint_batch(z, out) }
        }
        impl<M: GradLogJoint + ?Sized> GradLogJoint for $pointer {
            fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
                (**self).log_joint_and_grad(z, grad)
            }
            fn log_joint_and_grad_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, grad: &mut ArrayRef2<f64>) {
                (**self).log_joint_and_grad_batch(z, out, grad)
            }
            fn log_joint_and_grad_batch_in(
                &self, exec: Exec<'_>, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, grad: &mut ArrayRef2<f64>,
            ) -> Result<(), CommError> {
                (**self).log_joint_and_grad_batch_in(exec, z, out, grad)
            }
        }
        impl<M: LocalLogJoint + ?Sized> LocalLogJoint for $pointer {
            fn n_blocks(&self) -> usize { (**self).n_blocks() }
            fn block(&self, b: usize) -> Range<usize> { (**self).block(b) }
            fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 { (**self).log_joint_block(b, z) }
            fn log_joint_blocks(&self, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) { (**self).log_joint_blocks(z, out) }
        }
    )*};
}
forward_log_joint!(&M, Box<M>, std::sync::Arc<M>);
