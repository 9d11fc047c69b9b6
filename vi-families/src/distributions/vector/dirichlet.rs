//! The Dirichlet distribution.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::positive::unit_gamma;
use crate::draw::log_gamma_variate;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::solve::dirichlet_concentration;
use crate::special::{digamma, digamma_difference, log_beta, log_gamma, trigamma};
use crate::validate::{POSITIVE, domain, length, no_member, positive};

const FAMILY: &str = "Dirichlet";

/// How far from 1 the sum of a point may be to count as a point of the simplex.
const SUM_TOLERANCE: f64 = 1e-9;

/// The Dirichlet distribution on the simplex of K ≥ 2 positive numbers that sum to one.
///
/// ```text
/// p(z) = Γ(Σα) / Π Γ(α_k) · Π z_k^(α_k − 1)      with respect to dz₁ … dz_{K−1}
/// T(z) = (log z₁, …, log z_K)      η = α − 1      h(z) = 1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dirichlet {
    concentration: Array1<f64>,
    #[serde(skip)]
    total: f64,
}

deserialize_checked! {
    Dirichlet { concentration: Array1<f64> } => Self::from_concentration(&concentration)
}

impl Dirichlet {
    /// The member with concentration α (K).
    ///
    /// # Errors
    /// [`FamilyError`] unless K ≥ 2 and all concentrations are finite and positive.
    pub fn from_concentration(concentration: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        if concentration.len() < 2 {
            length(FAMILY, "concentration", concentration.len(), 2)?;
        }
        for (k, a) in concentration.iter().enumerate() {
            positive(FAMILY, "concentration", *a)
                .map_err(|_| domain(FAMILY, format!("concentration[{k}]"), *a, POSITIVE))?;
        }
        let total = positive(FAMILY, "Σ concentration", concentration.sum())?;
        Ok(Self { concentration: concentration.to_owned(), total })
    }

    /// The member with this mean (K), all positive, and total concentration Σα: α = mean · total. A sum of the mean
    /// within 1e-9 of one is normalised.
    ///
    /// # Errors
    /// [`FamilyError`] names the mean that is not positive, its sum, or the concentration.
    pub fn from_mean_concentration(
        mean: &ArrayRef1<f64>,
        total_concentration: f64,
    ) -> Result<Self, FamilyError> {
        let total = positive(FAMILY, "total_concentration", total_concentration)?;
        if let Some((k, m)) = mean.indexed_iter().find(|(_, m)| m.is_nan() || **m <= 0.0) {
            return Err(domain(FAMILY, format!("mean[{k}]"), *m, "> 0"));
        }
        let sum = mean.sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE || sum.is_nan() {
            return Err(domain(FAMILY, "Σ mean", sum, "1"));
        }
        Self::from_concentration(&mean.mapv(|m| m / sum * total))
    }

    /// The member with `n_categories` equal concentrations α: every category alike.
    ///
    /// # Errors
    /// [`FamilyError`] unless there are two categories or more and α is finite and positive.
    pub fn symmetric(n_categories: usize, concentration: f64) -> Result<Self, FamilyError> {
        if n_categories < 2 {
            length(FAMILY, "concentration", n_categories, 2)?;
        }
        let concentration = positive(FAMILY, "concentration", concentration)?;
        Self::from_concentration(&Array1::from_elem(n_categories, concentration))
    }

    /// α (K).
    pub fn concentration(&self) -> &Array1<f64> {
        &self.concentration
    }

    /// Σ α.
    pub fn total_concentration(&self) -> f64 {
        self.total
    }

    /// The number K of categories.
    pub fn n_categories(&self) -> usize {
        self.concentration.len()
    }

    /// `E[z]` = α / Σα (K).
    pub fn mean(&self) -> Array1<f64> {
        &self.concentration / self.total
    }

    /// `Var[z_k]` = `E[z_k]` (1 − `E[z_k]`) / (Σα + 1) (K).
    pub fn variance(&self) -> Array1<f64> {
        self.mean().mapv(|m| m * (1.0 - m) / (self.total + 1.0))
    }

    /// `E[log z_k]` = ψ(α_k) − ψ(Σα) (K).
    pub fn expected_log(&self) -> Array1<f64> {
        Array1::from(expected_log(&self.concentration.to_vec()))
    }

    /// Overwrites `z` (K) with a draw; entries that would underflow are the smallest positive normal number.
    ///
    /// # Panics
    /// If `z` does not have length K.
    pub fn sample_into(&self, rng: &mut StreamRng, z: &mut [f64]) {
        assert_eq!(z.len(), self.concentration.len(), "Dirichlet: z has the wrong length");
        for (v, a) in z.iter_mut().zip(&self.concentration) {
            *v = log_gamma_variate(*a, rng);
        }
        // Normalised on the log scale: with small concentrations every Gamma variate may underflow.
        let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = z.iter().map(|v| (v - max).exp()).sum();
        for v in z.iter_mut() {
            *v = ((*v - max).exp() / total).max(f64::MIN_POSITIVE);
        }
    }
}

/// ψ(α_k) − ψ(Σα).
pub(crate) fn expected_log(alpha: &[f64]) -> Vec<f64> {
    let total: f64 = alpha.iter().sum();
    let others = |k: usize| {
        if alpha[k] <= 0.5 * total {
            return total - alpha[k];
        }
        // One category holds most of the mass: its complement keeps its digits only as a sum of its own.
        alpha.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, a)| a).sum()
    };
    (0..alpha.len()).map(|k| -digamma_difference(alpha[k], others(k))).collect()
}

impl ExponentialFamily for Dirichlet {
    type Value = ArrayRef1<f64>;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        self.concentration.len()
    }
    fn natural(&self) -> Array1<f64> {
        &self.concentration - 1.0
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        Self::from_concentration(&(eta + 1.0))
    }
    /// Σ log Γ(α_k) − log Γ(Σα), summed pairwise as log B(α₁ + … + α_{k−1}, α_k) so that large terms cancel.
    fn log_partition(&self) -> f64 {
        let mut before = self.concentration[0];
        let mut sum = 0.0;
        for a in self.concentration.iter().skip(1) {
            sum += log_beta(before, *a);
            before += a;
        }
        if sum.is_finite() {
            return sum;
        }
        self.concentration.iter().map(|a| log_gamma(*a)).sum::<f64>() - log_gamma(self.total)
    }
    fn mean_params(&self) -> Array1<f64> {
        self.expected_log()
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        dirichlet_concentration(&mu.to_vec())
            .and_then(|a| Self::from_concentration(&Array1::from(a)).ok())
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    fn fisher(&self) -> Array2<f64> {
        let k = self.concentration.len();
        let mut fisher = Array2::from_elem((k, k), -trigamma(self.total));
        for (d, a) in fisher.diag_mut().iter_mut().zip(&self.concentration) {
            *d += trigamma(*a);
        }
        fisher
    }
    fn sufficient_stats_given(_: &(), z: &ArrayRef1<f64>) -> Array1<f64> {
        z.mapv(f64::ln)
    }
    fn log_base_measure_given(_: &(), z: &ArrayRef1<f64>) -> f64 {
        let off_simplex = z.len() < 2 || z.iter().any(|v| *v <= 0.0) || (z.sum() - 1.0).abs() > SUM_TOLERANCE;
        if off_simplex { f64::NEG_INFINITY } else { 0.0 }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw (K); entries that would underflow are the smallest positive normal number, with probability
    /// exp(−700 α_k), which biases the mean of T for α_k below 0.03.
    fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let mut z = vec![0.0; self.concentration.len()];
        self.sample_into(rng, &mut z);
        Array1::from(z)
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        if z.len() != self.concentration.len() || self.log_base_measure(z) == f64::NEG_INFINITY {
            return f64::NEG_INFINITY;
        }
        let exponent: f64 = self.concentration.iter().zip(z).map(|(a, v)| (a - 1.0) * v.ln()).sum();
        exponent - self.log_partition()
    }
    // z is K independent Gamma(α_k, 1) divided by their sum, which is independent of z and Gamma(Σα, 1): what the
    // Gamma laws have, less what the sum has. Their terms of order α log α are cancelled already.
    fn entropy(&self) -> f64 {
        let parts: f64 = self.concentration.iter().map(|a| unit_gamma::entropy(*a)).sum();
        parts - unit_gamma::entropy(self.total) - (self.n_categories() - 1) as f64 * digamma(self.total)
    }
    fn kl(&self, other: &Self) -> f64 {
        let divergence = |a: f64, b: f64| unit_gamma::kl(a, b, a / b, (a - b) / b);
        let pairs = self.concentration.iter().zip(&other.concentration);
        pairs.map(|(a, b)| divergence(*a, *b)).sum::<f64>() - divergence(self.total, other.total)
    }
}

impl Parametric for Dirichlet {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let coordinates = Coordinates::Positive { n: self.n_categories() };
        vec![ParameterBlock { name: "concentration", coordinates }]
    }
    fn parameters(&self) -> Array1<f64> {
        self.concentration.clone()
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "concentration", theta.len(), self.n_categories())?;
        Self::from_concentration(theta)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        Array2::eye(self.n_categories())
    }
}

impl Multivariate for Dirichlet {
    fn expected_value(&self) -> Option<Array1<f64>> {
        Some(self.mean())
    }
    fn marginal_variances(&self) -> Option<Array1<f64>> {
        Some(self.variance())
    }
    /// (α − 1) / (Σα − K), when every α_k > 1.
    fn joint_mode(&self) -> Option<Array1<f64>> {
        let excess = self.concentration.mapv(|a| a - 1.0);
        excess.iter().all(|e| *e > 0.0).then(|| &excess / excess.sum())
    }
    fn support(&self) -> String {
        format!("{} positive numbers that sum to one", self.n_categories())
    }
}
