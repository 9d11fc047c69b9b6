//! Weighted sums of sufficient statistics: all that a fit needs of the data.

use ndarray::Array1;

use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::validate::domain;

/// The weighted sum of T over data, and the sum of the weights.
///
/// ```text
/// S = Σ_n w_n T(z_n)      W = Σ_n w_n
/// ```
/// Sums over parts of the data, [merged](SufficientStats::merge), are the sum over all.
#[derive(Clone, Debug)]
pub struct SufficientStats<F: ExponentialFamily> {
    fixed: F::Fixed,
    n: usize,
    weight: f64,
    sum: Option<Array1<f64>>,
}

impl<F: ExponentialFamily> SufficientStats<F> {
    /// No data yet, for the family with this `fixed`.
    pub fn new(fixed: F::Fixed) -> Self {
        Self { fixed, n: 0, weight: 0.0, sum: None }
    }

    /// Adds one value with this weight.
    ///
    /// # Errors
    /// [`FamilyError`] when the weight is negative or not finite, the value outside the support or too extreme
    /// for T to be finite, or of another length than those before; nothing is added then.
    pub fn push(&mut self, z: &F::Value, weight: f64) -> Result<(), FamilyError> {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(domain(F::NAME, format!("weights[{}]", self.n), weight, "finite and ≥ 0"));
        }
        let outside =
            || FamilyError::OutsideSupport { family: F::NAME, index: self.n, value: format!("{z:?}") };
        // NaN is outside too; T of a value outside may not even have a shape.
        let inside = F::log_base_measure_given(&self.fixed, z) > f64::NEG_INFINITY;
        if !inside {
            return Err(outside());
        }
        let t = F::sufficient_stats_given(&self.fixed, z);
        if t.iter().any(|v| !v.is_finite()) {
            return Err(outside());
        }
        let sum = self.sum.get_or_insert_with(|| Array1::zeros(t.len()));
        crate::validate::length(F::NAME, "sufficient statistics", t.len(), sum.len())?;
        sum.scaled_add(weight, &t);
        self.weight += weight;
        self.n += 1;
        Ok(())
    }

    /// Adds the statistics of other data.
    ///
    /// # Errors
    /// [`FamilyError::Fixed`] when they are of another `fixed`, [`FamilyError::Length`] when of another dimension.
    pub fn merge(&mut self, other: &Self) -> Result<(), FamilyError> {
        if self.fixed != other.fixed {
            let (expected, actual) = (format!("{:?}", self.fixed), format!("{:?}", other.fixed));
            return Err(FamilyError::Fixed { family: F::NAME, expected, actual });
        }
        if let Some(theirs) = &other.sum {
            let sum = self.sum.get_or_insert_with(|| Array1::zeros(theirs.len()));
            crate::validate::length(F::NAME, "sufficient statistics", theirs.len(), sum.len())?;
            *sum += theirs;
        }
        self.weight += other.weight;
        self.n += other.n;
        Ok(())
    }

    /// How many values were added.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The sum of the weights.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The weighted sum of T (P); `None` before the first value.
    pub fn sum(&self) -> Option<&Array1<f64>> {
        self.sum.as_ref()
    }

    /// The weighted average of T (P); `None` when the weights sum to zero.
    pub fn mean(&self) -> Option<Array1<f64>> {
        if self.weight > 0.0 { self.sum.as_ref().map(|s| s / self.weight) } else { None }
    }

    /// The member under which the weighted data are most probable: (∇A)⁻¹ of the average.
    ///
    /// # Errors
    /// [`FamilyError`] without data, and when the likelihood has no maximum inside the family.
    pub fn maximum_likelihood(&self) -> Result<F, FamilyError> {
        let mean = self.mean().ok_or_else(|| domain(F::NAME, "Σ weights", self.weight, "> 0"))?;
        F::from_mean_params_given(&self.fixed, &mean)
    }
}
