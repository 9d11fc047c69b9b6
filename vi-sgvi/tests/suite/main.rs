//! Tests of the crate through its public interface.

mod bench;
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod common;
mod convergence;
mod determinism;
mod failures;
mod posterior;
mod settings;
mod unbiased_bernoulli;
mod unbiased_gaussian;
