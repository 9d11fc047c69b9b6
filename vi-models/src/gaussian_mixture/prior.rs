//! The priors, their validation, and their constants.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, LinalgError};
use vi_families::FamilyError;

use super::MODEL;
use super::covariance::Covariance;
use super::weights::{WeightsLaw, WeightsPrior};
use crate::{ModelError, checks};

/// The priors of the weights and the components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianMixturePriors {
    /// The shape of the covariances. Default full.
    pub covariance: Covariance,
    /// The prior of the weights. Default a symmetric Dirichlet.
    pub weights: WeightsPrior,
    /// α₀ > 0: of every weight, far below 1 it empties components that are not needed; or of the Dirichlet process.
    /// Default 1.
    pub concentration: f64,
    /// m₀ (D). Default zero.
    pub mean: Option<Vec<f64>>,
    /// β₀ > 0, the number of data that m₀ is worth. Default 1.
    pub count: f64,
    /// ν₀ > D − 1, or > 0 for diagonal and spherical covariances. Default D.
    pub dof: Option<f64>,
    /// W₀ (D, D), symmetric positive definite; E\[Λ\] = ν₀ W₀. Diagonal for diagonal covariances, a multiple of the
    /// identity for spherical ones. Default the identity.
    pub scale: Option<Vec<Vec<f64>>>,
}

impl Default for GaussianMixturePriors {
    fn default() -> Self {
        Self {
            covariance: Covariance::Full,
            weights: WeightsPrior::Dirichlet,
            concentration: 1.0,
            mean: None,
            count: 1.0,
            dof: None,
            scale: None,
        }
    }
}

/// The priors with everything that does not change.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    pub(super) given: GaussianMixturePriors,
    pub(super) weights: WeightsLaw,
    /// m₀ − c (D).
    pub(super) mean: Array1<f64>,
    pub(super) count: f64,
    pub(super) dof: f64,
    /// B₀ = W₀⁻¹, the values of one precision.
    pub(super) inverse_scale: Vec<f64>,
    /// The normaliser of the density of one precision.
    pub(super) log_norm: f64,
}

impl Prior {
    pub(super) fn new(
        given: GaussianMixturePriors,
        n_components: usize,
        centre: &ArrayRef1<f64>,
    ) -> Result<Self, ModelError> {
        let (d, covariance) = (centre.len(), given.covariance);
        checks::positive(MODEL, "concentration", given.concentration)?;
        checks::positive(MODEL, "count", given.count)?;
        let dof = given.dof.unwrap_or(d as f64);
        if !(dof.is_finite() && dof > covariance.least_dof(d)) {
            let requirement = if covariance.is_matrix() { "finite and > D − 1" } else { "finite and > 0" };
            return Err(wrong("dof".to_owned(), dof, requirement));
        }
        let mean = mean(&given, centre)?;
        let scale = scale(&given, d)?;
        let cholesky = Cholesky::factor(&scale).map_err(not_positive_definite)?;
        let inverse = cholesky.inverse();
        let inverse_scale = match covariance {
            Covariance::Full | Covariance::Tied => inverse.iter().copied().collect(),
            Covariance::Diagonal => inverse.diag().to_vec(),
            Covariance::Spherical => vec![inverse[[0, 0]]],
        };
        let log_norm = covariance.log_norm(dof, -cholesky.log_det(), d);
        let weights = WeightsLaw::prior(given.weights, given.concentration, n_components);
        Ok(Self { weights, mean, count: given.count, dof, inverse_scale, log_norm, given })
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
    for row in rows {
        length("a row of the prior scale", d, row.len())?;
    }
    let mut scale = Array2::zeros((d, d));
    for (i, row) in rows.iter().enumerate() {
        for (j, &v) in row.iter().enumerate() {
            let requirement = match given.covariance {
                _ if !v.is_finite() || (v - rows[j][i]).abs() > 1e-12 * v.abs() => "finite and symmetric",
                Covariance::Diagonal if i != j && v != 0.0 => "zero, as covariances are diagonal",
                Covariance::Spherical if v != if i == j { rows[0][0] } else { 0.0 } => {
                    "that of a multiple of the identity, as covariances are spherical"
                }
                _ => {
                    scale[[i, j]] = v;
                    continue;
                }
            };
            return Err(wrong(format!("scale[{i}, {j}]"), v, requirement));
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
