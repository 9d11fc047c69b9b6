//! The labels are exchangeable given β; the Pólya-Gamma variables are local.

use ndarray::{Array1, Array2, ArrayRef1, ArrayViewMut2, Axis, s};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors, linalg};
use vi_families::{ExponentialFamily, MvGaussian};

use super::polya_gamma::mean;
use super::{
    LogisticRegression, LogisticRegressionBlock as Block, LogisticRegressionFactors, LogisticRegressionStats,
};
use crate::checks::refused;
use crate::regression::gaussian_from_shift;

const GLOBAL_BLOCKS: [Block; 1] = [Block::Coefficients];

/// Rows that are summed into one partial.
const ROWS_PER_ITEM: usize = 4;

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
        let (n, d) = (batch.indices.len(), self.data.n_columns());
        let mut sums = Array1::zeros(d * d + d);
        exec.sum(n.div_ceil(ROWS_PER_ITEM), &mut sums, |items, partial| {
            let rows = &batch.indices[items.start * ROWS_PER_ITEM..(items.end * ROWS_PER_ITEM).min(n)];
            let mut x = self.data.x().select(Axis(0), rows);
            let mut product = Array2::zeros(x.raw_dim());
            linalg::gemm(1.0, &x, globals.covariance(), 0.0, &mut product);
            let (precision, mut shift) = partial.view_mut().split_at(Axis(0), d * d);
            for ((mut x, v), &row) in x.rows_mut().into_iter().zip(product.rows()).zip(rows) {
                shift.scaled_add(self.data.y()[row] - 0.5, &x);
                let omega = mean((x.dot(globals.mean()).powi(2) + x.dot(&v)).sqrt());
                x *= omega.sqrt();
            }
            let precision = precision.into_slice().expect("a partial is contiguous");
            let mut precision = ArrayViewMut2::from_shape((d, d), precision).expect("d × d values");
            linalg::symmetric_rank_update(1.0, &x.t(), 1.0, &mut precision);
        })
        .map_err(|e| ConjugateError::Communication(e.to_string()))?;
        sums *= batch.scale;
        let shift = sums.slice(s![d * d..]).to_owned();
        let precision = sums.slice(s![..d * d]).to_owned().into_shape_with_order((d, d));
        Ok(LogisticRegressionBatch { precision: precision.expect("d × d values"), shift })
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
        let mut precision = batch.precision.clone();
        for (p, prior) in precision.diag_mut().iter_mut().zip(&self.prior.precisions) {
            *p += prior;
        }
        let origin = Array1::zeros(batch.shift.len());
        let q = gaussian_from_shift(&origin, &batch.shift, &precision).map_err(|e| refused(block, e))?;
        eta.assign(&q.natural());
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut MvGaussian,
    ) -> Result<(), ConjugateError> {
        *globals = MvGaussian::from_natural(eta).map_err(|e| refused(block, e))?;
        Ok(())
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
