//! What can be wrong with the data or the priors of a model.

/// Data or priors that a model cannot take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A prior or fixed parameter outside its domain.
    #[error("{model}: {parameter} = {value}, but it must be {requirement}")]
    Prior {
        /// The model.
        model: &'static str,
        /// The parameter.
        parameter: String,
        /// Its value.
        value: f64,
        /// The domain in words.
        requirement: &'static str,
    },
    /// A datum that is not finite or not allowed.
    #[error("{model}: {data}[{row}, {column}] = {value}, but it must be {requirement}")]
    Datum {
        /// The model.
        model: &'static str,
        /// The array.
        data: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// Its value.
        value: f64,
        /// What is allowed, in words.
        requirement: &'static str,
    },
    /// No data.
    #[error("{model}: {data} is empty")]
    Empty {
        /// The model.
        model: &'static str,
        /// The array.
        data: &'static str,
    },
    /// Arrays that do not fit together.
    #[error("{model}: {data} has length {actual}, expected {expected}")]
    Length {
        /// The model.
        model: &'static str,
        /// The array.
        data: &'static str,
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// Parameters of a prior that its family refuses.
    #[error("{model}: {source}")]
    Family {
        /// The model.
        model: &'static str,
        /// What the family says.
        source: vi_families::FamilyError,
    },
    /// A layout of parameters that is wrong.
    #[error(transparent)]
    Parameter(#[from] vi_core::ParameterError),
}
