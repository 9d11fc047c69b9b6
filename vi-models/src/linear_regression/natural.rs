//! The natural parameters of q(β) and q(τ).

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::ExponentialFamily;

use super::{LinearRegression, LinearRegressionBlock as Block, LinearRegressionFactors};
use crate::natural::{gaussian_len, of_precision, set, set_precision};

impl NaturalFactors for LinearRegression {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Coefficients => gaussian_len(self.n_coefficients()),
            Block::Noise => self.priors.noise.n_natural(),
        }
    }

    fn natural(&self, block: Block, factors: &LinearRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Coefficients => eta.assign(&factors.coefficients.natural()),
            Block::Noise => of_precision(factors.noise.as_ref(), eta),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut LinearRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Coefficients => set(&mut factors.coefficients, eta, block),
            Block::Noise => set_precision(&mut factors.noise, eta, block),
        }
    }
}
