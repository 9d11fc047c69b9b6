//! The same likelihoods with the reciprocal unknown: scales and variances instead of rates and precisions.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::{
    ConjugateLikelihood, GammaRate, HalfNormalPrecision, InverseGaussianShape, LaplaceRate,
    LogNormalLogPrecision, RayleighPrecision, WeibullRate,
};
use crate::distributions::{Gamma, InverseGamma};
use crate::error::FamilyError;

/// A likelihood with unknown z ~ Gamma, written in v = 1/z ~ [`InverseGamma`].
///
/// ```text
/// T(z) = (log z, z) = (−log v, 1/v)      m(x) = (−m₁(x), m₂(x))      h(x) and x̂ as there
/// ```
/// The Gamma with the shape and, as rate, the scale of the prior on v is the prior on z: evidence and predictive
/// distribution are the same. [`ExponentialMean`](crate::ExponentialMean) and
/// [`GaussianVariance`](crate::GaussianVariance) are such pairs with a type of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reciprocal<L> {
    inner: L,
}

/// A Gamma datum of known shape with unknown scale.
pub type GammaScale = Reciprocal<GammaRate>;
/// A Weibull datum of known shape k with unknown scaleᵏ.
pub type WeibullScalePower = Reciprocal<WeibullRate>;
/// A Rayleigh datum with unknown scale².
pub type RayleighVariance = Reciprocal<RayleighPrecision>;
/// A half-normal datum with unknown variance of the normal distribution it is half of.
pub type HalfNormalVariance = Reciprocal<HalfNormalPrecision>;
/// A log-normal datum of known log-mean with unknown variance of its logarithm.
pub type LogNormalLogVariance = Reciprocal<LogNormalLogPrecision>;
/// A Laplace datum of known location with unknown scale.
pub type LaplaceScale = Reciprocal<LaplaceRate>;
/// An inverse Gaussian datum of known mean with unknown 1/shape, its dispersion as a generalised linear model.
pub type InverseGaussianDispersion = Reciprocal<InverseGaussianShape>;

impl<L: ConjugateLikelihood<Prior = Gamma>> Reciprocal<L> {
    /// The likelihood as a function of 1/z.
    pub fn new(inner: L) -> Self {
        Self { inner }
    }

    /// The likelihood as a function of z.
    pub fn inner(&self) -> &L {
        &self.inner
    }
}

impl<L: ConjugateLikelihood<Prior = Gamma>> ConjugateLikelihood for Reciprocal<L> {
    type Value = L::Value;
    type Prior = InverseGamma;
    type Predictive = L::Predictive;
    const NAME: &'static str = L::NAME;

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &L::Value, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] = -out[0];
        self.inner.add_message(x, weight, out);
        out[0] = -out[0];
    }
    fn log_base_measure(&self, x: &L::Value) -> f64 {
        self.inner.log_base_measure(x)
    }
    fn predictive(&self, prior: &InverseGamma) -> Result<L::Predictive, FamilyError> {
        self.inner.predictive(&Gamma::from_shape_rate(prior.shape(), prior.scale())?)
    }
}
