//! Shared by the Gaussian variational families.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut2, Axis};
use vi_core::{ParameterError, ParameterSpace, StreamKey, StreamRng, Support};

use crate::draw::standard_normal;
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
    check_log_scale(family, name, log_scale)?;
    Ok((log_scale.exp(), (-log_scale).exp()))
}

/// Refuses a log scale whose scale overflows.
pub(crate) fn check_log_scale(
    family: &'static str,
    name: impl FnOnce() -> String,
    log_scale: f64,
) -> Result<(), FamilyError> {
    // Beyond ±300 the square of the scale, which variances and scores hold, leaves the range of f64.
    if log_scale.abs() <= 300.0 {
        return Ok(());
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

/// Overwrites `noise` with standard normal variates.
pub(crate) fn fill_noise(rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
    for e in noise.iter_mut() {
        *e = standard_normal(rng);
    }
}

/// Draws the noise of every row of `z`, each from its own stream, and calls `transport` with that of [`LANES`] rows at a
/// time: element `[j][k]` is noise j of row k.
pub(super) fn transport_groups(
    key: StreamKey,
    samples: Range<usize>,
    noise_dim: usize,
    z: &mut ArrayRef2<f64>,
    transport: impl Fn(&[[f64; LANES]], &mut ArrayViewMut2<'_, f64>),
) {
    let mut noise = vec![[0.0; LANES]; noise_dim];
    for (group, mut rows) in z.axis_chunks_iter_mut(Axis(0), LANES).enumerate() {
        let first = samples.start + group * LANES;
        for k in 0..rows.nrows() {
            let mut rng = key.rng((first + k) as u64);
            for e in &mut noise {
                e[k] = standard_normal(&mut rng);
            }
        }
        transport(&noise, &mut rows);
    }
}

/// out (2D) += weight · (∂z/∂λ)ᵀ grad of z = location + scale ε, λ the locations and log scales.
pub(super) fn add_location_scale_vjp(
    scale: &[f64],
    noise: &ArrayRef1<f64>,
    grad: &ArrayRef1<f64>,
    weight: f64,
    out: &mut ArrayRef1<f64>,
) {
    let d = scale.len();
    for i in 0..d {
        out[i] += weight * grad[i];
        out[d + i] += weight * grad[i] * scale[i] * noise[i];
    }
}
