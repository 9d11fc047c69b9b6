//! What a law of (location, covariance) takes from its twin, the law of (location, precision).
//!
//! With Σ = Λ⁻¹ of order p the density gains the Jacobian |Σ|^−(p + 1), and log|Σ| stands for log|Λ| in T:
//!
//! ```text
//! T = S T′      η = S η′ − (p + 1) e₀      A = A′      μ = S μ′      F = S F′ S      S = diag(−1, 1, …, 1)
//! ```

use ndarray::{Array1, Array2, ArrayRef1};

use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::validate::no_member;

/// S v.
pub(crate) fn reflect(mut v: Array1<f64>) -> Array1<f64> {
    v[0] = -v[0];
    v
}

/// S F S.
pub(crate) fn reflect_both_sides(mut f: Array2<f64>) -> Array2<f64> {
    for i in 1..f.nrows() {
        f[[0, i]] = -f[[0, i]];
        f[[i, 0]] = -f[[i, 0]];
    }
    f
}

/// η of one twin from η of the other, the matrices of order `p`: the map is its own inverse.
///
/// An empty vector, which no member has, stays empty.
pub(crate) fn reflect_natural(eta: &ArrayRef1<f64>, p: usize) -> Array1<f64> {
    let mut eta = eta.to_owned();
    if let Some(first) = eta.first_mut() {
        *first = -*first - (p + 1) as f64;
    }
    eta
}

/// The order p of the matrices of a member with `len` parameters, `n_params(p)`, or of the next larger one.
pub(in crate::distributions) fn order_at_least(len: usize, n_params: impl Fn(usize) -> usize) -> usize {
    (1..).find(|p| n_params(*p) >= len).unwrap_or(1)
}

/// The member with mean parameters μ, whose twin has S μ; `own_words` rewords an error of its length.
pub(in crate::distributions) fn from_mean_params<T, F>(
    mu: &ArrayRef1<f64>,
    own_words: impl Fn(FamilyError) -> FamilyError,
) -> Result<F, FamilyError>
where
    T: ExponentialFamily<Fixed = ()>,
    F: ExponentialFamily + From<T>,
{
    let mut reflected = mu.to_owned();
    if let Some(first) = reflected.first_mut() {
        *first = -*first;
    }
    T::from_mean_params(&reflected).map(F::from).map_err(|e| match e {
        FamilyError::Length { .. } => own_words(e),
        _ => no_member(F::NAME, mu),
    })
}

/// The error of a part or a twin in the words of the family that was asked for: the parameter it calls `from`
/// is called `to` there.
pub(crate) fn rename(error: FamilyError, name: &'static str, from: &str, to: &'static str) -> FamilyError {
    let renamed = |parameter| if parameter == from { to } else { parameter };
    match error {
        FamilyError::Domain { parameter, value, requirement, .. } => {
            FamilyError::Domain { family: name, parameter: parameter.replace(from, to), value, requirement }
        }
        FamilyError::NotPositiveDefinite { parameter, pivot, value, .. } => {
            FamilyError::NotPositiveDefinite { family: name, parameter: renamed(parameter), pivot, value }
        }
        FamilyError::Length { parameter, expected, actual, .. } => {
            FamilyError::Length { family: name, parameter: renamed(parameter), expected, actual }
        }
        other => other,
    }
}

/// The error of a (normal-)Wishart in the words of its inverse: scale and inverse scale change places.
pub(in crate::distributions) fn rename_scales(error: FamilyError, name: &'static str) -> FamilyError {
    let inverse = match &error {
        FamilyError::Domain { parameter, .. } => parameter.starts_with("inverse_scale"),
        FamilyError::NotPositiveDefinite { parameter, .. } | FamilyError::Length { parameter, .. } => {
            parameter.starts_with("inverse_scale")
        }
        _ => false,
    };
    if inverse {
        rename(error, name, "inverse_scale", "scale")
    } else {
        rename(error, name, "scale", "inverse_scale")
    }
}
