//! The binomial distribution.

use ndarray::{Array1, Array2, ArrayRef1, array};
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};

use crate::coordinates::Coordinates;
use crate::counts::{
    MAX_MEAN, beta_tails, binomial, count_cdf, count_from_f64, count_quantile, count_survival, deviance,
    log_binomial_coefficient, log_poisson, step_for, windowed_mean,
};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite, length, no_member};

const FAMILY: &str = "Binomial";

/// The binomial distribution of the number of successes in n trials, on {0, …, n}; n is given.
///
/// ```text
/// p(z) = n! / (z! (n − z)!) π^z (1 − π)^(n − z)
/// T(z) = z      η = log(π / (1 − π))      h(z) = n! / (z! (n − z)!)
/// ```
/// n is between 1 and 10¹⁸.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Binomial {
    n_trials: u64,
    logit: f64,
}

deserialize_checked! {
    Binomial { n_trials: u64, logit: f64 } => Self::from_logit(n_trials, logit)
}

impl Binomial {
    /// The member with `n_trials` trials of this probability of success, strictly between 0 and 1.
    ///
    /// # Errors
    /// [`FamilyError`] otherwise: a sure event has no finite natural parameter.
    pub fn from_probability(n_trials: u64, probability: f64) -> Result<Self, FamilyError> {
        if probability > 0.0 && probability < 1.0 {
            return Self::from_logit(n_trials, probability.ln() - (-probability).ln_1p());
        }
        Err(domain(FAMILY, "probability", probability, "strictly between 0 and 1"))
    }

    /// The member with `n_trials` trials of this log odds of success.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite, and for no trials.
    pub fn from_logit(n_trials: u64, logit: f64) -> Result<Self, FamilyError> {
        if n_trials == 0 || n_trials as f64 > MAX_MEAN {
            return Err(domain(FAMILY, "n_trials", n_trials as f64, "between 1 and 1e18"));
        }
        Ok(Self { n_trials, logit: finite(FAMILY, "logit", logit)? })
    }

    /// The number n of trials.
    pub fn n_trials(&self) -> u64 {
        self.n_trials
    }

    /// The log odds of success.
    pub fn logit(&self) -> f64 {
        self.logit
    }

    /// The probability of success π.
    pub fn probability(&self) -> f64 {
        sigmoid_scalar(self.logit)
    }

    fn n(&self) -> f64 {
        self.n_trials as f64
    }

    fn sd(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The same with the roles of success and failure exchanged if success is more probable: small counts keep
    /// their digits beside a large n.
    fn rarer(&self) -> Self {
        Self { n_trials: self.n_trials, logit: -self.logit.abs() }
    }

    /// log p at `k` successes and `other` failures.
    fn log_mass(&self, k: f64, other: f64) -> f64 {
        if k == 0.0 || other == 0.0 {
            // One of them is the negative of 0 · softplus.
            return -k * softplus_scalar(-self.logit) - other * softplus_scalar(self.logit);
        }
        let n = self.n();
        let log_successes = || n.ln() - softplus_scalar(-self.logit);
        let log_failures = || n.ln() - softplus_scalar(self.logit);
        log_poisson(k, n * sigmoid_scalar(self.logit), log_successes)
            + log_poisson(other, n * sigmoid_scalar(-self.logit), log_failures)
            - log_poisson(n, n, || n.ln())
    }

    /// P(z ≤ k) and P(z > k) for k < n.
    fn tails(&self, k: f64) -> (f64, f64) {
        let (failure, success) = (sigmoid_scalar(-self.logit), sigmoid_scalar(self.logit));
        beta_tails(self.n() - k, k + 1.0, failure, success)
    }

    /// `E[value(k, log p(k))]` of a function that is symmetric under k → n − k.
    fn symmetric_mean(&self, value: impl Fn(f64, f64) -> f64) -> f64 {
        let (rarer, n) = (self.rarer(), self.n());
        let log_mass = |k: f64| rarer.log_mass(k, n - k);
        windowed_mean(rarer.mode(), n, step_for(self.sd()), log_mass, value)
    }
}

impl ExponentialFamily for Binomial {
    type Value = u64;
    type Fixed = u64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> u64 {
        self.n_trials
    }
    fn n_params(&self) -> usize {
        1
    }
    fn natural(&self) -> Array1<f64> {
        array![self.logit]
    }
    fn from_natural_given(fixed: &u64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "natural parameter", eta.len(), 1)?;
        Self::from_logit(*fixed, eta[0])
    }
    fn log_partition(&self) -> f64 {
        self.n() * softplus_scalar(self.logit)
    }
    fn mean_params(&self) -> Array1<f64> {
        array![self.mean()]
    }
    fn from_mean_params_given(fixed: &u64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len(), 1)?;
        let failures = *fixed as f64 - mu[0];
        if mu[0] > 0.0 && failures > 0.0 {
            return Self::from_logit(*fixed, mu[0].ln() - failures.ln());
        }
        Err(no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        array![[self.variance()]]
    }
    fn sufficient_stats_given(_: &u64, z: &u64) -> Array1<f64> {
        array![*z as f64]
    }
    fn log_base_measure_given(fixed: &u64, z: &u64) -> f64 {
        match fixed.checked_sub(*z) {
            Some(other) => log_binomial_coefficient(*fixed as f64, (*z).min(other) as f64),
            None => f64::NEG_INFINITY,
        }
    }
    /// To about 1e-14 relative at any n.
    fn expected_log_base_measure(&self) -> f64 {
        self.symmetric_mean(|k, _| log_binomial_coefficient(self.n(), k))
    }
    fn sample(&self, rng: &mut StreamRng) -> u64 {
        binomial(self.n_trials, self.logit, rng)
    }

    fn log_prob(&self, z: &u64) -> f64 {
        match self.n_trials.checked_sub(*z) {
            Some(other) => self.log_mass(*z as f64, other as f64),
            None => f64::NEG_INFINITY,
        }
    }
    /// The sum of −p log p, to about 1e-14 relative at any n.
    fn entropy(&self) -> f64 {
        self.symmetric_mean(|_, log_mass| -log_mass)
    }
    /// n times the deviances of both probabilities, without cancellation between close members.
    fn kl(&self, other: &Self) -> f64 {
        let side = |sign: f64| {
            let (p, q) = (sigmoid_scalar(sign * self.logit), sigmoid_scalar(sign * other.logit));
            if q >= f64::MIN_POSITIVE { deviance(p, q) } else { p * sign * (self.logit - other.logit) }
        };
        self.n() * (side(1.0) + side(-1.0))
    }
}

impl Parametric for Binomial {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        vec![ParameterBlock { name: "probability", coordinates: Coordinates::Unit }]
    }
    fn parameters(&self) -> Array1<f64> {
        array![self.probability()]
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), 1)?;
        Self::from_probability(self.n_trials, theta[0])
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        array![[1.0 / (sigmoid_scalar(self.logit) * sigmoid_scalar(-self.logit))]]
    }
}

impl Univariate for Binomial {
    const DISCRETE: bool = true;

    fn to_f64(z: &u64) -> f64 {
        *z as f64
    }
    fn from_f64(x: f64) -> Option<u64> {
        count_from_f64(x)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, self.n())
    }
    fn mean(&self) -> f64 {
        self.n() * self.probability()
    }
    fn variance(&self) -> f64 {
        self.n() * sigmoid_scalar(self.logit) * sigmoid_scalar(-self.logit)
    }
    /// The smaller of the two modes where (n + 1)π is whole.
    fn mode(&self) -> f64 {
        (((self.n() + 1.0) * self.probability()).ceil() - 1.0).clamp(0.0, self.n())
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, self.n(), |k| self.tails(k).0)
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, self.n(), |k| self.tails(k).1)
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, self.mean(), self.sd(), self.n(), |x| self.cdf(x))
    }
}
