//! Whether a new factor is the optimum of its block.

use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};

use crate::error::CaviError;
use crate::kernel::StateOf;

/// How far a constant may seem to vary, relative to the terms that it is the difference of.
///
/// Looser than [`crate::FALL_TOLERANCE`]: a density at a draw loses digits with the condition number of its precision,
/// which an ELBO does not.
pub const STATIONARY_TOLERANCE: f64 = 1e-7;

/// Draws of a block that are compared.
const N_DRAWS: u64 = 3;

/// When it is checked that every new factor is the optimum of its block given the others.
///
/// A wrong conditional need not lower the bound: one with the right location and the wrong spread raises it from any start
/// that is bad enough, and then stands still below the optimum. What tells it is that the bound's derivative along the
/// factor does not vanish. At the optimum, and only there,
///
/// ```text
/// E_{q_−b}[log p(x, z)] − log q_b(z_b)     is the same for every z_b
/// ```
/// (for a factor without constraints this is the vanishing of the functional derivative), so the check compares it
/// between three draws of the block: with the block's statistics realised and the others expected, the first term is
/// the expected log joint, and no parameters have to be varied. Further it updates the block a second time, with nothing
/// else changed, which may not change the density of the draws. Draws whose density is not finite decide nothing. In a
/// discrete block draws can coincide, and then tell nothing.
///
/// A conditional is as wrong in the first sweep as in any other, so that is where it is checked by default, at about
/// the cost of a few more sweeps; the result is the same with and without. Blocks that say they are not
/// [exact](ConditionallyConjugate::is_exact) are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStationary {
    /// Not at all.
    Never,
    /// In the first sweep.
    #[default]
    FirstSweep,
    /// In every sweep: for developing a model.
    EverySweep,
}

impl CheckStationary {
    /// Whether to check in the sweep after `n_sweeps`.
    pub(crate) fn now(self, n_sweeps: usize) -> bool {
        match self {
            Self::Never => false,
            Self::FirstSweep => n_sweeps == 0,
            Self::EverySweep => true,
        }
    }
}

/// Checks the factor of `block` after its update. Draws come from `key`.
pub(crate) fn check<M: ConditionallyConjugate>(
    model: &M,
    block: M::Block,
    key: StreamKey,
    state: &mut StateOf<M>,
    exec: Exec<'_>,
) -> Result<(), CaviError> {
    let draws: Vec<M::Stats> = (0..N_DRAWS)
        .map(|s| {
            let mut stats = state.stats.clone();
            model.draw(block, &state.factors, key.fold_in(s), &mut stats, exec);
            stats
        })
        .collect();
    let densities = |state: &StateOf<M>| -> Vec<f64> {
        draws.iter().map(|stats| model.block_log_prob(block, &state.factors, stats)).collect()
    };
    let before = densities(state);
    let joints: Vec<f64> = draws.iter().map(|stats| model.expected_log_joint(stats)).collect();
    // In place: a second set of factors would double the memory of a mixture.
    model.condition(block, &state.stats, &mut state.factors, exec)?;
    let after = densities(state);
    let finite = |(a, b): &(&f64, &f64)| a.is_finite() && b.is_finite();
    let terms = || joints.iter().zip(&before).filter(finite);
    let scale = terms().map(|(p, q)| p.abs().max(q.abs())).fold(0.0, f64::max);
    let allowed = STATIONARY_TOLERANCE * (1.0 + scale);
    let amount = before.iter().zip(&after).filter(finite).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if amount > allowed {
        return Err(CaviError::UpdateNotRepeatable { block: format!("{block:?}"), amount, allowed });
    }
    let amount = spread(terms().map(|(p, q)| p - q));
    if amount > allowed {
        return Err(CaviError::NotStationary { block: format!("{block:?}"), amount, allowed });
    }
    Ok(())
}

/// The largest less the smallest of some values; 0 for none.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    (high - low).max(0.0)
}
