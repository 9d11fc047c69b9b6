//! Regressions: contracts, bounds against exact evidence, samplers against exact moments, and what is refused.

mod ard;
mod common;
mod multinomial;
mod probit;
mod spike_and_slab;
mod student_t;
