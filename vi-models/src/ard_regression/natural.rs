//! The natural parameters of q(β), q(α) and q(τ).

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::ExponentialFamily;

use super::{ArdRegression, ArdRegressionBlock as Block, ArdRegressionFactors};
use crate::natural::{gaussian_len, of_gammas, of_precision, set, set_gammas, set_precision};

impl NaturalFactors for ArdRegression {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Coefficients => gaussian_len(self.n_coefficients()),
            Block::Relevances => 2 * self.n_slopes(),
            Block::Noise => self.priors.noise.n_natural(),
        }
    }

    fn natural(&self, block: Block, factors: &ArdRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Coefficients => eta.assign(&factors.coefficients.natural()),
            Block::Relevances => of_gammas(&factors.relevances, eta),
            Block::Noise => of_precision(factors.noise.as_ref(), eta),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut ArdRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Coefficients => set(&mut factors.coefficients, eta, block),
            Block::Relevances => set_gammas(&mut factors.relevances, eta, block),
            Block::Noise => set_precision(&mut factors.noise, eta, block),
        }
    }
}
