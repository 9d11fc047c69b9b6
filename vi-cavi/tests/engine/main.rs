//! What coordinate ascent is built into: checks, restarts, damping, annealing, minibatches, moves.

#[path = "../common/mod.rs"]
mod common;

mod annealing;
mod damping;
mod data;
mod moves;
mod restarts;
mod stationary;
mod stochastic;
