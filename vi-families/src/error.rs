//! What can be wrong with the parameters of a family.

/// A parameter outside its domain, or a vector of the wrong length.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// A parameter is not finite or outside its domain.
    #[error("{family}: {parameter} = {value}, but it must be {requirement}")]
    Domain {
        /// The family.
        family: &'static str,
        /// The parameter, with its index where it has one.
        parameter: String,
        /// Its value.
        value: f64,
        /// The domain in words, for instance `finite and > 0`.
        requirement: &'static str,
    },
    /// A matrix is not symmetric positive definite.
    #[error("{family}: {parameter} is not positive definite (pivot {pivot} is {value})")]
    NotPositiveDefinite {
        /// The family.
        family: &'static str,
        /// The matrix.
        parameter: &'static str,
        /// The failing pivot, from 0.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// A vector or matrix has the wrong number of values.
    #[error("{family}: {parameter} has length {actual}, expected {expected}")]
    Length {
        /// The family.
        family: &'static str,
        /// The vector.
        parameter: &'static str,
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// Mean parameters that no member of the family has.
    #[error("{family}: no member has the mean parameters {mean_params:?}")]
    MeanParams {
        /// The family.
        family: &'static str,
        /// The offending vector.
        mean_params: Vec<f64>,
    },
    /// A family cannot be built over a parameter space.
    #[error(transparent)]
    Parameter(#[from] vi_core::ParameterError),
}
