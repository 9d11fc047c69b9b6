//! Estimators that work factor by factor, against enumeration and closed forms.
//!
//! A mean may lie 5 standard errors off; about 980 coordinates are compared, so that the false-alarm probability of
//! this binary is at most 5.6e-4 as far as means are normal. Variances are compared from the same replicates, with
//! margins that are stated where they are compared.

mod bits;
mod categories;
mod continuous;
mod determinism;
mod failures;
#[path = "../suite/common/gaussian_target.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use more of it")]
mod gaussian_target;
mod mixture;
mod models;
#[path = "../suite/common/ranks.rs"]
mod ranks;
