//! The natural parameters of q(β) and q(τ).

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::ExponentialFamily;

use super::{StudentTRegression, StudentTRegressionBlock as Block, StudentTRegressionFactors};
use crate::natural::{gaussian_len, of_precision, set, set_precision};

/// q(ν, λ) gives no access: it is kept by the s_n alone, at its optimum, and follows q(β) and q(τ).
impl NaturalFactors for StudentTRegression {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Scales => 0,
            Block::Coefficients => gaussian_len(self.n_coefficients()),
            Block::Noise => self.priors.noise.n_natural(),
        }
    }

    fn natural(&self, block: Block, factors: &StudentTRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Scales => {}
            Block::Coefficients => eta.assign(&factors.coefficients.natural()),
            Block::Noise => of_precision(factors.noise.as_ref(), eta),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut StudentTRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Scales => Ok(()),
            Block::Coefficients => set(&mut factors.coefficients, eta, block),
            Block::Noise => set_precision(&mut factors.noise, eta, block),
        }
    }
}
