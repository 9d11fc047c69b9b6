//! How points are drawn: antithetic pairs, randomised quasi-Monte Carlo, overdispersed proposals, points of the past.

#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests")]
mod common;
mod limits;
mod orderings;
mod reuse;
