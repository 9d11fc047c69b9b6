//! The natural parameters of q(ω) and q(β).

use ndarray::ArrayRef1;
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::ExponentialFamily;

use super::{LogisticRegression, LogisticRegressionBlock as Block, LogisticRegressionFactors};
use crate::natural::{gaussian_len, set};

/// Of PG(1, c) against PG(1, 0) it is −c²/2, with T(ω) = ω.
impl NaturalFactors for LogisticRegression {
    fn n_natural(&self, block: Block) -> usize {
        let (n, d) = self.data.x().dim();
        match block {
            Block::Augmentation => n,
            Block::Coefficients => gaussian_len(d),
        }
    }

    fn natural(&self, block: Block, factors: &LogisticRegressionFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Augmentation => eta.zip_mut_with(&factors.tilts, |e, c| *e = -0.5 * c * c),
            Block::Coefficients => eta.assign(&factors.coefficients.natural()),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut LogisticRegressionFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Augmentation => {
                if let Some((n, &value)) = eta.indexed_iter().find(|(_, e)| !(**e <= 0.0 && e.is_finite())) {
                    let (block, parameter) = (format!("{block:?}"), format!("eta[{n}]"));
                    return Err(ConjugateError::Domain { block, parameter, value });
                }
                factors.tilts.zip_mut_with(eta, |c, e| *c = (-2.0 * e).sqrt());
                Ok(())
            }
            Block::Coefficients => set(&mut factors.coefficients, eta, block),
        }
    }
}
