//! The fitted q as a posterior.

use ndarray::{Array1, Array3, ArrayRef1};
use vi_core::{Draws, Exec, ParameterSpace, Posterior, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::error::SgviError;
use crate::workspace::matrix_mut;

/// A member q_λ of a variational family over the latent variables of a model.
#[derive(Clone, Debug)]
pub struct SgviPosterior<F> {
    family: F,
    params: Array1<f64>,
    parameters: ParameterSpace,
}

impl<F: VariationalFamily> SgviPosterior<F> {
    /// q_λ over `parameters`, on whose support the family draws.
    ///
    /// # Errors
    /// [`SgviError::Family`] when λ is outside its domain, [`SgviError::Dimension`] when family and
    /// parameters do not fit.
    pub fn new(family: F, params: Array1<f64>, parameters: ParameterSpace) -> Result<Self, SgviError> {
        if family.dim() != parameters.dim() {
            return Err(SgviError::Dimension { model: parameters.dim(), family: family.dim() });
        }
        family.bind(&params)?;
        Ok(Self { family, params, parameters })
    }

    /// The family.
    pub fn family(&self) -> &F {
        &self.family
    }

    /// λ (P).
    pub fn params(&self) -> &Array1<f64> {
        &self.params
    }

    /// q_λ.
    pub fn member(&self) -> F::Member<'_> {
        self.family.bind(&self.params).expect("λ was validated when the posterior was made")
    }
}

impl<F: VariationalFamily> Posterior for SgviPosterior<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let (q, d) = (self.member(), self.family.dim());
        let mut values = vec![0.0; n * d];
        Exec::local().for_each_chunk(&mut values, d, |items, rows| {
            q.sample_batch(key, items, &mut matrix_mut(rows, d));
        });
        let values = Array3::from_shape_vec((1, n, d), values).expect("n rows of length D were made");
        Draws::new(self.parameters.clone(), values)
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        Some(self.member().log_prob(z))
    }
}
