//! Regressions: contracts, bounds against exact evidence, samplers against exact moments, and what is refused.

mod common;
mod student_t;
