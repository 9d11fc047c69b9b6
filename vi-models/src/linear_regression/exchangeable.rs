//! The responses are exchangeable given β and τ, and have no latent variables of their own.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::{ExponentialFamily, FamilyError, Gamma, MvGaussian};

use super::{
    LinearRegression, LinearRegressionBlock as Block, LinearRegressionFactors, LinearRegressionStats,
    NoisePrior,
};
use crate::checks::refused;
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::gaussian_from_shift;

/// The sum of squares of a batch as a quadratic form in β, every term counted N/|B| times.
#[derive(Clone, Debug)]
pub struct LinearRegressionBatch(QuadraticLoss);

impl LinearRegression {
    /// q(β) given `E[τ]` and the loss of a batch.
    fn batch_coefficients(&self, loss: &QuadraticLoss, tau: f64) -> Result<MvGaussian, FamilyError> {
        let (mut precision, mut shift) = (&loss.gram * tau, &loss.gradient * tau);
        for (j, p) in self.precisions.iter().enumerate() {
            let prior = self.prior_scale(tau) * p;
            precision[[j, j]] += prior;
            shift[j] += prior * (self.priors.coefficient_mean - loss.reference[j]);
        }
        gaussian_from_shift(&loss.reference, &shift, &precision)
    }

    /// q(τ) given q(β) and the loss of a batch.
    fn batch_noise(&self, loss: &QuadraticLoss, q: &MvGaussian) -> Result<Option<Gamma>, FamilyError> {
        let NoisePrior::Gamma { shape, rate } = self.priors.noise else { return Ok(None) };
        let squares = loss.at(q.mean()) + (&loss.gram * q.covariance()).sum();
        let prior_squares = self.prior_squares(q.mean()) + self.precisions.dot(&q.covariance().diag());
        let power = self.priors.power();
        let n = loss.n + power * self.n_coefficients() as f64;
        Gamma::from_shape_rate(shape + 0.5 * n, rate + 0.5 * (squares + power * prior_squares)).map(Some)
    }
}

/// The globals are all factors: `local_step` only sums.
impl Exchangeable for LinearRegression {
    type Globals = LinearRegressionFactors;
    type BatchStats = LinearRegressionBatch;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        self.blocks()
    }

    fn globals(
        &self,
        factors: &LinearRegressionFactors,
        _: &LinearRegressionStats,
    ) -> LinearRegressionFactors {
        factors.clone()
    }

    fn local_step(
        &self,
        _globals: &LinearRegressionFactors,
        batch: Batch<'_>,
        _exec: Exec<'_>,
    ) -> Result<LinearRegressionBatch, ConjugateError> {
        let rows = self.data.rows(batch.indices);
        Ok(LinearRegressionBatch(QuadraticLoss::new(&rows, self.loss.reference.clone(), batch.scale)))
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, block: Block, globals: &LinearRegressionFactors, eta: &mut ArrayRef1<f64>) {
        self.natural(block, globals, eta);
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &LinearRegressionBatch,
        globals: &LinearRegressionFactors,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Coefficients => {
                let q = self
                    .batch_coefficients(&batch.0, self.priors.noise.expected(globals.noise.as_ref()).mean);
                eta.assign(&q.map_err(|e| refused(block, e))?.natural());
            }
            Block::Noise => {
                let q = self.batch_noise(&batch.0, &globals.coefficients).map_err(|e| refused(block, e))?;
                if let Some(q) = q {
                    eta.assign(&q.natural());
                }
            }
        }
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut LinearRegressionFactors,
    ) -> Result<(), ConjugateError> {
        self.set_natural(block, eta, globals)
    }

    fn complete(
        &self,
        globals: &LinearRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(LinearRegressionFactors, LinearRegressionStats), ConjugateError> {
        let precision = self.priors.noise.expected(globals.noise.as_ref());
        let mut stats = LinearRegressionStats {
            coefficients: Array1::zeros(self.n_coefficients()),
            squares: 0.0,
            prior_squares: 0.0,
            precision: precision.mean,
            log_precision: precision.log,
        };
        for &block in self.blocks() {
            self.expect(block, globals, &mut stats, exec);
        }
        Ok((globals.clone(), stats))
    }
}
