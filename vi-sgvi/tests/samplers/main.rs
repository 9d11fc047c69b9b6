//! How points are drawn: antithetic pairs, randomised quasi-Monte Carlo, overdispersed proposals.
//!
//! `check_estimator` lets the mean of 300 or 400 estimates lie 5 standard errors off, for each element of λ: fewer than
//! 2600 elements in this binary make its false-alarm probability at most 1.5e-3.

#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests")]
mod common;
mod exact;
mod families;
mod grid;
mod limits;
mod orderings;
mod reuse;
