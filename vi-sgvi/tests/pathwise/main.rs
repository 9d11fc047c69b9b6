//! Pathwise estimators of the ELBO and of tighter bounds, against exact gradients.
//!
//! Every comparison by `check_estimator` asks that the mean of all replicates lie within 5 standard errors of the exact
//! gradient in every coordinate; a correct estimator fails one coordinate with probability 5.7e-7. The seeded comparisons
//! of this binary have fewer than 1500 coordinates: false-alarm probability below 1e-3.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../suite/common/gaussian_target.rs"]
mod gaussian_target;
#[path = "../suite/common/ranks.rs"]
mod ranks;

mod controlled;
mod determinism;
mod landing;
mod mixed;
mod supports;
mod unbiased;

use ndarray::{Array1, ArrayRef1};

/// The gradient of a smooth function of λ by differences: error of order 10⁻¹¹.
fn gradient_of(f: impl Fn(&Array1<f64>) -> f64, params: &ArrayRef1<f64>) -> Array1<f64> {
    let at = |p: usize, h: f64| {
        let mut moved = params.to_owned();
        moved[p] += h;
        f(&moved)
    };
    let h = 1e-3;
    Array1::from_shape_fn(params.len(), |p| {
        (8.0 * (at(p, h) - at(p, -h)) - (at(p, 2.0 * h) - at(p, -2.0 * h))) / (12.0 * h)
    })
}

/// λ without symmetry, around `centre`.
fn spread(n_params: usize, centre: f64) -> Array1<f64> {
    Array1::from_shape_fn(n_params, |p| centre + 0.5 * (1.7 * p as f64 + 0.4).sin())
}
