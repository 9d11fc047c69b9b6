//! Methods beside stochastic gradients of the ELBO: score matching, fixed draws, particles.

mod common;
mod deterministic;
mod matching_failures;
mod matching_gaussian;
mod matching_objective;
mod stein;
