//! The contract of an exponential family: implement the mathematics, the rest follows.

use std::borrow::Borrow;
use std::fmt::Debug;

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::StreamRng;

use crate::error::FamilyError;
use crate::sufficient::SufficientStats;

/// An exponential-family distribution.
///
/// ```text
/// p(z | η) = h(z) exp(ηᵀT(z) − A(η))
/// ```
/// Families are minimal, with η ∈ an open convex set of dimension [`ExponentialFamily::n_params`]. Everything
/// that T and h depend on besides z is [`ExponentialFamily::Fixed`]: it tells families of one type apart, as
/// binomials of 10 and of 20 trials, while η tells their members apart.
pub trait ExponentialFamily: Sized + Clone + Debug + Send + Sync {
    /// What it is a distribution of: `f64`, `u64`, vectors, matrices.
    type Value: ?Sized + ToOwned + Debug;
    /// What is given and not learned: the number of trials, the bounds; `()` for most families.
    type Fixed: Clone + Debug + PartialEq + Send + Sync;
    /// The name in errors and tables.
    const NAME: &'static str;

    /// What is given and not learned.
    fn fixed(&self) -> Self::Fixed;
    /// The length P of η, T(z) and μ.
    fn n_params(&self) -> usize;
    /// The natural parameter η (P).
    fn natural(&self) -> Array1<f64>;
    /// The member with natural parameter η (P) of the family with this `fixed`.
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter outside its domain and its value.
    fn from_natural_given(fixed: &Self::Fixed, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError>;
    /// The log partition function A(η).
    fn log_partition(&self) -> f64;
    /// The mean parameter μ = ∇A(η) = `E[T(z)]` (P).
    fn mean_params(&self) -> Array1<f64>;
    /// The member with mean parameter μ (P): (∇A)⁻¹, also the maximum-likelihood estimate from averaged T.
    ///
    /// # Errors
    /// [`FamilyError`] when no member has this mean.
    fn from_mean_params_given(fixed: &Self::Fixed, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError>;
    /// The Fisher information ∇²A(η) (P, P).
    fn fisher(&self) -> Array2<f64>;
    /// The sufficient statistics T(z) (P).
    fn sufficient_stats_given(fixed: &Self::Fixed, z: &Self::Value) -> Array1<f64>;
    /// log h(z); −∞ outside the support.
    fn log_base_measure_given(fixed: &Self::Fixed, z: &Self::Value) -> f64;
    /// `E[log h(z)]`.
    fn expected_log_base_measure(&self) -> f64;
    /// One draw.
    fn sample(&self, rng: &mut StreamRng) -> <Self::Value as ToOwned>::Owned;

    /// The member with natural parameter η (P).
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter outside its domain and its value.
    fn from_natural(eta: &ArrayRef1<f64>) -> Result<Self, FamilyError>
    where
        Self: ExponentialFamily<Fixed = ()>,
    {
        Self::from_natural_given(&(), eta)
    }
    /// The member with mean parameter μ (P): (∇A)⁻¹.
    ///
    /// # Errors
    /// [`FamilyError`] when no member has this mean.
    fn from_mean_params(mu: &ArrayRef1<f64>) -> Result<Self, FamilyError>
    where
        Self: ExponentialFamily<Fixed = ()>,
    {
        Self::from_mean_params_given(&(), mu)
    }
    /// The sufficient statistics T(z) (P).
    fn sufficient_stats(&self, z: &Self::Value) -> Array1<f64> {
        Self::sufficient_stats_given(&self.fixed(), z)
    }
    /// log h(z); −∞ outside the support.
    fn log_base_measure(&self, z: &Self::Value) -> f64 {
        Self::log_base_measure_given(&self.fixed(), z)
    }

    /// The maximum-likelihood member of the family with this `fixed`: (∇A)⁻¹ of the average of T.
    ///
    /// For weights, or data that come in parts, use [`SufficientStats`].
    ///
    /// # Errors
    /// [`FamilyError::OutsideSupport`] names the first value outside the support; [`FamilyError::MeanParams`]
    /// when the likelihood has no maximum inside the family, as with too few or too equal values.
    fn fit_given<V: Borrow<Self::Value>>(
        fixed: &Self::Fixed,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, FamilyError> {
        let mut stats = SufficientStats::<Self>::new(fixed.clone());
        for z in values {
            stats.push(z.borrow(), 1.0)?;
        }
        stats.maximum_likelihood()
    }
    /// The maximum-likelihood member: (∇A)⁻¹ of the average of T.
    ///
    /// # Errors
    /// As [`ExponentialFamily::fit_given`].
    fn fit<V: Borrow<Self::Value>>(values: impl IntoIterator<Item = V>) -> Result<Self, FamilyError>
    where
        Self: ExponentialFamily<Fixed = ()>,
    {
        Self::fit_given(&(), values)
    }

    /// log p(z | η) = ηᵀT(z) − A(η) + log h(z); −∞ outside the support.
    ///
    /// # Panics
    /// A family of vectors or matrices may panic when `z` has another shape than its draws.
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
    ///
    /// Both must be of one family: of the same length and with equal `fixed`. The same holds for all that takes
    /// another member.
    fn kl(&self, other: &Self) -> f64 {
        (self.natural() - other.natural()).dot(&self.mean_params()) - self.log_partition()
            + other.log_partition()
    }
    /// `E_self[log other(z)]` = η′ᵀμ − A(η′) + `E_self[log h(z)]`.
    fn expected_log_prob(&self, other: &Self) -> f64 {
        other.natural().dot(&self.mean_params()) - other.log_partition() + self.expected_log_base_measure()
    }
    /// The cross-entropy `−E_self[log other(z)]` = entropy + KL(self ‖ other).
    fn cross_entropy(&self, other: &Self) -> f64 {
        -self.expected_log_prob(other)
    }
    /// The Rényi divergence of order α > 0; KL(self ‖ other) at α = 1.
    ///
    /// ```text
    /// D_α(self ‖ other) = [A(αη + (1 − α)η′) − α A(η) − (1 − α) A(η′)] / (α − 1)
    /// ```
    /// It is +∞ when αη + (1 − α)η′ is no natural parameter (possible for α > 1 only) — also where a type is
    /// documented to stop short of its whole natural domain, as the truncated Gaussian does — and NaN unless α is
    /// finite and positive and both are of one family. Digits are lost like |α − 1|⁻¹ near 1. (van Erven &
    /// Harremoës 2014, eq. 1.)
    fn renyi_divergence(&self, other: &Self, alpha: f64) -> f64 {
        if !(alpha > 0.0 && alpha.is_finite()) {
            return f64::NAN;
        }
        if self.fixed() != other.fixed() {
            return f64::NAN;
        }
        if alpha == 1.0 {
            return self.kl(other);
        }
        let mixed = self.natural() * alpha + other.natural() * (1.0 - alpha);
        match Self::from_natural_given(&self.fixed(), &mixed) {
            Ok(member) => {
                let linear = alpha * self.log_partition() + (1.0 - alpha) * other.log_partition();
                (member.log_partition() - linear) / (alpha - 1.0)
            }
            Err(_) => f64::INFINITY,
        }
    }
    /// The member with natural parameter η + η′: its density is proportional to p(z | η) p(z | η′) / h(z).
    ///
    /// # Errors
    /// [`FamilyError`] when the sum is outside the domain.
    fn product(&self, other: &Self) -> Result<Self, FamilyError> {
        Self::from_natural_given(&self.fixed(), &(self.natural() + other.natural()))
    }
    /// The member with natural parameter `exponent` · η: its density is proportional to
    /// (p(z | η) / h(z))^`exponent` · h(z).
    ///
    /// # Errors
    /// [`FamilyError`] when the multiple is outside the domain.
    fn power(&self, exponent: f64) -> Result<Self, FamilyError> {
        Self::from_natural_given(&self.fixed(), &(self.natural() * exponent))
    }
    /// The score ∇_η log p(z | η) = T(z) − μ (P).
    fn score(&self, z: &Self::Value) -> Array1<f64> {
        self.sufficient_stats(z) - self.mean_params()
    }
}
