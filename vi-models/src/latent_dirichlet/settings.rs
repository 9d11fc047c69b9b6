//! How the factors of a document are found.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Where the iteration of a document begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStart {
    /// At its last γ: then no update of a document lowers the bound.
    #[default]
    Warm,
    /// At γ = 1, as if the document were new. A document has several optima, so that this can lower the bound, which a fit
    /// reports as an error; it is what Hoffman, Blei & Bach and scikit-learn do.
    Fresh,
}

/// The iteration over q(θ_d) and q(z_d) of a document, in turn, given the topics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentUpdate {
    /// The mean over topics of |Δγ_k| below which it ends; 1e-3 by default.
    pub tolerance: f64,
    /// Iterations at most; 100 by default.
    pub max_iterations: usize,
    /// Where it begins; at the last γ by default.
    pub start: DocumentStart,
}

impl Default for DocumentUpdate {
    fn default() -> Self {
        Self { tolerance: 1e-3, max_iterations: 100, start: DocumentStart::Warm }
    }
}

impl DocumentUpdate {
    pub(crate) fn validate(self, model: &'static str) -> Result<(), ModelError> {
        let refused = |parameter: &str, value, requirement| {
            let parameter = format!("document_update.{parameter}");
            Err(ModelError::Prior { model, parameter, value, requirement })
        };
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return refused("tolerance", self.tolerance, "finite and ≥ 0");
        }
        if self.max_iterations == 0 {
            return refused("max_iterations", 0.0, "at least 1");
        }
        Ok(())
    }
}
