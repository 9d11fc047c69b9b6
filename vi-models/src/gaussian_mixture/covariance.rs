//! The four shapes of a precision matrix, and the laws of each.
//!
//! ```text
//! full       Λ_k ~ Wishart(W₀, ν₀)                               (D, D) for every component
//! tied       Λ   ~ Wishart(W₀, ν₀)                               (D, D), shared
//! diagonal   λ_kd ~ Gamma(shape ν₀/2, rate B₀,dd/2)              D for every component
//! spherical  λ_k  ~ Gamma(shape D ν₀/2, rate D B₀/2)             one for every component
//! ```
//! with B₀ = W₀⁻¹. All four are one family: with E\[Λ\] = ν B⁻¹ and densities
//! log p(Λ) = log_norm(ν, log |B|) + c(ν) log |Λ| − ½ tr(BΛ), a datum adds 1 to ν and its scatter (for spherical
//! components the mean over columns of it) to B.

use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;
use vi_core::{Parameter, Support};
use vi_families::special::{digamma, log_gamma, multivariate_digamma, multivariate_log_gamma};

/// The shape of the components' covariances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// Every component has a matrix of its own.
    #[default]
    Full,
    /// Every component has variances of its own and no correlations.
    Diagonal,
    /// All components share one matrix.
    Tied,
    /// Every component has one variance for all columns.
    Spherical,
}

use Covariance::{Diagonal, Full, Spherical, Tied};

impl Covariance {
    pub(super) fn is_matrix(self) -> bool {
        matches!(self, Full | Tied)
    }

    /// How many precisions there are.
    pub(super) fn n_precisions(self, k: usize) -> usize {
        if self == Tied { 1 } else { k }
    }

    /// Which precision component k has.
    pub(super) fn of(self, k: usize) -> usize {
        if self == Tied { 0 } else { k }
    }

    /// Values of one precision: (D, D) row-major, (D) or one.
    pub(super) fn len(self, d: usize) -> usize {
        match self {
            Full | Tied => d * d,
            Diagonal => d,
            Spherical => 1,
        }
    }

    /// The reported parameter.
    pub(super) fn parameter(self, k: usize, d: usize) -> Parameter {
        match self {
            Full => Parameter::new("precision", &[k, d, d], Support::PositiveDefinite),
            Tied => Parameter::new("precision", &[d, d], Support::PositiveDefinite),
            Diagonal => Parameter::new("precision", &[k, d], Support::Positive),
            Spherical => Parameter::vector("precision", k, Support::Positive),
        }
    }

    /// What ν has to exceed.
    pub(super) fn least_dof(self, d: usize) -> f64 {
        if self.is_matrix() { d as f64 - 1.0 } else { 0.0 }
    }

    /// c(ν), the power of |Λ| in the density of Λ.
    pub(super) fn log_det_weight(self, dof: f64, d: usize) -> f64 {
        match self {
            Full | Tied => 0.5 * (dof - d as f64 - 1.0),
            Diagonal => 0.5 * dof - 1.0,
            Spherical => 0.5 * dof - 1.0 / d as f64,
        }
    }

    /// The normaliser of the density of Λ, from ν and log |B|.
    pub(super) fn log_norm(self, dof: f64, log_det: f64, d: usize) -> f64 {
        let (half, p) = (0.5 * dof, d as f64);
        match self {
            Full | Tied => half * (log_det - p * LN_2) - multivariate_log_gamma(d, half),
            Diagonal => half * (log_det - p * LN_2) - p * log_gamma(half),
            Spherical => half * (log_det + p * (0.5 * p).ln()) - log_gamma(p * half),
        }
    }

    /// E\[log |Λ|\].
    pub(super) fn expected_log_det(self, dof: f64, log_det: f64, d: usize) -> f64 {
        let (half, p) = (0.5 * dof, d as f64);
        match self {
            Full | Tied => multivariate_digamma(d, half) + p * LN_2 - log_det,
            Diagonal => p * (digamma(half) + LN_2) - log_det,
            Spherical => p * (digamma(p * half) - (0.5 * p).ln()) - log_det,
        }
    }

    /// out (D) ← Λ x (D).
    pub(super) fn multiply(self, precision: &[f64], x: &[f64], out: &mut [f64]) {
        match self {
            Full | Tied => {
                for (o, row) in out.iter_mut().zip(precision.chunks_exact(x.len())) {
                    *o = row.iter().zip(x).map(|(p, x)| p * x).sum();
                }
            }
            Diagonal => out.iter_mut().zip(precision).zip(x).for_each(|((o, p), x)| *o = p * x),
            Spherical => out.iter_mut().zip(x).for_each(|(o, x)| *o = precision[0] * x),
        }
    }

    /// xᵀ Λ y.
    pub(super) fn form(self, precision: &[f64], x: &[f64], y: &[f64]) -> f64 {
        let product = |p: f64, (x, y): (&f64, &f64)| p * x * y;
        match self {
            Full | Tied => {
                let rows = precision.chunks_exact(x.len()).zip(x);
                rows.map(|(row, x)| x * row.iter().zip(y).map(|(p, y)| p * y).sum::<f64>()).sum()
            }
            Diagonal => precision.iter().zip(x.iter().zip(y)).map(|(p, xy)| product(*p, xy)).sum(),
            Spherical => precision[0] * x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>(),
        }
    }

    /// tr(BΛ).
    pub(super) fn trace(self, b: &[f64], precision: &[f64], d: usize) -> f64 {
        let sum: f64 = b.iter().zip(precision).map(|(b, p)| b * p).sum();
        if self == Spherical { d as f64 * sum } else { sum }
    }

    /// log |Λ| of values that are no matrix.
    pub(super) fn log_det_of_values(self, values: &[f64], d: usize) -> f64 {
        let sum: f64 = values.iter().map(|v| v.ln()).sum();
        if self == Spherical { d as f64 * sum } else { sum }
    }
}
