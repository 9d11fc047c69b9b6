//! Factors and statistics of the three blocks.

use ndarray::{Array1, Array2, Array3, ArrayView2, s};
use serde::{Deserialize, Serialize};
use vi_families::{Dirichlet, NormalWishart};

use super::GaussianMixture;

/// q(z) q(π) Π_k q(μ_k, Λ_k).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureFactors {
    /// r_nk in the first K columns and −Σ_k r_nk log r_nk in the last (N, K + 1).
    pub(super) assignments: Array2<f64>,
    /// The entropy of all assignments: the sum of the last column.
    pub(super) assignments_entropy: f64,
    pub(super) weights: Dirichlet,
    /// In centred coordinates: the location of μ_k − c.
    pub(super) components: Vec<NormalWishart>,
}

impl GaussianMixtureFactors {
    /// The responsibilities q(z_n = k) (N, K).
    pub fn responsibilities(&self) -> ArrayView2<'_, f64> {
        let k = self.assignments.ncols() - 1;
        self.assignments.slice(s![.., ..k])
    }

    /// q(π).
    pub fn weights(&self) -> &Dirichlet {
        &self.weights
    }
}

impl GaussianMixture {
    /// q(μ_k, Λ_k) of every component (K).
    pub fn component_posteriors(&self, factors: &GaussianMixtureFactors) -> Vec<NormalWishart> {
        let shifted = factors.components.iter().map(|q| {
            NormalWishart::from_mean_count_dof_scale(
                &(q.mean() + &self.centre),
                q.count(),
                q.dof(),
                q.scale(),
            )
        });
        shifted.map(|q| q.expect("a valid factor stays valid when its location is shifted")).collect()
    }
}

/// Expected or realised statistics, in centred coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureStats {
    /// Σ_n z_nk T(x_n) (K, P): the only thing that the other blocks need of the assignments.
    pub(super) sums: Array2<f64>,
    /// The realised assignments (N), empty when they are expected.
    pub(super) labels: Vec<u32>,
    /// E[log π_k] (K).
    pub(super) log_weights: Array1<f64>,
    /// E[μ_k − c] (K, D): no statistic of the density, but what a realised component is reported by.
    pub(super) mean: Array2<f64>,
    /// E[Λ_k (μ_k − c)] (K, D).
    pub(super) precision_mean: Array2<f64>,
    /// E[Λ_k] (K, D, D).
    pub(super) precision: Array3<f64>,
    /// E[(μ_k − c)ᵀ Λ_k (μ_k − c)] (K).
    pub(super) quadratic: Array1<f64>,
    /// E[log |Λ_k|] (K).
    pub(super) log_det: Array1<f64>,
}

impl GaussianMixtureStats {
    pub(super) fn zeros(model: &GaussianMixture) -> Self {
        let (k, d) = model.dims();
        Self {
            sums: Array2::zeros((k, model.layout.n_features)),
            labels: Vec::new(),
            log_weights: Array1::zeros(k),
            mean: Array2::zeros((k, d)),
            precision_mean: Array2::zeros((k, d)),
            precision: Array3::zeros((k, d, d)),
            quadratic: Array1::zeros(k),
            log_det: Array1::zeros(k),
        }
    }

    /// N_k = Σ_n z_nk (K).
    pub fn counts(&self) -> Array1<f64> {
        self.sums.column(self.sums.ncols() - 1).to_owned()
    }

    /// The realised assignments (N); empty when they are expected.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// η of every component (K, P).
    pub(super) fn coefficients(&self, model: &GaussianMixture) -> Array2<f64> {
        let mut eta = Array2::zeros((model.layout.n_components, model.layout.n_features));
        for (k, mut eta) in eta.rows_mut().into_iter().enumerate() {
            model.layout.set_coefficients(
                self.log_weights[k],
                self.log_det[k],
                &self.precision_mean.row(k),
                self.quadratic[k],
                &self.precision.slice(s![k, .., ..]),
                &mut eta,
            );
        }
        eta
    }
}
