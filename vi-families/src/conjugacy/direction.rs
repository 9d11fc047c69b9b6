//! Directions on the circle and on the sphere with known concentration.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::distributions::{VonMises, VonMisesFisher};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::{VonMisesFisherMixture, VonMisesMixture};

/// An angle x ~ von Mises of known concentration κ with unknown mean direction z ~ [`VonMises`].
///
/// ```text
/// m(x) = κ (cos x, sin x)      h(x) = 1 / (2π I₀(κ))      x̂ ~ VonMisesMixture(mean direction, concentration, κ)
/// ```
/// (Mardia & El-Atoum 1976, "Bayesian inference for the von Mises-Fisher distribution", Biometrika 63:203.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VonMisesDirection {
    /// The law of x − z.
    noise: VonMises,
}

impl VonMisesDirection {
    /// The likelihood with this known concentration.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is between 0 and 10¹⁵⁰.
    pub fn from_concentration(concentration: f64) -> Result<Self, FamilyError> {
        Ok(Self { noise: VonMises::from_mean_direction_concentration(0.0, concentration)? })
    }

    /// The known concentration κ.
    pub fn concentration(&self) -> f64 {
        self.noise.concentration()
    }
}

impl ConjugateLikelihood for VonMisesDirection {
    type Value = f64;
    type Prior = VonMises;
    type Predictive = VonMisesMixture;
    const NAME: &'static str = "VonMisesDirection";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &f64, weight: f64, out: &mut ArrayRef1<f64>) {
        let length = weight * self.concentration();
        out[0] += length * x.cos();
        out[1] += length * x.sin();
    }
    fn log_base_measure(&self, x: &f64) -> f64 {
        let h = VonMises::log_base_measure_given(&(), x);
        if h == f64::NEG_INFINITY { h } else { h - self.noise.log_partition() }
    }
    fn predictive(&self, prior: &VonMises) -> Result<VonMisesMixture, FamilyError> {
        VonMisesMixture::from_mixing_concentration(prior.clone(), self.concentration())
    }
}

/// A unit vector x ~ von Mises–Fisher of known concentration κ with unknown mean direction z ~ [`VonMisesFisher`].
///
/// ```text
/// m(x) = κx      h(x) = κ^(p/2−1) / ((2π)^(p/2) I_{p/2−1}(κ))
/// x̂ ~ VonMisesFisherMixture(mean direction, concentration, κ)
/// ```
/// (Mardia & El-Atoum 1976, "Bayesian inference for the von Mises-Fisher distribution", Biometrika 63:203.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VonMisesFisherDirection {
    /// The law of x where z is the first unit vector.
    noise: VonMisesFisher,
}

impl VonMisesFisherDirection {
    /// The likelihood of unit vectors of length p = `dimension` with this known concentration.
    ///
    /// # Errors
    /// [`FamilyError`] unless the dimension is at least 2 and the concentration between 0 and 10¹⁵⁰.
    pub fn from_dimension_concentration(dimension: usize, concentration: f64) -> Result<Self, FamilyError> {
        let mut axis = Array1::zeros(dimension);
        axis.iter_mut().take(1).for_each(|v| *v = 1.0);
        Ok(Self { noise: VonMisesFisher::from_mean_direction_concentration(&axis, concentration)? })
    }

    /// The dimension p of the space around the sphere.
    pub fn dimension(&self) -> usize {
        self.noise.dimension()
    }

    /// The known concentration κ.
    pub fn concentration(&self) -> f64 {
        self.noise.concentration()
    }
}

impl ConjugateLikelihood for VonMisesFisherDirection {
    type Value = Array1<f64>;
    type Prior = VonMisesFisher;
    type Predictive = VonMisesFisherMixture;
    const NAME: &'static str = "VonMisesFisherDirection";

    fn n_params(&self) -> usize {
        self.dimension()
    }
    fn add_message(&self, x: &Array1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out.scaled_add(weight * self.concentration(), x);
    }
    fn log_base_measure(&self, x: &Array1<f64>) -> f64 {
        let h = VonMisesFisher::log_base_measure_given(&self.dimension(), x);
        if h == f64::NEG_INFINITY { h } else { h - self.noise.log_partition() }
    }
    fn predictive(&self, prior: &VonMisesFisher) -> Result<VonMisesFisherMixture, FamilyError> {
        crate::validate::length(
            Self::NAME,
            "mean direction of the prior",
            prior.dimension(),
            self.dimension(),
        )?;
        VonMisesFisherMixture::from_mixing_concentration(prior.clone(), self.concentration())
    }
}
