//! Distributions on the line, on intervals, on the circle and on the sphere: contract and reference values.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared by several test binaries, each with its own needs")]
mod common;
mod contract;
mod inversions;
mod reference;
mod values;
