//! The natural parameters of q(g) and q(β).

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::ExponentialFamily;

use super::{ProbitRegression, ProbitRegressionBlock as Block, ProbitRegressionFactors};
use crate::natural::{gaussian_len, set};

/// Of N(c, 1) on a half-line against the standard normal measure there it is c, with T(g) = g.
impl NaturalFactors for ProbitRegression {
    fn n_natural(&self, block: Block) -> usize {
        let (n, d) = self.data.x().dim();
        match block {
            Block::Latents => n,
            Block::Coefficients => gaussian_len(d),
        }
    }

    fn natural(&self, block: Block, factors: &ProbitRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Latents => eta.assign(&factors.locations),
            Block::Coefficients => eta.assign(&factors.coefficients.natural()),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut ProbitRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Latents => {
                if let Some((n, &value)) = eta.indexed_iter().find(|(_, c)| !c.is_finite()) {
                    let (block, parameter) = (format!("{block:?}"), format!("location[{n}]"));
                    return Err(ConjugateError::Domain { block, parameter, value });
                }
                factors.locations.assign(eta);
                Ok(())
            }
            Block::Coefficients => set(&mut factors.coefficients, eta, block),
        }
    }
}
