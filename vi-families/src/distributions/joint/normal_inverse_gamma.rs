//! The normal-inverse-Gamma distribution of a mean and a variance.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::NormalGamma;
use super::twin::{from_mean_params, reflect, reflect_both_sides, reflect_natural, rename};
use crate::coordinates::Coordinates;
use crate::distributions::{InverseGamma, LOG_TWO_PI};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::validate::{length, positive};

const FAMILY: &str = "NormalInverseGamma";

/// The normal-inverse-Gamma distribution of (μ, σ²): σ² ~ InverseGamma(shape, scale),
/// μ | σ² ~ N(mean, σ²/count).
///
/// ```text
/// T(μ, σ²) = (log σ², 1/σ², μ/σ², μ²/σ²)
/// η = (−shape − 3/2, −scale − ½ count · mean², count · mean, −½ count)      h = (2π)^(−1/2)
/// ```
/// The law of (μ, 1/τ) for (μ, τ) ~ [`NormalGamma`] with the scale as rate, and the conjugate prior of a Gaussian
/// with unknown mean and variance (Murphy 2007, "Conjugate Bayesian analysis of the Gaussian distribution",
/// section 6). Every finite mean and positive count, shape and scale is a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalInverseGamma {
    precision_twin: NormalGamma,
}

impl From<NormalGamma> for NormalInverseGamma {
    /// The law of (μ, 1/τ) for (μ, τ) distributed as the twin.
    fn from(precision_twin: NormalGamma) -> Self {
        Self { precision_twin }
    }
}

impl From<NormalInverseGamma> for NormalGamma {
    /// The law of (μ, 1/σ²).
    fn from(member: NormalInverseGamma) -> Self {
        member.precision_twin
    }
}

impl NormalInverseGamma {
    /// The member with this location, pseudo-count, and shape and scale of the variance.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the others finite and positive.
    pub fn from_mean_count_shape_scale(
        mean: f64,
        count: f64,
        shape: f64,
        scale: f64,
    ) -> Result<Self, FamilyError> {
        NormalGamma::from_mean_count_shape_rate(mean, count, shape, scale).map(Self::from).map_err(own_words)
    }

    /// The member with this location, pseudo-count, and degrees of freedom ν and scale s² of the variance, whose
    /// law is the scaled inverse χ²: shape ν/2, scale νs²/2 (Gelman et al. 2013, section 3.3).
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the others finite and positive.
    pub fn from_mean_count_dof_variance(
        mean: f64,
        count: f64,
        dof: f64,
        variance: f64,
    ) -> Result<Self, FamilyError> {
        let half = 0.5 * positive(FAMILY, "dof", dof)?;
        let scale = half * positive(FAMILY, "variance", variance)?;
        Self::from_mean_count_shape_scale(mean, count, half, scale)
    }

    /// The law of (μ, 1/σ²).
    pub fn precision_twin(&self) -> &NormalGamma {
        &self.precision_twin
    }

    /// `E[μ]`, the location.
    pub fn mean(&self) -> f64 {
        self.precision_twin.mean()
    }

    /// The pseudo-count κ of the location.
    pub fn count(&self) -> f64 {
        self.precision_twin.count()
    }

    /// The shape of the variance.
    pub fn shape(&self) -> f64 {
        self.precision_twin.shape()
    }

    /// The scale of the variance.
    pub fn scale(&self) -> f64 {
        self.precision_twin.rate()
    }

    /// The degrees of freedom ν = 2 · shape of the variance.
    pub fn dof(&self) -> f64 {
        self.precision_twin.dof()
    }

    /// The s² = scale / shape of the scaled inverse χ² law of the variance.
    pub fn squared_scale(&self) -> f64 {
        self.scale() / self.shape()
    }

    /// The marginal law of σ².
    pub fn variance_marginal(&self) -> InverseGamma {
        InverseGamma::from_shape_scale(self.shape(), self.scale())
            .expect("shape and scale of a member are finite and positive")
    }

    /// `E[1/σ²]` = shape / scale.
    pub fn expected_precision(&self) -> f64 {
        self.precision_twin.expected_precision()
    }

    /// `E[log σ²]` = log scale − ψ(shape).
    pub fn expected_log_variance(&self) -> f64 {
        -self.precision_twin.expected_log_precision()
    }

    /// `E[(x − μ)²/σ²]` = `E[1/σ²]` (x − mean)² + 1/count.
    pub fn expected_square(&self, x: f64) -> f64 {
        self.precision_twin.expected_square(x)
    }
}

fn own_words(error: FamilyError) -> FamilyError {
    rename(error, FAMILY, "rate", "scale")
}

/// 1/v, kept a normal number.
fn reciprocal(v: f64) -> f64 {
    v.recip().clamp(f64::MIN_POSITIVE, f64::MAX)
}

impl ExponentialFamily for NormalInverseGamma {
    type Value = (f64, f64);
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        4
    }
    fn natural(&self) -> Array1<f64> {
        reflect_natural(&self.precision_twin.natural(), 1)
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        NormalGamma::from_natural(&reflect_natural(eta, 1)).map(Self::from).map_err(own_words)
    }
    fn log_partition(&self) -> f64 {
        self.precision_twin.log_partition()
    }
    fn mean_params(&self) -> Array1<f64> {
        reflect(self.precision_twin.mean_params())
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        from_mean_params::<NormalGamma, Self>(mu, own_words)
    }
    fn fisher(&self) -> Array2<f64> {
        reflect_both_sides(self.precision_twin.fisher())
    }
    fn sufficient_stats_given(_: &(), z: &(f64, f64)) -> Array1<f64> {
        let (mu, variance) = *z;
        let scaled = mu / variance;
        array![variance.ln(), 1.0 / variance, scaled, scaled * mu]
    }
    fn log_base_measure_given(_: &(), z: &(f64, f64)) -> f64 {
        NormalGamma::log_base_measure_given(&(), z)
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * LOG_TWO_PI
    }
    fn sample(&self, rng: &mut StreamRng) -> (f64, f64) {
        let (mu, precision) = self.precision_twin.sample(rng);
        (mu, reciprocal(precision))
    }

    // Sums over the two stages, as for the twin; dσ² = τ⁻² dτ.
    fn log_prob(&self, z: &(f64, f64)) -> f64 {
        let (mu, variance) = *z;
        let log_variance = self.variance_marginal().log_prob(&variance);
        if log_variance == f64::NEG_INFINITY {
            return log_variance;
        }
        let d = self.count().sqrt() * ((mu - self.mean()) / variance.sqrt());
        let conditional = self.count().ln() - variance.ln() - LOG_TWO_PI - d * d;
        log_variance + 0.5 * conditional
    }
    fn entropy(&self) -> f64 {
        self.precision_twin.entropy() + 2.0 * self.expected_log_variance()
    }
    fn kl(&self, other: &Self) -> f64 {
        self.precision_twin.kl(&other.precision_twin)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        self.precision_twin.expected_log_prob(&other.precision_twin) - 2.0 * self.expected_log_variance()
    }
}

/// θ = (mean, count, shape, scale).
impl Parametric for NormalInverseGamma {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let positive = |name| ParameterBlock { name, coordinates: Coordinates::Positive { n: 1 } };
        let mean = ParameterBlock { name: "mean", coordinates: Coordinates::Real { n: 1 } };
        vec![mean, positive("count"), positive("shape"), positive("scale")]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.mean(), self.count(), self.shape(), self.scale()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameters", theta.len(), 4)?;
        Self::from_mean_count_shape_scale(theta[0], theta[1], theta[2], theta[3])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let mut j = self.precision_twin.natural_jacobian();
        j.row_mut(0).mapv_inplace(|v| -v);
        j
    }
}

impl Multivariate for NormalInverseGamma {
    /// Exists for a shape above 1.
    fn expected_value(&self) -> Option<(f64, f64)> {
        let excess = self.shape() - 1.0;
        (excess > 0.0).then(|| (self.mean(), self.scale() / excess))
    }
    /// Exist for a shape above 2.
    fn marginal_variances(&self) -> Option<(f64, f64)> {
        let excess = self.shape() - 2.0;
        (excess > 0.0).then(|| {
            let expected = self.scale() / (self.shape() - 1.0);
            (expected / self.count(), expected * expected / excess)
        })
    }
    fn joint_mode(&self) -> Option<(f64, f64)> {
        Some((self.mean(), self.scale() / (self.shape() + 1.5)))
    }
    fn support(&self) -> String {
        "ℝ × (0, ∞)".to_owned()
    }
}
