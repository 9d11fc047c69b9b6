//! The labels are exchangeable given β; the Pólya-Gamma variables are local. All is as in the logistic regression of
//! every stick, on those data of a batch that reach it.

use ndarray::ArrayRef1;
use vi_core::{Batch, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::MvGaussian;

use super::{MultinomialRegression, MultinomialRegressionBlock as Block};
use crate::logistic_regression::{
    LogisticRegressionBatch, LogisticRegressionFactors, LogisticRegressionStats,
};

impl NaturalFactors for MultinomialRegression {
    fn n_natural(&self, b: Block) -> usize {
        self.sticks[b.stick].n_natural(b.block)
    }

    fn natural(&self, b: Block, factors: &Vec<LogisticRegressionFactors>, eta: &mut ArrayRef1<f64>) {
        self.sticks[b.stick].natural(b.block, &factors[b.stick], eta);
    }

    fn set_natural(
        &self,
        b: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut Vec<LogisticRegressionFactors>,
    ) -> Result<(), ConjugateError> {
        self.sticks[b.stick].set_natural(b.block, eta, &mut factors[b.stick])
    }
}

/// The global factors are q(β_k) of every stick.
impl Exchangeable for MultinomialRegression {
    type Globals = Vec<MvGaussian>;
    type BatchStats = Vec<LogisticRegressionBatch>;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        &self.global_blocks
    }

    fn globals(
        &self,
        factors: &Vec<LogisticRegressionFactors>,
        _: &Vec<LogisticRegressionStats>,
    ) -> Vec<MvGaussian> {
        factors.iter().map(|q| q.coefficients.clone()).collect()
    }

    fn local_step(
        &self,
        globals: &Vec<MvGaussian>,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<Self::BatchStats, ConjugateError> {
        let sticks = self.sticks.iter().zip(&self.reaching).zip(globals);
        let steps = sticks.map(|((stick, reaching), q)| {
            // Where the data of the batch stand among those that reach the stick.
            let found = batch.indices.iter().filter_map(|n| reaching.binary_search(n).ok());
            let indices: Vec<usize> = found.collect();
            stick.local_step(q, Batch { indices: &indices, scale: batch.scale }, exec)
        });
        steps.collect()
    }

    fn n_global_natural(&self, b: Block) -> usize {
        self.n_natural(b)
    }

    fn global_natural(&self, b: Block, globals: &Vec<MvGaussian>, eta: &mut ArrayRef1<f64>) {
        self.sticks[b.stick].global_natural(b.block, &globals[b.stick], eta);
    }

    fn global_conditional(
        &self,
        b: Block,
        batch: &Self::BatchStats,
        globals: &Vec<MvGaussian>,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        self.sticks[b.stick].global_conditional(b.block, &batch[b.stick], &globals[b.stick], eta)
    }

    fn set_global_natural(
        &self,
        b: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut Vec<MvGaussian>,
    ) -> Result<(), ConjugateError> {
        self.sticks[b.stick].set_global_natural(b.block, eta, &mut globals[b.stick])
    }

    fn complete(
        &self,
        globals: &Vec<MvGaussian>,
        exec: Exec<'_>,
    ) -> Result<(Vec<LogisticRegressionFactors>, Vec<LogisticRegressionStats>), ConjugateError> {
        let states = self.sticks.iter().zip(globals).map(|(stick, q)| stick.complete(q, exec));
        Ok(states.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
    }
}
