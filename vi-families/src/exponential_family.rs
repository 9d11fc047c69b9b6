//! The contract of an exponential family: implement the mathematics, the rest follows.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::StreamRng;

use crate::error::FamilyError;

/// An exponential-family distribution.
///
/// ```text
/// p(z | η) = h(z) exp(ηᵀT(z) − A(η))
/// ```
/// Minimal families have η ∈ an open convex set of dimension [`ExponentialFamily::n_params`].
pub trait ExponentialFamily: Sized + Clone + Send + Sync {
    /// What it is a distribution of: `f64`, `usize`, slices of ndarray, matrices.
    type Value: ?Sized + ToOwned;

    /// The length P of η, T(z) and μ.
    fn n_params(&self) -> usize;
    /// The natural parameter η (P).
    fn natural(&self) -> Array1<f64>;
    /// The member with natural parameter η.
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter outside its domain and its value.
    fn from_natural(eta: &ArrayRef1<f64>) -> Result<Self, FamilyError>;
    /// The log partition function A(η).
    fn log_partition(&self) -> f64;
    /// The mean parameter μ = ∇A(η) = `E[T(z)]` (P).
    fn mean_params(&self) -> Array1<f64>;
    /// The member with mean parameter μ: (∇A)⁻¹, also the maximum-likelihood estimate from averaged T.
    ///
    /// # Errors
    /// [`FamilyError`] when no member has this mean.
    fn from_mean_params(mu: &ArrayRef1<f64>) -> Result<Self, FamilyError>;
    /// The Fisher information ∇²A(η) (P, P).
    fn fisher(&self) -> Array2<f64>;
    /// The sufficient statistics T(z) (P).
    fn sufficient_stats(&self, z: &Self::Value) -> Array1<f64>;
    /// log h(z); −∞ outside the support.
    fn log_base_measure(&self, z: &Self::Value) -> f64;
    /// `E[log h(z)]`.
    fn expected_log_base_measure(&self) -> f64;
    /// One draw.
    fn sample(&self, rng: &mut StreamRng) -> <Self::Value as ToOwned>::Owned;

    /// log p(z | η) = ηᵀT(z) − A(η) + log h(z); −∞ outside the support.
    fn log_prob(&self, z: &Self::Value) -> f64 {
        let h = self.log_base_measure(z);
        if h == f64::NEG_INFINITY {
            return h;
        }
        self.natural().dot(&self.sufficient_stats(z)) - self.log_partition() + h
    }
    /// `−E[log p(z)]` = A(η) − ηᵀμ − `E[log h(z)]`.
    fn entropy(&self) -> f64 {
        self.log_partition() - self.natural().dot(&self.mean_params()) - self.expected_log_base_measure()
    }
    /// KL(self ‖ other) = (η − η′)ᵀμ − A(η) + A(η′).
    fn kl(&self, other: &Self) -> f64 {
        (self.natural() - other.natural()).dot(&self.mean_params()) - self.log_partition()
            + other.log_partition()
    }
    /// `E_self[log other(z)]` = η′ᵀμ − A(η′) + `E_self[log h(z)]`.
    fn expected_log_prob(&self, other: &Self) -> f64 {
        other.natural().dot(&self.mean_params()) - other.log_partition() + self.expected_log_base_measure()
    }
    /// The score ∇_η log p(z | η) = T(z) − μ (P).
    fn score(&self, z: &Self::Value) -> Array1<f64> {
        self.sufficient_stats(z) - self.mean_params()
    }
}
