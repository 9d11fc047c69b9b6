//! The labels are exchangeable given β; the Pólya-Gamma variables are local.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::{ExponentialFamily, MvGaussian};

use super::polya_gamma::mean;
use super::{
    LogisticRegression, LogisticRegressionBlock as Block, LogisticRegressionFactors, LogisticRegressionStats,
};
use crate::coefficients::{expected_squares, weighted_gram};
use crate::natural;

const GLOBAL_BLOCKS: [Block; 1] = [Block::Coefficients];

/// What q(β) needs of a batch, every datum counted N/|B| times.
#[derive(Clone, Debug)]
pub struct LogisticRegressionBatch {
    /// Xᵀ diag(E[ω]) X (D, D).
    precision: Array2<f64>,
    /// Σ (y_n − ½) x_n (D).
    shift: Array1<f64>,
}

/// The global factor is q(β).
impl Exchangeable for LogisticRegression {
    type Globals = MvGaussian;
    type BatchStats = LogisticRegressionBatch;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        &GLOBAL_BLOCKS
    }

    fn globals(&self, factors: &LogisticRegressionFactors, _: &LogisticRegressionStats) -> MvGaussian {
        factors.coefficients.clone()
    }

    /// ```text
    /// c_n² = (x_nᵀm)² + x_nᵀ V x_n,    E[ω_n] = tanh(c_n/2)/(2c_n)
    /// ```
    fn local_step(
        &self,
        globals: &MvGaussian,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<LogisticRegressionBatch, ConjugateError> {
        let d = self.data.n_columns();
        if batch.indices.is_empty() {
            // A batch of a multinomial regression may hold no datum that reaches this stick.
            let nothing = (Array2::zeros((d, d)), Array1::zeros(d));
            return Ok(LogisticRegressionBatch { precision: nothing.0, shift: nothing.1 });
        }
        let rows = self.data.rows(batch.indices);
        let mut weights = Array1::zeros(rows.n_points());
        let covariance = Some(&**globals.covariance());
        expected_squares(rows.x(), None, globals.mean(), covariance, &mut weights, exec);
        weights.mapv_inplace(|square| batch.scale * mean(square.sqrt()));
        let residuals = rows.y().mapv(|y| batch.scale * (y - 0.5));
        let precision = weighted_gram(rows.x(), &weights, exec)?;
        Ok(LogisticRegressionBatch { precision, shift: rows.x().t().dot(&residuals) })
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, _block: Block, globals: &MvGaussian, eta: &mut ArrayRef1<f64>) {
        eta.assign(&globals.natural());
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &LogisticRegressionBatch,
        _globals: &MvGaussian,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let q = self.prior.posterior_of_gram(batch.precision.clone(), &batch.shift, block)?;
        eta.assign(&q.natural());
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut MvGaussian,
    ) -> Result<(), ConjugateError> {
        natural::set(globals, eta, block)
    }

    fn complete(
        &self,
        globals: &MvGaussian,
        exec: Exec<'_>,
    ) -> Result<(LogisticRegressionFactors, LogisticRegressionStats), ConjugateError> {
        let (n, d) = self.data.x().dim();
        let mut stats = LogisticRegressionStats {
            coefficients: Array1::zeros(d),
            prior_squares: 0.0,
            squared_logits: Array1::zeros(n),
            augmentation: Array1::zeros(n),
        };
        let mut factors =
            LogisticRegressionFactors { coefficients: globals.clone(), tilts: Array1::zeros(n) };
        self.expect(Block::Coefficients, &factors, &mut stats, exec);
        self.condition(Block::Augmentation, &stats, &mut factors, exec)?;
        self.expect(Block::Augmentation, &factors, &mut stats, exec);
        Ok((factors, stats))
    }
}
