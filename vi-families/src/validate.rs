//! Checks shared by the constructors.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use vi_core::linalg::{Cholesky, LinalgError};

use crate::error::FamilyError;

pub(crate) const FINITE: &str = "finite";
pub(crate) const POSITIVE: &str = "finite and > 0";

pub(crate) fn domain(
    family: &'static str,
    parameter: impl Into<String>,
    value: f64,
    requirement: &'static str,
) -> FamilyError {
    FamilyError::Domain { family, parameter: parameter.into(), value, requirement }
}

pub(crate) fn finite(family: &'static str, parameter: &str, value: f64) -> Result<f64, FamilyError> {
    if value.is_finite() { Ok(value) } else { Err(domain(family, parameter, value, FINITE)) }
}

/// Positive, and neither it nor its reciprocal overflows.
pub(crate) fn positive(family: &'static str, parameter: &str, value: f64) -> Result<f64, FamilyError> {
    if value > 0.0 && value.is_finite() && value.recip().is_finite() {
        return Ok(value);
    }
    let tiny = value > 0.0 && value.is_finite();
    Err(domain(
        family,
        parameter,
        value,
        if tiny { "large enough for a finite reciprocal" } else { POSITIVE },
    ))
}

pub(crate) fn finite_vector(
    family: &'static str,
    parameter: &str,
    values: &ArrayRef1<f64>,
) -> Result<(), FamilyError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(domain(family, format!("{parameter}[{i}]"), values[i], FINITE)),
        None => Ok(()),
    }
}

pub(crate) fn length(
    family: &'static str,
    parameter: &'static str,
    actual: usize,
    expected: usize,
) -> Result<(), FamilyError> {
    if actual == expected { Ok(()) } else { Err(FamilyError::Length { family, parameter, expected, actual }) }
}

pub(crate) fn no_member(family: &'static str, mu: &ArrayRef1<f64>) -> FamilyError {
    FamilyError::MeanParams { family, mean_params: mu.to_vec() }
}

/// The factor of a symmetric positive-definite matrix.
pub(crate) fn cholesky(
    family: &'static str,
    parameter: &'static str,
    a: &ArrayRef2<f64>,
) -> Result<Cholesky, FamilyError> {
    Cholesky::factor(a).map_err(|e| match e {
        LinalgError::NotSquare { rows, columns } => {
            FamilyError::Length { family, parameter, expected: rows * rows, actual: rows * columns }
        }
        LinalgError::NonFinite { row, column, value } => {
            domain(family, format!("{parameter}[{row},{column}]"), value, FINITE)
        }
        LinalgError::NotPositiveDefinite { pivot, value } => {
            FamilyError::NotPositiveDefinite { family, parameter, pivot, value }
        }
        _ => domain(family, parameter, f64::NAN, "symmetric positive definite"),
    })
}

/// A user's matrix as a symmetric one of order `p`, with its factor. Mirror images may differ by rounding.
pub(crate) fn positive_definite(
    family: &'static str,
    parameter: &'static str,
    a: &ArrayRef2<f64>,
    p: usize,
) -> Result<(Array2<f64>, Cholesky), FamilyError> {
    if a.dim() != (p, p) {
        return Err(FamilyError::Length { family, parameter, expected: p * p, actual: a.len() });
    }
    let mut symmetric = a.to_owned();
    for i in 0..p {
        for j in 0..i {
            let (lower, upper) = (a[[i, j]], a[[j, i]]);
            let scale = (a[[i, i]] * a[[j, j]]).abs().sqrt();
            if (lower - upper).abs() > 1e-8 * scale {
                let name = format!("{parameter}[{j},{i}]");
                return Err(domain(family, name, upper, "equal to its mirror image"));
            }
            symmetric[[j, i]] = lower;
        }
    }
    let factor = cholesky(family, parameter, &symmetric)?;
    Ok((symmetric, factor))
}
