//! Shared by the Gaussian variational families.

use ndarray::ArrayRef1;
use vi_core::{ParameterError, ParameterSpace, Support};

use crate::error::FamilyError;

/// Rows, or coordinates, treated together: one register of the widest vectors.
pub(super) const LANES: usize = 8;

/// The names of the coordinates, if all of them are real.
pub(crate) fn real_names(space: &ParameterSpace, method: &str) -> Result<Vec<String>, FamilyError> {
    match space.parameters().iter().find(|p| p.support() != Support::Real) {
        None => Ok(space.names().to_vec()),
        Some(p) => Err(ParameterError::Unsupported {
            name: p.name().to_owned(),
            support: p.support(),
            method: method.to_owned(),
        }
        .into()),
    }
}

/// A log scale as (scale, 1/scale), if neither overflows.
pub(crate) fn scale(
    family: &'static str,
    name: impl FnOnce() -> String,
    log_scale: f64,
) -> Result<(f64, f64), FamilyError> {
    // Beyond ±300 the square of the scale, which variances and scores hold, leaves the range of f64.
    if log_scale.abs() <= 300.0 {
        return Ok((log_scale.exp(), (-log_scale).exp()));
    }
    Err(crate::validate::domain(family, name(), log_scale, "finite and within ±300"))
}

/// Calls `f` with the values in order; strided values are copied first.
#[inline]
pub(crate) fn with_slice<R>(x: &ArrayRef1<f64>, f: impl FnOnce(&[f64]) -> R) -> R {
    match x.as_slice() {
        Some(values) => f(values),
        None => f(&x.to_vec()),
    }
}

/// Calls `f` with the values in order; strided values are copied and written back.
#[inline]
pub(crate) fn with_slice_mut<R>(x: &mut ArrayRef1<f64>, f: impl FnOnce(&mut [f64]) -> R) -> R {
    if let Some(values) = x.as_slice_mut() {
        return f(values);
    }
    let mut values = x.to_vec();
    let result = f(&mut values);
    x.assign(&ndarray::aview1(&values));
    result
}
