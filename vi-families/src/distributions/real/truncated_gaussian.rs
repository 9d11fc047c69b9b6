//! The Gaussian restricted to an interval.

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;

use super::LOG_TWO_PI;
use super::gaussian_piece::{GaussianPiece, PieceMoments, location_precision};
use super::root::increasing_root;
use crate::coordinates::Coordinates;
use crate::deserialize::{deserialize_checked, infinite_as_none};
use crate::draw::{standard_exponential, standard_normal};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, length, no_member, positive};

const FAMILY: &str = "TruncatedGaussian";

/// Fourth powers of this still are normal numbers.
const LEAST_WIDTH: f64 = 1e-50;

/// The Gaussian of a given location and scale restricted to the open interval between given bounds.
///
/// ```text
/// p(z) = N(z; location, scale²) / [Φ((upper − location)/scale) − Φ((lower − location)/scale)]
/// T(z) = (z, z²)      η = (location/scale², −1/(2 scale²))      h(z) = (2π)^(−1/2) on (lower, upper)
/// Fixed = (lower, upper), each possibly infinite
/// ```
/// η₂ < 0 is required although η₂ ≥ 0 has a density on bounded intervals. The family therefore ends at the
/// exponential densities η₂ = 0: a mean parameter belongs to a member when lower < μ₁ < upper and μ₂ − μ₁² is
/// positive and less than the variance of the exponential density cut off at the bounds that has the mean μ₁,
/// which is (μ₁ − lower)² when upper = ∞. Everything keeps its digits far in the tail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruncatedGaussian {
    location: f64,
    precision: f64,
    #[serde(serialize_with = "infinite_as_none")]
    lower: f64,
    #[serde(serialize_with = "infinite_as_none")]
    upper: f64,
    #[serde(skip)]
    piece: GaussianPiece,
    /// Computed once for all operations.
    #[serde(skip)]
    moments: PieceMoments,
}

deserialize_checked! {
    TruncatedGaussian { location: f64, precision: f64, lower: Option<f64>, upper: Option<f64> } => {
        let (lower, upper) = (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY));
        Self::from_location_precision(location, precision, lower, upper)
    }
}

fn valid_bounds(lower: f64, upper: f64) -> Result<(), FamilyError> {
    if lower.is_nan() || lower == f64::INFINITY {
        return Err(domain(FAMILY, "lower", lower, "finite or −∞"));
    }
    // At least one number has to lie between them.
    if upper.is_nan() || upper <= lower.next_up() {
        return Err(domain(FAMILY, "upper", upper, "above the lower bound, with numbers between them"));
    }
    Ok(())
}

impl TruncatedGaussian {
    /// The Gaussian of this location and scale, its mean and standard deviation before truncation, restricted to
    /// (lower, upper).
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite, the scale finite and positive, and lower < upper.
    pub fn from_location_scale(
        location: f64,
        scale: f64,
        lower: f64,
        upper: f64,
    ) -> Result<Self, FamilyError> {
        let scale = positive(FAMILY, "scale", scale)?;
        positive(FAMILY, "scale²", scale * scale)?;
        Self::from_location_precision(location, 1.0 / (scale * scale), lower, upper)
    }

    /// The Gaussian of this location and precision, the reciprocal of its variance before truncation, restricted
    /// to (lower, upper).
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite, the precision finite and positive, and lower < upper; and
    /// when the restricted density is narrower than 10⁻⁵⁰ scales.
    pub fn from_location_precision(
        location: f64,
        precision: f64,
        lower: f64,
        upper: f64,
    ) -> Result<Self, FamilyError> {
        valid_bounds(lower, upper)?;
        let location = finite(FAMILY, "location", location)?;
        let precision = positive(FAMILY, "precision", precision)?;
        finite(FAMILY, "location · precision", location * precision)?;
        let piece = GaussianPiece::new(location, 1.0 / precision.sqrt(), lower, upper);
        let (a, b) = piece.effective(1.0);
        if b.is_nan() || b - a < LEAST_WIDTH {
            return Err(domain(FAMILY, "width of the density / scale", b - a, "at least 1e-50"));
        }
        let moments = piece.moments();
        positive(FAMILY, "variance", moments.variance * piece.scale * piece.scale)?;
        finite(FAMILY, "location² precision", location * precision * location)?;
        Ok(Self { location, precision, lower, upper, piece, moments })
    }

    /// The mean before truncation.
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The standard deviation before truncation.
    pub fn scale(&self) -> f64 {
        self.piece.scale
    }

    /// The reciprocal of the variance before truncation.
    pub fn precision(&self) -> f64 {
        self.precision
    }

    /// The lower bound, possibly −∞.
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper bound, possibly ∞.
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// The peak, and from there in units of the scale: (peak − location), both bounds, mean and variance.
    pub(crate) fn seen_from_peak(&self) -> [f64; 6] {
        let (piece, moments) = (&self.piece, &self.moments);
        [piece.peak, piece.kappa, piece.a, piece.b, moments.mean, moments.variance]
    }

    /// log of the integral of the density that is 1 at its peak.
    pub(crate) fn log_integral(&self) -> f64 {
        self.moments.integral.ln() - 0.5 * self.precision.ln()
    }

    /// `E[z]` less the peak.
    fn mean_from_peak(&self) -> f64 {
        self.piece.scale * self.moments.mean
    }

    /// `Var[z]`.
    fn restricted_variance(&self) -> f64 {
        self.piece.scale * self.piece.scale * self.moments.variance
    }

    /// A draw of x ≥ 0 with log density −κx − x²/2 on [0, width], κ ≥ 0, `width` possibly ∞: the excess over κ of a
    /// standard Gaussian above κ.
    ///
    /// By the exponential proposal of Robert (1995), eq. 2.2–2.3, cut off at the width.
    pub fn sample_tail(kappa: f64, width: f64, rng: &mut StreamRng) -> f64 {
        let rate = 0.5 * (kappa + kappa.hypot(2.0));
        // rate − κ, and the x where the acceptance is 1 or as near as the width allows.
        let excess = 1.0 / rate;
        let best = excess.min(width);
        let cut = -(-rate * width).exp_m1();
        loop {
            let x = -(-cut * rng.random::<f64>()).ln_1p() / rate;
            let log_ratio = (x - best) * (excess - 0.5 * (x + best));
            let exponential = standard_exponential(rng);
            if x <= width && log_ratio >= -exponential {
                return x;
            }
        }
    }

    /// A draw where the location lies between the bounds: from the Gaussian, or evenly when that is narrow.
    fn sample_around(&self, rng: &mut StreamRng) -> f64 {
        let (a, b) = (self.piece.a, self.piece.b);
        loop {
            if self.moments.integral > 0.75 {
                let x = standard_normal(rng);
                if x > a && x < b {
                    return x;
                }
            } else {
                let x = a + (b - a) * rng.random::<f64>();
                let exponential = standard_exponential(rng);
                if 0.5 * x * x <= exponential {
                    return x;
                }
            }
        }
    }

    /// P(from < z < to), relatively accurate however small.
    fn mass(&self, from: f64, to: f64) -> f64 {
        if from.is_nan() || to.is_nan() {
            return f64::NAN;
        }
        if from >= to {
            return 0.0;
        }
        let part = GaussianPiece::new(self.location, self.piece.scale, from, to);
        let top = self.piece.log_density((part.peak - self.piece.peak) / self.piece.scale);
        (top.exp() * (part.integral() / self.moments.integral)).min(1.0)
    }
}

impl ExponentialFamily for TruncatedGaussian {
    type Value = f64;
    type Fixed = (f64, f64);
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> (f64, f64) {
        (self.lower, self.upper)
    }
    fn n_params(&self) -> usize {
        2
    }
    fn natural(&self) -> Array1<f64> {
        array![self.location * self.precision, -0.5 * self.precision]
    }
    fn from_natural_given(&(lower, upper): &(f64, f64), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 2)?;
        let precision = -2.0 * eta[1];
        Self::from_location_precision(eta[0] / precision, precision, lower, upper)
    }
    fn log_partition(&self) -> f64 {
        let peak = self.piece.peak;
        self.precision * peak * (self.location - 0.5 * peak) + self.log_integral() - 0.5 * LOG_TWO_PI
    }
    fn mean_params(&self) -> Array1<f64> {
        let mean = self.mean();
        array![mean, mean * mean + self.restricted_variance()]
    }
    fn from_mean_params_given(
        &(lower, upper): &(f64, f64),
        mu: &ArrayRef1<f64>,
    ) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 2)?;
        valid_bounds(lower, upper)?;
        location_precision(mu[0], (-mu[0]).mul_add(mu[0], mu[1]), lower, upper)
            .and_then(|(location, precision)| {
                Self::from_location_precision(location, precision, lower, upper).ok()
            })
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (m, s, mean) = (self.moments, self.piece.scale, self.mean());
        let (variance, third) = (self.restricted_variance(), s.powi(3) * m.third);
        let cross = 2.0 * mean * variance + third;
        let square = 4.0 * mean * (mean * variance + third) + s.powi(4) * m.square_variance;
        array![[variance, cross], [cross, square]]
    }
    fn sufficient_stats_given(_: &(f64, f64), z: &f64) -> Array1<f64> {
        array![*z, z * z]
    }
    fn log_base_measure_given(&(lower, upper): &(f64, f64), z: &f64) -> f64 {
        if *z <= lower || *z >= upper { f64::NEG_INFINITY } else { -0.5 * LOG_TWO_PI }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * LOG_TWO_PI
    }
    /// One draw, by rejection at a rate of at least ⅔ or so; where it would round to a bound it is the number
    /// next to it.
    fn sample(&self, rng: &mut StreamRng) -> f64 {
        let p = &self.piece;
        let x = if p.a == 0.0 {
            Self::sample_tail(p.kappa, p.b, rng)
        } else if p.b == 0.0 {
            -Self::sample_tail(-p.kappa, -p.a, rng)
        } else {
            self.sample_around(rng)
        };
        (p.peak + p.scale * x).clamp(self.lower.next_up(), self.upper.next_down())
    }

    fn log_prob(&self, z: &f64) -> f64 {
        if *z <= self.lower || *z >= self.upper {
            return f64::NEG_INFINITY;
        }
        self.piece.log_density((z - self.piece.peak) / self.piece.scale) - self.log_integral()
    }
    fn entropy(&self) -> f64 {
        let m = &self.moments;
        self.log_integral() + self.piece.kappa * m.mean + 0.5 * (m.variance + m.mean * m.mean)
    }
    fn kl(&self, other: &Self) -> f64 {
        -self.entropy() - self.expected_log_prob(other)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let s = other.piece.scale;
        let mean = (self.piece.peak - other.piece.peak + self.mean_from_peak()) / s;
        let variance = self.restricted_variance() / s / s;
        -other.piece.kappa * mean - 0.5 * (variance + mean * mean) - other.log_integral()
    }
}

/// θ = (location, variance), both before truncation.
impl Parametric for TruncatedGaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![
            ParameterBlock { name: "location", coordinates: Coordinates::Real { n: 1 } },
            ParameterBlock { name: "variance", coordinates: Coordinates::Positive { n: 1 } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.location, 1.0 / self.precision]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 2)?;
        let precision = 1.0 / positive(FAMILY, "variance", theta[1])?;
        Self::from_location_precision(theta[0], precision, self.lower, self.upper)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let p = self.precision;
        array![[p, -self.location * p * p], [0.0, 0.5 * p * p]]
    }
}

impl Univariate for TruncatedGaussian {
    const DISCRETE: bool = false;

    fn to_f64(z: &f64) -> f64 {
        *z
    }
    fn from_f64(x: f64) -> Option<f64> {
        Some(x)
    }
    fn support(&self) -> (f64, f64) {
        (self.lower, self.upper)
    }
    fn mean(&self) -> f64 {
        self.piece.peak + self.mean_from_peak()
    }
    fn variance(&self) -> f64 {
        self.restricted_variance()
    }
    /// The location, or the bound next to it.
    fn mode(&self) -> f64 {
        self.piece.peak
    }
    fn cdf(&self, x: f64) -> f64 {
        if x >= self.upper { 1.0 } else { self.mass(self.lower, x) }
    }
    fn survival(&self, x: f64) -> f64 {
        if x <= self.lower { 1.0 } else { self.mass(x, self.upper) }
    }
    fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p == 0.0 || p == 1.0 {
            return if p == 0.0 { self.lower } else { self.upper };
        }
        let (peak, scale) = (self.piece.peak, self.piece.scale);
        // Less than the smallest positive number lies further out.
        let (a, b) = self.piece.effective(800.0);
        let (low, high) = ((peak + scale * a).max(self.lower), (peak + scale * b).min(self.upper));
        let log_total = self.log_integral();
        let density = |z: f64| (self.piece.log_density((z - peak) / scale) - log_total).exp();
        // Where a bound is near, the density there tells how far from it.
        let start = if p <= 0.5 { low + p / density(low) } else { high - (1.0 - p) / density(high) };
        let start = if start > low && start < high { start } else { self.mean() };
        increasing_root(low, high, start, |z| {
            if p <= 0.5 {
                let below = self.cdf(z);
                ((below / p).ln(), density(z) / below)
            } else {
                let above = self.survival(z);
                (((1.0 - p) / above).ln(), density(z) / above)
            }
        })
    }
}
