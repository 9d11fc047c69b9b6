//! The von Mises–Fisher distribution on the sphere.

use std::f64::consts::{LN_2, PI};

use ndarray::{Array1, Array2, ArrayRef1};
use serde::Serialize;
use vi_core::StreamRng;

use super::super::real::LARGEST_CONCENTRATION;
use super::super::real::polar::{self, PolarMoments};
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::log_gamma;
use crate::validate::{domain, finite_vector, length, no_member};

const FAMILY: &str = "VonMisesFisher";
/// How far the length of a value may be from 1.
const UNIT_TOLERANCE: f64 = 1e-10;

/// The von Mises–Fisher distribution of a unit vector of length p ≥ 2, a density on the sphere's surface.
///
/// ```text
/// p(z) = κ^(p/2−1) exp(κ μᵀz) / ((2π)^(p/2) I_{p/2−1}(κ))
/// T(z) = z      η = κμ      h(z) = 1      ∇A(η) = A_p(κ) μ,  A_p = I_{p/2} / I_{p/2−1}      Fixed = p
/// ```
/// η = 0 is the uniform distribution; κ is at most 10¹⁵⁰. Mean parameters have a length below 1. A value counts
/// as a unit vector when its length is within 10⁻¹⁰ of 1. (Mardia & Jupp 2000, section 9.3.2.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VonMisesFisher {
    natural: Array1<f64>,
    concentration: f64,
    /// Computed once for all operations.
    #[serde(skip)]
    moments: PolarMoments,
}

deserialize_checked! {
    VonMisesFisher { natural: Array1<f64>, concentration: f64 } => Self::from_natural_concentration(natural, concentration)
}

/// ‖v‖ without overflow.
fn norm(v: &ArrayRef1<f64>) -> f64 {
    v.iter().fold(0.0, |r: f64, x| r.hypot(*x))
}

fn dimension(p: usize) -> Result<usize, FamilyError> {
    if p >= 2 { Ok(p) } else { Err(domain(FAMILY, "dimension", p as f64, "at least 2")) }
}

impl VonMisesFisher {
    /// The member with this mean direction, of any positive length, and concentration κ ≥ 0.
    ///
    /// # Errors
    /// [`FamilyError`] unless the direction has at least two elements, finite and not all zero, and
    /// 0 ≤ κ ≤ 10¹⁵⁰.
    pub fn from_mean_direction_concentration(
        mean_direction: &ArrayRef1<f64>,
        concentration: f64,
    ) -> Result<Self, FamilyError> {
        dimension(mean_direction.len())?;
        finite_vector(FAMILY, "mean direction", mean_direction)?;
        // Scaled first, so that the length of tiny and of huge vectors keeps its digits.
        let largest = mean_direction.fold(0.0, |m: f64, v| m.max(v.abs()));
        if largest == 0.0 {
            return Err(domain(FAMILY, "length of the mean direction", 0.0, "> 0"));
        }
        let scaled = mean_direction.mapv(|v| v / largest);
        let unit = &scaled / norm(&scaled);
        Self::with_natural(unit * Self::valid_concentration(concentration)?, concentration)
    }

    /// The member with this mean direction, of any positive length, and mean resultant length A_p(κ) in [0, 1).
    ///
    /// # Errors
    /// [`FamilyError`] unless the direction has at least two elements, finite and not all zero, and the length is
    /// in [0, 1).
    pub fn from_mean_direction_resultant_length(
        mean_direction: &ArrayRef1<f64>,
        resultant_length: f64,
    ) -> Result<Self, FamilyError> {
        let p = dimension(mean_direction.len())?;
        if !(0.0..1.0).contains(&resultant_length) {
            return Err(domain(FAMILY, "resultant length", resultant_length, "in [0, 1)"));
        }
        let concentration = polar::concentration(p, resultant_length, 1.0 - resultant_length);
        Self::from_mean_direction_concentration(mean_direction, concentration)
    }

    /// The member with this mean vector `E[z]` = A_p(κ) μ (p).
    ///
    /// # Errors
    /// [`FamilyError`] unless it has at least two elements, all finite, and a length below 1.
    pub fn from_mean(mean: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = dimension(mean.len())?;
        finite_vector(FAMILY, "mean", mean)?;
        Self::from_mean_params_given(&p, mean)
            .map_err(|_| domain(FAMILY, "length of the mean", norm(mean), "in [0, 1)"))
    }

    /// The uniform distribution on the unit vectors of length p.
    ///
    /// # Errors
    /// [`FamilyError`] when p is below 2.
    pub fn uniform(p: usize) -> Result<Self, FamilyError> {
        Self::with_natural(Array1::zeros(dimension(p)?), 0.0)
    }

    /// From a file: η and its length, which may differ by rounding.
    fn from_natural_concentration(natural: Array1<f64>, concentration: f64) -> Result<Self, FamilyError> {
        dimension(natural.len())?;
        finite_vector(FAMILY, "natural", &natural)?;
        let length = norm(&natural);
        if (length - concentration).abs() > 1e-9 * length {
            return Err(domain(
                FAMILY,
                "concentration",
                concentration,
                "the length of the natural parameter",
            ));
        }
        Self::with_natural(natural, concentration)
    }

    fn with_natural(natural: Array1<f64>, concentration: f64) -> Result<Self, FamilyError> {
        let concentration = Self::valid_concentration(concentration)?;
        let moments = PolarMoments::new(natural.len(), concentration);
        Ok(Self { natural, concentration, moments })
    }

    /// The dimension p of the space around the sphere.
    pub fn dimension(&self) -> usize {
        self.natural.len()
    }

    /// The concentration κ.
    pub fn concentration(&self) -> f64 {
        self.concentration
    }

    /// The mean direction μ (p), `None` for the uniform distribution.
    pub fn mean_direction(&self) -> Option<Array1<f64>> {
        (self.concentration > 0.0).then(|| &self.natural / self.concentration)
    }

    /// The mean resultant length A_p(κ) = `‖E[z]‖`.
    pub fn resultant_length(&self) -> f64 {
        self.moments.resultant
    }

    /// A(η) − κ.
    fn log_scaled_integral(&self) -> f64 {
        // The area of the sphere of the directions at right angles to μ.
        let half = 0.5 * (self.dimension() - 1) as f64;
        LN_2 + half * PI.ln() - log_gamma(half) + self.moments.log_integral
    }

    /// The concentration, when it is between 0 and 10¹⁵⁰.
    pub(crate) fn valid_concentration(concentration: f64) -> Result<f64, FamilyError> {
        if (0.0..=LARGEST_CONCENTRATION).contains(&concentration) {
            Ok(concentration)
        } else {
            Err(domain(FAMILY, "concentration", concentration, "between 0 and 1e150"))
        }
    }

    /// One draw around this unit vector.
    pub(crate) fn draw(axis: &Array1<f64>, concentration: f64, rng: &mut StreamRng) -> Array1<f64> {
        let p = axis.len();
        let versine = polar::sample_versine(p, concentration, rng);
        let sine = (versine * (2.0 - versine)).max(0.0).sqrt();
        // A direction at right angles to the axis, drawn evenly.
        let across = loop {
            let normal = Array1::from_shape_simple_fn(p, || standard_normal(rng));
            let along = normal.dot(axis);
            let across = normal - axis * along;
            let size = norm(&across);
            if size > 1e-3 {
                break across / size;
            }
        };
        let z = axis * (1.0 - versine) + across * sine;
        let size = norm(&z);
        z / size
    }

    /// The direction μ, and any direction where there is none.
    fn axis(&self) -> Array1<f64> {
        self.mean_direction().unwrap_or_else(|| {
            let mut first = Array1::zeros(self.dimension());
            first[0] = 1.0;
            first
        })
    }
}

impl ExponentialFamily for VonMisesFisher {
    type Value = Array1<f64>;
    type Fixed = usize;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> usize {
        self.dimension()
    }
    fn n_params(&self) -> usize {
        self.dimension()
    }
    fn natural(&self) -> Array1<f64> {
        self.natural.clone()
    }
    fn from_natural_given(p: &usize, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), dimension(*p)?)?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        Self::with_natural(eta.to_owned(), norm(eta))
    }
    fn log_partition(&self) -> f64 {
        self.concentration + self.log_scaled_integral()
    }
    fn mean_params(&self) -> Array1<f64> {
        let m = self.moments;
        // A μ = (A/κ) η, which holds at κ = 0 too.
        if self.concentration < 1.0 { &self.natural * m.tangential } else { self.axis() * m.resultant }
    }
    fn from_mean_params_given(p: &usize, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), dimension(*p)?)?;
        let resultant = norm(mu);
        if !(0.0..1.0).contains(&resultant) {
            return Err(no_member(FAMILY, mu));
        }
        if resultant == 0.0 {
            return Self::uniform(*p);
        }
        let concentration = polar::concentration(*p, resultant, 1.0 - resultant);
        Self::from_mean_direction_concentration(mu, concentration).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (m, axis) = (self.moments, self.axis());
        Array2::from_shape_fn((axis.len(), axis.len()), |(i, j)| {
            let diagonal = if i == j { m.tangential } else { 0.0 };
            diagonal + (m.radial - m.tangential) * axis[i] * axis[j]
        })
    }
    fn sufficient_stats_given(_: &usize, z: &Array1<f64>) -> Array1<f64> {
        z.clone()
    }
    fn log_base_measure_given(p: &usize, z: &Array1<f64>) -> f64 {
        let unit = (norm(z) - 1.0).abs() <= UNIT_TOLERANCE;
        if z.len() == *p && unit { 0.0 } else { f64::NEG_INFINITY }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw (Wood 1994), scaled to length 1 up to rounding.
    fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        Self::draw(&self.axis(), self.concentration, rng)
    }

    fn log_prob(&self, z: &Array1<f64>) -> f64 {
        if self.log_base_measure(z) == f64::NEG_INFINITY {
            return f64::NEG_INFINITY;
        }
        if self.concentration == 0.0 {
            return -self.log_scaled_integral();
        }
        // ηᵀz − κ = −κ‖z − μ‖²/2 for unit vectors, without cancellation.
        let from_axis = |(z, eta): (&f64, &f64)| (z - eta / self.concentration).powi(2);
        let square: f64 = z.iter().zip(&self.natural).map(from_axis).sum();
        -0.5 * self.concentration * square - self.log_scaled_integral()
    }
    fn entropy(&self) -> f64 {
        self.log_scaled_integral() + self.concentration * self.moments.complement
    }
    fn kl(&self, other: &Self) -> f64 {
        let (m, l) = (self.moments, other.concentration);
        let (axis, other_axis) = (self.axis(), other.axis());
        let distance = norm(&(&axis - &other_axis));
        // As log_prob: κ and κ′ are cancelled by hand.
        (l * axis.dot(&other_axis) - self.concentration) * m.complement
            + 0.5 * l * distance * distance
            + other.log_scaled_integral()
            - self.log_scaled_integral()
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        -self.entropy() - self.kl(other)
    }
}

/// θ = κμ = η: the sphere has no unconstrained coordinates without a pole.
impl Parametric for VonMisesFisher {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let coordinates = Coordinates::Real { n: self.dimension() };
        vec![ParameterBlock { name: "concentrated_mean_direction", coordinates }]
    }
    fn parameters(&self) -> Array1<f64> {
        self.natural.clone()
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Self::from_natural_given(&self.dimension(), theta)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        Array2::eye(self.dimension())
    }
}

impl Multivariate for VonMisesFisher {
    fn expected_value(&self) -> Option<Array1<f64>> {
        Some(self.mean_params())
    }
    fn marginal_variances(&self) -> Option<Array1<f64>> {
        Some(self.fisher().diag().to_owned())
    }
    /// The mean direction; `None` for the uniform distribution.
    fn joint_mode(&self) -> Option<Array1<f64>> {
        self.mean_direction()
    }
    fn support(&self) -> String {
        format!("unit vectors of length {}", self.dimension())
    }
}
