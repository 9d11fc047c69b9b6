//! Shapes that the methods of a plate ask for, and where a refused parameter stands.

use ndarray::{ArrayRef1, ArrayRef2};

use crate::error::FamilyError;
use crate::validate::domain;

/// The values of a matrix that stands row after row.
pub(super) fn rows<'a>(x: &'a ArrayRef2<f64>, name: &str, n_rows: usize, width: usize) -> &'a [f64] {
    assert_eq!(x.dim(), (n_rows, width), "{name}: wrong shape");
    x.as_slice().unwrap_or_else(|| panic!("{name}: not stored row after row"))
}

pub(super) fn rows_mut<'a>(
    x: &'a mut ArrayRef2<f64>,
    name: &str,
    n_rows: usize,
    width: usize,
) -> &'a mut [f64] {
    assert_eq!(x.dim(), (n_rows, width), "{name}: wrong shape");
    x.as_slice_mut().unwrap_or_else(|| panic!("{name}: not stored row after row"))
}

pub(super) fn values<'a>(x: &'a ArrayRef1<f64>, name: &str, n: usize) -> &'a [f64] {
    assert_eq!(x.len(), n, "{name}: wrong length");
    x.as_slice().unwrap_or_else(|| panic!("{name}: not in one piece"))
}

pub(super) fn values_mut<'a>(x: &'a mut ArrayRef1<f64>, name: &str, n: usize) -> &'a mut [f64] {
    assert_eq!(x.len(), n, "{name}: wrong length");
    x.as_slice_mut().unwrap_or_else(|| panic!("{name}: not in one piece"))
}

/// A parameter that a family refuses: element `parameter` of row `row` of the parameters.
pub(super) fn refused(
    family: &'static str,
    parameter: &str,
    row: usize,
    value: f64,
    requirement: &'static str,
) -> FamilyError {
    domain(family, format!("{parameter} of row {row}"), value, requirement)
}
