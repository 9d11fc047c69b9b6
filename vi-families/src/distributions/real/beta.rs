//! The Beta distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::draw::GammaDraw;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::solve::dirichlet_concentration;
use crate::special::{
    digamma_difference, inverse_regularized_beta, log_beta, regularized_beta, regularized_beta_upper,
    trigamma,
};
use crate::univariate::Univariate;
use crate::validate::{domain, length, no_member, positive};

const FAMILY: &str = "Beta";

/// The Beta distribution on (0, 1).
///
/// ```text
/// p(z) = z^(α − 1) (1 − z)^(β − 1) / B(α, β)
/// T(z) = (log z, log(1 − z))      η = (α − 1, β − 1)      h(z) = 1
/// ```
/// Numbers below one end at 1 − 10⁻¹⁶: for β < 0.3 the log(1 − z) of draws is biased upwards, and so is log z for
/// α < 0.03, where z underflows. Densities, moments and divergences hold for all α and β.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beta {
    alpha: f64,
    beta: f64,
}

deserialize_checked! {
    Beta { alpha: f64, beta: f64 } => Self::from_alpha_beta(alpha, beta)
}

impl Beta {
    /// The member with these shapes.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive.
    pub fn from_alpha_beta(alpha: f64, beta: f64) -> Result<Self, FamilyError> {
        let (alpha, beta) = (positive(FAMILY, "alpha", alpha)?, positive(FAMILY, "beta", beta)?);
        positive(FAMILY, "alpha + beta", alpha + beta)?;
        Ok(Self { alpha, beta })
    }

    /// The member with this mean, strictly between 0 and 1, and concentration α + β: α = mean · concentration.
    ///
    /// # Errors
    /// [`FamilyError`] otherwise, and where a shape underflows.
    pub fn from_mean_concentration(mean: f64, concentration: f64) -> Result<Self, FamilyError> {
        let concentration = positive(FAMILY, "concentration", concentration)?;
        if mean > 0.0 && mean < 1.0 {
            return Self::from_alpha_beta(mean * concentration, (1.0 - mean) * concentration);
        }
        Err(domain(FAMILY, "mean", mean, "strictly between 0 and 1"))
    }

    /// The member with this mean and variance: concentration mean (1 − mean)/variance − 1.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is strictly between 0 and 1 and the variance positive and below
    /// mean (1 − mean), the variance of a truth value with that mean.
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let variance = positive(FAMILY, "variance", variance)?;
        let excess = mean * (1.0 - mean) - variance;
        if mean > 0.0 && mean < 1.0 && excess <= 0.0 {
            return Err(domain(FAMILY, "variance", variance, "below mean · (1 − mean)"));
        }
        // NaN and means outside get here, and their own message.
        let concentration = if excess > 0.0 { excess / variance } else { 1.0 };
        Self::from_mean_concentration(mean, concentration)
    }

    /// The shape α at 0.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The shape β at 1.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// The concentration α + β.
    pub fn concentration(&self) -> f64 {
        self.alpha + self.beta
    }

    /// `E[z]` = α / (α + β).
    pub fn mean(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// `Var[z]`.
    pub fn variance(&self) -> f64 {
        let total = self.alpha + self.beta;
        (self.alpha / total) * (self.beta / total) / (total + 1.0)
    }

    /// `E[log z]` = ψ(α) − ψ(α + β).
    pub fn expected_log(&self) -> f64 {
        -digamma_difference(self.alpha, self.beta)
    }

    /// `E[log(1 − z)]` = ψ(β) − ψ(α + β).
    pub fn expected_log_complement(&self) -> f64 {
        -digamma_difference(self.beta, self.alpha)
    }
}

impl Beta {
    /// What the draws of the two Gamma variates need of their shapes.
    #[inline]
    pub(crate) fn gamma_draws(&self) -> [GammaDraw; 2] {
        [GammaDraw::new(self.alpha), GammaDraw::new(self.beta)]
    }

    /// The share of the first of two Gamma variates.
    #[inline]
    pub(crate) fn draw_from(&self, [a, b]: [GammaDraw; 2], rng: &mut StreamRng) -> f64 {
        // Gamma variates of these shapes neither underflow nor overflow; all others stay on the log scale.
        if [self.alpha, self.beta].iter().all(|shape| (1.0..=1e300).contains(shape)) {
            let (a, b) = (a.over(1.0, rng), b.over(1.0, rng));
            return (a / (a + b)).clamp(f64::MIN_POSITIVE, 1.0 - 0.5 * f64::EPSILON);
        }
        let (a, b) = (a.log(rng), b.log(rng));
        vi_core::numerics::sigmoid_scalar(a - b).clamp(f64::MIN_POSITIVE, 1.0 - 0.5 * f64::EPSILON)
    }
}

impl ExponentialFamily for Beta {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![self.alpha - 1.0, self.beta - 1.0]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        Self::from_alpha_beta(eta[0] + 1.0, eta[1] + 1.0)
    }
    fn log_partition(&self) -> f64 {
        log_beta(self.alpha, self.beta)
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.expected_log(), self.expected_log_complement()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        dirichlet_concentration(&mu.to_vec())
            .and_then(|a| Self::from_alpha_beta(a[0], a[1]).ok())
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let off = -trigamma(self.alpha + self.beta);
        array![[trigamma(self.alpha) + off, off], [off, trigamma(self.beta) + off]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![z.ln(), (-z).ln_1p()]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z <= 0.0 || *z >= 1.0 { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw; where it would round to 0 or 1 it is the nearest number inside (0, 1).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.draw_from(self.gamma_draws(), rng)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        let h = self.log_base_measure(z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        (self.alpha - 1.0) * z.ln() + (self.beta - 1.0) * (-z).ln_1p() - self.log_partition()
    }
}

impl Parametric for Beta {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "alpha", coordinates: Coordinates::Positive { n: 1 } },
            ParameterBlock { name: "beta", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.alpha, self.beta]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        Self::from_alpha_beta(theta[0], theta[1])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        Array2::eye(2)
    }
}

impl Univariate for Beta {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, 1.0)
    }
    fn mean(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }
    fn variance(&self) -> f64 {
        Self::variance(self)
    }
    /// NaN when both shapes are below 1; 0 for the uniform distribution.
    fn mode(&self) -> f64 {
        let (a, b) = (self.alpha - 1.0, self.beta - 1.0);
        if a < 0.0 && b < 0.0 {
            f64::NAN
        } else if a <= 0.0 && b >= a {
            0.0
        } else if b <= 0.0 {
            1.0
        } else {
            a / (a + b)
        }
    }
    fn cdf(&self, x: f64) -> f64 {
        regularized_beta(self.alpha, self.beta, x.clamp(0.0, 1.0)).clamp(0.0, 1.0)
    }
    fn survival(&self, x: f64) -> f64 {
        regularized_beta_upper(self.alpha, self.beta, x.clamp(0.0, 1.0)).clamp(0.0, 1.0)
    }
    fn quantile(&self, p: f64) -> f64 {
        let x = inverse_regularized_beta(self.alpha, self.beta, p);
        if x.is_nan() && (0.0..=1.0).contains(&p) {
            // Shapes so small that in `f64` all probability is at the ends, β/(α + β) of it at 0.
            return if p <= self.beta / (self.alpha + self.beta) { 0.0 } else { 1.0 };
        }
        x
    }
}
