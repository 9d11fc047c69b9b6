//! The settings of stochastic variational inference.

use serde::{Deserialize, Serialize};

use super::rate::LearningRate;
use crate::error::CaviError;
use crate::settings::require;

/// The settings of a fit by stochastic variational inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SviSettings {
    /// Data in a step; 256 by default, all of them if there are fewer.
    pub batch_size: usize,
    /// Passes over the data at most; 50 by default.
    pub n_epochs: u64,
    /// How far a step goes.
    pub rate: LearningRate,
    /// Steps between evaluations of the ELBO on all data, each of which is a pass over them; 0 (the default) is once per
    /// epoch.
    pub evaluate_every: u64,
    /// An evaluation that differs from the one before by less than this, relative to `1 + |ELBO|`, ends the fit; 1e-6 by
    /// default, 0 never does.
    pub tolerance: f64,
}

impl Default for SviSettings {
    fn default() -> Self {
        Self {
            batch_size: 256,
            n_epochs: 50,
            rate: LearningRate::default(),
            evaluate_every: 0,
            tolerance: 1e-6,
        }
    }
}

impl SviSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        require(self.batch_size > 0, "batch_size", self.batch_size as f64, "at least 1")?;
        require(self.n_epochs > 0, "n_epochs", self.n_epochs as f64, "at least 1")?;
        let tolerance = self.tolerance.is_finite() && self.tolerance >= 0.0;
        require(tolerance, "tolerance", self.tolerance, "finite and ≥ 0")?;
        self.rate.validate()
    }
}
