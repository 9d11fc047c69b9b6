//! After the first step, estimators that work factor by factor allocate nothing: counted by the global allocator.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use vi_core::testing::CountingAllocator;
use vi_core::{Exec, LocalLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, StreamRng, Support};
use vi_families::{
    Disperse, DisperseFactors, FactorizedDistribution, FamilyError, MeasureValuedDistribution,
    VariationalDistribution, VariationalFamily,
};
use vi_sgvi::{
    Arm, DisArm, Elbo, Enumeration, GradientEstimator, LocalExpectations, MeasureValued, Memory,
    OverdispersedFactors, PerFactor, ScoreFunction,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A chain of bits.
struct Chain(ParameterSpace);

impl LogJoint for Chain {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        z.iter().zip(z.iter().skip(1)).map(|(a, b)| 0.8 * a * b - 0.3 * a).sum()
    }
}

impl LocalLogJoint for Chain {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let before = if b > 0 { z[b - 1] } else { 0.0 };
        let (after, field) = if b + 1 < z.len() { (z[b + 1], -0.3) } else { (0.0, 0.0) };
        z[b] * (0.8 * (before + after) + field)
    }
}

/// Independent bits; λ are their logits. Allocates nothing.
struct Bits {
    dim: usize,
}

/// The bits of the test, at most.
const MAX: usize = 8;

#[derive(Clone, Copy)]
struct Member<'a> {
    params: &'a ArrayRef1<f64>,
    /// What logits are divided by.
    dispersions: [f64; MAX],
}

impl Member<'_> {
    fn logit(&self, i: usize) -> f64 {
        self.params[i] / self.dispersions[i]
    }
    fn probability(&self, i: usize) -> f64 {
        1.0 / (1.0 + (-self.logit(i)).exp())
    }
}

impl Disperse for Member<'_> {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        self.disperse_factors(&[dispersion; MAX][..self.dim()])
    }
}

impl DisperseFactors for Member<'_> {
    fn disperse_factors(&self, dispersions: &[f64]) -> Result<Self, FamilyError> {
        let mut member = *self;
        member.dispersions[..dispersions.len()].copy_from_slice(dispersions);
        Ok(member)
    }
}

impl VariationalFamily for Bits {
    type Member<'a> = Member<'a>;

    fn dim(&self) -> usize {
        self.dim
    }
    fn n_params(&self) -> usize {
        self.dim
    }
    fn param_names(&self) -> Vec<String> {
        (1..=self.dim).map(|d| format!("logit[{d}]")).collect()
    }
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.dim)
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Member<'a>, FamilyError> {
        Ok(Member { params, dispersions: [1.0; MAX] })
    }
}

impl VariationalDistribution for Member<'_> {
    fn dim(&self) -> usize {
        self.params.len()
    }
    fn n_params(&self) -> usize {
        self.params.len()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        (0..self.dim()).for_each(|i| self.sample_factor(i, rng, z));
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        (0..self.dim()).map(|i| self.log_prob_factor(i, z)).sum()
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        (0..self.dim()).for_each(|i| self.add_score_factor(i, z, weight, out));
    }
    fn entropy(&self) -> Option<f64> {
        None
    }
}

impl FactorizedDistribution for Member<'_> {
    fn n_factors(&self) -> usize {
        self.params.len()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        i..i + 1
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        i..i + 1
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z[i] = f64::from(u8::from(rng.random::<f64>() < self.probability(i)));
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        z[i] * self.logit(i) - self.logit(i).exp().ln_1p()
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out[i] += weight * (z[i] - self.probability(i));
    }
    fn n_values(&self, _i: usize) -> Option<usize> {
        Some(2)
    }
    fn set_value(&self, i: usize, value: usize, z: &mut ArrayRef1<f64>) {
        z[i] = value as f64;
    }
}

impl MeasureValuedDistribution for Member<'_> {
    fn pair_weight(&self, i: usize, _param: usize) -> Option<f64> {
        Some(self.probability(i) * (1.0 - self.probability(i)))
    }
    fn sample_pair(
        &self,
        i: usize,
        _param: usize,
        _rng: &mut StreamRng,
        plus: &mut ArrayRef1<f64>,
        minus: &mut ArrayRef1<f64>,
    ) {
        (plus[i], minus[i]) = (1.0, 0.0);
    }
}

fn allocations_of_later_estimates<E: GradientEstimator<Chain, Bits>>(estimator: &E, model: &Chain) -> usize {
    let family = Bits { dim: model.dim() };
    let elbo = Elbo::new(model, &family).unwrap();
    let params: Array1<f64> = (0..model.dim()).map(|p| (p as f64).sin()).collect();
    let (mut grad, key, mut memory) = (family.init(), StreamKey::from_seed(16), Memory::default());
    let mut estimate = |t: u64| {
        estimator.estimate(elbo, &params, key.fold_in(t), Exec::local(), &mut memory, &mut grad).unwrap();
    };
    estimate(0);
    CountingAllocator::during(|| (1..20).for_each(estimate)).n
}

/// One thread, because of rayon's queues.
#[test]
fn later_estimates_allocate_nothing() {
    let variables = [Parameter::vector("a", 4, Support::Binary), Parameter::vector("b", 4, Support::Binary)];
    let model = Chain(ParameterSpace::new(variables).unwrap());
    let (space, local) = (model.parameters(), LocalExpectations::new(100));
    let rest = ScoreFunction::leave_one_out(100);
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| {
        assert_eq!(allocations_of_later_estimates(&local, &model), 0);
        assert_eq!(allocations_of_later_estimates(&local.clone().rao_blackwellized(), &model), 0);
        assert_eq!(allocations_of_later_estimates(&MeasureValued::new(100), &model), 0);
        assert_eq!(allocations_of_later_estimates(&OverdispersedFactors::new(100), &model), 0);
        let blanket = OverdispersedFactors::new(100).rao_blackwellized();
        assert_eq!(allocations_of_later_estimates(&blanket, &model), 0);
        assert_eq!(allocations_of_later_estimates(&Arm::new(100), &model), 0);
        assert_eq!(allocations_of_later_estimates(&DisArm::new(100), &model), 0);
        assert_eq!(allocations_of_later_estimates(&Enumeration::default(), &model), 0);
        let mixed = PerFactor::new(space, &["a"], DisArm::new(100), rest).unwrap();
        assert_eq!(allocations_of_later_estimates(&mixed, &model), 0);
        let nested = PerFactor::new(space, &["b"], DisArm::new(50), rest).unwrap();
        let nested = PerFactor::new(space, &["a"], LocalExpectations::new(9), nested).unwrap();
        assert_eq!(allocations_of_later_estimates(&nested, &model), 0);
        let mixed = PerFactor::new(space, &["a"], Enumeration::around(9), local).unwrap();
        assert_eq!(allocations_of_later_estimates(&mixed, &model), 0);
    });
}
