//! Conditionally conjugate models without their associated types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_core::ConditionallyConjugate;

use crate::config::{CaviSettings, GibbsSettings};
use crate::error::LabError;
use crate::methods::{Context, Fitted, cavi, gibbs};

/// The methods over complete conditionals, for a model whose type is not known.
pub trait Conjugate: Send + Sync {
    /// Coordinate-ascent variational inference.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn cavi(&self, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError>;

    /// The Gibbs sampler.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn gibbs(&self, settings: &GibbsSettings, context: &Context<'_>) -> Result<Fitted, LabError>;
}

impl<M> Conjugate for M
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    fn cavi(&self, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        cavi::fit(self, settings, context)
    }

    fn gibbs(&self, settings: &GibbsSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        gibbs::fit(self, settings, context)
    }
}
