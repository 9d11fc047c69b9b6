//! Whole runs: optimizers, divergence, minibatches, several starts, stopping.
//!
//! Steps are compared with the published formulas worked out by hand, identities to rounding. Runs are seeded; where a
//! threshold is statistical, the test says with which probability it fails without a cause.

#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod common;
mod divergence;
mod minibatches;
mod models;
mod optimizers;
mod sample_growth;
mod starts;
mod stationarity;
