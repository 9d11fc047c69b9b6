//! Factors and statistics of the three blocks.

use ndarray::{Array1, Array2, Array3, ArrayView2, s};
use serde::{Deserialize, Serialize};
use vi_families::{Dirichlet, NormalWishart};

use super::components::{ComponentFactors, ComponentStats};
use super::weights::{WeightsLaw, WeightsStats};
use super::{Covariance, GaussianMixture};

/// q(z) q(π) q(μ, Λ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureFactors {
    pub(super) assignments: AssignmentFactors,
    pub(super) weights: WeightsLaw,
    /// In centred coordinates: the location of μ_k − c.
    pub(super) components: ComponentFactors,
}

/// q(z), and of missing values given z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AssignmentFactors {
    /// η (K, P), which determines it: r_nk ∝ exp⟨η_k, T(x_n)⟩; zero while responsibilities are as they were given.
    pub(super) coefficients: Array2<f64>,
    /// r (N, K), or (0, K) when they are not kept.
    pub(super) responsibilities: Array2<f64>,
    /// Σ_n r_nk E\[T(x_n)\] (K, P), and then the entropy.
    pub(super) totals: Array1<f64>,
    #[serde(skip)]
    pub(super) partials: Scratch,
}

/// Memory for the next sweep, which is no part of what the factors are.
#[derive(Debug, Default)]
pub(super) struct Scratch(pub(super) Vec<f64>);

impl Clone for Scratch {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl AssignmentFactors {
    pub(super) fn zeros(model: &GaussianMixture) -> Self {
        let (k, p) = (model.n_components, model.layout.n_features);
        let n = if model.keep_responsibilities { model.data.nrows() } else { 0 };
        Self {
            coefficients: Array2::zeros((k, p)),
            responsibilities: Array2::zeros((n, k)),
            totals: Array1::zeros(k * p + 1),
            partials: Scratch::default(),
        }
    }

    pub(super) fn entropy(&self) -> f64 {
        self.totals[self.totals.len() - 1]
    }

    pub(super) fn sums(&self) -> ArrayView2<'_, f64> {
        let sums = self.totals.slice(s![..self.coefficients.len()]);
        sums.into_shape_with_order(self.coefficients.dim()).expect("K · P values")
    }
}

impl GaussianMixtureFactors {
    /// The responsibilities q(z_n = k) (N, K); (0, K) of a model that does not keep them.
    pub fn responsibilities(&self) -> ArrayView2<'_, f64> {
        self.assignments.responsibilities.view()
    }

    /// E\[π\] (K).
    pub fn expected_weights(&self) -> Vec<f64> {
        self.weights.mean()
    }

    /// q(π), where the prior is a Dirichlet distribution.
    pub fn weights(&self) -> Option<Dirichlet> {
        self.weights.dirichlet()
    }

    /// The parameters (a_k, b_k) of q(v_k) = Beta(a_k, b_k) (K − 1), where the prior breaks sticks; otherwise none.
    pub fn sticks(&self) -> Vec<[f64; 2]> {
        self.weights.sticks()
    }
}

/// The parameters of q(μ_k | Λ) = N(m_k, (β_k Λ)⁻¹) and q(Λ), in the laws of [`Covariance`].
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureComponents {
    /// m (K, D).
    pub mean: Array2<f64>,
    /// β (K).
    pub count: Array1<f64>,
    /// ν (K); (1) of tied covariances.
    pub dof: Array1<f64>,
    /// B = W⁻¹ (K, D²), (1, D²), (K, D) or (K, 1); E\[Λ\] = ν B⁻¹.
    pub inverse_scale: Array2<f64>,
}

impl GaussianMixture {
    /// The parameters of q(μ, Λ).
    pub fn components(&self, factors: &GaussianMixtureFactors) -> MixtureComponents {
        let q = &factors.components;
        MixtureComponents {
            mean: &q.mean + &self.centre,
            count: q.count.clone(),
            dof: q.dof.clone(),
            inverse_scale: q.inverse_scale.clone(),
        }
    }

    /// q(μ_k, Λ_k) of every component (K), where covariances are full; otherwise none.
    pub fn component_posteriors(&self, factors: &GaussianMixtureFactors) -> Vec<NormalWishart> {
        if self.covariance() != Covariance::Full {
            return Vec::new();
        }
        let (k, d) = self.dims();
        let q = self.components(factors);
        let scales: Array3<f64> = q.inverse_scale.into_shape_with_order((k, d, d)).expect("K · D² values");
        let one = |k: usize| {
            let scale = scales.slice(s![k, .., ..]);
            NormalWishart::from_mean_count_dof_inverse_scale(&q.mean.row(k), q.count[k], q.dof[k], &scale)
        };
        (0..k).map(|k| one(k).expect("a factor is within its domain")).collect()
    }
}

/// Expected or realised statistics, in centred coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureStats {
    /// Σ_n z_nk T(x_n) (K, P): the only thing that the other blocks need of the assignments.
    pub(super) sums: Array2<f64>,
    /// The realised assignments (N), empty when they are expected.
    pub(super) labels: Vec<u32>,
    /// The realised missing values, row by row; empty when they are expected.
    pub(super) imputed: Vec<f64>,
    pub(super) weights: WeightsStats,
    pub(super) components: ComponentStats,
}

impl GaussianMixtureStats {
    pub(super) fn zeros(model: &GaussianMixture) -> Self {
        let (k, d) = model.dims();
        Self {
            sums: Array2::zeros((k, model.layout.n_features)),
            labels: Vec::new(),
            imputed: Vec::new(),
            weights: model.prior.weights.expected.clone(),
            components: ComponentStats::zeros(model.covariance(), k, d),
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
}
