//! The von Mises distribution on the circle.

use std::f64::consts::{LN_2, PI};

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;

use super::arc::{arc_mass, arc_moment};
use super::polar::{self, PolarMoments};
use super::root::increasing_root;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, finite_vector, length, no_member};

const FAMILY: &str = "VonMises";
/// So far out 1/κ² stays a normal number.
pub(crate) const LARGEST_CONCENTRATION: f64 = 1e150;

/// The von Mises distribution of an angle in [−π, π].
///
/// ```text
/// p(z) = exp(κ cos(z − μ)) / (2π I₀(κ))
/// T(z) = (cos z, sin z)      η = κ (cos μ, sin μ)      h(z) = 1      A(η) = log 2π I₀(‖η‖)
/// ```
/// η = 0 is the uniform distribution; κ is at most 10¹⁵⁰. The mean parameter is A₁(κ)(cos μ, sin μ) with
/// A₁ = I₁/I₀, of length below 1. [`Univariate`] takes z as a number between −π and π, so that `mean` and
/// `variance` are those of the number and not of the direction. (Mardia & Jupp 2000, section 3.5.4.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VonMises {
    mean_direction: f64,
    concentration: f64,
    /// Computed once for all operations.
    #[serde(skip)]
    moments: PolarMoments,
}

deserialize_checked! {
    VonMises { mean_direction: f64, concentration: f64 } => Self::from_mean_direction_concentration(mean_direction, concentration)
}

/// The same direction in [−π, π].
fn wrap(angle: f64) -> f64 {
    if angle.abs() <= PI { angle } else { (angle - 2.0 * PI * (angle / (2.0 * PI)).round()).clamp(-PI, PI) }
}

impl VonMises {
    /// The member with this mean direction μ, any angle, and concentration κ ≥ 0.
    ///
    /// # Errors
    /// [`FamilyError`] unless the direction is finite and 0 ≤ κ ≤ 10¹⁵⁰.
    pub fn from_mean_direction_concentration(
        mean_direction: f64,
        concentration: f64,
    ) -> Result<Self, FamilyError> {
        let mean_direction = wrap(finite(FAMILY, "mean direction", mean_direction)?);
        if (0.0..=LARGEST_CONCENTRATION).contains(&concentration) {
            Ok(Self { mean_direction, concentration, moments: PolarMoments::new(2, concentration) })
        } else {
            Err(domain(FAMILY, "concentration", concentration, "between 0 and 1e150"))
        }
    }

    /// The member with this mean direction and mean resultant length A₁(κ) in [0, 1).
    ///
    /// # Errors
    /// [`FamilyError`] unless the direction is finite and the length in [0, 1).
    pub fn from_mean_direction_resultant_length(
        mean_direction: f64,
        resultant_length: f64,
    ) -> Result<Self, FamilyError> {
        if !(0.0..1.0).contains(&resultant_length) {
            return Err(domain(FAMILY, "resultant length", resultant_length, "in [0, 1)"));
        }
        let concentration = polar::concentration(2, resultant_length, 1.0 - resultant_length);
        Self::from_mean_direction_concentration(mean_direction, concentration)
    }

    /// The mean direction μ in [−π, π].
    pub fn mean_direction(&self) -> f64 {
        self.mean_direction
    }

    /// The concentration κ.
    pub fn concentration(&self) -> f64 {
        self.concentration
    }

    /// The mean resultant length A₁(κ) = I₁(κ)/I₀(κ) = `E[cos(z − μ)]`.
    pub fn resultant_length(&self) -> f64 {
        self.moments.resultant
    }

    /// The circular variance 1 − A₁(κ), with its relative accuracy at large κ.
    pub fn circular_variance(&self) -> f64 {
        self.moments.complement
    }

    /// Of the deviation from the mean direction.
    pub(crate) fn moments(&self) -> PolarMoments {
        self.moments
    }

    /// log 2π I₀(κ) − κ.
    fn log_scaled_integral(&self) -> f64 {
        LN_2 + self.moments.log_integral
    }

    /// 2π e^−κ I₀(κ).
    fn scaled_integral(&self) -> f64 {
        self.log_scaled_integral().exp()
    }

    /// One draw of the member with this concentration and another mean direction in [−π, π].
    pub(crate) fn sample_around(&self, mean_direction: f64, rng: &mut StreamRng) -> f64 {
        let deviation =
            2.0 * (0.5 * polar::sample_versine(2, self.concentration, rng)).sqrt().min(1.0).asin();
        wrap(mean_direction + if rng.random::<bool>() { deviation } else { -deviation })
    }

    fn direction(&self) -> (f64, f64) {
        (self.mean_direction.cos(), self.mean_direction.sin())
    }
}

impl ExponentialFamily for VonMises {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        let (c, s) = self.direction();
        array![self.concentration * c, self.concentration * s]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        Self::from_mean_direction_concentration(eta[1].atan2(eta[0]), eta[0].hypot(eta[1]))
    }
    fn log_partition(&self) -> f64 {
        self.concentration + self.log_scaled_integral()
    }
    fn mean_params(&self) -> Array1<f64> {
        let (r, (c, s)) = (self.resultant_length(), self.direction());
        array![r * c, r * s]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        let direction = mu[1].atan2(mu[0]);
        Self::from_mean_direction_resultant_length(direction, mu[0].hypot(mu[1]))
            .map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (m, (c, s)) = (self.moments, self.direction());
        let off = (m.radial - m.tangential) * c * s;
        array![[m.radial * c * c + m.tangential * s * s, off], [off, m.radial * s * s + m.tangential * c * c]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z.cos(), z.sin()]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if z.abs() > PI { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.sample_around(self.mean_direction, rng)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        if z.abs() > PI {
            return f64::NEG_INFINITY;
        }
        let s = (0.5 * (z - self.mean_direction)).sin();
        -2.0 * self.concentration * s * s - self.log_scaled_integral()
    }
    fn entropy(&self) -> f64 {
        let m = self.moments;
        LN_2 + m.log_integral + self.concentration * m.complement
    }
    fn kl(&self, other: &Self) -> f64 {
        let (m, k, l) = (self.moments, self.concentration, other.concentration);
        let angle = self.mean_direction - other.mean_direction;
        let half = (0.5 * angle).sin();
        // κA − κ′A cos angle − A(η) + A(η′) with κ and κ′ cancelled by hand.
        (l * angle.cos() - k) * m.complement + 2.0 * l * half * half + other.log_scaled_integral()
            - self.log_scaled_integral()
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        -self.entropy() - self.kl(other)
    }
}

/// θ = (μ, κ), singular at κ = 0.
impl Parametric for VonMises {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "mean_direction", coordinates: Coordinates::Real { n: 1 } },
            ParameterBlock { name: "concentration", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.mean_direction, self.concentration]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_mean_direction_concentration(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let (k, (c, s)) = (self.concentration, self.direction());
        array![[-k * s, c], [k * c, s]]
    }
}

impl Univariate for VonMises {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (-PI, PI)
    }
    /// `E[z]` of the number z in [−π, π]; for the direction see [`VonMises::mean_direction`].
    fn mean(&self) -> f64 {
        let (k, mu) = (self.concentration, self.mean_direction);
        // z is μ + d, less a turn beyond the far end.
        let wrapped = arc_mass(k, PI - mu.abs(), mu.abs()) / self.scaled_integral();
        mu - 2.0 * PI * wrapped.copysign(mu)
    }
    /// `Var[z]` of the number z in [−π, π].
    fn variance(&self) -> f64 {
        let (k, mu, total) = (self.concentration, self.mean_direction.abs(), self.scaled_integral());
        let wrapped = arc_mass(k, PI - mu, mu) / total;
        let with_deviation = arc_moment(k, PI - mu, mu, |d| d) / total;
        let square = 2.0 * arc_moment(k, 0.0, PI, |d| d * d) / total;
        square - 4.0 * PI * with_deviation + 4.0 * PI * PI * wrapped * (1.0 - wrapped)
    }
    /// The mean direction; −π for the uniform distribution.
    fn mode(&self) -> f64 {
        if self.concentration > 0.0 { self.mean_direction } else { -PI }
    }
    fn cdf(&self, x: f64) -> f64 {
        if x >= PI { 1.0 } else { self.mass(-PI, x.clamp(-PI, PI)) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= -PI { 1.0 } else { self.mass(x.clamp(-PI, PI), PI) }
    }
    fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p == 0.0 || p == 1.0 {
            return if p == 0.0 { -PI } else { PI };
        }
        let total = self.log_scaled_integral();
        let density = |x: f64| {
            let s = (0.5 * (x - self.mean_direction)).sin();
            (-2.0 * self.concentration * s * s - total).exp()
        };
        // On the smaller of the two sides, so that its logarithm keeps its digits.
        increasing_root(-PI, PI, self.mean_direction, |x| {
            if p <= 0.5 {
                let below = self.cdf(x);
                ((below / p).ln(), density(x) / below)
            } else {
                let above = self.survival(x);
                (((1.0 - p) / above).ln(), density(x) / above)
            }
        })
    }
}

impl VonMises {
    /// P(from < z ≤ to) for −π ≤ from ≤ to ≤ π.
    fn mass(&self, from: f64, to: f64) -> f64 {
        if from.is_nan() || to.is_nan() {
            return f64::NAN;
        }
        let width = to - from;
        let (from, to) = (from - self.mean_direction, to - self.mean_direction);
        let mut sum = 0.0;
        // Between multiples of π the distance to the mean direction is monotone.
        for turn in [-2.0, -1.0, 0.0, 1.0] {
            let (start, end) = (turn * PI, (turn + 1.0) * PI);
            let (low, high) = (from.max(start), to.min(end));
            if low < high {
                let away = turn == 0.0 || turn == -2.0;
                let near = if away { low - start } else { end - high };
                // The whole width where it lies on one side: it has digits that the shifted ends have lost.
                let width = if low == from && high == to { width } else { high - low };
                sum += arc_mass(self.concentration, near, width);
            }
        }
        (sum / self.scaled_integral()).min(1.0)
    }
}
