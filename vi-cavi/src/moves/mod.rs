//! Splits, merges and deletions of components that lead out of bad optima.

mod candidates;
mod kernel;

pub use candidates::Move;
pub use kernel::{Accepted, MoveSettings, MoveState, MovingCavi};
