//! The multinomial distribution.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::Serialize;
use vi_core::StreamRng;

use super::categorical::{
    check_log_probabilities, log_odds_jacobian, log_of_probabilities, log_probabilities_of,
};
use crate::coordinates::Coordinates;
use crate::counts::{
    are_counts, deviance, log_multinomial_coefficient, log_poisson, multinomial, step_for, windowed_mean,
};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::log_gamma;
use crate::validate::{domain, finite_vector, length, no_member};

const FAMILY: &str = "Multinomial";

/// Up to here whole numbers are exact as `f64`.
const MOST_TRIALS: u64 = 1 << 53;

/// The multinomial distribution of the counts of K categories in n trials; n is given.
///
/// ```text
/// p(z) = n! / Π z_k! · Π π_k^z_k      z_k ∈ {0, 1, …}, Σ z = n
/// T(z) = (z₁, …, z_{K−1})      η_k = log(π_k / π_K)      h(z) = n! / Π z_k!
/// ```
/// Counts are `f64`, whole. n is between 1 and 2⁵³. The log odds are taken against the last category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Multinomial {
    n_trials: u64,
    log_probabilities: Array1<f64>,
}

deserialize_checked! {
    Multinomial { n_trials: u64, log_probabilities: Array1<f64> } => Self::from_log_probabilities(n_trials, log_probabilities)
}

impl Multinomial {
    /// The member with `n_trials` trials of these probabilities (K), all positive; a sum within 1e-9 of one is
    /// normalised.
    ///
    /// # Errors
    /// [`FamilyError`] names the probability that is not positive, or the sum, or n.
    pub fn from_probabilities(n_trials: u64, probabilities: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Self::from_logits(n_trials, &log_of_probabilities(FAMILY, probabilities)?)
    }

    /// The member with `n_trials` trials and π_k ∝ exp(logits_k), (K); a constant may be added to all logits.
    ///
    /// # Errors
    /// [`FamilyError`] names the logit that is not finite, or n.
    pub fn from_logits(n_trials: u64, logits: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        check_trials(n_trials)?;
        let log_probabilities = log_probabilities_of(FAMILY, logits)?;
        Ok(Self { n_trials, log_probabilities })
    }

    /// From a file: normalised but for rounding.
    fn from_log_probabilities(n_trials: u64, log_probabilities: Array1<f64>) -> Result<Self, FamilyError> {
        check_trials(n_trials)?;
        check_log_probabilities(FAMILY, &log_probabilities)?;
        Ok(Self { n_trials, log_probabilities })
    }

    /// The number n of trials.
    pub fn n_trials(&self) -> u64 {
        self.n_trials
    }

    /// log π (K).
    pub fn log_probabilities(&self) -> &Array1<f64> {
        &self.log_probabilities
    }

    /// π (K).
    pub fn probabilities(&self) -> Array1<f64> {
        self.log_probabilities.mapv(f64::exp)
    }

    /// The number K of categories.
    pub fn n_categories(&self) -> usize {
        self.log_probabilities.len()
    }

    fn n(&self) -> f64 {
        self.n_trials as f64
    }

    /// `E[value(z_k)]`, where the count `z_k` is binomial.
    fn marginal_mean(&self, k: usize, value: impl Fn(f64) -> f64) -> f64 {
        let n = self.n();
        let log_p = self.log_probabilities[k];
        let p = log_p.exp();
        let q = -log_p.exp_m1();
        if q <= 0.0 {
            return value(n);
        }
        // The rarer of success and failure is counted, which keeps its digits beside a large n.
        let swapped = p > q;
        let (rare, common) = if swapped { (q, p) } else { (p, q) };
        let log_mass = |k: f64| {
            log_poisson(k, n * rare, || n.ln() + rare.ln()) + log_poisson(n - k, n * common, || 0.0)
                - log_poisson(n, n, || n.ln())
        };
        let mode = (((n + 1.0) * rare).ceil() - 1.0).clamp(0.0, n);
        let step = step_for((n * p * q).sqrt());
        windowed_mean(mode, n, step, log_mass, |k, _| value(if swapped { n - k } else { k }))
    }
}

fn check_trials(n_trials: u64) -> Result<(), FamilyError> {
    if n_trials == 0 || n_trials > MOST_TRIALS {
        return Err(domain(FAMILY, "n_trials", n_trials as f64, "between 1 and 2⁵³"));
    }
    Ok(())
}

impl ExponentialFamily for Multinomial {
    type Value = ArrayRef1<f64>;
    type Fixed = u64;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> u64 {
        self.n_trials
    }
    fn n_params(&self) -> usize {
        self.log_probabilities.len() - 1
    }
    fn natural(&self) -> Array1<f64> {
        let last = self.log_probabilities[self.n_params()];
        self.log_probabilities.iter().take(self.n_params()).map(|l| l - last).collect()
    }
    fn from_natural_given(fixed: &u64, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        finite_vector(FAMILY, "log_odds", eta)?;
        Self::from_logits(*fixed, &eta.iter().copied().chain([0.0]).collect::<Array1<f64>>())
    }
    /// −n log π_K.
    fn log_partition(&self) -> f64 {
        -self.n() * self.log_probabilities[self.n_params()]
    }
    fn mean_params(&self) -> Array1<f64> {
        self.log_probabilities.iter().take(self.n_params()).map(|l| self.n() * l.exp()).collect()
    }
    fn from_mean_params_given(fixed: &u64, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let n = *fixed as f64;
        let means: Array1<f64> = mu.iter().copied().chain([n - mu.sum()]).collect();
        if means.iter().all(|m| *m > 0.0 && m.is_finite()) {
            return Self::from_logits(*fixed, &means.mapv(f64::ln));
        }
        Err(no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let (n, p) = (self.n(), self.probabilities());
        let size = self.n_params();
        Array2::from_shape_fn((size, size), |(i, j)| {
            if i == j { -n * p[i] * self.log_probabilities[i].exp_m1() } else { -n * p[i] * p[j] }
        })
    }
    fn sufficient_stats_given(_: &u64, z: &ArrayRef1<f64>) -> Array1<f64> {
        z.iter().take(z.len().saturating_sub(1)).copied().collect()
    }
    fn log_base_measure_given(fixed: &u64, z: &ArrayRef1<f64>) -> f64 {
        if are_counts(*fixed, z) { log_multinomial_coefficient(z) } else { f64::NEG_INFINITY }
    }
    /// log n! − Σ `E[log z_k!]`, each to about 1e-14 of log n! at any n.
    fn expected_log_base_measure(&self) -> f64 {
        let factorials =
            (0..self.n_categories()).map(|k| self.marginal_mean(k, |count| log_gamma(count + 1.0)));
        log_gamma(self.n() + 1.0) - factorials.sum::<f64>()
    }
    /// One draw: a chain of binomial counts, each of the trials that are left.
    fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        multinomial(self.n_trials, &self.log_probabilities, rng)
    }

    /// The probability of independent Poisson counts over that of their sum, without cancellation at large n.
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        if z.len() != self.n_categories() || !are_counts(self.n_trials, z) {
            return f64::NEG_INFINITY;
        }
        let n = self.n();
        if let Some(only) = z.iter().position(|k| *k == n) {
            return n * self.log_probabilities[only];
        }
        let terms = z.iter().zip(&self.log_probabilities);
        terms.map(|(k, l)| log_poisson(*k, n * l.exp(), || n.ln() + l)).sum::<f64>()
            - log_poisson(n, n, || n.ln())
    }
    /// Σ `E[−log Poisson(z_k; n π_k)]` + log Poisson(n; n): log n! and the log z_k! without their large parts. What is
    /// left of them rounds at about 10⁻¹⁵ n.
    fn entropy(&self) -> f64 {
        let n = self.n();
        let terms = self.log_probabilities.iter().enumerate().map(|(i, l)| {
            let rate = n * l.exp();
            -self.marginal_mean(i, |count| log_poisson(count, rate, || n.ln() + l))
        });
        (terms.sum::<f64>() + log_poisson(n, n, || n.ln())).max(0.0)
    }
    /// n times the deviances of the probabilities, without cancellation between close members.
    fn kl(&self, other: &Self) -> f64 {
        let pairs = self.log_probabilities.iter().zip(&other.log_probabilities);
        let term = |(l, m): (&f64, &f64)| {
            let (p, q) = (l.exp(), m.exp());
            if q >= f64::MIN_POSITIVE {
                deviance(p, q)
            } else if p > 0.0 {
                p * (l - m) - p
            } else {
                0.0
            }
        };
        self.n() * pairs.map(term).sum::<f64>()
    }
}

/// θ is the first K − 1 probabilities.
impl Parametric for Multinomial {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let coordinates = Coordinates::Simplex { n_categories: self.n_categories() };
        vec![ParameterBlock { name: "probabilities", coordinates }]
    }
    fn parameters(&self) -> Array1<f64> {
        self.log_probabilities.iter().take(self.n_params()).map(|l| l.exp()).collect()
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), self.n_params())?;
        let probabilities: Array1<f64> = theta.iter().copied().chain([1.0 - theta.sum()]).collect();
        Self::from_probabilities(self.n_trials, &probabilities)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        log_odds_jacobian(&self.probabilities())
    }
}

impl Multivariate for Multinomial {
    fn expected_value(&self) -> Option<Array1<f64>> {
        Some(self.probabilities() * self.n())
    }
    fn marginal_variances(&self) -> Option<Array1<f64>> {
        Some(self.log_probabilities.mapv(|l| -self.n() * l.exp() * l.exp_m1()))
    }
    /// One of the modes: from ⌊n π⌋, below every mode (Feller 1968, section VI.10, exercise 28), the trials that
    /// are left go where they raise the probability most.
    fn joint_mode(&self) -> Option<Array1<f64>> {
        let p = self.probabilities();
        let mut z = p.mapv(|p| (self.n() * p).floor());
        let mut left = self.n() - z.sum();
        while left >= 1.0 {
            let gain = |k: usize| p[k] / (z[k] + 1.0);
            let best = (0..z.len()).fold(0, |best, k| if gain(k) > gain(best) { k } else { best });
            z[best] += 1.0;
            left -= 1.0;
        }
        Some(z)
    }
    fn support(&self) -> String {
        format!("vectors of {} whole numbers ≥ 0 with sum {}", self.n_categories(), self.n_trials)
    }
}
