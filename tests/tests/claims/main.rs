//! What the crates claim together.

mod bounds;
mod data;
mod determinism;
mod faults;
mod known_posteriors;
mod posteriordb;
mod resume;
