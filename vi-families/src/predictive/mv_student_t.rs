//! The multivariate Student-t distribution.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::student_t::{log_one_plus_square, root_inverse_chi_squared};
use super::{PredictiveDistribution, StudentT};
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::special::{digamma_difference, log_beta, log_gamma};
use crate::triangular::{log_det, outer_square, solve_lower_in_place};
use crate::validate::{finite_vector, length, positive, positive_definite};

const FAMILY: &str = "MvStudentT";

/// The multivariate Student-t distribution on ℝᵖ: location + L Z/√(V/ν) with LLᵀ = scale, Z ~ N(0, I) and
/// V ~ χ²(ν).
///
/// ```text
/// p(x) = Γ((ν + p)/2) / (Γ(ν/2) (νπ)^(p/2) |S|^(1/2)) · (1 + (x − m)ᵀS⁻¹(x − m)/ν)^(−(ν + p)/2)
/// ```
/// with location m and scale S, a matrix in the units of a covariance: the predictive distribution of a Gaussian
/// with unknown covariance (Bishop 2006, 2.162). It is not an exponential family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MvStudentT {
    location: Array1<f64>,
    /// L with S = L Lᵀ.
    scale_factor: Array2<f64>,
    dof: f64,
}

impl MvStudentT {
    /// The distribution with this location (p), scale matrix (p, p) and degrees of freedom ν.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite, the scale symmetric positive definite and ν positive.
    pub fn from_location_scale_dof(
        location: &ArrayRef1<f64>,
        scale: &ArrayRef2<f64>,
        dof: f64,
    ) -> Result<Self, FamilyError> {
        let (_, factor) = positive_definite(FAMILY, "scale", scale, location.len())?;
        Self::from_factor(location.to_owned(), factor.l().clone(), dof)
    }

    /// As [`MvStudentT::from_location_scale_dof`], from L (p, p), lower triangular with a positive diagonal.
    pub(crate) fn from_factor(
        location: Array1<f64>,
        scale_factor: Array2<f64>,
        dof: f64,
    ) -> Result<Self, FamilyError> {
        if location.is_empty() {
            length(FAMILY, "location", 0, 1)?;
        }
        length(FAMILY, "location", location.len(), scale_factor.nrows())?;
        finite_vector(FAMILY, "location", &location)?;
        finite_vector(FAMILY, "factor of the scale (row-major)", &scale_factor.flatten())?;
        for (i, pivot) in scale_factor.diag().iter().enumerate() {
            positive(FAMILY, &format!("factor of the scale[{i},{i}]"), *pivot)?;
        }
        Ok(Self { location, scale_factor, dof: positive(FAMILY, "dof", dof)? })
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.location.len()
    }

    /// The location (p): the mode, and the mean where it exists.
    pub fn location(&self) -> &Array1<f64> {
        &self.location
    }

    /// The scale matrix S (p, p).
    pub fn scale(&self) -> Array2<f64> {
        outer_square(&self.scale_factor)
    }

    /// L (p, p), lower triangular, with S = L Lᵀ.
    pub fn scale_factor(&self) -> &Array2<f64> {
        &self.scale_factor
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// `E[x]` (p); `None` for ν ≤ 1.
    pub fn mean(&self) -> Option<&Array1<f64>> {
        (self.dof > 1.0).then_some(&self.location)
    }

    /// `Cov[x]` = S ν/(ν − 2) (p, p); `None` for ν ≤ 2.
    pub fn covariance(&self) -> Option<Array2<f64>> {
        (self.dof > 2.0).then(|| self.scale() * (self.dof / (self.dof - 2.0)))
    }

    /// The variances of the coordinates (p); `None` for ν ≤ 2.
    pub fn variance(&self) -> Option<Array1<f64>> {
        let ratio = self.dof / (self.dof - 2.0);
        let square = |i: usize| self.scale_factor.row(i).dot(&self.scale_factor.row(i));
        (self.dof > 2.0).then(|| (0..self.dim()).map(|i| ratio * square(i)).collect())
    }

    /// The law of coordinate `i`.
    ///
    /// # Panics
    /// If `i` is not below the dimension.
    pub fn marginal(&self, i: usize) -> StudentT {
        // As a norm: squares of finite entries may leave the range of f64.
        let scale = self.scale_factor.row(i).iter().fold(0.0, |norm: f64, v| norm.hypot(*v));
        StudentT::from_location_scale_dof(self.location[i], scale.min(f64::MAX), self.dof)
            .expect("the factor of the scale has finite entries and a positive diagonal")
    }

    /// `−E[log p(x)]`.
    ///
    /// ```text
    /// (ν + p)/2 [ψ((ν + p)/2) − ψ(ν/2)] + log B(ν/2, p/2) (νπ)^(p/2) / Γ(p/2) + ½ log|S|
    /// ```
    pub fn entropy(&self) -> f64 {
        let p = self.dim() as f64;
        0.5 * (self.dof + p) * digamma_difference(0.5 * self.dof, 0.5 * p) - self.log_normalizer()
    }

    /// log p at the location.
    fn log_normalizer(&self) -> f64 {
        let (half, p) = (0.5 * self.dim() as f64, self.dof.ln() + std::f64::consts::PI.ln());
        log_gamma(half) - log_beta(0.5 * self.dof, half) - half * p - 0.5 * log_det(&self.scale_factor)
    }

    /// log p(x), with one triangular solve; −∞ where a coordinate of x is infinite.
    ///
    /// # Panics
    /// If x does not have length p.
    pub fn log_prob(&self, x: &ArrayRef1<f64>) -> f64 {
        assert_eq!(x.len(), self.dim(), "MvStudentT: x has the wrong length");
        if x.iter().any(|v| v.is_infinite()) {
            return f64::NEG_INFINITY;
        }
        let mut d: Vec<f64> = x.iter().zip(&self.location).map(|(x, m)| x - m).collect();
        solve_lower_in_place(&self.scale_factor, &mut d);
        let norm = d.iter().fold(0.0, |norm: f64, v| norm.hypot(*v));
        let square = log_one_plus_square(norm / self.dof.sqrt());
        self.log_normalizer() - 0.5 * (self.dof + self.dim() as f64) * square
    }

    /// One draw (p), with one triangular product; where a coordinate would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let noise: Array1<f64> = (0..self.dim()).map(|_| standard_normal(rng)).collect();
        let root = root_inverse_chi_squared(self.dof, rng);
        (0..self.dim())
            .map(|i| {
                let z = (0..=i).map(|j| self.scale_factor[[i, j]] * noise[j]).sum::<f64>();
                (self.location[i] + z * root).clamp(f64::MIN, f64::MAX)
            })
            .collect()
    }
}

impl PredictiveDistribution for MvStudentT {
    type Value = ArrayRef1<f64>;
    fn log_predictive(&self, x: &ArrayRef1<f64>) -> f64 {
        if x.len() == self.dim() { self.log_prob(x) } else { f64::NEG_INFINITY }
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> Array1<f64> {
        self.sample(rng)
    }
}
