//! The Laplace distribution about a given location.

use std::f64::consts::LN_2;

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_laplace;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{finite, length, no_member, positive};

const FAMILY: &str = "Laplace";

/// The Laplace distribution on ℝ about a given location.
///
/// ```text
/// p(z) = exp(−|z − location| / scale) / (2 scale)
/// T(z) = |z − location|      η = −1/scale      h(z) = 1      Fixed = location
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Laplace {
    location: f64,
    scale: f64,
}

deserialize_checked! {
    Laplace { location: f64, scale: f64 } => Self::from_location_scale(location, scale)
}

impl Laplace {
    /// The member with this location and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the scale finite and positive.
    pub fn from_location_scale(location: f64, scale: f64) -> Result<Self, FamilyError> {
        let location = finite(FAMILY, "location", location)?;
        let scale = positive(FAMILY, "scale", scale)?;
        positive(FAMILY, "scale²", scale * scale)?;
        Ok(Self { location, scale })
    }

    /// The member with this location and rate, the reciprocal of the scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the rate finite and positive.
    pub fn from_location_rate(location: f64, rate: f64) -> Result<Self, FamilyError> {
        Self::from_location_scale(location, 1.0 / positive(FAMILY, "rate", rate)?)
    }

    /// The member with this location and variance, 2 scale².
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the variance finite and positive.
    pub fn from_location_variance(location: f64, variance: f64) -> Result<Self, FamilyError> {
        Self::from_location_scale(location, (0.5 * positive(FAMILY, "variance", variance)?).sqrt())
    }

    /// The location, mean and median.
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The scale, `E|z − location|`.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The rate 1 / scale.
    pub fn rate(&self) -> f64 {
        1.0 / self.scale
    }
}

impl Laplace {
    /// The draw that a standard one makes.
    #[inline]
    pub(crate) fn draw_from(&self, standard: f64) -> f64 {
        (self.location + standard * self.scale).clamp(f64::MIN, f64::MAX)
    }
}

impl ExponentialFamily for Laplace {
    type Value = f64;
    type Fixed = f64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> f64 {
        self.location
    }
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![-1.0 / self.scale]
    }
    fn from_natural_given(location: &f64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_location_rate(*location, -eta[0])
    }
    fn log_partition(&self) -> f64 {
        LN_2 + self.scale.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.scale]
    }
    fn from_mean_params_given(location: &f64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        finite(FAMILY, "location", *location)?;
        Self::from_location_scale(*location, mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.scale * self.scale]]
    }
    fn sufficient_stats_given(location: &f64, z: &f64) -> Array1<f64> {
        array![(z - location).abs()]
    }
    fn log_base_measure_given(_: &f64, z: &f64) -> f64 {
        if z.is_infinite() { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.draw_from(standard_laplace(rng))
    }

    fn log_prob(&self, z: &f64) -> f64 {
        if z.is_infinite() {
            return f64::NEG_INFINITY;
        }
        -(z - self.location).abs() / self.scale - LN_2 - self.scale.ln()
    }
    fn entropy(&self) -> f64 {
        1.0 + LN_2 + self.scale.ln()
    }
    fn kl(&self, other: &Self) -> f64 {
        let excess = (self.scale - other.scale) / other.scale;
        let log_ratio = if excess.abs() < 0.5 { excess.ln_1p() } else { self.scale.ln() - other.scale.ln() };
        excess - log_ratio
    }
}

impl Parametric for Laplace {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "scale", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.scale]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_location_scale(self.location, theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[1.0 / self.scale / self.scale]]
    }
}

impl Univariate for Laplace {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
    fn mean(&self) -> f64 {
        self.location
    }
    fn variance(&self) -> f64 {
        2.0 * self.scale * self.scale
    }
    fn mode(&self) -> f64 {
        self.location
    }
    fn cdf(&self, x: f64) -> f64 {
        let d = (x - self.location) / self.scale;
        if d <= 0.0 { 0.5 * d.exp() } else { 1.0 - 0.5 * (-d).exp() }
    }
    fn survival(&self, x: f64) -> f64 {
        let d = (x - self.location) / self.scale;
        if d >= 0.0 { 0.5 * (-d).exp() } else { 1.0 - 0.5 * d.exp() }
    }
    fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        // ln_1p keeps the digits of the distance next to the median.
        let log_twice = |q: f64| if q > 0.25 { (2.0 * q - 1.0).ln_1p() } else { (2.0 * q).ln() };
        if p <= 0.5 {
            self.location + self.scale * log_twice(p)
        } else {
            self.location - self.scale * log_twice(1.0 - p)
        }
    }
}
