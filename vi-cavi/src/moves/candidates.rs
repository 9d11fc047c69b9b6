//! Which moves are worth a trial.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::SplitMerge;

use super::kernel::MoveSettings;
use crate::kernel::StateOf;

/// A component with less than one datum is empty: what was freed, and what a split can go into.
const EMPTY: f64 = 1.0;

/// A move between optima of a model with interchangeable components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Components go to the places that the prior of their weights favours.
    Reorder,
    /// The data of `from` go to `into`.
    Merge {
        /// The component that is emptied.
        from: usize,
        /// The one that grows.
        into: usize,
    },
    /// The data of `component` are shared out.
    Delete {
        /// The component that is emptied.
        component: usize,
    },
    /// Half of `from` goes into the empty component `into`.
    Split {
        /// The component that is halved.
        from: usize,
        /// The empty one.
        into: usize,
    },
    /// Half of each of the `n` largest components goes into an empty one: for when components that are too wide keep each other
    /// so, and one alone cannot be narrower.
    SplitEach {
        /// How many components are halved.
        n: usize,
    },
    /// The data of `merged` go to `into`, and half of `split` into what that frees: for when no component is empty, and
    /// neither half of the move raises the bound alone.
    MergeSplit {
        /// The component that is emptied, and filled anew.
        merged: usize,
        /// The one that grows.
        into: usize,
        /// The component that is halved.
        split: usize,
    },
}

impl Move {
    /// In how many ways it is tried.
    pub(super) fn n_attempts(&self, settings: &MoveSettings) -> usize {
        match self {
            Self::Split { .. } | Self::SplitEach { .. } | Self::MergeSplit { .. } => settings.n_attempts,
            Self::Reorder | Self::Merge { .. } | Self::Delete { .. } => 1,
        }
    }
}

/// Components with data, the largest first, and those without.
pub(super) fn occupied_and_empty(sizes: &Array1<f64>) -> (Vec<usize>, Vec<usize>) {
    let (mut occupied, empty): (Vec<_>, Vec<_>) = (0..sizes.len()).partition(|k| sizes[*k] >= EMPTY);
    // Stable: of equals the first.
    occupied.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    (occupied, empty)
}

/// The moves of a round in the order in which they are tried: a function of the state alone, so that a resumed run tries
/// the same.
pub(super) fn candidates<M: SplitMerge>(model: &M, state: &StateOf<M>, settings: &MoveSettings) -> Vec<Move> {
    let sizes = model.component_sizes(&state.stats);
    let (occupied, empty) = occupied_and_empty(&sizes);
    let mut pairs = model.merge_candidates(&state.factors, &state.stats);
    pairs.truncate(settings.max_merges);
    // The smaller one is emptied.
    let merges = pairs.iter().map(|&(j, k)| if sizes[j] < sizes[k] { (j, k) } else { (k, j) });
    let mut moves = vec![Move::Reorder];
    moves.extend(merges.clone().map(|(from, into)| Move::Merge { from, into }));
    if occupied.len() > 1 {
        let smallest = occupied.iter().rev().take(settings.max_deletes);
        moves.extend(smallest.map(|&component| Move::Delete { component }));
    }
    let splits = occupied.iter().copied();
    match empty.first() {
        Some(&into) => {
            moves.extend(splits.map(|from| Move::Split { from, into }));
            let n = occupied.len().min(empty.len());
            moves.extend((n > 1).then_some(Move::SplitEach { n }));
        }
        None => {
            for (merged, into) in merges {
                // What was merged may come apart in another way.
                let splits = splits.clone().filter(|split| *split != merged);
                moves.extend(splits.map(|split| Move::MergeSplit { merged, into, split }));
            }
        }
    }
    moves
}
