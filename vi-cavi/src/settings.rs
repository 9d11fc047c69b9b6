//! The settings of a fit.

use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, Exec};

use crate::error::CaviError;
use crate::kernel::Cavi;
use crate::stationary::CheckStationary;

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
    /// When it is checked that every new factor is the optimum of its block; in the first sweep by default.
    pub check_stationary: CheckStationary,
    /// Whether the model's own moves of several blocks at once follow every sweep, where it has any; true by default.
    pub expansion: bool,
    /// Ends whose ELBOs differ by no more than this, relative to `1 + |ELBO|`, are one optimum; 1e-6 by default.
    pub same_optimum: f64,
}

impl Default for CaviSettings {
    fn default() -> Self {
        Self {
            max_iterations: 2000,
            tolerance: 1e-9,
            n_restarts: 1,
            check_blocks: true,
            check_stationary: CheckStationary::default(),
            expansion: true,
            same_optimum: 1e-6,
        }
    }
}

impl CaviSettings {
    /// Coordinate ascent over `model` with the checks and the expansion asked for.
    pub fn kernel<'a, M: ConditionallyConjugate>(&self, model: &'a M, exec: Exec<'a>) -> Cavi<'a, M> {
        Cavi::new(model, exec)
            .with_check_blocks(self.check_blocks)
            .with_check_stationary(self.check_stationary)
            .with_expansion(self.expansion)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        let whole = |setting, value| require(value > 0, setting, value as f64, "at least 1");
        let tolerance = |setting, value: f64| {
            require(value.is_finite() && value >= 0.0, setting, value, "finite and ≥ 0")
        };
        whole("max_iterations", self.max_iterations)?;
        whole("n_restarts", u64::from(self.n_restarts))?;
        tolerance("tolerance", self.tolerance)?;
        tolerance("same_optimum", self.same_optimum)
    }
}

/// An error that names a setting, unless the condition holds.
pub(crate) fn require(
    holds: bool,
    setting: &'static str,
    value: f64,
    requirement: &'static str,
) -> Result<(), CaviError> {
    if holds { Ok(()) } else { Err(CaviError::Setting { setting, value, requirement }) }
}
