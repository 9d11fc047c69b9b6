//! The settings of a fit.

use serde::{Deserialize, Serialize};

use crate::error::CaviError;

/// The settings of a fit by coordinate ascent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaviSettings {
    /// Sweeps at most, for each restart; 2000 by default.
    pub max_iterations: u64,
    /// A sweep that changes the ELBO by less than this, relative to `1 + |ELBO|`, ends the restart; 1e-9 by
    /// default.
    pub tolerance: f64,
    /// The number of starts; 1 by default. The best ELBO is kept.
    pub n_restarts: u32,
    /// Whether the ELBO is checked after every block, so that a fall names it; true by default.
    pub check_blocks: bool,
}

impl Default for CaviSettings {
    fn default() -> Self {
        Self { max_iterations: 2000, tolerance: 1e-9, n_restarts: 1, check_blocks: true }
    }
}

impl CaviSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        let at_least_one = "at least 1";
        if self.max_iterations == 0 {
            return Err(CaviError::Setting {
                setting: "max_iterations",
                value: 0.0,
                requirement: at_least_one,
            });
        }
        if self.n_restarts == 0 {
            return Err(CaviError::Setting { setting: "n_restarts", value: 0.0, requirement: at_least_one });
        }
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return Err(CaviError::Setting {
                setting: "tolerance",
                value: self.tolerance,
                requirement: "finite and ≥ 0",
            });
        }
        Ok(())
    }
}
