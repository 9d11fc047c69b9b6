//! The Weibull distribution with known shape.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::numerics::{EULER, exponential_quantile, kl_of_rates, log_exp_m1};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::{exp_inside, standard_exponential};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::log_gamma;
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "Weibull";

/// The Weibull distribution on (0, ∞), with the shape given: the law of scale · x^(1/shape), x unit exponential.
///
/// ```text
/// p(z) = shape/scale · (z/scale)^(shape − 1) exp(−(z/scale)^shape)
/// T(z) = z^shape      η = −scale^(−shape) < 0      h(z) = shape · z^(shape − 1)
/// ```
/// T is exponential with rate scale^(−shape); the Fisher information, its inverse square, is infinite for rates below
/// 10⁻¹⁵⁴.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weibull {
    shape: f64,
    /// scale^(−shape).
    rate: f64,
}

deserialize_checked! {
    Weibull { shape: f64, rate: f64 } => Self::from_shape_rate(shape, rate)
}

impl Weibull {
    /// The member with this shape and scale.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so is scale^(−shape).
    pub fn from_shape_scale(shape: f64, scale: f64) -> Result<Self, FamilyError> {
        positive(FAMILY, "shape", shape)?;
        positive(FAMILY, "scale", scale)?;
        Self::from_shape_rate(shape, scale.powf(-shape))
    }

    /// The member with this shape and rate of z^shape, scale^(−shape).
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, and so is the scale.
    pub fn from_shape_rate(shape: f64, rate: f64) -> Result<Self, FamilyError> {
        let shape = positive(FAMILY, "shape", shape)?;
        let rate = positive(FAMILY, "rate scale^(−shape)", rate)?;
        positive(FAMILY, "scale", rate.powf(-1.0 / shape))?;
        Ok(Self { shape, rate })
    }

    /// The shape.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.rate.powf(-1.0 / self.shape)
    }

    /// The rate of z^shape, scale^(−shape).
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// `E[log z]` = log scale − γ / shape, γ the Euler-Mascheroni constant.
    pub fn expected_log(&self) -> f64 {
        -(self.rate.ln() + EULER) / self.shape
    }

    /// log `E[z]`.
    fn log_mean(&self) -> f64 {
        log_gamma(1.0 + 1.0 / self.shape) - self.rate.ln() / self.shape
    }

    /// rate · x^shape, from the logarithm: x^shape alone may overflow.
    fn cumulative_hazard(&self, x: f64) -> f64 {
        (self.rate.ln() + self.shape * x.ln()).exp()
    }
}

/// log Γ(1 + 2s) − 2 log Γ(1 + s) for s > 0: for small s from the series of log Γ(1 + s), Abramowitz & Stegun
/// (1964), 6.1.33.
fn log_square_excess(s: f64) -> f64 {
    /// ζ(k) (2^k − 2) / k from k = 2.
    const C: [f64; 9] = [
        1.6449340668482264,
        2.4041138063191885,
        3.7881313179889835,
        6.22156653086022,
        10.512544973839308,
        18.150286992874612,
        31.879456059284735,
        56.780475593477995,
        102.30164557806302,
    ];
    if s > 1e10 {
        // Stirling: here only its size matters, and the terms may overflow.
        return 2.0 * s * std::f64::consts::LN_2;
    }
    if s > 0.01 {
        return log_gamma(1.0 + 2.0 * s) - 2.0 * log_gamma(1.0 + s);
    }
    s * s * C.iter().rev().fold(0.0, |sum, c| c - s * sum)
}

impl Weibull {
    /// The draw that an exponential variate makes.
    #[inline]
    pub(crate) fn draw_from(&self, unit: f64) -> f64 {
        exp_inside((unit.ln() - self.rate.ln()) / self.shape)
    }
}

impl ExponentialFamily for Weibull {
    type Value = f64;
    /// The shape.
    type Fixed = f64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> f64 {
        self.shape
    }
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![-self.rate]
    }
    fn from_natural_given(shape: &f64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_shape_rate(*shape, -eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.rate.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![1.0 / self.rate]
    }
    fn from_mean_params_given(shape: &f64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        positive(FAMILY, "shape", *shape)?;
        Self::from_shape_rate(*shape, 1.0 / mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[1.0 / self.rate / self.rate]]
    }
    fn sufficient_stats_given(shape: &f64, z: &f64) -> Array1<f64> {
        array![z.powf(*shape)]
    }
    fn log_base_measure_given(shape: &f64, z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        shape.ln() + (shape - 1.0) * z.ln()
    }
    fn expected_log_base_measure(&self) -> f64 {
        self.shape.ln() + (self.shape - 1.0) * self.expected_log()
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.draw_from(standard_exponential(rng))
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&self.shape, z);
        if h == f64::NEG_INFINITY { h } else { h + self.rate.ln() - self.cumulative_hazard(*z) }
    }
    fn entropy(&self) -> f64 {
        1.0 - self.rate.ln() - self.expected_log_base_measure()
    }
    fn kl(&self, other: &Self) -> f64 {
        kl_of_rates(1.0, self.rate, other.rate)
    }
}

impl Parametric for Weibull {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "scale", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.scale()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_shape_scale(self.shape, theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[self.shape * self.rate / self.scale()]]
    }
}

impl Univariate for Weibull {
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
        self.log_mean().exp()
    }
    fn variance(&self) -> f64 {
        // As a product: the difference of E[z²] and E[z]² cancels for a large shape.
        (2.0 * self.log_mean() + log_exp_m1(log_square_excess(1.0 / self.shape))).exp()
    }
    fn mode(&self) -> f64 {
        let k = self.shape;
        if k > 1.0 { self.scale() * (1.0 - 1.0 / k).powf(1.0 / k) } else { 0.0 }
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -(-self.cumulative_hazard(x)).exp_m1() }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { (-self.cumulative_hazard(x)).exp() }
    }
    fn quantile(&self, p: f64) -> f64 {
        ((exponential_quantile(p).ln() - self.rate.ln()) / self.shape).exp()
    }
}
