//! Members of the matrix families by the expected matrix instead of a scale.

use ndarray::{Array2, ArrayRef1, ArrayRef2};

use super::matrix::check_dof;
use super::{InverseWishart, NormalInverseWishart, NormalWishart, Wishart};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::validate::{domain, positive_definite};

/// The scale W = `E[Λ]`/ν of a user's expected precision.
fn scale_of_expected_precision(
    family: &'static str,
    parameter: &'static str,
    dof: f64,
    expected: &ArrayRef2<f64>,
) -> Result<Array2<f64>, FamilyError> {
    check_dof(family, dof, expected.nrows())?;
    let (expected, _) = positive_definite(family, parameter, expected, expected.nrows())?;
    Ok(expected / dof)
}

/// The scale Ψ = (ν − p − 1) `E[Σ]` of a user's expected covariance.
fn scale_of_expected_covariance(
    family: &'static str,
    parameter: &'static str,
    dof: f64,
    expected: &ArrayRef2<f64>,
) -> Result<Array2<f64>, FamilyError> {
    let p = expected.nrows();
    check_dof(family, dof, p)?;
    let excess = dof - (p + 1) as f64;
    if excess <= 0.0 {
        return Err(domain(family, "dof", dof, "> p + 1 for a finite mean, p the order of the matrix"));
    }
    let (expected, _) = positive_definite(family, parameter, expected, p)?;
    Ok(expected * excess)
}

impl Wishart {
    /// The member with these degrees of freedom and mean `E[Λ]` (p, p): scale `E[Λ]`/ν.
    ///
    /// # Errors
    /// [`FamilyError`] unless p − 1 < dof ≤ 10³⁰⁰ and the mean is symmetric positive definite.
    pub fn from_dof_mean(dof: f64, mean: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        Self::from_dof_scale(dof, &scale_of_expected_precision(Self::NAME, "mean", dof, mean)?)
    }
}

impl InverseWishart {
    /// The member with these degrees of freedom and mean `E[Σ]` (p, p): scale (ν − p − 1) `E[Σ]`.
    ///
    /// # Errors
    /// [`FamilyError`] unless p + 1 < dof ≤ 10³⁰⁰ and the mean is symmetric positive definite.
    pub fn from_dof_mean(dof: f64, mean: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        Self::from_dof_scale(dof, &scale_of_expected_covariance(Self::NAME, "mean", dof, mean)?)
    }

    /// `E[Σ]` = Ψ/(ν − p − 1) (p, p); `None` unless ν > p + 1.
    pub fn mean(&self) -> Option<Array2<f64>> {
        self.expected_value()
    }
}

impl NormalWishart {
    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and expected precision `E[Λ]` (p, p):
    /// scale `E[Λ]`/ν.
    ///
    /// # Errors
    /// [`FamilyError`] unless m is finite, κ > 0, ν > p − 1 and `E[Λ]` is symmetric positive definite.
    pub fn from_mean_count_dof_expected_precision(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        expected_precision: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let name = "expected_precision";
        let scale = scale_of_expected_precision(Self::NAME, name, dof, expected_precision)?;
        Self::from_mean_count_dof_scale(mean, count, dof, &scale)
    }
}

impl NormalInverseWishart {
    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and expected covariance `E[Σ]` (p, p):
    /// scale (ν − p − 1) `E[Σ]`.
    ///
    /// # Errors
    /// [`FamilyError`] unless m is finite, κ > 0, ν > p + 1 and `E[Σ]` is symmetric positive definite.
    pub fn from_mean_count_dof_expected_covariance(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        expected_covariance: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let name = "expected_covariance";
        let scale = scale_of_expected_covariance(Self::NAME, name, dof, expected_covariance)?;
        Self::from_mean_count_dof_scale(mean, count, dof, &scale)
    }

    /// `E[Σ]` = Ψ/(ν − p − 1) (p, p); `None` unless ν > p + 1.
    pub fn expected_covariance(&self) -> Option<Array2<f64>> {
        self.covariance_marginal().expected_value()
    }
}
