//! Reading and setting the natural parameters of single factors.

use ndarray::{ArrayRef1, s};
use vi_core::ConjugateError;
use vi_families::{ExponentialFamily, Gamma};

use crate::checks::refused;

/// The length of the natural parameter of a Gaussian in D dimensions.
pub(crate) fn gaussian_len(d: usize) -> usize {
    d + d * (d + 1) / 2
}

/// Sets `q` to the member with natural parameter `eta`.
pub(crate) fn set<F: ExponentialFamily<Fixed = ()>>(
    q: &mut F,
    eta: &ArrayRef1<f64>,
    block: impl std::fmt::Debug,
) -> Result<(), ConjugateError> {
    *q = F::from_natural(eta).map_err(|e| refused(block, e))?;
    Ok(())
}

/// Overwrites `eta` with the natural parameters of Gamma factors, one after the other.
pub(crate) fn of_gammas(q: &[Gamma], eta: &mut ArrayRef1<f64>) {
    for (i, q) in q.iter().enumerate() {
        eta.slice_mut(s![2 * i..2 * i + 2]).assign(&q.natural());
    }
}

/// Sets Gamma factors.
pub(crate) fn set_gammas(
    q: &mut [Gamma],
    eta: &ArrayRef1<f64>,
    block: impl std::fmt::Debug + Copy,
) -> Result<(), ConjugateError> {
    q.iter_mut().enumerate().try_for_each(|(i, q)| set(q, &eta.slice(s![2 * i..2 * i + 2]), block))
}

/// Overwrites `eta` with the natural parameter of a precision's factor, if there is one.
pub(crate) fn of_precision(q: Option<&Gamma>, eta: &mut ArrayRef1<f64>) {
    if let Some(q) = q {
        eta.assign(&q.natural());
    }
}

/// Sets a precision's factor, if there is one.
pub(crate) fn set_precision(
    q: &mut Option<Gamma>,
    eta: &ArrayRef1<f64>,
    block: impl std::fmt::Debug,
) -> Result<(), ConjugateError> {
    q.as_mut().map_or(Ok(()), |q| set(q, eta, block))
}
