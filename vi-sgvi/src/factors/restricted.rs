//! A member of a family whose scores are confined to some factors.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey, StreamRng};
use vi_families::{
    Disperse, DisperseFactors, FactorizedDistribution, FamilyError, UniformTransport,
    VariationalDistribution, VariationalFamily,
};

use super::{FactorSet, PartialEstimator};
use crate::baseline::Baseline;
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::locality::Locality;
use crate::sampler::Sampler;
use crate::score_function::ScoreFunction;

/// A member whose draws and densities are those of all factors, but whose score is that of some: elsewhere it is 0.
#[derive(Clone, Debug)]
pub struct Restricted<'a, Q> {
    member: Q,
    factors: FactorSet<'a>,
}

impl<'a, Q: FactorizedDistribution> Restricted<'a, Q> {
    /// `member` with the scores of these factors alone.
    pub fn new(member: Q, factors: FactorSet<'a>) -> Self {
        Self { member, factors }
    }
}

impl<Q: FactorizedDistribution> VariationalDistribution for Restricted<'_, Q> {
    fn dim(&self) -> usize {
        self.member.dim()
    }
    fn n_params(&self) -> usize {
        self.member.n_params()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.member.sample(rng, z);
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        self.member.log_prob(z)
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        for i in self.factors.factors(&self.member) {
            self.member.add_score_factor(i, z, weight, out);
        }
    }
    fn entropy(&self) -> Option<f64> {
        self.member.entropy()
    }
    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        self.member.sample_batch(key, samples, z);
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.member.log_prob_batch(z, out);
    }
}

impl<Q: FactorizedDistribution> FactorizedDistribution for Restricted<'_, Q> {
    fn n_factors(&self) -> usize {
        self.member.n_factors()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        self.member.factor(i)
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        self.member.factor_params(i)
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.member.sample_factor(i, rng, z);
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        self.member.log_prob_factor(i, z)
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        if self.factors.contains(self.member.factor(i)) {
            self.member.add_score_factor(i, z, weight, out);
        }
    }
    fn n_values(&self, i: usize) -> Option<usize> {
        self.member.n_values(i)
    }
    fn set_value(&self, i: usize, value: usize, z: &mut ArrayRef1<f64>) {
        self.member.set_value(i, value, z);
    }
    fn gaussian_factor(&self, i: usize) -> Option<(f64, f64)> {
        self.member.gaussian_factor(i)
    }
    fn factors_within(&self, block: Range<usize>) -> Option<Range<usize>> {
        self.member.factors_within(block)
    }
}

impl<Q: FactorizedDistribution + UniformTransport> UniformTransport for Restricted<'_, Q> {
    fn n_uniforms(&self) -> usize {
        self.member.n_uniforms()
    }
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        self.member.transport_uniforms(u, z);
    }
}

/// The factors whose scores count are dispersed; the others are drawn from q and weigh nothing.
impl<Q: DisperseFactors> Disperse for Restricted<'_, Q> {
    type Dispersed = Q::Dispersed;

    fn disperse(&self, dispersion: f64) -> Result<Q::Dispersed, FamilyError> {
        let of_factor = |i| if self.factors.contains(self.member.factor(i)) { dispersion } else { 1.0 };
        self.member.disperse_factors(&(0..self.member.n_factors()).map(of_factor).collect::<Vec<_>>())
    }
}

impl<M, F, B, S, L> PartialEstimator<M, F> for ScoreFunction<B, S, L>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
    B: Baseline,
    S: for<'a> Sampler<F::Member<'a>> + for<'a> Sampler<Restricted<'a, F::Member<'a>>>,
    L: for<'a> Locality<M, F::Member<'a>> + for<'a> Locality<M, Restricted<'a, F::Member<'a>>>,
{
    type State = B::State;

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<B::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let q = Restricted::new(elbo.family().bind(params)?, factors);
        self.estimate_at(elbo.model(), &q, key, exec, memory, grad)
    }

    fn partial_cost(&self, elbo: Elbo<'_, M, F>, _factors: FactorSet<'_>) -> Evaluations {
        self.cost(elbo)
    }
    fn partial_name(&self) -> String {
        GradientEstimator::<M, F>::name(self)
    }
    fn partial_bias(&self) -> Option<&'static str> {
        self.baseline.bias()
    }
    fn partial_remembers(&self) -> bool {
        self.baseline.remembers()
    }
}
