//! The inverse Gamma distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::{Gamma, unit_gamma};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::GammaDraw;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::solve::inverse_log_minus_digamma;
use crate::special::{digamma, log_gamma, regularized_gamma_lower, regularized_gamma_upper, trigamma};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "InverseGamma";

/// The inverse Gamma distribution on (0, ∞): the law of 1/x for x ~ Gamma(shape, rate = scale).
///
/// ```text
/// p(z) = scale^shape / Γ(shape) · z^(−shape − 1) exp(−scale / z)
/// T(z) = (log z, 1/z)      η = (−shape − 1, −scale)      h(z) = 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InverseGamma {
    shape: f64,
    scale: f64,
}

deserialize_checked! {
    InverseGamma { shape: f64, scale: f64 } => Self::from_shape_scale(shape, scale)
}

impl InverseGamma {
    /// The member with this shape and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_shape_scale(shape: f64, scale: f64) -> Result<Self, FamilyError> {
        Ok(Self { shape: positive(FAMILY, "shape", shape)?, scale: positive(FAMILY, "scale", scale)? })
    }

    /// The member with this mean and variance: shape mean²/variance + 2, scale mean · (shape − 1).
    ///
    /// Members with a shape of 2 or less have no finite variance and are not reached.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so are shape and scale.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let (mean, variance) = (positive(FAMILY, "mean", mean)?, positive(FAMILY, "variance", variance)?);
        // Shape − 2; where it underflows the variance is too large beside the mean for f64 to tell the shape from 2.
        let excess = positive(FAMILY, "mean²/variance", mean * (mean / variance))?;
        Self::from_shape_scale(excess + 2.0, mean * (excess + 1.0))
    }

    /// The scaled inverse χ² distribution: the law of dof · s² / x for x ~ χ²(dof), of shape dof/2 and scale
    /// dof · s²/2 (Gelman et al. 2013, table A.1).
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so are shape and scale.
    pub fn from_scaled_inverse_chi_squared(dof: f64, squared_scale: f64) -> Result<Self, FamilyError> {
        let half = 0.5 * positive(FAMILY, "dof", dof)?;
        Self::from_shape_scale(half, half * positive(FAMILY, "squared_scale", squared_scale)?)
    }

    /// The shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The degrees of freedom 2 · shape of the scaled inverse χ² distribution.
    pub fn dof(&self) -> f64 {
        2.0 * self.shape
    }

    /// The s² = scale / shape of the scaled inverse χ² distribution, the harmonic mean 1/`E[1/z]`.
    pub fn squared_scale(&self) -> f64 {
        self.scale / self.shape
    }

    /// `E[z]` = scale / (shape − 1); ∞ for a shape of 1 or less.
    pub fn mean(&self) -> f64 {
        if self.shape > 1.0 { self.scale / (self.shape - 1.0) } else { f64::INFINITY }
    }

    /// `Var[z]`; ∞ for a shape of 2 or less.
    pub fn variance(&self) -> f64 {
        if self.shape > 2.0 { self.mean() * self.mean() / (self.shape - 2.0) } else { f64::INFINITY }
    }

    /// `E[log z]` = log scale − ψ(shape).
    pub fn expected_log(&self) -> f64 {
        self.scale.ln() - digamma(self.shape)
    }

    /// `E[1/z]` = shape / scale.
    pub fn expected_reciprocal(&self) -> f64 {
        self.shape / self.scale
    }
}

impl From<Gamma> for InverseGamma {
    /// The law of 1/x for x distributed as `reciprocal`.
    fn from(reciprocal: Gamma) -> Self {
        Self { shape: reciprocal.shape(), scale: reciprocal.rate() }
    }
}

impl From<InverseGamma> for Gamma {
    /// The law of 1/z.
    fn from(reciprocal: InverseGamma) -> Self {
        Self::from_shape_rate(reciprocal.shape, reciprocal.scale)
            .expect("shape and scale of a member are finite and positive")
    }
}

impl ExponentialFamily for InverseGamma {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![-self.shape - 1.0, -self.scale]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        Self::from_shape_scale(-eta[0] - 1.0, -eta[1])
    }
    fn log_partition(&self) -> f64 {
        log_gamma(self.shape) - self.shape * self.scale.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.expected_log(), self.expected_reciprocal()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        inverse_log_minus_digamma(1, mu[1].ln() + mu[0])
            .and_then(|shape| Self::from_shape_scale(shape, shape / mu[1]).ok())
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let off = -1.0 / self.scale;
        array![[trigamma(self.shape), off], [off, self.shape / self.scale / self.scale]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z.ln(), 1.0 / z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞): with probability
    /// exp(−700 shape), which biases the mean of T for shapes below 0.03.
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        GammaDraw::new(self.shape).under(self.scale, rng)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = self.log_base_measure(z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let log = z.ln();
        unit_gamma::log_density(self.shape, self.scale / z, self.scale.ln() - log) - log
    }
    fn entropy(&self) -> f64 {
        // Of x/scale = 1/z, and the expected logarithm of |dz/dx|.
        unit_gamma::entropy(self.shape) + self.scale.ln() - 2.0 * digamma(self.shape)
    }
    fn kl(&self, other: &Self) -> f64 {
        let (mean, theirs) = (self.expected_reciprocal(), other.expected_reciprocal());
        unit_gamma::kl(self.shape, other.shape, mean / theirs, (mean - theirs) / theirs)
    }
}

impl Parametric for InverseGamma {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        ["shape", "scale"]
            .map(|name| ParameterBlock { name, coordinates: Coordinates::Positive { n: 1 } })
            .to_vec()
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.shape, self.scale]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_shape_scale(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[-1.0, 0.0], [0.0, -1.0]]
    }
}

impl Univariate for InverseGamma {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }
    fn mean(&self) -> f64 {
        self.mean()
    }
    fn variance(&self) -> f64 {
        self.variance()
    }
    fn mode(&self) -> f64 {
        self.scale / (self.shape + 1.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { regularized_gamma_upper(self.shape, self.scale / x) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { regularized_gamma_lower(self.shape, self.scale / x) }
    }
    fn quantile(&self, p: f64) -> f64 {
        self.scale / unit_gamma::upper_quantile(self.shape, p)
    }
}
