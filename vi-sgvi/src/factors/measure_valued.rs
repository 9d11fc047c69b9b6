//! Measure-valued derivatives.

use ndarray::{ArrayRef1, ArrayRef2, Axis};
use vi_core::StreamKey;
use vi_families::MeasureValuedDistribution;

use super::one_at_a_time::{FactorRule, Misfit, OneAtATime};
use crate::locality::Joint;

/// Measure-valued (weak) derivatives: the derivative of every factor's density as a difference of two densities, the
/// other factors at values drawn from q.
///
/// ```text
/// ∇_{λ_ij} E_{q_i}[f] = c_ij (E_{q⁺_ij}[f] − E_{q⁻_ij}[f])
/// ĝ_ij = (1/S) Σ_s c_ij (f(z⁺_s, z_s,−i) − f(z⁻_s, z_s,−i)),   f = log p(x, z) − log q_i(z_i)
/// ```
/// z⁺ and z⁻ are coupled. f need not be differentiable, and the estimator uses no score. The decompositions are those of
/// [`MeasureValuedDistribution`]: Gaussian location and scale, Bernoulli, categorical, Gamma rate; a parameter that has
/// none, such as the shape of a Gamma, is an error that names it. Cost: S + 2 S P log joints for P parameters (S + S P for
/// bits, where one point of a pair is the draw), or with
/// [`OneAtATime::rao_blackwellized`] S log joints and 2 S P terms of one block.
///
/// Sources: Mohamed, Rosca, Figurnov & Mnih 2020, §6, <https://arxiv.org/abs/1906.10652>; Rosca, Figurnov, Mohamed &
/// Mnih 2019, NeurIPS workshop on approximate inference.
pub type MeasureValued<L = Joint> = OneAtATime<Measures, L>;

/// Pairs of points from the two measures of every parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures;

impl OneAtATime<Measures> {
    /// Measure-valued derivatives around S draws.
    pub fn new(n_samples: usize) -> Self {
        Self { n_samples, rule: Measures, locality: Joint }
    }
}

impl<Q: MeasureValuedDistribution> FactorRule<Q> for Measures {
    fn name(&self) -> String {
        "measure-valued".to_owned()
    }
    fn check(&self, q: &Q, i: usize) -> Result<(), Misfit> {
        match q.factor_params(i).find(|p| q.pair_weight(i, *p).is_none()) {
            None => Ok(()),
            Some(p) => Err(Misfit::Decomposition(p)),
        }
    }
    fn n_points(&self, q: &Q, i: usize) -> usize {
        2 * q.factor_params(i).count()
    }
    /// Both points of a pair over two values are one of them each.
    fn n_draws(&self, q: &Q, i: usize) -> usize {
        if q.n_values(i) == Some(2) { q.factor_params(i).count() } else { 0 }
    }
    fn set_points(&self, q: &Q, i: usize, key: StreamKey, sample: usize, z: &mut ArrayRef2<f64>) {
        let mut rng = key.rng(sample as u64);
        for (p, mut pair) in q.factor_params(i).zip(z.axis_chunks_iter_mut(Axis(0), 2)) {
            let (mut plus, mut minus) = pair.view_mut().split_at(Axis(0), 1);
            q.sample_pair(i, p, &mut rng, &mut plus.row_mut(0), &mut minus.row_mut(0));
        }
    }
    fn add(
        &self,
        q: &Q,
        i: usize,
        z: &ArrayRef2<f64>,
        log_joints: &mut [f64],
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        for (f, z) in log_joints.iter_mut().zip(z.rows()) {
            *f -= q.log_prob_factor(i, &z);
        }
        for (p, f) in q.factor_params(i).zip(log_joints.chunks(2)) {
            out[p] += weight * q.pair_weight(i, p).unwrap_or(f64::NAN) * (f[0] - f[1]);
        }
    }
}
