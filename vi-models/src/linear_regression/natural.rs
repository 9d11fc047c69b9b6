//! The natural parameters of q(β) and q(τ).

use ndarray::ArrayRef1;
use vi_core::{ConditionallyConjugate, ConjugateError, NaturalFactors};
use vi_families::{ExponentialFamily, Gamma, MvGaussian};

use super::{LinearRegression, LinearRegressionBlock as Block, LinearRegressionFactors};
use crate::checks::refused;

impl NaturalFactors for LinearRegression {
    fn n_natural(&self, block: Block) -> usize {
        let d = self.n_coefficients();
        match block {
            Block::Coefficients => d + d * (d + 1) / 2,
            Block::Noise if self.blocks().contains(&block) => 2,
            Block::Noise => 0,
        }
    }

    fn natural(&self, block: Block, factors: &LinearRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match (block, &factors.noise) {
            (Block::Coefficients, _) => eta.assign(&factors.coefficients.natural()),
            (Block::Noise, Some(q)) => eta.assign(&q.natural()),
            (Block::Noise, None) => {}
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut LinearRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Coefficients => {
                factors.coefficients = MvGaussian::from_natural(eta).map_err(|e| refused(block, e))?;
            }
            Block::Noise if factors.noise.is_some() => {
                factors.noise = Some(Gamma::from_natural(eta).map_err(|e| refused(block, e))?);
            }
            Block::Noise => {}
        }
        Ok(())
    }
}
