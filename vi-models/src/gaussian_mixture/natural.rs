//! The natural parameters of q(π) and q(μ, Λ), in centred coordinates.
//!
//! ```text
//! Dirichlet        α_k − 1
//! stick-breaking   a_k − 1, then b_k − 1 − (K − 1 − k)             k < K: against Lebesgue measure over π
//! components       β_k;  β_k m_k;  ν_j − o;  B_j + Σ_{k: Λ_k = Λ_j} β_k m_k m_kᵀ
//! ```
//! with o one more than what ν has to exceed, and the diagonal of m mᵀ or |m|²/D in the other shapes. All are linear in
//! the coefficients of log q, so factors are mixed by mixing them: of two members, as β m mᵀ is convex in (β, βm), B of
//! the mixture is at least the mixture of both. Scaled by 0 < β ≤ 1 they remain a member, since that is what o is for:
//! for full and diagonal covariances it makes the reference measure that of Lebesgue, for a tied Λ it is |Λ|^((K−1)/2)
//! and for spherical λ_k it is λ_k^(D−1) against that, where flattening against Lebesgue measure would leave the family.
//!
//! Reading B off these coordinates subtracts β m mᵀ: digits are lost as the square of the distance of a component, or
//! of an empty one's m₀, from the mean of the data, in units of the component's spread.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, NaturalFactors};

use super::components::{ComponentFactors, add_scatter, block_name, row, row_mut, values};
use super::layout::{Layout, Products};
use super::weights::WeightsLaw;
use super::{GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats};

/// The parameters of weights whose density over π is constant: what natural ones are counted from.
fn flat_weights(law: &WeightsLaw) -> impl Iterator<Item = f64> {
    let later = (0..law.second.len()).rev().map(|later| 1.0 + later as f64);
    std::iter::repeat_n(1.0, law.first.len()).chain(later)
}

pub(super) fn weights_natural(law: &WeightsLaw) -> Array1<f64> {
    law.first.iter().chain(&law.second).zip(flat_weights(law)).map(|(v, flat)| v - flat).collect()
}

pub(super) fn set_weights_natural(eta: &ArrayRef1<f64>, law: &mut WeightsLaw) -> Result<(), ConjugateError> {
    let found: Vec<f64> = eta.iter().zip(flat_weights(law)).map(|(v, flat)| v + flat).collect();
    let (first, second) = found.split_at(law.first.len());
    law.first.copy_from_slice(first);
    law.second.copy_from_slice(second);
    check_weights(law)?;
    law.set_expected();
    Ok(())
}

/// # Errors
/// [`ConjugateError::Domain`] with the first parameter outside its domain.
pub(super) fn check_weights(law: &WeightsLaw) -> Result<(), ConjugateError> {
    let Some((k, value)) = law.wrong() else { return Ok(()) };
    let block = format!("{:?}", Block::Weights);
    Err(ConjugateError::Domain { block, parameter: format!("concentration[{k}]"), value })
}

/// Where the natural parameters of the components stand.
struct Parts<'a> {
    /// β (K).
    count: &'a mut [f64],
    /// βm (K, D).
    count_mean: &'a mut [f64],
    /// ν − o (K or 1).
    dof: &'a mut [f64],
    /// B + Σ β m mᵀ (K or 1, values of one).
    second_moment: &'a mut [f64],
}

impl GaussianMixture {
    fn n_components_natural(&self) -> usize {
        let ((k, d), covariance) = (self.dims(), self.covariance());
        k * (1 + d) + covariance.n_precisions(k) * (1 + covariance.len(d))
    }

    fn parts<'a>(&self, eta: &'a mut [f64]) -> Parts<'a> {
        let (k, d) = self.dims();
        let (count, eta) = eta.split_at_mut(k);
        let (count_mean, eta) = eta.split_at_mut(k * d);
        let (dof, second_moment) = eta.split_at_mut(self.covariance().n_precisions(k));
        Parts { count, count_mean, dof, second_moment }
    }

    /// o.
    fn flat_dof(&self) -> f64 {
        self.covariance().least_dof(self.layout.dim) + 1.0
    }

    pub(super) fn components_natural(&self, q: &ComponentFactors) -> Array1<f64> {
        let ((n_components, d), covariance) = (self.dims(), self.covariance());
        let (len, bare) = (covariance.len(d), Layout::new(Products::None, d));
        let mut eta = vec![0.0; self.n_components_natural()];
        let parts = self.parts(&mut eta);
        parts.count.copy_from_slice(values(&q.count));
        parts.dof.iter_mut().zip(&q.dof).for_each(|(out, dof)| *out = dof - self.flat_dof());
        parts.second_moment.iter_mut().zip(&q.inverse_scale).for_each(|(out, b)| *out = *b);
        for k in 0..n_components {
            let (count, m, at) = (q.count[k], row(&q.mean, k), covariance.of(k));
            parts.count_mean[k * d..(k + 1) * d].iter_mut().zip(m).for_each(|(out, m)| *out = count * m);
            let out = &mut parts.second_moment[at * len..(at + 1) * len];
            add_scatter(covariance, &bare, &[], |i, j| count * (m[i] * m[j]), out);
        }
        eta.into()
    }

    /// Of the complete conditional given the sums of statistics (K, P) in the layout of densities, in which they are
    /// linear.
    pub(super) fn components_conditional_natural(&self, sums: &ArrayRef2<f64>) -> Array1<f64> {
        let ((n_components, d), covariance, prior) = (self.dims(), self.covariance(), &self.prior);
        let (len, layout, m) = (covariance.len(d), &self.density_layout, &prior.mean);
        let mut eta = vec![0.0; self.n_components_natural()];
        let parts = self.parts(&mut eta);
        parts.dof.fill(prior.dof - self.flat_dof());
        parts.second_moment.chunks_exact_mut(len).for_each(|out| out.copy_from_slice(&prior.inverse_scale));
        for k in 0..n_components {
            let (sums, at) = (row(sums, k), covariance.of(k));
            let n = layout.count(sums);
            parts.count[k] = prior.count + n;
            parts.dof[at] += n;
            let means = parts.count_mean[k * d..(k + 1) * d].iter_mut().zip(m.iter().zip(sums));
            means.for_each(|(out, (m, sum))| *out = prior.count * m + sum);
            let out = &mut parts.second_moment[at * len..(at + 1) * len];
            add_scatter(covariance, layout, sums, |i, j| prior.count * (m[i] * m[j]), out);
        }
        eta.into()
    }

    pub(super) fn set_components_natural(
        &self,
        eta: &ArrayRef1<f64>,
        q: &mut ComponentFactors,
    ) -> Result<(), ConjugateError> {
        let ((n_components, d), covariance) = (self.dims(), self.covariance());
        let (least, bare) = (covariance.least_dof(d), Layout::new(Products::None, d));
        let mut eta = eta.to_vec();
        let parts = self.parts(&mut eta);
        let above = |least: f64, k: usize, parameter: &str, value: f64| {
            let inside = value.is_finite() && value > least;
            let (block, parameter) = (block_name(k), parameter.to_owned());
            if inside { Ok(value) } else { Err(ConjugateError::Domain { block, parameter, value }) }
        };
        for (j, dof) in parts.dof.iter().enumerate() {
            q.dof[j] = above(least, j, "dof", dof + self.flat_dof())?;
        }
        q.inverse_scale.iter_mut().zip(parts.second_moment).for_each(|(b, found)| *b = *found);
        for k in 0..n_components {
            let count = above(0.0, k, "count", parts.count[k])?;
            q.count[k] = count;
            let (m, found) = (row_mut(&mut q.mean, k), &parts.count_mean[k * d..(k + 1) * d]);
            m.iter_mut().zip(found).for_each(|(m, v)| *m = v / count);
            let out = row_mut(&mut q.inverse_scale, covariance.of(k));
            add_scatter(covariance, &bare, &[], |i, j| -count * (m[i] * m[j]), out);
        }
        self.set_expected_components(q)
    }
}

/// The assignments, with missing values, give no access: they follow weights and components, and are tempered by
/// flattening their logits.
impl NaturalFactors for GaussianMixture {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Weights => self.prior.weights.first.len() + self.prior.weights.second.len(),
            Block::Components => self.n_components_natural(),
            Block::Assignments => 0,
        }
    }

    fn natural(&self, block: Block, factors: &GaussianMixtureFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Weights => eta.assign(&weights_natural(&factors.weights)),
            Block::Components => eta.assign(&self.components_natural(&factors.components)),
            Block::Assignments => {}
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut GaussianMixtureFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Weights => set_weights_natural(eta, &mut factors.weights),
            Block::Components => self.set_components_natural(eta, &mut factors.components),
            Block::Assignments => Ok(()),
        }
    }

    /// ```text
    /// q(z_n = k, missing x) ∝ exp(β ⟨E[η_k], T(x_n)⟩)
    /// ```
    /// from the statistics scaled by β: responsibilities that have underflowed could not be flattened any more.
    fn condition_tempered(
        &self,
        block: Block,
        inverse_temperature: f64,
        stats: &GaussianMixtureStats,
        factors: &mut GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        if block == Block::Assignments {
            let mut flat = stats.clone();
            flat.weights.log_weights.iter_mut().for_each(|v| *v *= inverse_temperature);
            flat.components.log_det *= inverse_temperature;
            flat.components.quadratic *= inverse_temperature;
            flat.components.precision_mean *= inverse_temperature;
            flat.components.precision *= inverse_temperature;
            return self.condition(block, &flat, factors, exec);
        }
        self.condition(block, stats, factors, exec)?;
        let mut eta = Array1::zeros(self.n_natural(block));
        self.natural(block, factors, &mut eta);
        eta *= inverse_temperature;
        self.set_natural(block, &eta, factors)
    }
}
