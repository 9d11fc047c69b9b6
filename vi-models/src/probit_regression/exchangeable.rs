//! The labels are exchangeable given β; the latents g are local.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::{ExponentialFamily, MvGaussian};

use super::{
    ProbitRegression, ProbitRegressionBlock as Block, ProbitRegressionFactors, ProbitRegressionStats,
    half_normal,
};
use crate::natural;

const GLOBAL_BLOCKS: [Block; 1] = [Block::Coefficients];

/// What q(β) needs of a batch, every datum counted N/|B| times.
#[derive(Clone, Debug)]
pub struct ProbitRegressionBatch {
    /// `Xᵀ E[g]` (D).
    shift: Array1<f64>,
}

/// The global factor is q(β). Its precision depends neither on the labels nor on the latents: it is that of all data,
/// which the model holds, and not that of a batch.
impl Exchangeable for ProbitRegression {
    type Globals = MvGaussian;
    type BatchStats = ProbitRegressionBatch;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        &GLOBAL_BLOCKS
    }

    fn globals(&self, factors: &ProbitRegressionFactors, _: &ProbitRegressionStats) -> MvGaussian {
        factors.coefficients.clone()
    }

    /// ```text
    /// c_n = x_nᵀm,    E[g_n] that of N(c_n, 1) on its half-line
    /// ```
    fn local_step(
        &self,
        globals: &MvGaussian,
        batch: Batch<'_>,
        _exec: Exec<'_>,
    ) -> Result<ProbitRegressionBatch, ConjugateError> {
        let rows = self.data.rows(batch.indices);
        let mut latents = rows.linear_predictor(globals.mean());
        for (c, &n) in latents.iter_mut().zip(batch.indices) {
            let sign = self.sign(n);
            *c = batch.scale * sign * half_normal::mean(sign * *c);
        }
        Ok(ProbitRegressionBatch { shift: rows.x().t().dot(&latents) })
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, _block: Block, globals: &MvGaussian, eta: &mut ArrayRef1<f64>) {
        eta.assign(&globals.natural());
    }

    fn global_conditional(
        &self,
        _block: Block,
        batch: &ProbitRegressionBatch,
        _globals: &MvGaussian,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        eta.assign(&self.coefficients_of_shift(&batch.shift)?.natural());
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
    ) -> Result<(ProbitRegressionFactors, ProbitRegressionStats), ConjugateError> {
        let (n, d) = self.data.x().dim();
        let mut stats = ProbitRegressionStats {
            latents: Array1::zeros(n),
            coefficients: Array1::zeros(d),
            predictors: Array1::zeros(n),
            quadratic: 0.0,
        };
        let mut factors =
            ProbitRegressionFactors { locations: Array1::zeros(n), coefficients: globals.clone() };
        self.expect(Block::Coefficients, &factors, &mut stats, exec);
        self.condition(Block::Latents, &stats, &mut factors, exec)?;
        self.expect(Block::Latents, &factors, &mut stats, exec);
        Ok((factors, stats))
    }
}
