//! Von Mises and von Mises–Fisher distributions whose mean direction has such a distribution itself.

use ndarray::Array1;
use serde::Serialize;
use vi_core::StreamRng;

use super::PredictiveDistribution;
use crate::deserialize::deserialize_checked;
use crate::distributions::{VonMises, VonMisesFisher};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::special::{bessel_i_ratio, log_gamma, log_scaled_bessel_i};

/// log ∫ exp(κ (cos d − 1)) over the unit sphere in p dimensions, d the angle to one of its points.
///
/// ```text
/// log (2π)^(p/2) I_{p/2−1}(κ) / κ^(p/2−1) − κ
/// ```
fn log_scaled_integral(p: usize, kappa: f64) -> f64 {
    let (half, log_two_pi) = (0.5 * p as f64, crate::distributions::LOG_TWO_PI);
    if kappa == 0.0 {
        return half * log_two_pi - (half - 1.0) * std::f64::consts::LN_2 - log_gamma(half);
    }
    half * log_two_pi + log_scaled_bessel_i(half - 1.0, kappa) - (half - 1.0) * kappa.ln()
}

/// log ∫ p(x | z, a) p(z | m, b) dz over directions z, for two concentrations and the lengths of x − m and x + m.
///
/// With ‖ax + bm‖ = r it is L(r) − L(a) − L(b) + r − a − b, L the logarithm above. The difference r − a − b is
/// −ab‖x − m‖² / (r + a + b), which does not cancel.
fn log_convolution(p: usize, a: f64, b: f64, difference: f64, sum: f64) -> f64 {
    let r = (a - b).hypot(a.sqrt() * b.sqrt() * sum);
    let total = r + a + b;
    let exponent = if total > 0.0 { -(a / total) * b * difference * difference } else { 0.0 };
    log_scaled_integral(p, r) - log_scaled_integral(p, a) - log_scaled_integral(p, b) + exponent
}

/// The law of an angle in [−π, π] of known concentration κ whose mean direction is von Mises(μ, κ₀).
///
/// ```text
/// p(x) = I₀(√(κ² + κ₀² + 2κκ₀ cos(x − μ))) / (2π I₀(κ) I₀(κ₀))
/// ```
/// Also the law of the sum, around the circle, of two independent von Mises angles. (Mardia & Jupp 2000, section
/// 3.5.4.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VonMisesMixture {
    mixing: VonMises,
    /// At direction zero.
    noise: VonMises,
}

deserialize_checked! {
    VonMisesMixture { mixing: VonMises, noise: VonMises } => {
        Self::from_mixing_concentration(mixing, noise.concentration())
    }
}

impl VonMisesMixture {
    /// The distribution with this law of the mean direction and this concentration around it.
    ///
    /// # Errors
    /// [`FamilyError`] unless the concentration is between 0 and 10¹⁵⁰.
    pub fn from_mixing_concentration(mixing: VonMises, concentration: f64) -> Result<Self, FamilyError> {
        Ok(Self { mixing, noise: VonMises::from_mean_direction_concentration(0.0, concentration)? })
    }

    /// The law of the mean direction.
    pub fn mixing(&self) -> &VonMises {
        &self.mixing
    }

    /// The concentration κ around the mean direction.
    pub fn concentration(&self) -> f64 {
        self.noise.concentration()
    }

    /// The mean direction of x, that of the mixing law.
    pub fn mean_direction(&self) -> f64 {
        self.mixing.mean_direction()
    }

    /// `E[cos(x − μ)]`, the product of the two mean resultant lengths.
    pub fn resultant_length(&self) -> f64 {
        self.mixing.resultant_length() * self.noise.resultant_length()
    }

    /// log p(x); −∞ outside [−π, π].
    pub fn log_prob(&self, x: f64) -> f64 {
        if x.abs() > std::f64::consts::PI {
            return f64::NEG_INFINITY;
        }
        let (sine, cosine) = (0.5 * (x - self.mean_direction())).sin_cos();
        log_convolution(
            2,
            self.concentration(),
            self.mixing.concentration(),
            2.0 * sine.abs(),
            2.0 * cosine.abs(),
        )
    }

    /// One draw: a direction, then an angle around it.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let direction = self.mixing.sample(rng);
        self.noise.sample_around(direction, rng)
    }
}

impl PredictiveDistribution for VonMisesMixture {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}

/// The law of a unit vector of known concentration κ whose mean direction is von Mises–Fisher(μ, κ₀).
///
/// ```text
/// p(x) = C(κ) C(κ₀) / C(‖κx + κ₀μ‖)      C(κ) = κ^(p/2−1) / ((2π)^(p/2) I_{p/2−1}(κ))
/// ```
/// a density on the sphere's surface (Mardia & Jupp 2000, section 9.3.2, for C).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VonMisesFisherMixture {
    mixing: VonMisesFisher,
    concentration: f64,
}

deserialize_checked! {
    VonMisesFisherMixture { mixing: VonMisesFisher, concentration: f64 } => {
        Self::from_mixing_concentration(mixing, concentration)
    }
}

impl VonMisesFisherMixture {
    /// The distribution with this law of the mean direction and this concentration around it.
    ///
    /// # Errors
    /// [`FamilyError`] unless the concentration is between 0 and 10¹⁵⁰.
    pub fn from_mixing_concentration(
        mixing: VonMisesFisher,
        concentration: f64,
    ) -> Result<Self, FamilyError> {
        let concentration = VonMisesFisher::valid_concentration(concentration)?;
        Ok(Self { mixing, concentration })
    }

    /// The law of the mean direction.
    pub fn mixing(&self) -> &VonMisesFisher {
        &self.mixing
    }

    /// The concentration κ around the mean direction.
    pub fn concentration(&self) -> f64 {
        self.concentration
    }

    /// `E[x]` (p): the mean of the mixing law times A_p(κ).
    pub fn mean(&self) -> Array1<f64> {
        let order = 0.5 * self.mixing.dimension() as f64 - 1.0;
        self.mixing.mean_params() * bessel_i_ratio(order, self.concentration)
    }

    /// log p(x); −∞ unless x is a unit vector of the right length.
    pub fn log_prob(&self, x: &Array1<f64>) -> f64 {
        let (p, b) = (self.mixing.dimension(), self.mixing.concentration());
        let h = VonMisesFisher::log_base_measure_given(&p, x);
        if h == f64::NEG_INFINITY {
            return h;
        }
        // Without a direction of the mixing law all are alike.
        let Some(axis) = self.mixing.mean_direction() else {
            return -log_scaled_integral(p, 0.0);
        };
        let norm = |v: Array1<f64>| v.fold(0.0, |r: f64, v| r.hypot(*v));
        log_convolution(p, self.concentration, b, norm(x - &axis), norm(x + &axis))
    }

    /// One draw: a direction, then a unit vector around it.
    pub fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let direction = self.mixing.sample(rng);
        VonMisesFisher::draw(&direction, self.concentration, rng)
    }
}

impl PredictiveDistribution for VonMisesFisherMixture {
    type Value = Array1<f64>;
    fn log_predictive(&self, x: &Array1<f64>) -> f64 {
        self.log_prob(x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> Array1<f64> {
        self.sample(rng)
    }
}
