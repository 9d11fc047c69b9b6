//! The responses are exchangeable given ν, β and τ; the scales λ are local.
//!
//! ν is global, and its factor is stepped with that of the scales in a sweep. Its coordinates are log q(ν_k) less their mean:
//!
//! ```text
//! log q̂(ν_k) = N c_ν − (ν + 1)/2 (N/|B|) Σ_{n∈B} log(1 + s_n/ν) + const
//! ```

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, numerics};
use vi_families::{ExponentialFamily, Gamma, MvGaussian};

use super::{
    StudentTRegression, StudentTRegressionBlock as Block, StudentTRegressionFactors, StudentTRegressionStats,
};
use crate::checks::refused;
use crate::coefficients::expected_squares;
use crate::natural::{gaussian_len, of_precision, set, set_precision};
use crate::noise::NoisePrior;
use crate::regression::RegressionData;

/// ν has a block of its own only where it is not known.
const GLOBAL_BLOCKS: [Block; 3] = [Block::Scales, Block::Coefficients, Block::Noise];

/// The factors q(ν) q(β) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudentTRegressionGlobals {
    /// log q(ν_k) (K).
    pub log_dof: Array1<f64>,
    /// q(β).
    pub coefficients: MvGaussian,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
}

/// The data of a batch with their s_n: a scale is the sum over ν of what is global.
#[derive(Clone, Debug)]
pub struct StudentTRegressionBatch {
    rows: RegressionData,
    /// s_n (|B|).
    squares: Array1<f64>,
    /// Σ_n log(1 + s_n/ν_k) (K), every datum counted N/|B| times.
    tails: Array1<f64>,
    scale: f64,
}

impl StudentTRegressionBatch {
    /// N.
    fn n(&self) -> f64 {
        self.scale * self.squares.len() as f64
    }
}

impl StudentTRegression {
    /// `E[τ]`.
    fn expected_precision(&self, globals: &StudentTRegressionGlobals) -> f64 {
        self.priors.noise.expected(globals.noise.as_ref()).mean
    }

    /// `E[(y_n − x_nᵀβ)²]` of these data.
    fn squares_of(&self, rows: &RegressionData, q: &MvGaussian, exec: Exec<'_>) -> Array1<f64> {
        let mut out = Array1::zeros(rows.n_points());
        expected_squares(rows.x(), Some(rows.y()), q.mean(), Some(q.covariance()), &mut out, exec);
        out
    }

    /// (N/|B|) `E[λ_n]`.
    fn scales_of(&self, batch: &StudentTRegressionBatch, globals: &StudentTRegressionGlobals) -> Array1<f64> {
        let mut out = Array1::zeros(batch.squares.len());
        self.set_expected_scales(&globals.log_dof.mapv(f64::exp), &batch.squares, &mut out);
        out * batch.scale
    }
}

impl Exchangeable for StudentTRegression {
    type Globals = StudentTRegressionGlobals;
    type BatchStats = StudentTRegressionBatch;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn global_blocks(&self) -> &[Block] {
        let first = usize::from(self.priors.dof.len() == 1);
        match self.priors.noise {
            NoisePrior::Known { .. } => &GLOBAL_BLOCKS[first..2],
            NoisePrior::Gamma { .. } => &GLOBAL_BLOCKS[first..],
        }
    }

    fn globals(
        &self,
        factors: &StudentTRegressionFactors,
        _: &StudentTRegressionStats,
    ) -> StudentTRegressionGlobals {
        StudentTRegressionGlobals {
            log_dof: factors.log_dof.clone(),
            coefficients: factors.coefficients.clone(),
            noise: factors.noise.clone(),
        }
    }

    fn local_step(
        &self,
        globals: &StudentTRegressionGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<StudentTRegressionBatch, ConjugateError> {
        let rows = self.data.rows(batch.indices);
        let squares = self.squares_of(&rows, &globals.coefficients, exec) * self.expected_precision(globals);
        let mut tails = Array1::zeros(self.priors.dof.len());
        self.set_tails(&squares, &mut tails, exec)?;
        tails *= batch.scale;
        Ok(StudentTRegressionBatch { rows, squares, tails, scale: batch.scale })
    }

    fn n_global_natural(&self, block: Block) -> usize {
        match block {
            Block::Scales => self.priors.dof.len(),
            Block::Coefficients => gaussian_len(self.n_coefficients()),
            Block::Noise => self.priors.noise.n_natural(),
        }
    }

    fn global_natural(&self, block: Block, globals: &StudentTRegressionGlobals, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Scales => set_centred(&globals.log_dof, eta),
            Block::Coefficients => eta.assign(&globals.coefficients.natural()),
            Block::Noise => of_precision(globals.noise.as_ref(), eta),
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &StudentTRegressionBatch,
        globals: &StudentTRegressionGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let exec = Exec::local();
        match block {
            Block::Scales => set_centred(&self.log_dof_given(batch.n(), &batch.tails)?, eta),
            Block::Coefficients => {
                let weights = self.scales_of(batch, globals) * self.expected_precision(globals);
                eta.assign(&self.coefficients_of(&batch.rows, &weights, exec)?.natural());
            }
            Block::Noise => {
                let squares = self.squares_of(&batch.rows, &globals.coefficients, exec);
                let squares = self.scales_of(batch, globals).dot(&squares);
                let q = self.priors.noise.conditional(batch.n(), squares);
                of_precision(q.map_err(|e| refused(block, e))?.as_ref(), eta);
            }
        }
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut StudentTRegressionGlobals,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Scales => {
                let total = numerics::log_sum_exp(&eta.to_vec());
                globals.log_dof = eta.mapv(|l| l - total);
                Ok(())
            }
            Block::Coefficients => set(&mut globals.coefficients, eta, block),
            Block::Noise => set_precision(&mut globals.noise, eta, block),
        }
    }

    fn complete(
        &self,
        globals: &StudentTRegressionGlobals,
        exec: Exec<'_>,
    ) -> Result<(StudentTRegressionFactors, StudentTRegressionStats), ConjugateError> {
        let StudentTRegressionGlobals { log_dof, coefficients, noise } = globals.clone();
        let precision = self.priors.noise.expected(noise.as_ref());
        let (mut factors, mut stats) = self.blank(coefficients, noise, precision);
        self.expect(Block::Coefficients, &factors, &mut stats, exec);
        self.condition(Block::Scales, &stats, &mut factors, exec)?;
        factors.dof = log_dof.mapv(f64::exp);
        factors.log_dof = log_dof;
        self.expect(Block::Scales, &factors, &mut stats, exec);
        Ok((factors, stats))
    }
}

/// out ← log probabilities less their mean.
fn set_centred(log_probabilities: &Array1<f64>, out: &mut ArrayRef1<f64>) {
    let mean = log_probabilities.sum() / log_probabilities.len() as f64;
    out.zip_mut_with(log_probabilities, |o, l| *o = l - mean);
}
