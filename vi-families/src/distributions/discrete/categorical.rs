//! The categorical distribution.

use ndarray::{Array1, Array2, ArrayRef1};
use rand::RngExt;
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::counts::{count_cdf, count_quantile, count_survival};
use crate::deserialize::deserialize_checked;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::parametric::{ParameterBlock, Parametric};
use crate::univariate::Univariate;
use crate::validate::{domain, finite_vector, length, no_member};

const FAMILY: &str = "Categorical";

/// The categorical distribution on {0, …, K − 1}.
///
/// ```text
/// p(k) = π_k      T(z) = (1[z = 0], …, 1[z = K−2])      η_k = log(π_k / π_{K−1}), k < K − 1      h(z) = 1
/// ```
/// The log odds are taken against the last category, so that the family is minimal with K − 1 parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Categorical {
    log_probabilities: Array1<f64>,
}

deserialize_checked! {
    Categorical { log_probabilities: Array1<f64> } => Self::from_log_probabilities(log_probabilities)
}

impl Categorical {
    /// The member with these probabilities (K), all positive; a sum within 1e-9 of one is normalised.
    ///
    /// # Errors
    /// [`FamilyError`] names the probability that is not positive, or the sum.
    pub fn from_probabilities(probabilities: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Self::from_logits(&log_of_probabilities(FAMILY, probabilities)?)
    }

    /// The member with p(k) ∝ exp(logits_k), (K); a constant may be added to all logits.
    ///
    /// # Errors
    /// [`FamilyError`] names the logit that is not finite.
    pub fn from_logits(logits: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let log_probabilities = log_probabilities_of(FAMILY, logits)?;
        Ok(Self { log_probabilities })
    }

    /// From a file: normalised but for rounding.
    fn from_log_probabilities(log_probabilities: Array1<f64>) -> Result<Self, FamilyError> {
        check_log_probabilities(FAMILY, &log_probabilities)?;
        Ok(Self { log_probabilities })
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
}

/// Subtracts the log of the sum of exponentials; a probability close to one keeps the digits of its logarithm.
fn normalise(logits: &mut Array1<f64>) {
    let largest = (0..logits.len()).fold(0, |best, k| if logits[k] > logits[best] { k } else { best });
    let max = logits[largest];
    logits.mapv_inplace(|v| v - max);
    let rest: f64 = logits.iter().enumerate().filter(|(k, _)| *k != largest).map(|(_, v)| v.exp()).sum();
    let log_sum = rest.ln_1p();
    logits.mapv_inplace(|v| v - log_sum);
}

/// The logarithms of positive probabilities whose sum is within 1e-9 of one.
pub(super) fn log_of_probabilities(
    family: &'static str,
    probabilities: &ArrayRef1<f64>,
) -> Result<Array1<f64>, FamilyError> {
    for (k, p) in probabilities.iter().enumerate() {
        if p.is_nan() || *p <= 0.0 {
            return Err(domain(family, format!("probabilities[{k}]"), *p, "> 0"));
        }
    }
    let total = probabilities.sum();
    if (total - 1.0).abs() > 1e-9 || total.is_nan() {
        return Err(domain(family, "Σ probabilities", total, "1"));
    }
    Ok(probabilities.mapv(f64::ln))
}

/// log π for π_k ∝ exp(logits_k).
pub(super) fn log_probabilities_of(
    family: &'static str,
    logits: &ArrayRef1<f64>,
) -> Result<Array1<f64>, FamilyError> {
    if logits.is_empty() {
        length(family, "logits", 0, 1)?;
    }
    finite_vector(family, "logits", logits)?;
    let mut log_probabilities = logits.to_owned();
    normalise(&mut log_probabilities);
    finite_vector(family, "log_probabilities", &log_probabilities)?;
    Ok(log_probabilities)
}

/// One category or more, all logarithms finite, and probabilities that sum to one but for rounding.
pub(super) fn check_log_probabilities(
    family: &'static str,
    log_probabilities: &Array1<f64>,
) -> Result<(), FamilyError> {
    if log_probabilities.is_empty() {
        length(family, "log_probabilities", 0, 1)?;
    }
    finite_vector(family, "log_probabilities", log_probabilities)?;
    let total = log_probabilities.mapv(f64::exp).sum();
    if (total - 1.0).abs() <= 1e-9 {
        return Ok(());
    }
    Err(domain(family, "Σ exp(log_probabilities)", total, "1"))
}

/// ∂η/∂θ of log odds against the last category in the first K − 1 of K probabilities.
pub(super) fn log_odds_jacobian(probabilities: &Array1<f64>) -> Array2<f64> {
    let n = probabilities.len() - 1;
    let last = 1.0 / probabilities[n];
    Array2::from_shape_fn((n, n), |(i, j)| if i == j { 1.0 / probabilities[i] + last } else { last })
}

impl ExponentialFamily for Categorical {
    type Value = usize;
    type Fixed = usize;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> usize {
        self.n_categories()
    }
    fn n_params(&self) -> usize {
        self.log_probabilities.len() - 1
    }
    fn natural(&self) -> Array1<f64> {
        let last = self.log_probabilities[self.n_params()];
        self.log_probabilities.iter().take(self.n_params()).map(|l| l - last).collect()
    }
    fn from_natural_given(fixed: &usize, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "log_odds", eta.len() + 1, *fixed)?;
        finite_vector(FAMILY, "log_odds", eta)?;
        Self::from_logits(&eta.iter().copied().chain([0.0]).collect::<Array1<f64>>())
    }
    /// log Σ exp η_k with η_{K−1} = 0, that is −log π_{K−1}.
    fn log_partition(&self) -> f64 {
        -self.log_probabilities[self.n_params()]
    }
    fn mean_params(&self) -> Array1<f64> {
        self.log_probabilities.iter().take(self.n_params()).map(|l| l.exp()).collect()
    }
    fn from_mean_params_given(fixed: &usize, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "mean parameter", mu.len() + 1, *fixed)?;
        let last = 1.0 - mu.sum();
        let probabilities: Array1<f64> = mu.iter().copied().chain([last]).collect();
        Self::from_probabilities(&probabilities).map_err(|_| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let mu = self.mean_params();
        let n = mu.len();
        Array2::from_shape_fn((n, n), |(i, j)| {
            // 1 − μ by its logarithm, for probabilities that round to one.
            if i == j { -mu[i] * self.log_probabilities[i].exp_m1() } else { -mu[i] * mu[j] }
        })
    }
    fn sufficient_stats_given(fixed: &usize, z: &usize) -> Array1<f64> {
        Array1::from_shape_fn(fixed.saturating_sub(1), |k| f64::from(*z == k))
    }
    fn log_base_measure_given(fixed: &usize, z: &usize) -> f64 {
        if z < fixed { 0.0 } else { f64::NEG_INFINITY }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    fn sample(&self, rng: &mut StreamRng) -> usize {
        let mut u: f64 = rng.random();
        for (k, l) in self.log_probabilities.iter().enumerate().take(self.n_params()) {
            u -= l.exp();
            if u < 0.0 {
                return k;
            }
        }
        self.n_params()
    }

    fn log_prob(&self, z: &usize) -> f64 {
        self.log_probabilities.get(*z).copied().unwrap_or(f64::NEG_INFINITY)
    }
    fn entropy(&self) -> f64 {
        -self.log_probabilities.iter().map(|l| l.exp() * l).sum::<f64>()
    }
}

/// θ is the first K − 1 probabilities.
impl Parametric for Categorical {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let coordinates = Coordinates::Simplex { n_categories: self.n_categories() };
        vec![ParameterBlock { name: "probabilities", coordinates }]
    }
    fn parameters(&self) -> Array1<f64> {
        self.mean_params()
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "parameter", theta.len(), self.n_params())?;
        Self::from_probabilities(&theta.iter().copied().chain([1.0 - theta.sum()]).collect::<Array1<f64>>())
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        log_odds_jacobian(&self.probabilities())
    }
}

impl Categorical {
    fn last(&self) -> f64 {
        self.n_params() as f64
    }
    /// `E[f(z)]`.
    fn expect(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.log_probabilities.iter().enumerate().map(|(k, l)| l.exp() * f(k as f64)).sum()
    }
}

impl Univariate for Categorical {
    const DISCRETE: bool = true;

    fn to_f64(z: &usize) -> f64 {
        *z as f64
    }
    fn from_f64(x: f64) -> Option<usize> {
        (x >= 0.0 && x < usize::MAX as f64 && x.fract() == 0.0).then_some(x as usize)
    }
    fn support(&self) -> (f64, f64) {
        (0.0, self.last())
    }
    fn mean(&self) -> f64 {
        self.expect(|k| k)
    }
    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.expect(|k| (k - mean) * (k - mean))
    }
    fn mode(&self) -> f64 {
        let larger = |best: usize, k: usize| {
            if self.log_probabilities[k] > self.log_probabilities[best] { k } else { best }
        };
        (0..self.n_categories()).fold(0, larger) as f64
    }
    fn cdf(&self, x: f64) -> f64 {
        count_cdf(x, self.last(), |j| self.expect(|k| f64::from(k <= j)).min(1.0))
    }
    fn survival(&self, x: f64) -> f64 {
        count_survival(x, self.last(), |j| self.expect(|k| f64::from(k > j)).min(1.0))
    }
    fn quantile(&self, p: f64) -> f64 {
        count_quantile(p, self.last(), 0.0, self.last(), |x| self.cdf(x))
    }
}
