//! Gradients cut to a length.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use crate::error::{SgviError, require};

/// Whether gradients are cut to a length before the optimizer sees them.
///
/// **This is a bias.** The mean of cut gradients is not the cut mean: where noise is skewed, as that of the score function
/// is, a run with clipping ends beside the optimum. It is off by default, a fit counts the steps it touched
/// ([`crate::SgviFit::n_clipped`]), and names it among its biases ([`crate::SgviFit::biases`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipping {
    /// Gradients as they come.
    #[default]
    None,
    /// Gradients longer than c are shortened to c.
    ///
    /// ```text
    /// ĝ ← ĝ · min(1, c / ‖ĝ‖)
    /// ```
    /// Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.
    MaxNorm(f64),
}

impl Clipping {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        match *self {
            Self::None => Ok(()),
            Self::MaxNorm(norm) => require(norm > 0.0, "clipping.max_norm", norm, "finite and > 0"),
        }
    }

    /// Cuts a gradient (P) of this norm; whether there was anything to cut.
    pub(crate) fn cut(&self, norm: f64, grad: &mut ArrayRef1<f64>) -> bool {
        match *self {
            Self::MaxNorm(limit) if norm > limit => {
                grad.mapv_inplace(|g| g * (limit / norm));
                true
            }
            _ => false,
        }
    }
}
