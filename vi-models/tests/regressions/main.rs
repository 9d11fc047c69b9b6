//! Regressions: contracts, bounds against exact evidence, samplers against exact moments, and what is refused.

mod ard;
mod common;
mod probit;
mod student_t;
