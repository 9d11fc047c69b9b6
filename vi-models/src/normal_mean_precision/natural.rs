//! The natural parameters of both factors.

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::{ExponentialFamily, Gamma, Gaussian};

use super::{NormalMeanPrecision, NormalMeanPrecisionBlock as Block, NormalMeanPrecisionFactors};
use crate::checks::refused;

impl NaturalFactors for NormalMeanPrecision {
    fn n_natural(&self, _block: Block) -> usize {
        2
    }

    fn natural(&self, block: Block, factors: &NormalMeanPrecisionFactors, eta: &mut ArrayRef1<f64>) {
        eta.assign(&match block {
            Block::Mean => factors.mean.natural(),
            Block::Precision => factors.precision.natural(),
        });
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut NormalMeanPrecisionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Mean => factors.mean = Gaussian::from_natural(eta).map_err(|e| refused(block, e))?,
            Block::Precision => {
                factors.precision = Gamma::from_natural(eta).map_err(|e| refused(block, e))?
            }
        }
        Ok(())
    }
}
