//! Tests of the crate through its public interface.

mod bench;
mod common;
mod convergence;
mod determinism;
mod failures;
mod posterior;
mod settings;
mod unbiased_bernoulli;
mod unbiased_gaussian;
mod windows;
