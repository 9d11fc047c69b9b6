//! The capabilities of the model, by those of its tokens.

use ndarray::ArrayRef1;
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, GradLogJoint, LogJoint, ParameterSpace, Predictive,
    StreamKey, StreamRng,
};

use super::{Answers, MODEL, MixedMembership};
use crate::latent_dirichlet::{LatentDirichletBlock as Block, LatentDirichletFactors, LatentDirichletStats};

/// Reported in (profiles, memberships), profile by profile and item by item; assignments are left out.
impl ConditionallyConjugate for MixedMembership {
    type Block = Block;
    type Stats = LatentDirichletStats;
    type Factors = LatentDirichletFactors;

    fn blocks(&self) -> &[Block] {
        self.tokens.blocks()
    }

    fn is_exact(&self, block: Block) -> bool {
        self.tokens.is_exact(block)
    }

    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(LatentDirichletFactors, LatentDirichletStats), ConjugateError> {
        self.tokens.init(key, exec)
    }

    fn condition(
        &self,
        block: Block,
        stats: &LatentDirichletStats,
        factors: &mut LatentDirichletFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        self.tokens.condition(block, stats, factors, exec)
    }

    fn expect(
        &self,
        block: Block,
        factors: &LatentDirichletFactors,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        self.tokens.expect(block, factors, stats, exec);
    }

    fn draw(
        &self,
        block: Block,
        factors: &LatentDirichletFactors,
        key: StreamKey,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        self.tokens.draw(block, factors, key, stats, exec);
    }

    fn block_log_prob(
        &self,
        block: Block,
        factors: &LatentDirichletFactors,
        stats: &LatentDirichletStats,
    ) -> f64 {
        self.tokens.block_log_prob(block, factors, stats)
    }

    fn expected_log_joint(&self, stats: &LatentDirichletStats) -> f64 {
        self.tokens.expected_log_joint(stats)
    }

    fn entropy(&self, factors: &LatentDirichletFactors) -> f64 {
        self.tokens.entropy(factors)
    }

    fn reported(&self) -> &ParameterSpace {
        self.tokens.reported()
    }

    fn realise(&self, stats: &LatentDirichletStats, z: &mut ArrayRef1<f64>) {
        self.tokens.realise(stats, z);
    }

    fn sample(&self, factors: &LatentDirichletFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        self.tokens.sample(factors, rng, z);
    }

    fn log_prob(&self, factors: &LatentDirichletFactors, z: &ArrayRef1<f64>) -> f64 {
        self.tokens.log_prob(factors, z)
    }
}

/// The assignments are summed out: Σ_nj log Σ_k θ_nk β_kj(x_nj) over the answers given, and the priors.
impl LogJoint for MixedMembership {
    fn parameters(&self) -> &ParameterSpace {
        self.tokens.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.tokens.log_joint(z)
    }
}

impl GradLogJoint for MixedMembership {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.tokens.log_joint_and_grad(z, grad)
    }
}

/// A point is an individual. A simulation answers the items that are answered in the data.
impl Predictive for MixedMembership {
    type Data = Answers;

    fn observed(&self) -> &Answers {
        &self.answers
    }

    fn n_points(&self, data: &Answers) -> usize {
        data.n_individuals()
    }

    /// # Panics
    /// If `data` has other individuals or items.
    fn log_likelihood_pointwise(&self, data: &Answers, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(data.levels(), self.answers.levels(), "{MODEL}: levels");
        self.tokens.log_likelihood_pointwise(&data.counts(), z, out);
    }

    /// # Panics
    /// If `data` has other individuals or items.
    fn simulate(&self, data: &Answers, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Answers {
        assert_eq!(data.levels(), self.answers.levels(), "{MODEL}: levels");
        self.answers.of_counts(&self.tokens.simulate(&data.counts(), z, rng))
    }
}
