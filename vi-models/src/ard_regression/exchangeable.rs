//! The responses are exchangeable given β and τ, and have no latent variables of their own.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::{FamilyError, Gamma};

use super::{ArdRegression, ArdRegressionBlock as Block, ArdRegressionFactors, ArdRegressionStats};
use crate::checks::refused;
use crate::quadratic_loss::QuadraticLoss;

/// The sum of squares of a batch as a quadratic form in β, every term counted N/|B| times.
#[derive(Clone, Debug)]
pub struct ArdRegressionBatch(QuadraticLoss);

impl ArdRegression {
    /// The complete conditional of a block, given the sum of squares of a batch and the other factors, in `globals`.
    fn set_conditional(
        &self,
        block: Block,
        loss: &QuadraticLoss,
        globals: &mut ArdRegressionFactors,
    ) -> Result<(), FamilyError> {
        let q = &globals.coefficients;
        match block {
            Block::Coefficients => {
                let tau = self.priors.noise.expected(globals.noise.as_ref()).mean;
                let alpha: Array1<f64> = globals.relevances.iter().map(Gamma::mean).collect();
                globals.coefficients = self.coefficients_given(loss, tau, &alpha)?;
            }
            Block::Relevances => {
                let squares = &q.mean().mapv(|b| b * b) + &q.covariance().diag();
                globals.relevances = self.relevances_given(&squares)?;
            }
            Block::Noise => {
                let squares = loss.at(q.mean()) + (&loss.gram * q.covariance()).sum();
                globals.noise = self.priors.noise.conditional(loss.n, squares)?;
            }
        }
        Ok(())
    }
}

/// The globals are all factors: `local_step` only sums.
impl Exchangeable for ArdRegression {
    type Globals = ArdRegressionFactors;
    type BatchStats = ArdRegressionBatch;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        self.blocks()
    }

    fn globals(&self, factors: &ArdRegressionFactors, _: &ArdRegressionStats) -> ArdRegressionFactors {
        factors.clone()
    }

    fn local_step(
        &self,
        _globals: &ArdRegressionFactors,
        batch: Batch<'_>,
        _exec: Exec<'_>,
    ) -> Result<ArdRegressionBatch, ConjugateError> {
        let rows = self.data.rows(batch.indices);
        Ok(ArdRegressionBatch(QuadraticLoss::new(&rows, self.loss.reference.clone(), batch.scale)))
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, block: Block, globals: &ArdRegressionFactors, eta: &mut ArrayRef1<f64>) {
        self.natural(block, globals, eta);
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &ArdRegressionBatch,
        globals: &ArdRegressionFactors,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let mut optimum = globals.clone();
        self.set_conditional(block, &batch.0, &mut optimum).map_err(|e| refused(block, e))?;
        self.natural(block, &optimum, eta);
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut ArdRegressionFactors,
    ) -> Result<(), ConjugateError> {
        self.set_natural(block, eta, globals)
    }

    fn complete(
        &self,
        globals: &ArdRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(ArdRegressionFactors, ArdRegressionStats), ConjugateError> {
        let precision = self.priors.noise.expected(globals.noise.as_ref());
        Ok((globals.clone(), self.expected_under(globals, precision, exec)))
    }
}
