//! The natural parameters of the factors of the centred form.

use ndarray::{Array1, ArrayRef1, ArrayView1, array};
use vi_core::{ConjugateError, NaturalFactors};
use vi_families::{ExponentialFamily, FamilyError, Gaussian, InverseGamma};

use super::{EightSchoolsBlock as Block, EightSchoolsCentred, EightSchoolsFactors};
use crate::checks::refused;

/// (−shape, −scale): η against dx/x, where every multiple of a member is one.
fn natural(q: &InverseGamma) -> Array1<f64> {
    array![-q.shape(), -q.scale()]
}

fn from_natural(eta: &ArrayRef1<f64>) -> Result<InverseGamma, FamilyError> {
    InverseGamma::from_shape_scale(-eta[0], -eta[1])
}

impl NaturalFactors for EightSchoolsCentred {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Effects => 2 * self.n_schools(),
            Block::Mean | Block::Variance | Block::Auxiliary => 2,
        }
    }

    fn natural(&self, block: Block, factors: &EightSchoolsFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Effects => {
                for (j, q) in factors.effects.iter().enumerate() {
                    let natural = q.natural();
                    (eta[2 * j], eta[2 * j + 1]) = (natural[0], natural[1]);
                }
            }
            Block::Mean => eta.assign(&factors.mean.natural()),
            Block::Variance => eta.assign(&natural(&factors.variance)),
            Block::Auxiliary => eta.assign(&natural(&factors.auxiliary)),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut EightSchoolsFactors,
    ) -> Result<(), ConjugateError> {
        let mut set = || -> Result<(), FamilyError> {
            match block {
                Block::Effects => {
                    for (j, q) in factors.effects.iter_mut().enumerate() {
                        *q = Gaussian::from_natural(&ArrayView1::from(&[eta[2 * j], eta[2 * j + 1]]))?;
                    }
                }
                Block::Mean => factors.mean = Gaussian::from_natural(eta)?,
                Block::Variance => factors.variance = from_natural(eta)?,
                Block::Auxiliary => factors.auxiliary = from_natural(eta)?,
            }
            Ok(())
        };
        set().map_err(|e| refused(block, e))
    }
}
