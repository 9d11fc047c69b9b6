//! The complete conditionals: those of every stick.

use ndarray::{ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};

use super::MultinomialRegression;
use crate::logistic_regression::{
    LogisticRegressionBlock, LogisticRegressionFactors, LogisticRegressionStats,
};

/// A block of one stick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultinomialRegressionBlock {
    /// Which stick, from 0.
    pub stick: usize,
    /// Its Pólya-Gamma variables or its coefficients.
    pub block: LogisticRegressionBlock,
}

/// Those of `n` sticks.
pub(super) fn blocks(n: usize) -> Vec<MultinomialRegressionBlock> {
    let of_stick = [LogisticRegressionBlock::Augmentation, LogisticRegressionBlock::Coefficients];
    (0..n).flat_map(|stick| of_stick.map(|block| MultinomialRegressionBlock { stick, block })).collect()
}

/// Reported in β; the Pólya-Gamma variables are left out.
impl ConditionallyConjugate for MultinomialRegression {
    type Block = MultinomialRegressionBlock;
    type Stats = Vec<LogisticRegressionStats>;
    type Factors = Vec<LogisticRegressionFactors>;

    fn blocks(&self) -> &[MultinomialRegressionBlock] {
        &self.blocks
    }

    fn init(&self, key: StreamKey, exec: Exec<'_>) -> Result<(Self::Factors, Self::Stats), ConjugateError> {
        let starts = self.sticks.iter().map(|stick| stick.init(key, exec));
        Ok(starts.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
    }

    fn condition(
        &self,
        b: MultinomialRegressionBlock,
        stats: &Self::Stats,
        factors: &mut Self::Factors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        self.sticks[b.stick].condition(b.block, &stats[b.stick], &mut factors[b.stick], exec)
    }

    fn expect(
        &self,
        b: MultinomialRegressionBlock,
        factors: &Self::Factors,
        stats: &mut Self::Stats,
        exec: Exec<'_>,
    ) {
        self.sticks[b.stick].expect(b.block, &factors[b.stick], &mut stats[b.stick], exec);
    }

    fn draw(
        &self,
        b: MultinomialRegressionBlock,
        factors: &Self::Factors,
        key: StreamKey,
        stats: &mut Self::Stats,
        exec: Exec<'_>,
    ) {
        self.sticks[b.stick].draw(b.block, &factors[b.stick], key, &mut stats[b.stick], exec);
    }

    fn block_log_prob(
        &self,
        b: MultinomialRegressionBlock,
        factors: &Self::Factors,
        stats: &Self::Stats,
    ) -> f64 {
        self.sticks[b.stick].block_log_prob(b.block, &factors[b.stick], &stats[b.stick])
    }

    fn expected_log_joint(&self, stats: &Self::Stats) -> f64 {
        self.sticks.iter().zip(stats).map(|(stick, stats)| stick.expected_log_joint(stats)).sum()
    }

    fn entropy(&self, factors: &Self::Factors) -> f64 {
        self.sticks.iter().zip(factors).map(|(stick, factors)| stick.entropy(factors)).sum()
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &Self::Stats, z: &mut ArrayRef1<f64>) {
        for (k, (stick, stats)) in self.sticks.iter().zip(stats).enumerate() {
            stick.realise(stats, &mut z.slice_mut(s![self.coordinates(k)]));
        }
    }

    fn sample(&self, factors: &Self::Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for (k, (stick, factors)) in self.sticks.iter().zip(factors).enumerate() {
            stick.sample(factors, rng, &mut z.slice_mut(s![self.coordinates(k)]));
        }
    }

    fn log_prob(&self, factors: &Self::Factors, z: &ArrayRef1<f64>) -> f64 {
        let sticks = self.sticks.iter().zip(factors).enumerate();
        sticks.map(|(k, (stick, factors))| stick.log_prob(factors, &z.slice(s![self.coordinates(k)]))).sum()
    }
}
