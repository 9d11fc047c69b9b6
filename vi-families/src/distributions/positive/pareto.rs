//! The Pareto distribution with known minimum.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::{exponential_quantile, kl_of_rates};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_exponential;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "Pareto";

/// The Pareto distribution on [minimum, ∞), with the minimum given.
///
/// ```text
/// p(z) = shape · minimum^shape / z^(shape + 1)
/// T(z) = log(z / minimum)      η = −shape < 0      h(z) = 1/z
/// ```
/// T is exponential with rate `shape`. (With T = log z instead, η is −shape − 1 and digits are lost.)
/// For shapes below 0.03 draws overflow often enough to bias the mean of T; everything else holds for all shapes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pareto {
    minimum: f64,
    shape: f64,
}

deserialize_checked! {
    Pareto { minimum: f64, shape: f64 } => Self::from_minimum_shape(minimum, shape)
}

impl Pareto {
    /// The member with this minimum and shape.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_minimum_shape(minimum: f64, shape: f64) -> Result<Self, FamilyError> {
        Ok(Self { minimum: positive(FAMILY, "minimum", minimum)?, shape: positive(FAMILY, "shape", shape)? })
    }

    /// The member with this minimum and mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless the minimum is finite and positive and the mean finite and above it.
    pub fn from_minimum_mean(minimum: f64, mean: f64) -> Result<Self, FamilyError> {
        let minimum = positive(FAMILY, "minimum", minimum)?;
        let excess = positive(FAMILY, "mean − minimum", mean - minimum)?;
        Self::from_minimum_shape(minimum, 1.0 + minimum / excess)
    }

    /// The smallest possible value.
    pub fn minimum(&self) -> f64 {
        self.minimum
    }

    /// The shape, the tail index.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// `E[log z]` = log minimum + 1 / shape.
    pub fn expected_log(&self) -> f64 {
        self.minimum.ln() + 1.0 / self.shape
    }
}

/// log(x / minimum) for x ≥ minimum, with its relative accuracy where x is close to it.
pub(crate) fn log_ratio(x: f64, minimum: f64) -> f64 {
    let excess = (x - minimum) / minimum;
    if excess.is_finite() { excess.ln_1p() } else { x.ln() - minimum.ln() }
}

impl Pareto {
    /// The draw that an exponential variate makes.
    #[inline]
    pub(crate) fn draw_from(&self, unit: f64) -> f64 {
        let excess = (unit / self.shape).exp_m1();
        (self.minimum + self.minimum * excess).min(f64::MAX)
    }
}

impl ExponentialFamily for Pareto {
    type Value = f64;
    /// The minimum.
    type Fixed = f64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> f64 {
        self.minimum
    }
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![-self.shape]
    }
    fn from_natural_given(minimum: &f64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_minimum_shape(*minimum, -eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.shape.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![1.0 / self.shape]
    }
    fn from_mean_params_given(minimum: &f64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        positive(FAMILY, "minimum", *minimum)?;
        Self::from_minimum_shape(*minimum, 1.0 / mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[1.0 / self.shape / self.shape]]
    }
    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&self.minimum, z);
        if h == f64::NEG_INFINITY {
            h
        } else {
            self.shape.ln() - self.shape * log_ratio(*z, self.minimum) + h
        }
    }
    fn sufficient_stats_given(minimum: &f64, z: &f64) -> Array1<f64> {
        array![log_ratio(*z, *minimum)]
    }
    fn log_base_measure_given(minimum: &f64, z: &f64) -> f64 {
        if *z < *minimum || *z == f64::INFINITY { f64::NEG_INFINITY } else { -z.ln() }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -self.expected_log()
    }
    /// One draw; where it would overflow, as the tail of a shape below 0.1 often does, it is the largest number.
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.draw_from(standard_exponential(rng))
    }

    fn kl(&self, other: &Self) -> f64 {
        kl_of_rates(1.0, self.shape, other.shape)
    }
}

impl Parametric for Pareto {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "shape", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.shape]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_minimum_shape(self.minimum, theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[-1.0]]
    }
}

impl Univariate for Pareto {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (self.minimum, f64::INFINITY)
    }
    fn mean(&self) -> f64 {
        let a = self.shape;
        if a > 1.0 { self.minimum + self.minimum / (a - 1.0) } else { f64::INFINITY }
    }
    fn variance(&self) -> f64 {
        let a = self.shape;
        let scaled = self.minimum / (a - 1.0);
        if a > 2.0 { scaled * scaled * (a / (a - 2.0)) } else { f64::INFINITY }
    }
    fn mode(&self) -> f64 {
        self.minimum
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= self.minimum { 0.0 } else { -(-self.shape * log_ratio(x, self.minimum)).exp_m1() }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= self.minimum { 1.0 } else { (-self.shape * log_ratio(x, self.minimum)).exp() }
    }
    fn quantile(&self, p: f64) -> f64 {
        self.minimum + self.minimum * (exponential_quantile(p) / self.shape).exp_m1()
    }
}
