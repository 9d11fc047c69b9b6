//! The continuous Bernoulli distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, finite_vector, length, no_member};

const FAMILY: &str = "ContinuousBernoulli";
/// So far out the variance 1/η² and its reciprocal stay normal numbers.
const LARGEST_LOGIT: f64 = 1e150;

/// The continuous Bernoulli distribution on [0, 1], an exponential cut off at both ends.
///
/// ```text
/// p(z) = C(λ) λ^z (1 − λ)^(1 − z) = η e^(ηz) / (e^η − 1)
/// T(z) = z      η = log λ/(1 − λ)      h(z) = 1      A(η) = log (e^η − 1)/η
/// ```
/// λ = ½ is the uniform distribution; everything is accurate through it. |η| is at most 10¹⁵⁰; λ rounds
/// to one for η > 36, where θ and φ lead to no member. (Loaiza-Ganem &
/// Cunningham 2019, eq. 6–9.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContinuousBernoulli {
    logit: f64,
}

deserialize_checked! {
    ContinuousBernoulli { logit: f64 } => Self::from_logit(logit)
}

impl ContinuousBernoulli {
    /// The member with this λ, which is not its mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless λ lies in (0, 1).
    pub fn from_lambda(lambda: f64) -> Result<Self, FamilyError> {
        if !(lambda > 0.0 && lambda < 1.0) {
            return Err(domain(FAMILY, "lambda", lambda, "between 0 and 1, both excluded"));
        }
        Self::from_logit(lambda.ln() - (-lambda).ln_1p())
    }

    /// The member with this logit η = log λ/(1 − λ).
    ///
    /// # Errors
    /// [`FamilyError`] unless |η| is at most 10¹⁵⁰.
    pub fn from_logit(logit: f64) -> Result<Self, FamilyError> {
        if logit.abs() <= LARGEST_LOGIT {
            Ok(Self { logit })
        } else {
            Err(domain(FAMILY, "logit", logit, "between −1e150 and 1e150"))
        }
    }

    /// The member with this mean.
    ///
    /// # Errors
    /// [`FamilyError`] unless it lies between 10⁻¹⁵⁰ and 1, 1 excluded.
    pub fn from_mean(mean: f64) -> Result<Self, FamilyError> {
        Self::from_mean_params(&array![mean])
            .map_err(|_| domain(FAMILY, "mean", mean, "between 1e-150 and 1, 1 excluded"))
    }

    /// λ.
    pub fn lambda(&self) -> f64 {
        sigmoid_scalar(self.logit)
    }

    /// The logit η.
    pub fn logit(&self) -> f64 {
        self.logit
    }

    /// Half the logit; the density in z − ½ is exp(2 half (z − ½)) half / sinh half.
    fn half(&self) -> f64 {
        0.5 * self.logit
    }
}

/// Below this the power series are used, from here on the hyperbolic functions.
const SERIES: f64 = 1.0;

/// Σ_{k≥0} c_k x^{2k}, where `next(k)` is c_{k+1}/c_k; full accuracy for |x| ≤ 2 and coefficients like 1/(2k)!.
fn even_series(first: f64, square: f64, next: impl Fn(f64) -> f64) -> f64 {
    let (mut term, mut sum) = (first, first);
    for k in 0..20 {
        term *= square * next(f64::from(k));
        sum += term;
    }
    sum
}

/// log (sinh x / x) − |x|, without its cancellation at large x.
fn log_sinhc_minus_abs(x: f64) -> f64 {
    let x = x.abs();
    if x < SERIES { log_sinhc(x) - x } else { (-(-2.0 * x).exp()).ln_1p() - (2.0 * x).ln() }
}

/// log (sinh x / x), which is x²/6 near 0.
fn log_sinhc(x: f64) -> f64 {
    let x = x.abs();
    if x < SERIES {
        let square = x * x;
        (square * even_series(1.0 / 6.0, square, |k| 1.0 / ((2.0 * k + 4.0) * (2.0 * k + 5.0)))).ln_1p()
    } else {
        x + log_sinhc_minus_abs(x)
    }
}

/// Langevin's function coth x − 1/x.
fn langevin(x: f64) -> f64 {
    if x.abs() < SERIES {
        // (x cosh x − sinh x) / (x sinh x): both are sums of positive terms.
        let square = x * x;
        let above = even_series(1.0 / 3.0, square, |k| 1.0 / ((2.0 * k + 2.0) * (2.0 * k + 5.0)));
        let below = even_series(1.0, square, |k| 1.0 / ((2.0 * k + 2.0) * (2.0 * k + 3.0)));
        x * above / below
    } else {
        1.0 / x.tanh() - 1.0 / x
    }
}

/// 1 − coth x + 1/x for x ≥ 1, Langevin's distance from 1.
fn langevin_complement(x: f64) -> f64 {
    1.0 / x - 2.0 / (2.0 * x).exp_m1()
}

/// d/dx of Langevin's function, 1/x² − 1/sinh² x.
fn langevin_slope(x: f64) -> f64 {
    let x = x.abs();
    let square = x * x;
    if x < SERIES {
        // (sinh² x − x²) / (x sinh x)², with sinh² x − x² = ½ Σ_{k≥2} (2x)^{2k}/(2k)!.
        let above = even_series(1.0 / 3.0, 4.0 * square, |k| 1.0 / ((2.0 * k + 5.0) * (2.0 * k + 6.0)));
        let below = even_series(1.0, square, |k| 1.0 / ((2.0 * k + 2.0) * (2.0 * k + 3.0)));
        above / (below * below)
    } else {
        let sinh = x.sinh();
        1.0 / square - 1.0 / (sinh * sinh)
    }
}

/// The x ≥ 0 at which Langevin's function is 1 − `complement`, for 0 < complement ≤ 1.
fn inverse_langevin(complement: f64) -> f64 {
    let y = 1.0 - complement;
    // The rational approximation of Cohen (1991), eq. 13, is within 5 % everywhere.
    let mut x = y * (3.0 - y * y) / (complement * (1.0 + y));
    for _ in 0..50 {
        let gap = if x < SERIES { y - langevin(x) } else { langevin_complement(x) - complement };
        let next = (x + gap / langevin_slope(x)).clamp(0.5 * x, 2.0 * x);
        let done = (next - x).abs() <= 4.0 * f64::EPSILON * x;
        x = next;
        if done || x == 0.0 {
            break;
        }
    }
    x
}

/// The variance of the exponential density cut off to an interval of length one whose mean is `mean` away from
/// its nearer end.
pub(crate) fn unit_variance_at_mean(mean: f64) -> f64 {
    0.25 * langevin_slope(inverse_langevin(2.0 * mean))
}

impl ExponentialFamily for ContinuousBernoulli {
    type Value = f64;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.logit]
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_logit(finite(FAMILY, "natural parameter[0]", eta[0])?)
    }
    fn log_partition(&self) -> f64 {
        let x = self.half();
        if x < 0.0 { log_sinhc_minus_abs(x) } else { x + log_sinhc(x) }
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean()]
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        if !(mu[0] >= 1.0 / LARGEST_LOGIT && mu[0] < 1.0) {
            return Err(no_member(FAMILY, mu));
        }
        let below = mu[0] < 0.5;
        let near = if below { mu[0] } else { 1.0 - mu[0] };
        let logit = 2.0 * inverse_langevin(2.0 * near);
        Self::from_logit(if below { -logit } else { logit }).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.variance()]]
    }
    fn sufficient_stats_given(_: &(), z: &f64) -> Array1<f64> {
        array![*z]
    }
    fn log_base_measure_given(_: &(), z: &f64) -> f64 {
        if *z < 0.0 || *z > 1.0 { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw by inversion; where it would round to 0 or 1 it is the nearest normal number inside (0, 1).
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        self.quantile(rng.random::<f64>()).clamp(f64::MIN_POSITIVE, 1.0 - 0.5 * f64::EPSILON)
    }

    fn log_prob(&self, z: &f64) -> f64 {
        if *z < 0.0 || *z > 1.0 {
            return f64::NEG_INFINITY;
        }
        // Counted from the end where the density is largest.
        let from_peak = if self.logit < 0.0 { *z } else { 1.0 - z };
        -self.logit.abs() * from_peak - log_sinhc_minus_abs(self.half())
    }
    fn entropy(&self) -> f64 {
        let x = self.half().abs();
        if x < SERIES {
            log_sinhc(x) - x * langevin(x)
        } else {
            log_sinhc_minus_abs(x) + x * langevin_complement(x)
        }
    }
    fn kl(&self, other: &Self) -> f64 {
        let (x, y) = (self.half(), other.half());
        if x.abs() >= SERIES && x.signum() == y.signum() {
            // x − y and |y| − |x| cancel by hand.
            return (y.abs() - x.abs()) * langevin_complement(x.abs()) + log_sinhc_minus_abs(y)
                - log_sinhc_minus_abs(x);
        }
        (x - y) * langevin(x) - log_sinhc(x) + log_sinhc(y)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        -self.entropy() - self.kl(other)
    }
}

impl Parametric for ContinuousBernoulli {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "lambda", coordinates: Coordinates::Unit }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.lambda()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_lambda(theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[(softplus_scalar(self.logit) + softplus_scalar(-self.logit)).exp()]]
    }
    // The logit itself, also where λ rounds to 1.
    fn unconstrained(&self) -> Array1<f64> {
        array![self.logit]
    }
    fn with_unconstrained(&self, phi: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "unconstrained parameter", phi.len(), 1)?;
        finite_vector(FAMILY, "unconstrained parameter", phi)?;
        Self::from_logit(phi[0])
    }
}

impl Univariate for ContinuousBernoulli {
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
        let x = self.half();
        if x <= -SERIES { 0.5 * langevin_complement(-x) } else { 0.5 + 0.5 * langevin(x) }
    }
    fn variance(&self) -> f64 {
        0.25 * langevin_slope(self.half())
    }
    /// The end where the density is largest; 0 for the uniform distribution.
    fn mode(&self) -> f64 {
        if self.logit > 0.0 { 1.0 } else { 0.0 }
    }
    fn cdf(&self, x: f64) -> f64 {
        mass_from_zero(self.logit, x.clamp(0.0, 1.0), 1.0 - x.clamp(0.0, 1.0))
    }
    fn survival(&self, x: f64) -> f64 {
        mass_from_zero(-self.logit, 1.0 - x.clamp(0.0, 1.0), x.clamp(0.0, 1.0))
    }
    fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        let eta = self.logit;
        if p == 1.0 {
            return 1.0;
        }
        // So near the uniform distribution x(1 − x) η/2, its distance from it, is below half a unit.
        if eta.abs() < 1e-16 {
            return p;
        }
        let x = if eta < 100.0 {
            (p * eta.exp_m1()).ln_1p() / eta
        } else if p == 0.0 {
            0.0
        } else {
            1.0 + (p + (1.0 - p) * (-eta).exp()).ln() / eta
        };
        x.clamp(0.0, 1.0)
    }
}

/// P(z ≤ x) = (e^{ηx} − 1)/(e^η − 1), given x and 1 − x.
fn mass_from_zero(eta: f64, x: f64, complement: f64) -> f64 {
    if eta.abs() < 1e-16 {
        x
    } else if eta > 0.0 {
        (-eta * complement).exp() * (-eta * x).exp_m1() / (-eta).exp_m1()
    } else {
        (eta * x).exp_m1() / eta.exp_m1()
    }
}
