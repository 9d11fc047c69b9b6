//! What can be wrong with the parameters of a family.

/// A parameter outside its domain, or a vector of the wrong length.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// A parameter is not finite or outside its domain.
    #[error("{family}: {parameter} = {}, but it must be {requirement}", short(*value))]
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
    #[error("{family}: {parameter} is not positive definite (pivot {pivot} is {})", short(*value))]
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
    /// A value where the family has no density.
    #[error("{family}: value {index} is {value}, outside the support")]
    OutsideSupport {
        /// The family.
        family: &'static str,
        /// Which value, from 0.
        index: usize,
        /// The value.
        value: String,
    },
    /// Two members, or statistics, of families that differ in what is given.
    #[error("{family}: {actual} is given, expected {expected}")]
    Fixed {
        /// The family.
        family: &'static str,
        /// What is given on one side.
        expected: String,
        /// And on the other.
        actual: String,
    },
    /// The Fisher information in λ has no inverse.
    #[error("the Fisher information is singular at element {index} of λ (pivot {})", short(*value))]
    SingularFisher {
        /// The element of λ.
        index: usize,
        /// The pivot there, which is not positive or a rounding error.
        value: f64,
    },
    /// A family whose Fisher information has no closed form.
    #[error("{family} has no Fisher information in closed form, and so no natural gradient")]
    NoFisher {
        /// The type of its members.
        family: &'static str,
    },
    /// A family cannot be built over a parameter space.
    #[error(transparent)]
    Parameter(#[from] vi_core::ParameterError),
}

/// A number as people write it: with an exponent where its digits would run on.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1e16 || (size > 0.0 && size < 1e-5) { format!("{value:e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::FamilyError;

    #[test]
    fn values_print_in_a_few_digits() {
        let message = |value: f64| {
            let parameter = "sd".to_owned();
            FamilyError::Domain { family: "gaussian", parameter, value, requirement: "finite and > 0" }
                .to_string()
        };
        for (value, printed) in [
            (-5.0, "-5"),
            (0.0, "0"),
            (1e-5, "0.00001"),
            (-9e-6, "-9e-6"),
            (1e15, "1000000000000000"),
            (1e16, "1e16"),
            (-1.5e300, "-1.5e300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(message(value), format!("gaussian: sd = {printed}, but it must be finite and > 0"));
        }
    }
}
