//! Which moves are worth a trial.

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

/// The moves of a round in the order in which they are tried: a function of the state alone, so that a resumed run tries
/// the same.
pub(super) fn candidates<M: SplitMerge>(model: &M, state: &StateOf<M>, settings: &MoveSettings) -> Vec<Move> {
    let sizes = model.component_sizes(&state.stats);
    let mut occupied: Vec<usize> = (0..model.n_components()).filter(|k| sizes[*k] >= EMPTY).collect();
    // Stable: of equals the first.
    occupied.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    let mut pairs = model.merge_candidates(&state.factors, &state.stats);
    pairs.truncate(settings.max_merges);
    // The smaller one is emptied.
    let merges = pairs.iter().map(|&(j, k)| if sizes[j] < sizes[k] { (j, k) } else { (k, j) });
    let mut moves: Vec<Move> = merges.clone().map(|(from, into)| Move::Merge { from, into }).collect();
    if occupied.len() > 1 {
        let smallest = occupied.iter().rev().take(settings.max_deletes);
        moves.extend(smallest.map(|&component| Move::Delete { component }));
    }
    let attempts = |split: usize| std::iter::repeat_n(split, settings.n_attempts);
    let empty = (0..model.n_components()).find(|k| sizes[*k] < EMPTY);
    let splits = occupied.iter().flat_map(|&split| attempts(split));
    match empty {
        Some(into) => moves.extend(splits.map(|from| Move::Split { from, into })),
        None => {
            for (merged, into) in merges {
                let splits = splits.clone().filter(|split| *split != merged && *split != into);
                moves.extend(splits.map(|split| Move::MergeSplit { merged, into, split }));
            }
        }
    }
    moves
}
