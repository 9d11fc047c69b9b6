//! The variational families: the whole contract of each, values, and what they share with each other.

#[path = "../common/mod.rs"]
mod common;

mod families;
mod gaussians;
mod mixture;
mod natural;
mod student_t;

use ndarray::Array1;
use proptest::prelude::*;
use vi_core::{Parameter, ParameterSpace, Support};

/// One real vector of length `d`.
pub(crate) fn reals(d: usize) -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("theta", d, Support::Real)]).unwrap()
}

/// `n` values between −`size` and `size`.
pub(crate) fn params(n: usize, size: f64) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(-size..size, n).prop_map(Array1::from)
}
mod transports;
