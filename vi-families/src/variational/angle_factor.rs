//! The von Mises factor of an angle, in its own coordinates: location and log concentration.

use std::f64::consts::PI;

use ndarray::{Array2, array};
use vi_core::StreamRng;

use super::Damping;
use super::gaussian::scale;
use super::natural_gradient::{halved, solve_one};
use crate::distributions::VonMises;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::implicit::ImplicitReparameterized;
use crate::univariate::Univariate;
use crate::validate::{FINITE, domain};

const FAMILY: &str = "ProductFamily";

/// A von Mises distribution with parameters λ = (μ, log κ), both of which any real number serves as.
#[derive(Clone, Debug)]
pub(crate) struct AngleFactor {
    distribution: VonMises,
    /// The member around 0, whose quantiles are those of the deviation from μ.
    centred: VonMises,
}

impl AngleFactor {
    /// `name(i)` is called only to report parameter i.
    pub(crate) fn bind(params: &[f64], name: impl Fn(usize) -> String) -> Result<Self, FamilyError> {
        if !params[0].is_finite() {
            return Err(domain(FAMILY, name(0), params[0], FINITE));
        }
        let (concentration, _) = scale(FAMILY, || name(1), params[1])?;
        Self::new(VonMises::from_mean_direction_concentration(params[0], concentration)?)
    }

    fn new(distribution: VonMises) -> Result<Self, FamilyError> {
        let centred = VonMises::from_mean_direction_concentration(0.0, distribution.concentration())?;
        Ok(Self { distribution, centred })
    }

    /// The density to the power 1/`dispersion`, normalised.
    pub(crate) fn tempered(&self, dispersion: f64) -> Result<Self, FamilyError> {
        let concentration = self.distribution.concentration() / dispersion;
        let location = self.distribution.mean_direction();
        Self::new(VonMises::from_mean_direction_concentration(location, concentration)?)
    }

    pub(crate) fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.distribution.sample(rng)
    }

    pub(crate) fn log_prob(&self, z: f64) -> f64 {
        self.distribution.log_prob(&z)
    }

    pub(crate) fn entropy(&self) -> f64 {
        self.distribution.entropy()
    }

    /// κ sin(z − μ) and κ (cos(z − μ) − A), the second from 1 − cos and 1 − A, which keep their digits.
    pub(crate) fn add_score(&self, z: f64, weight: f64, out: &mut [f64]) {
        let kappa = self.distribution.concentration();
        let deviation = z - self.distribution.mean_direction();
        let versine = 2.0 * (0.5 * deviation).sin().powi(2);
        out[0] += weight * kappa * deviation.sin();
        out[1] += weight * kappa * (self.distribution.circular_variance() - versine);
    }

    /// κ A and κ² A′, the diagonal of the Fisher information, which has no more.
    fn information(&self) -> [f64; 2] {
        let (kappa, moments) = (self.distribution.concentration(), self.distribution.moments());
        [kappa * moments.resultant, kappa * kappa * moments.radial]
    }

    pub(crate) fn fisher(&self) -> Array2<f64> {
        Array2::from_diag(&array![self.information()[0], self.information()[1]])
    }

    pub(crate) fn natural_gradient(
        &self,
        damping: Damping,
        grad: &[f64],
        out: &mut [f64],
    ) -> Result<(), FamilyError> {
        for (i, information) in self.information().into_iter().enumerate() {
            out[i] = solve_one(i, information, damping, grad[i])?;
        }
        Ok(())
    }

    /// The angle at a distance from μ that the deviation's quantile at `u` gives: with another μ the draw turns with it.
    pub(crate) fn transport(&self, u: f64) -> f64 {
        let z = self.distribution.mean_direction() + self.centred.quantile(u);
        // Both lie in [−π, π]: at most one turn too much.
        if z.abs() <= PI { z } else { (z - (2.0 * PI).copysign(z)).clamp(-PI, PI) }
    }

    /// out += grad (∂z/∂μ, ∂z/∂log κ).
    pub(crate) fn add_transport_vjp(&self, z: f64, grad: f64, out: &mut [f64]) {
        let jacobian = self.distribution.sample_jacobian(&z);
        out[0] += grad * jacobian[[0, 0]];
        out[1] += grad * jacobian[[0, 1]] * self.distribution.concentration();
    }

    /// H = log 2π I₀(κ) − κ A, hence ∂H/∂log κ = −κ² A′.
    pub(crate) fn add_entropy_grad(&self, weight: f64, out: &mut [f64]) {
        out[1] -= weight * self.information()[1];
    }

    /// ∂ log q/∂z.
    pub(crate) fn log_prob_grad(&self, z: f64) -> f64 {
        -self.distribution.concentration() * (z - self.distribution.mean_direction()).sin()
    }
}

/// The step in η = κ (cos μ, sin μ), in terms free of cancellation.
///
/// ```text
/// η′ = η + ρ Δη, in the frame of μ: κ (1 + ρ ñ_κ, ρ ñ_μ)
/// μ′ = μ + atan2(ρ ñ_μ, 1 + ρ ñ_κ)      log κ′ = log κ + log ‖(1 + ρ ñ_κ, ρ ñ_μ)‖
/// ```
/// ñ the natural gradient in λ. ρ is halved where η′ is 0, for which there is no direction.
pub(crate) fn angle_step(
    [location, log_concentration]: [f64; 2],
    [by_location, by_log_concentration]: [f64; 2],
    step: f64,
) -> Result<([f64; 2], u32), FamilyError> {
    let moved = |step: f64| (1.0 + step * by_log_concentration, step * by_location);
    let length = |step: f64| moved(step).0.hypot(moved(step).1);
    let (step, n_halvings) = halved(FAMILY, step, |step| length(step) > 0.0 && length(step).is_finite())?;
    let (along, across) = moved(step);
    Ok(([location + across.atan2(along), log_concentration + length(step).ln()], n_halvings))
}
