//! Plates: models with latent variables of their own for every datum, and parameters that all data share.
//!
//! ```text
//! log p_θ(x, z) = log p(θ) + Σ_n log p_θ(x_n, z_n)        z_n (L) for n = 1 … N,  θ (M)
//! ```
//! θ is learned beside q (variational EM), or fixed: [`PlateJoint`] is the log joint of all z at one θ.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView2};

use crate::key::StreamKey;
use crate::model::{LocalLogJoint, LogJoint};
use crate::parameter::{Parameter, ParameterError, ParameterSpace};

/// What can be wrong with the parameters θ of a model, or with its layout.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlateError {
    /// θ has the wrong length.
    #[error("the model parameters have length {actual}, expected {expected}")]
    Length {
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// An element of θ is not finite or outside its domain.
    #[error("model parameter {name} = {value}, but it must be {requirement}")]
    ModelParameter {
        /// The element.
        name: String,
        /// Its value.
        value: f64,
        /// The domain in words.
        requirement: &'static str,
    },
    /// A layout of parameters that is wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

/// A model with latent variables z_n for every datum and parameters θ ∈ ℝᴹ that all data share.
///
/// ```text
/// log p_θ(x, z) = log p(θ) + Σ_n log p_θ(x_n, z_n)
/// ```
/// The data are part of `self`. An implementation is checked by `testing::check_plate` (feature `testing`) in one line.
pub trait PlateModel: Send + Sync {
    /// What is computed once for every θ and kept in a buffer of the caller's; `()` for models without.
    type Cache: Default + Send + Sync;
    /// The model at one θ.
    type At<'a>: PlateLogJoint
    where
        Self: 'a;

    /// The number N of data.
    fn n_data(&self) -> usize;
    /// Names, shapes and supports of the latent variables of one datum: the layout of z_n (L).
    fn local_parameters(&self) -> &ParameterSpace;
    /// Names and shapes of θ (M), all real.
    fn model_parameters(&self) -> &ParameterSpace;
    /// A start for θ (M).
    fn init_model_params(&self, key: StreamKey) -> Array1<f64>;
    /// The model at θ. With a used cache nothing is allocated.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite or outside its domain; see [`check_model_params`].
    fn at<'a>(
        &'a self,
        model_params: &'a ArrayRef1<f64>,
        cache: &'a mut Self::Cache,
    ) -> Result<Self::At<'a>, PlateError>;
}

/// A [`PlateModel`] at one θ: validated, and with what is needed many times at hand.
///
/// Matrices stand row after row without gaps ([`ndarray`]'s standard layout); another layout is a wrong shape.
pub trait PlateLogJoint: Send + Sync {
    /// The length M of θ.
    fn n_model_params(&self) -> usize;

    /// Overwrites `out` (n·S) with log p_θ(x_n, z_ns): row i·S + s of `z` (n·S, L) is point s of datum `data[i]`.
    ///
    /// −∞ means zero density; NaN is a fault of the model. But for rounding, a value does not depend on what else is
    /// asked for in the same call. After a thread's first call nothing is allocated.
    ///
    /// # Panics
    /// If a shape does not fit, or a datum is ≥ N.
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>);

    /// [`PlateLogJoint::log_joint_points`], and the gradient in θ from the same products:
    ///
    /// ```text
    /// grad (M) += weight · Σ_i Σ_s ∇_θ log p_θ(x_data[i], z_is)
    /// ```
    ///
    /// # Panics
    /// If a shape does not fit, or a datum is ≥ N.
    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    );

    /// log p(θ); 0 for models without a prior, whose θ is fitted by maximum likelihood.
    fn log_prior(&self) -> f64 {
        0.0
    }

    /// grad (M) += weight · ∇ log p(θ).
    fn add_log_prior_grad(&self, weight: f64, grad: &mut ArrayRef1<f64>) {
        let _ = (weight, grad);
    }
}

/// Checks that θ has its length and all its elements are finite, which [`PlateModel::at`] does first.
///
/// # Errors
/// [`PlateError`] names the element.
pub fn check_model_params(space: &ParameterSpace, model_params: &ArrayRef1<f64>) -> Result<(), PlateError> {
    if model_params.len() != space.dim() {
        return Err(PlateError::Length { expected: space.dim(), actual: model_params.len() });
    }
    match model_params.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(PlateError::ModelParameter {
            name: space.names()[i].clone(),
            value: model_params[i],
            requirement: "finite",
        }),
    }
}

/// Data evaluated in one call of the model by [`PlateJoint`].
const TILE: usize = 64;

/// A [`PlateModel`] at one θ as a log joint over the latent variables of all data, one block for every datum.
///
/// ```text
/// z = (z_1, …, z_N) (N·L)
/// ```
/// With it every method for log joints works on a plate at fixed θ. A single local variable `z` of shape (H) is named
/// `z` of shape (N, H); several, `u` and `v`, are named `u[1]`, `v[1]`, `u[2]`, …
#[derive(Debug)]
pub struct PlateJoint<A> {
    at: A,
    space: ParameterSpace,
    data: Vec<usize>,
    n_local: usize,
}

impl<A: PlateLogJoint> PlateJoint<A> {
    /// The log joint of all data of `model`, which is `at` at one θ.
    ///
    /// # Errors
    /// [`PlateError::Parameter`] when names do not go together.
    pub fn new<'a, M>(model: &M, at: A) -> Result<Self, PlateError>
    where
        M: PlateModel<At<'a> = A> + 'a,
    {
        let n = model.n_data();
        let local = model.local_parameters();
        let space = match local.parameters() {
            [alone] => ParameterSpace::new([repeated(alone, n)])?,
            several => {
                ParameterSpace::new((1..=n).flat_map(|i| several.iter().map(move |p| numbered(p, i))))?
            }
        };
        Ok(Self { at, space, data: (0..n).collect(), n_local: local.dim() })
    }

    /// The model at its θ.
    pub fn at(&self) -> &A {
        &self.at
    }

    /// Overwrites `out` (N) with log p_θ(x_n, z_n) of every datum.
    fn terms(&self, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let copy;
        let z = match z.as_slice() {
            Some(z) => z,
            None => {
                copy = z.to_vec();
                &copy[..]
            }
        };
        let tiles = z.chunks(TILE * self.n_local).zip(self.data.chunks(TILE));
        for ((z, data), mut out) in tiles.zip(out.axis_chunks_iter_mut(ndarray::Axis(0), TILE)) {
            self.at.log_joint_points(data, &rows(z, self.n_local), &mut out);
        }
    }
}

/// The latent variables of all data of a plate, datum after datum: the layout of [`PlateJoint`].
///
/// # Errors
/// [`PlateError::Parameter`] when names do not go together.
pub fn plate_space<M: PlateModel>(model: &M) -> Result<ParameterSpace, PlateError> {
    let n = model.n_data();
    Ok(match model.local_parameters().parameters() {
        [alone] => ParameterSpace::new([repeated(alone, n)])?,
        several => ParameterSpace::new((1..=n).flat_map(|i| several.iter().map(move |p| numbered(p, i))))?,
    })
}

/// One more axis in front, for the data.
fn repeated(p: &Parameter, n: usize) -> Parameter {
    let shape: Vec<usize> = std::iter::once(n).chain(p.shape().iter().copied()).collect();
    Parameter::new(p.name(), &shape, p.support())
}

fn numbered(p: &Parameter, datum: usize) -> Parameter {
    Parameter::new(format!("{}[{datum}]", p.name()), p.shape(), p.support())
}

fn rows(z: &[f64], width: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((z.len() / width, width), z).expect("the length is a multiple of the width")
}

impl<A: PlateLogJoint> LogJoint for PlateJoint<A> {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        crate::scratch::with_vector(self.data.len(), |terms| {
            self.terms(z, terms);
            self.at.log_prior() + terms.sum()
        })
    }
}

impl<A: PlateLogJoint> LocalLogJoint for PlateJoint<A> {
    fn n_blocks(&self) -> usize {
        self.data.len()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b * self.n_local..(b + 1) * self.n_local
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let z_b = z.slice(ndarray::s![self.block(b)]);
        let row = z_b.view().insert_axis(ndarray::Axis(0));
        crate::scratch::with_vector(1, |out| {
            self.at.log_joint_points(&self.data[b..=b], &row, out);
            out[0]
        })
    }
    fn log_joint_blocks(&self, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        self.terms(z, out);
    }
}
