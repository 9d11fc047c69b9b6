//! Estimators that work factor by factor: what they cost, what they cannot do, and that bits do not depend on ranks.

mod adaptation;
mod bits;
#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod common;
mod determinism;
mod failures;
mod names;
mod quadrature;
