//! The priors, their validation, and their densities.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, LinalgError};
use vi_families::FamilyError;
use vi_families::special::{log_gamma, multivariate_log_gamma};

use super::MODEL;
use crate::{ModelError, checks};

/// The priors of the weights and the components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianMixturePriors {
    /// α₀ > 0 of every weight; far below 1 empties components that are not needed. Default 1.
    pub concentration: f64,
    /// m₀ (D). Default zero.
    pub mean: Option<Vec<f64>>,
    /// β₀ > 0, the number of data that m₀ is worth. Default 1.
    pub count: f64,
    /// ν₀ > D − 1. Default D.
    pub dof: Option<f64>,
    /// W₀ (D, D), symmetric positive definite; E\[Λ\] = ν₀ W₀. Default the identity.
    pub scale: Option<Vec<Vec<f64>>>,
}

impl Default for GaussianMixturePriors {
    fn default() -> Self {
        Self { concentration: 1.0, mean: None, count: 1.0, dof: None, scale: None }
    }
}

/// The priors with everything that does not change.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    pub(super) given: GaussianMixturePriors,
    pub(super) concentration: f64,
    /// m₀ − c (D).
    pub(super) mean: Array1<f64>,
    pub(super) count: f64,
    pub(super) dof: f64,
    /// W₀⁻¹ (D, D).
    pub(super) scale_inverse: Array2<f64>,
    /// log Γ(K α₀) − K log Γ(α₀).
    log_dirichlet: f64,
    /// log B(W₀, ν₀) + (D/2) log(β₀ / 2π): the constants of one component.
    log_component: f64,
}

impl Prior {
    pub(super) fn new(
        given: GaussianMixturePriors,
        n_components: usize,
        centre: &ArrayRef1<f64>,
    ) -> Result<Self, ModelError> {
        let d = centre.len();
        let (concentration, count) = (given.concentration, given.count);
        checks::positive(MODEL, "concentration", concentration)?;
        checks::positive(MODEL, "count", count)?;
        let dof = given.dof.unwrap_or(d as f64);
        if !(dof.is_finite() && dof > d as f64 - 1.0) {
            return Err(wrong("dof".to_owned(), dof, "finite and > D − 1"));
        }
        let mean = mean(&given, centre)?;
        let scale = scale(&given, d)?;
        let cholesky = Cholesky::factor(&scale).map_err(not_positive_definite)?;
        let k = n_components as f64;
        let log_dirichlet = log_gamma(k * concentration) - k * log_gamma(concentration);
        let log_component = -0.5 * dof * cholesky.log_det()
            - 0.5 * dof * d as f64 * std::f64::consts::LN_2
            - multivariate_log_gamma(d, 0.5 * dof)
            + 0.5 * d as f64 * (count / std::f64::consts::TAU).ln();
        let scale_inverse = cholesky.inverse();
        Ok(Self { given, concentration, mean, count, dof, scale_inverse, log_dirichlet, log_component })
    }

    /// log p(π), expected or realised, from Σ_k log π_k (PRML eq. 10.73).
    pub(super) fn log_prob_weights(&self, sum_log_weights: f64) -> f64 {
        self.log_dirichlet + (self.concentration - 1.0) * sum_log_weights
    }

    /// log p(μ_k, Λ_k), expected or realised, from log |Λ|, Λμ, μᵀΛμ and Λ (PRML eq. 10.74).
    ///
    /// ```text
    /// log B(W₀, ν₀) + (D/2) log(β₀/2π) + ((ν₀ − D)/2) log |Λ|
    ///   − (β₀/2)(μᵀΛμ − 2 m₀ᵀΛμ + m₀ᵀΛm₀) − ½ tr(W₀⁻¹ Λ)
    /// ```
    pub(super) fn log_prob_component(
        &self,
        log_det: f64,
        precision_mean: &ArrayRef1<f64>,
        quadratic: f64,
        precision: &ArrayRef2<f64>,
    ) -> f64 {
        let d = self.mean.len() as f64;
        let (mut distance, mut trace) = (quadratic - 2.0 * self.mean.dot(precision_mean), 0.0);
        for ((i, j), p) in precision.indexed_iter() {
            distance += self.mean[i] * p * self.mean[j];
            trace += self.scale_inverse[[i, j]] * p;
        }
        self.log_component + 0.5 * (self.dof - d) * log_det - 0.5 * (self.count * distance + trace)
    }
}

fn wrong(parameter: String, value: f64, requirement: &'static str) -> ModelError {
    ModelError::Prior { model: MODEL, parameter, value, requirement }
}

fn length(data: &'static str, expected: usize, actual: usize) -> Result<(), ModelError> {
    if expected == actual { Ok(()) } else { Err(ModelError::Length { model: MODEL, data, expected, actual }) }
}

/// m₀ − c.
fn mean(given: &GaussianMixturePriors, centre: &ArrayRef1<f64>) -> Result<Array1<f64>, ModelError> {
    let Some(mean) = &given.mean else { return Ok(centre.mapv(|c| -c)) };
    length("prior mean", centre.len(), mean.len())?;
    if let Some((i, &v)) = mean.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(wrong(format!("mean[{i}]"), v, "finite"));
    }
    Ok(mean.iter().zip(centre).map(|(m, c)| m - c).collect())
}

fn scale(given: &GaussianMixturePriors, d: usize) -> Result<Array2<f64>, ModelError> {
    let Some(rows) = &given.scale else { return Ok(Array2::eye(d)) };
    length("prior scale", d, rows.len())?;
    let mut scale = Array2::zeros((d, d));
    for (i, row) in rows.iter().enumerate() {
        length("a row of the prior scale", d, row.len())?;
        for (j, &v) in row.iter().enumerate() {
            if !v.is_finite() || (v - rows[j][i]).abs() > 1e-12 * v.abs() {
                return Err(wrong(format!("scale[{i}, {j}]"), v, "finite and symmetric"));
            }
            scale[[i, j]] = v;
        }
    }
    Ok(scale)
}

fn not_positive_definite(error: LinalgError) -> ModelError {
    let (pivot, value) = match error {
        LinalgError::NotPositiveDefinite { pivot, value } => (pivot, value),
        _ => (0, f64::NAN),
    };
    let source = FamilyError::NotPositiveDefinite { family: "Wishart", parameter: "scale", pivot, value };
    ModelError::Family { model: MODEL, source }
}
