//! The chi-squared distribution.

use std::f64::consts::LN_2;

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use super::unit_gamma;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::GammaDraw;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::{
    digamma, inverse_digamma, log_gamma, regularized_gamma_lower, regularized_gamma_upper, trigamma,
};
use crate::univariate::Univariate;
use crate::validate::{length, no_member, positive};

const FAMILY: &str = "ChiSquared";

/// The chi-squared distribution on (0, ∞): Gamma(dof/2, rate = ½).
///
/// ```text
/// p(z) = z^(dof/2 − 1) exp(−z/2) / (2^(dof/2) Γ(dof/2))
/// T(z) = log z      η = dof/2 − 1 > −1      h(z) = exp(−z/2)
/// ```
/// For dof below 0.06 draws underflow as those of [`Gamma`](crate::Gamma) do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChiSquared {
    dof: f64,
}

deserialize_checked! {
    ChiSquared { dof: f64 } => Self::from_dof(dof)
}

impl ChiSquared {
    /// The member with these degrees of freedom, possibly fractional.
    ///
    /// # Errors
    /// [`FamilyError`] unless they are finite and positive.
    pub fn from_dof(dof: f64) -> Result<Self, FamilyError> {
        positive(FAMILY, "dof", 0.5 * dof)?;
        Ok(Self { dof: positive(FAMILY, "dof", dof)? })
    }

    /// The degrees of freedom.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// `E[log z]` = ψ(dof/2) + log 2.
    pub fn expected_log(&self) -> f64 {
        digamma(0.5 * self.dof) + LN_2
    }
}

impl ExponentialFamily for ChiSquared {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![0.5 * self.dof - 1.0]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_dof(2.0 * (eta[0] + 1.0))
    }
    fn log_partition(&self) -> f64 {
        let a = 0.5 * self.dof;
        log_gamma(a) + a * LN_2
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.expected_log()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        Self::from_dof(2.0 * inverse_digamma(mu[0] - LN_2)).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[trigamma(0.5 * self.dof)]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z.ln()]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z == f64::INFINITY { f64::NEG_INFINITY } else { -0.5 * z }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * self.dof
    }
    /// One draw; where it would underflow or overflow it is the nearest normal number inside (0, ∞).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        GammaDraw::new(0.5 * self.dof).over(0.5, rng)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = Self::log_base_measure_given(&(), z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        let half = 0.5 * z;
        unit_gamma::log_density(0.5 * self.dof, half, half.ln()) - z.ln()
    }
    fn entropy(&self) -> f64 {
        unit_gamma::entropy(0.5 * self.dof) + LN_2
    }
    fn kl(&self, other: &Self) -> f64 {
        let excess = (self.dof - other.dof) / other.dof;
        unit_gamma::kl(0.5 * self.dof, 0.5 * other.dof, self.dof / other.dof, excess)
    }
}

impl Parametric for ChiSquared {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "dof", coordinates: Coordinates::Positive { n: 1 } }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.dof]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_dof(theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[0.5]]
    }
}

impl Univariate for ChiSquared {
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
        self.dof
    }
    fn variance(&self) -> f64 {
        2.0 * self.dof
    }
    fn mode(&self) -> f64 {
        (self.dof - 2.0).max(0.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { regularized_gamma_lower(0.5 * self.dof, 0.5 * x) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { regularized_gamma_upper(0.5 * self.dof, 0.5 * x) }
    }
    fn quantile(&self, p: f64) -> f64 {
        2.0 * unit_gamma::quantile(0.5 * self.dof, p)
    }
}
