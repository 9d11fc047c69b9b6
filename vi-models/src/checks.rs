//! What constructors ask of data and priors, and how a refused factor is reported.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::ConjugateError;
use vi_families::FamilyError;

use crate::error::ModelError;

/// log 2π.
pub(crate) const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

pub(crate) fn positive(model: &'static str, parameter: &str, value: f64) -> Result<(), ModelError> {
    require(model, parameter, value, value.is_finite() && value > 0.0, "finite and > 0")
}

pub(crate) fn finite(model: &'static str, parameter: &str, value: f64) -> Result<(), ModelError> {
    require(model, parameter, value, value.is_finite(), "finite")
}

/// A probability that leaves both outcomes possible.
pub(crate) fn probability(model: &'static str, parameter: &str, value: f64) -> Result<(), ModelError> {
    require(model, parameter, value, value > 0.0 && value < 1.0, "between 0 and 1")
}

fn require(
    model: &'static str,
    parameter: &str,
    value: f64,
    holds: bool,
    requirement: &'static str,
) -> Result<(), ModelError> {
    if holds {
        Ok(())
    } else {
        Err(ModelError::Prior { model, parameter: parameter.to_owned(), value, requirement })
    }
}

/// Every element finite; a vector is a single column.
pub(crate) fn finite_vector(
    model: &'static str,
    data: &'static str,
    values: &ArrayRef1<f64>,
) -> Result<(), ModelError> {
    if values.is_empty() {
        return Err(ModelError::Empty { model, data });
    }
    match values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some((row, &value)) => {
            Err(ModelError::Datum { model, data, row, column: 0, value, requirement: "finite" })
        }
    }
}

pub(crate) fn finite_matrix(
    model: &'static str,
    data: &'static str,
    values: &ArrayRef2<f64>,
) -> Result<(), ModelError> {
    if values.is_empty() {
        return Err(ModelError::Empty { model, data });
    }
    match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => {
            Err(ModelError::Datum { model, data, row, column, value, requirement: "finite" })
        }
    }
}

/// Every response 0 or 1.
pub(crate) fn binary_response(model: &'static str, y: &ArrayRef1<f64>) -> Result<(), ModelError> {
    match y.iter().enumerate().find(|(_, y)| **y != 0.0 && **y != 1.0) {
        None => Ok(()),
        Some((row, &value)) => {
            let requirement = "0 or 1";
            Err(ModelError::Datum { model, data: "y", row, column: 0, value, requirement })
        }
    }
}

/// A factor that its family refused, as the error of a complete conditional.
pub(crate) fn refused(block: impl std::fmt::Debug, error: FamilyError) -> ConjugateError {
    let block = format!("{block:?}");
    match error {
        FamilyError::Domain { parameter, value, .. } => ConjugateError::Domain { block, parameter, value },
        FamilyError::NotPositiveDefinite { parameter, pivot, value, .. } => {
            ConjugateError::NotPositiveDefinite { block, parameter: parameter.to_owned(), pivot, value }
        }
        other => ConjugateError::Domain { block, parameter: other.to_string(), value: f64::NAN },
    }
}
