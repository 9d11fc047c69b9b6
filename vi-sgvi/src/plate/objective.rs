//! The objective of a plate.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::PlateModel;
use vi_families::PlateFamily;

use super::recognition::Recognition;
use crate::error::SgviError;

/// The evidence lower bound of a plate as a function of θ and of λ or ψ: a model, a family and a recognition that fit.
///
/// ```text
/// ELBO = log p(θ) + Σ_n E_q[log p_θ(x_n, z_n) − log q_{λ_n}(z_n)] ≤ log p(θ) + Σ_n log p_θ(x_n)
/// ```
#[derive(Debug)]
pub struct PlateElbo<'a, M, F, R> {
    model: &'a M,
    family: &'a F,
    recognition: &'a R,
}

impl<M, F, R> Clone for PlateElbo<'_, M, F, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, F, R> Copy for PlateElbo<'_, M, F, R> {}

impl<'a, M: PlateModel, F: PlateFamily, R: Recognition> PlateElbo<'a, M, F, R> {
    /// The objective of this model over this family, with local parameters from this recognition.
    ///
    /// # Errors
    /// [`SgviError`] when there are no data, or the parts do not fit.
    pub fn new(model: &'a M, family: &'a F, recognition: &'a R) -> Result<Self, SgviError> {
        if model.n_data() == 0 {
            return Err(SgviError::NoData { what: "data" });
        }
        let (in_model, in_family) = (model.local_parameters().dim(), family.dim());
        if in_model != in_family {
            return Err(SgviError::Dimension { model: in_model, family: in_family });
        }
        length("the recognition's data", recognition.n_data(), model.n_data())?;
        length("the recognition's local parameters", recognition.n_local_params(), family.n_params())?;
        Ok(Self { model, family, recognition })
    }

    /// θ and ψ have their lengths.
    pub(super) fn check_lengths(
        &self,
        model_params: &ArrayRef1<f64>,
        params: &ArrayRef1<f64>,
    ) -> Result<(), SgviError> {
        length("the model parameters", model_params.len(), self.model.model_parameters().dim())?;
        length("the recognition's parameters", params.len(), self.recognition.n_params())
    }

    /// λ of all data (N, P) at ψ.
    ///
    /// # Errors
    /// [`SgviError::Length`] when ψ has another length.
    pub fn local_params(&self, params: &ArrayRef1<f64>) -> Result<Array2<f64>, SgviError> {
        length("the recognition's parameters", params.len(), self.recognition.n_params())?;
        let n = self.model.n_data();
        let data: Vec<usize> = (0..n).collect();
        let mut out = Array2::zeros((n, self.family.n_params()));
        self.recognition.local_params(params, &data, &mut out);
        Ok(out)
    }

    /// The model takes this θ.
    pub(super) fn check_model_params(&self, model_params: &Array1<f64>) -> Result<(), SgviError> {
        self.model.at(model_params, &mut M::Cache::default())?;
        Ok(())
    }
}

impl<'a, M, F, R> PlateElbo<'a, M, F, R> {
    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The family.
    pub fn family(&self) -> &'a F {
        self.family
    }

    /// Where local parameters come from.
    pub fn recognition(&self) -> &'a R {
        self.recognition
    }
}

pub(super) fn length(name: &'static str, actual: usize, expected: usize) -> Result<(), SgviError> {
    if actual == expected { Ok(()) } else { Err(SgviError::Length { name, expected, actual }) }
}
