//! What a member of a mixture of Gaussians computes, and the bounds on its entropy.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, aview1, s};
use rand::RngExt;
use vi_core::StreamRng;

use super::VariationalDistribution;
use super::full_rank_member::FullRankGaussianMember;
use super::mean_field::MeanFieldGaussianMember;
use crate::distributions::LOG_TWO_PI;
use crate::error::FamilyError;
use crate::validate::cholesky;

/// A Gaussian that can be a component of a mixture.
pub trait MixtureComponent: VariationalDistribution + Clone + std::fmt::Debug {
    /// log ∫ q(z) q′(z) dz = log N(m; m′, Σ + Σ′).
    ///
    /// # Errors
    /// [`FamilyError::NotPositiveDefinite`] when rounding leaves Σ + Σ′ without a Cholesky factor.
    fn log_overlap(&self, other: &Self) -> Result<f64, FamilyError>;
}

impl MixtureComponent for MeanFieldGaussianMember {
    fn log_overlap(&self, other: &Self) -> Result<f64, FamilyError> {
        let mut total = 0.0;
        for i in 0..self.dim() {
            // √(s² + s′²), whatever the size of the scales.
            let sd = self.sd()[i].hypot(other.sd()[i]);
            let y = (self.mean()[i] - other.mean()[i]) / sd;
            total -= 0.5 * (y * y + LOG_TWO_PI) + sd.ln();
        }
        Ok(total)
    }
}

impl MixtureComponent for FullRankGaussianMember {
    fn log_overlap(&self, other: &Self) -> Result<f64, FamilyError> {
        let sum = self.covariance() + other.covariance();
        let factor = cholesky("GaussianMixture", "sum of two covariances", &sum)?;
        let mut y = &aview1(self.mean()) - &aview1(other.mean());
        factor.solve_lower_inplace(&mut y);
        Ok(-0.5 * (y.dot(&y) + factor.log_det() + self.dim() as f64 * LOG_TWO_PI))
    }
}

/// One member of [`GaussianMixture`](crate::GaussianMixture).
#[derive(Clone, Debug)]
pub struct GaussianMixtureMember<C> {
    weights: Vec<f64>,
    log_weights: Vec<f64>,
    components: Vec<C>,
}

impl<C: MixtureComponent> GaussianMixtureMember<C> {
    pub(super) fn new(logits: Array1<f64>, components: Vec<C>) -> Self {
        let normaliser = log_sum_exp(logits.iter().copied());
        let log_weights: Vec<f64> = logits.iter().map(|l| l - normaliser).collect();
        Self { weights: log_weights.iter().map(|l| l.exp()).collect(), log_weights, components }
    }

    /// π (K).
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The Gaussians (K).
    pub fn components(&self) -> &[C] {
        &self.components
    }

    /// A lower bound on the entropy, by Jensen's inequality.
    ///
    /// ```text
    /// −E[log q(z)] ≥ −Σ_i π_i log Σ_j π_j N(m_i; m_j, Σ_i + Σ_j)
    /// ```
    /// Huber et al. (2008), IEEE MFI, theorem 2; Gershman, Hoffman & Blei (2012), ICML. For one Gaussian, or
    /// several far apart, it is D/2 (1 − log 2) too low.
    ///
    /// # Errors
    /// As [`MixtureComponent::log_overlap`].
    pub fn entropy_lower_bound(&self) -> Result<f64, FamilyError> {
        let k = self.components.len();
        let mut overlaps = Array2::zeros((k, k));
        for i in 0..k {
            for j in 0..=i {
                let overlap = self.components[i].log_overlap(&self.components[j])?;
                overlaps[[i, j]] = overlap;
                overlaps[[j, i]] = overlap;
            }
        }
        let inner = |row: &ArrayRef1<f64>| log_sum_exp(row.iter().zip(&self.log_weights).map(|(o, w)| o + w));
        Ok(-overlaps.rows().into_iter().zip(&self.weights).map(|(row, w)| w * inner(&row)).sum::<f64>())
    }

    /// An upper bound on the entropy: that of z and its component together.
    ///
    /// ```text
    /// −E[log q(z)] ≤ Σ_k π_k (H_k − log π_k)
    /// ```
    /// Huber et al. (2008), IEEE MFI, theorem 3. It is exact for components that do not overlap.
    pub fn entropy_upper_bound(&self) -> f64 {
        let each = self.components.iter().zip(self.weights.iter().zip(&self.log_weights));
        each.map(|(c, (w, log_w))| {
            let entropy = c.entropy().expect("Gaussians have an entropy in closed form");
            w * (entropy - log_w)
        })
        .sum()
    }

    /// log π_k + log q_k of every row of `z`, (K, n).
    fn log_joint(&self, z: &ArrayRef2<f64>) -> Array2<f64> {
        let mut log_joint = Array2::zeros((self.components.len(), z.nrows()));
        let rows = log_joint.rows_mut().into_iter().zip(&self.components).zip(&self.log_weights);
        for ((mut row, component), log_weight) in rows {
            component.log_prob_batch(z, &mut row);
            row += *log_weight;
        }
        log_joint
    }
}

/// log Σ exp of values, −∞ for those that are all −∞.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        // NaN stays visible: the maximum passes it over.
        return values.fold(f64::NEG_INFINITY, |sum, v| if v.is_nan() { v } else { sum });
    }
    max + values.map(|v| (v - max).exp()).sum::<f64>().ln()
}

impl<C: MixtureComponent> VariationalDistribution for GaussianMixtureMember<C> {
    fn dim(&self) -> usize {
        self.components[0].dim()
    }
    fn n_params(&self) -> usize {
        self.components.iter().map(|c| 1 + c.n_params()).sum()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "GaussianMixture: z has the wrong length");
        let mut rest: f64 = rng.random();
        let chosen = self.weights.iter().position(|w| {
            rest -= w;
            rest < 0.0
        });
        // What rounding leaves of the weights belongs to the last component that has any.
        let last = || self.weights.iter().rposition(|w| *w > 0.0).expect("weights add up to one");
        self.components[chosen.unwrap_or_else(last)].sample(rng, z);
    }
    /// ```text
    /// log q(z) = log Σ_k exp(log π_k + log q_k(z))
    /// ```
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "GaussianMixture: z has the wrong length");
        let terms: Vec<f64> =
            self.components.iter().zip(&self.log_weights).map(|(c, w)| c.log_prob(z) + w).collect();
        log_sum_exp(terms.iter().copied())
    }
    /// As in [`add_score_batch`](VariationalDistribution::add_score_batch).
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.add_score_batch(&z.view().insert_axis(Axis(0)), &Array1::from_elem(1, weight), out);
    }
    /// None: see [`GaussianMixtureMember::entropy_lower_bound`] and [`GaussianMixtureMember::entropy_upper_bound`].
    fn entropy(&self) -> Option<f64> {
        None
    }

    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "GaussianMixture: z has the wrong shape");
        let log_joint = self.log_joint(z);
        for (column, o) in log_joint.columns().into_iter().zip(out.iter_mut()) {
            *o = log_sum_exp(column.iter().copied());
        }
    }
    /// With the responsibilities r_k(z) = π_k q_k(z) / q(z):
    ///
    /// ```text
    /// ∂ log q / ∂ logit_k = r_k − π_k      ∇_{λ_k} log q = r_k ∇_{λ_k} log q_k
    /// ```
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (weights.len(), self.dim()), "GaussianMixture: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "GaussianMixture: out has the wrong length");
        let mut shares = self.log_joint(z);
        for (mut column, weight) in shares.columns_mut().into_iter().zip(weights) {
            let total = log_sum_exp(column.iter().copied());
            column.mapv_inplace(|v| weight * (v - total).exp());
        }
        let (k, total) = (self.components.len(), weights.iter().sum::<f64>());
        let mut start = k;
        for (c, component) in self.components.iter().enumerate() {
            let share = shares.row(c);
            out[c] += share.sum() - total * self.weights[c];
            let end = start + component.n_params();
            component.add_score_batch(z, &share, &mut out.slice_mut(s![start..end]));
            start = end;
        }
    }
}
