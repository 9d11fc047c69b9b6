//! The negative binomial distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::numerics::softplus_scalar;

use crate::coordinates::Coordinates;
use crate::counts::{
    MAX_MEAN, MEAN_RANGE, beta_tails, count_cdf, count_from_f64, count_quantile, count_survival, deviance,
    log_negative_binomial, log_negative_binomial_coefficient, negative_binomial, step_for, windowed_mean,
};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, length, no_member, positive};

const FAMILY: &str = "NegativeBinomial";

/// The largest number of successes, so that products with it do not overflow.
const MOST_SUCCESSES: f64 = 1e300;

/// Up to here the probabilities may rise too steeply at 0 for sums of every step-th.
const FEW_SUCCESSES: f64 = 100.0;

/// The negative binomial distribution of the number of failures before success number r, on {0, 1, …}; r is given
/// and need not be whole.
///
/// ```text
/// p(z) = Γ(z + r) / (z! Γ(r)) π^r (1 − π)^z
/// T(z) = z      η = log(1 − π) < 0      h(z) = Γ(z + r) / (z! Γ(r))
/// ```
/// So that draws fit `u64`, π is at least 10⁻¹⁷ and the mean r (1 − π)/π at most 10¹⁸; 1 − π is at least 10⁻³⁰⁰.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NegativeBinomial {
    n_successes: f64,
    log_failure: f64,
}

deserialize_checked! {
    NegativeBinomial { n_successes: f64, log_failure: f64 } => Self::from_log_failure(n_successes, log_failure)
}

fn successes(n: f64) -> Result<f64, FamilyError> {
    if n > MOST_SUCCESSES {
        return Err(domain(FAMILY, "n_successes", n, "> 0 and ≤ 1e300"));
    }
    positive(FAMILY, "n_successes", n)
}

impl NegativeBinomial {
    /// The member with `n_successes` successes, each of this probability strictly between 0 and 1.
    ///
    /// # Errors
    /// [`FamilyError`] otherwise, and where the mean leaves the range of the family.
    pub fn from_probability(n_successes: f64, probability: f64) -> Result<Self, FamilyError> {
        if probability > 0.0 && probability < 1.0 {
            return Self::from_log_failure(n_successes, (-probability).ln_1p());
        }
        Err(domain(FAMILY, "probability", probability, "strictly between 0 and 1"))
    }

    /// The member with `n_successes` successes and this mean number of failures; its variance is
    /// mean + mean² / `n_successes`.
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive and the mean in the range of the family.
    pub fn from_mean(n_successes: f64, mean: f64) -> Result<Self, FamilyError> {
        successes(n_successes)?;
        if mean > 0.0 && mean <= MAX_MEAN {
            return Self::from_log_failure(n_successes, -(n_successes / mean).ln_1p());
        }
        Err(domain(FAMILY, "mean", mean, MEAN_RANGE))
    }

    /// The member with this mean and dispersion 1/r: its variance is mean + dispersion · mean² (Hilbe 2011,
    /// "Negative Binomial Regression", section 8.1).
    ///
    /// # Errors
    /// [`FamilyError`] unless both are finite and positive, r in its range and the mean in that of the family.
    pub fn from_mean_dispersion(mean: f64, dispersion: f64) -> Result<Self, FamilyError> {
        Self::from_mean(1.0 / positive(FAMILY, "dispersion", dispersion)?, mean)
    }

    /// The member with this mean and variance: r = mean²/(variance − mean).
    ///
    /// # Errors
    /// [`FamilyError`] unless the variance is finite and exceeds the mean, and both r and the mean are in the range
    /// of the family. (Counts with a variance equal to their mean are Poisson.)
    pub fn from_mean_variance(mean: f64, variance: f64) -> Result<Self, FamilyError> {
        let mean = positive(FAMILY, "mean", mean)?;
        let excess = positive(FAMILY, "variance − mean", variance - mean)?;
        Self::from_mean(mean * (mean / excess), mean)
    }

    /// The member with `n_successes` successes, each of this log odds.
    ///
    /// # Errors
    /// [`FamilyError`] outside the range of the family.
    pub fn from_logit(n_successes: f64, logit: f64) -> Result<Self, FamilyError> {
        finite(FAMILY, "logit", logit)?;
        Self::from_log_failure(n_successes, -softplus_scalar(logit))
    }

    /// The member with `n_successes` successes and this logarithm of the probability of failure, negative.
    ///
    /// # Errors
    /// [`FamilyError`] outside the range of the family.
    pub fn from_log_failure(n_successes: f64, log_failure: f64) -> Result<Self, FamilyError> {
        successes(n_successes)?;
        if !(-690.0..=-1e-17).contains(&log_failure) {
            return Err(domain(FAMILY, "log(1 − probability)", log_failure, "between −690 and −1e-17"));
        }
        let member = Self { n_successes, log_failure };
        let mean = member.mean();
        if !(f64::MIN_POSITIVE..=MAX_MEAN).contains(&mean) {
            return Err(domain(FAMILY, "mean", mean, MEAN_RANGE));
        }
        Ok(member)
    }

    /// The number r of successes.
    pub fn n_successes(&self) -> f64 {
        self.n_successes
    }

    /// The dispersion 1/r, in which the variance is mean + dispersion · mean².
    pub fn dispersion(&self) -> f64 {
        1.0 / self.n_successes
    }

    /// The log odds of success.
    pub fn logit(&self) -> f64 {
        self.log_probability() - self.log_failure
    }

    /// The probability of success π.
    pub fn probability(&self) -> f64 {
        -self.log_failure.exp_m1()
    }

    /// The probability of failure 1 − π.
    pub fn failure_probability(&self) -> f64 {
        self.log_failure.exp()
    }

    /// log π, to full relative accuracy near π = 1 too.
    fn log_probability(&self) -> f64 {
        let failure = self.failure_probability();
        if failure < 0.5 { (-failure).ln_1p() } else { self.probability().ln() }
    }

    fn sd(&self) -> f64 {
        self.variance().sqrt()
    }

    /// P(z ≤ k) and P(z > k).
    fn tails(&self, k: f64) -> (f64, f64) {
        beta_tails(self.n_successes, k + 1.0, self.probability(), self.failure_probability())
    }

    /// `E[value(k, log p(k))]` by summing, for more than [`FEW_SUCCESSES`].
    fn summed_mean(&self, value: impl Fn(f64, f64) -> f64) -> f64 {
        let (p, q) = (self.probability(), self.failure_probability());
        let log_mass = |k: f64| log_negative_binomial(k, self.n_successes, p, q);
        windowed_mean(self.mode(), f64::INFINITY, step_for(self.sd()), log_mass, value)
    }

    /// `E[log Γ(z + r) − log z! − log Γ(r)]` for any r as an integral over the generating function G, from
    /// Malmstén's formula for log Γ.
    ///
    /// ```text
    /// ∫ (e^−t − e^−rt) (1 − G(e^−t)) / (1 − e^−t) dt/t      1 − G(e^−t) = 1 − (1 + (1 − e^−t)(1 − π)/π)^−r
    /// ```
    /// The integrand has one sign. In x = log t it is analytic for |Im x| < π/2, so that the trapezoidal rule
    /// with step 0.2 is exact to e^−49.
    fn expected_log_coefficient_by_integral(&self) -> f64 {
        const STEP: f64 = 0.2;
        let r = self.n_successes;
        let odds = self.failure_probability() / self.probability();
        let integrand = |x: f64| {
            let t = x.exp();
            let rise = -(-t).exp_m1();
            let remainder = -(-r * (odds * rise).ln_1p()).exp_m1();
            let kernel = if r > 1.0 {
                -(-t).exp() * (-(r - 1.0) * t).exp_m1()
            } else {
                (-r * t).exp() * ((r - 1.0) * t).exp_m1()
            };
            kernel * remainder / rise
        };
        let slowest = r.min(1.0);
        let fastest = r.max(1.0).max(odds).max(r * odds);
        let (first, last) = (-fastest.ln() - 45.0, 60f64.ln() - slowest.ln());
        let n_steps = ((last - first) / STEP).ceil() as u32;
        STEP * (0..=n_steps).map(|i| integrand(first + STEP * f64::from(i))).sum::<f64>()
    }
}

impl ExponentialFamily for NegativeBinomial {
    type Value = u64;
    type Fixed = f64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> f64 {
        self.n_successes
    }
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.log_failure]
    }
    fn from_natural_given(fixed: &f64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_log_failure(*fixed, eta[0])
    }
    fn log_partition(&self) -> f64 {
        -self.n_successes * self.log_probability()
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean()]
    }
    fn from_mean_params_given(fixed: &f64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        successes(*fixed)?;
        Self::from_mean(*fixed, mu[0]).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.variance()]]
    }
    fn sufficient_stats_given(_: &f64, z: &u64) -> Array1<f64> {
        array![*z as f64]
    }
    fn log_base_measure_given(fixed: &f64, z: &u64) -> f64 {
        log_negative_binomial_coefficient(*z as f64, *fixed)
    }
    /// To about 1e-14 relative: an integral up to r = 100, sums above.
    fn expected_log_base_measure(&self) -> f64 {
        let r = self.n_successes;
        if r == 1.0 {
            0.0
        } else if r <= FEW_SUCCESSES {
            self.expected_log_coefficient_by_integral()
        } else {
            self.summed_mean(|k, _| log_negative_binomial_coefficient(k, r))
        }
    }
    fn sample(&self, rng: &mut StreamRng) -> u64 {
        negative_binomial(self.n_successes, self.log_probability() - self.log_failure, rng)
    }

    fn log_prob(&self, z: &u64) -> f64 {
        log_negative_binomial(*z as f64, self.n_successes, self.probability(), self.failure_probability())
    }
    /// To about 1e-13 relative: from `E[log h]` up to r = 100, the sum of −p log p above.
    fn entropy(&self) -> f64 {
        if self.n_successes <= FEW_SUCCESSES {
            let linear = self.log_partition() - self.log_failure * self.mean();
            return linear - self.expected_log_base_measure();
        }
        self.summed_mean(|_, log_mass| -log_mass)
    }
    /// The deviances of both probabilities times r/π, without cancellation between close members.
    fn kl(&self, other: &Self) -> f64 {
        let success = deviance(self.probability(), other.probability());
        let failure = deviance(self.failure_probability(), other.failure_probability());
        self.n_successes * ((success + failure) / self.probability())
    }
}

impl Parametric for NegativeBinomial {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "probability", coordinates: Coordinates::Unit }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.probability()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_probability(self.n_successes, theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[-1.0 / self.failure_probability()]]
    }
}

impl Univariate for NegativeBinomial {
    const DISCRETE: bool = true;

    fn to_f64(z: &u64) -> f64 {
        *z as f64
    }
    fn from_f64(x: f64) -> Option<u64> {
        count_from_f64(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }
    /// r (1 − π)/π.
    fn mean(&self) -> f64 {
        self.n_successes / (-self.log_failure).exp_m1()
    }
    /// r (1 − π)/π².
    fn variance(&self) -> f64 {
        self.mean() / self.probability()
    }
    /// The smaller of the two modes where (r − 1)(1 − π)/π is whole.
    fn mode(&self) -> f64 {
        let peak = (self.n_successes - 1.0) / (-self.log_failure).exp_m1();
        (peak.ceil() - 1.0).max(0.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, f64::INFINITY, |k| self.tails(k).0)
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, f64::INFINITY, |k| self.tails(k).1)
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, self.mean(), self.sd(), f64::INFINITY, |x| self.cdf(x))
    }
}
