//! Counts made by positive factors: Gamma–Poisson factor analysis and a Poisson–Gamma deep exponential family.
//!
//! ```text
//! x_nd ~ Poisson(Σ_k z_nk W_dk),   z_nk > 0,  W_dk > 0         n = 1 … N data, d = 1 … D columns, k = 1 … K factors
//! ```
//! The factors z_n are latent variables of each datum, the weights W are shared: parameters θ = log W that are learned beside
//! q(z), or fixed. [`GammaPoisson`] gives the factors independent Gamma priors; in [`DeepExponentialFamily`] a second layer of
//! factors sets their means.
//!
//! **Cost.** Σ_d x_d log r_d needs the rates r_d only where x_d > 0, and Σ_d r_d = Σ_k z_k Σ_d W_dk: a datum with m counts
//! above zero costs m K products and m logarithms a point, whatever D. The points of a datum stand side by side in vectors.

mod deep;
mod deep_points;
mod gamma_poisson;
mod likelihood;
mod predict;
mod products;

use ndarray::{Array2, ArrayRef1, ArrayView2};
use rand::RngExt;
use rand_distr::{Distribution, Poisson, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, PlateError, StreamRng, Support, check_model_params};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::positive;
use crate::sparse_counts::SparseCounts;

pub use deep::{DeepExponentialFamily, DeepExponentialFamilyPriors, DeepWeights};
pub use deep_points::DeepExponentialFamilyAt;
pub use gamma_poisson::{GammaPoisson, GammaPoissonAt, GammaPoissonPriors};
pub use likelihood::WeightTable;
pub use predict::HeldOut;
pub(crate) use predict::score_of_means;

/// Shape and rate of a Gamma prior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaPrior {
    /// > 0.
    pub shape: f64,
    /// > 0.
    pub rate: f64,
}

impl GammaPrior {
    fn check(&self, model: &'static str, what: &str) -> Result<(), ModelError> {
        positive(model, &format!("{what}.shape"), self.shape)?;
        positive(model, &format!("{what}.rate"), self.rate)
    }

    /// shape log rate − log Γ(shape)
    fn log_normalizer(&self) -> f64 {
        self.shape * self.rate.ln() - log_gamma(self.shape)
    }

    /// The log density of θ = log W with independent W ~ Gamma: Σ shape θ − rate e^θ + constant.
    fn log_density_of_logs(&self, log_weights: &[f64], weights: &[f64]) -> f64 {
        let terms = log_weights.iter().zip(weights).map(|(theta, w)| self.shape * theta - self.rate * w);
        terms.sum::<f64>() + log_weights.len() as f64 * self.log_normalizer()
    }

    /// grad += weight · its gradient, shape − rate e^θ.
    fn add_grad_of_logs(&self, weight: f64, weights: &[f64], grad: &mut [f64]) {
        for (grad, w) in grad.iter_mut().zip(weights) {
            *grad += weight * (self.shape - self.rate * w);
        }
    }
}

/// Logarithms of weights beyond it are refused: products of weights and factors would leave the range of f64.
const LARGEST_LOG_WEIGHT: f64 = 300.0;

/// Finite, of the right length, and none beyond [`LARGEST_LOG_WEIGHT`].
fn check_log_weights(space: &ParameterSpace, theta: &ArrayRef1<f64>) -> Result<(), PlateError> {
    check_model_params(space, theta)?;
    match theta.iter().position(|t| t.abs() > LARGEST_LOG_WEIGHT) {
        None => Ok(()),
        Some(i) => Err(PlateError::ModelParameter {
            name: space.names()[i].clone(),
            value: theta[i],
            requirement: "the logarithm of a weight, within ±300",
        }),
    }
}

fn matrix_of_logs(name: &str, n_rows: usize, n_columns: usize) -> Parameter {
    Parameter::new(name, &[n_rows, n_columns], Support::Real)
}

/// Rows of log weights (D, K) with which factors of mean `factor_mean` make the columns' means, half a count more in each,
/// times a log-normal variate with standard deviation `spread`.
fn scattered_around_means(
    counts: &SparseCounts,
    factor_mean: f64,
    spread: f64,
    rng: &mut StreamRng,
    out: &mut [f64],
) {
    let n_factors = out.len() / counts.n_columns();
    let scale = counts.n_rows() as f64 * n_factors as f64 * factor_mean;
    for (row, total) in out.chunks_exact_mut(n_factors).zip(counts.column_totals()) {
        let mean = ((total + 0.5) / scale).ln();
        scatter(mean, spread, rng, row);
    }
}

/// out ← mean + spread · standard normals
fn scatter(mean: f64, spread: f64, rng: &mut StreamRng, out: &mut [f64]) {
    out.iter_mut().for_each(|out| *out = mean + spread * rng.sample::<f64, _>(StandardNormal));
}

/// How far from each other factors start: standard deviation of the log weights.
const START_SPREAD: f64 = 0.3;

/// One Poisson count for every column.
fn draw_counts(weights: &[f64], factors: &[f64], rng: &mut StreamRng) -> Vec<f64> {
    let rate = |row: &[f64]| row.iter().zip(factors).map(|(w, z)| w * z).sum::<f64>();
    let draw = |row: &[f64]| match rate(row) {
        // rand_distr knows no rate of zero.
        rate if rate < SMALLEST_RATE_TO_DRAW => 0.0,
        rate => Poisson::new(rate).map_or(f64::NAN, |p| p.sample(rng)),
    };
    weights.chunks_exact(factors.len()).map(draw).collect()
}

/// A count above zero has a probability below it.
const SMALLEST_RATE_TO_DRAW: f64 = 1e-300;

/// Rows of `n_factors` values (D, K) as a matrix (K, D).
fn by_factor(rows: &[f64], n_factors: usize) -> ArrayView2<'_, f64> {
    let shape = (rows.len() / n_factors, n_factors);
    ArrayView2::from_shape(shape, rows).expect("D × K values").reversed_axes()
}

/// Simulated data with the latent variables that made them.
#[derive(Clone, Debug)]
pub struct SimulatedCounts {
    /// x (N, D).
    pub counts: SparseCounts,
    /// z (N, L).
    pub latent: Array2<f64>,
}

/// −∞ at points outside the support, NaN where z is NaN; others are left.
fn mark_outside(z: &[f64], dim: usize, out: &mut [f64]) {
    for (z, out) in z.chunks_exact(dim).zip(out) {
        // Outside the support the sum has an infinite or undefined term, even with shape 1: 0 log 0.
        if out.is_finite() {
            continue;
        }
        if z.iter().any(|z| z.is_nan()) {
            *out = f64::NAN;
        } else if z.iter().any(|z| *z <= 0.0 || *z == f64::INFINITY) {
            *out = f64::NEG_INFINITY;
        }
    }
}

/// The number of points of every datum, if shapes fit.
fn n_points(data: &[usize], z: (usize, usize), dim: usize, n_out: usize) -> usize {
    assert_eq!((z.1, n_out), (dim, z.0), "z or out: wrong shape");
    assert!(
        if data.is_empty() { z.0 == 0 } else { z.0.is_multiple_of(data.len()) },
        "{} points of {} data",
        z.0,
        data.len()
    );
    z.0 / data.len().max(1)
}

/// θ as a vector in one piece.
fn in_one_piece(theta: &ArrayRef1<f64>) -> &[f64] {
    theta.as_slice().expect("θ stands in one piece")
}
