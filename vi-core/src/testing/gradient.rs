//! Gradients against differences and against another gradient.

use ndarray::{Array1, ArrayRef1};

use super::points::standard_normal;
use crate::key::StreamKey;
use crate::model::{GradLogJoint, LogJoint};
use crate::unconstrained::Unconstrained;

/// Relative error up to which a gradient counts as equal to differences.
const DIFFERENCES: f64 = 1e-6;
/// Relative error up to which two gradients count as equal.
const GRADIENTS: f64 = 1e-8;
/// Relative error up to which two evaluations of one log joint count as equal.
const VALUES: f64 = 1e-9;

/// Checks a gradient against central differences at `n_points` random points.
///
/// Compared are derivatives along u, with z = z(u) under the model's [`Bijection`](crate::Bijection) and
/// u ~ N(0, I): these are all feasible directions of the natural support, and no others. Differences are
/// extrapolated (Ridders 1982); tolerance 10⁻⁶ relative. The value that comes with the gradient has to be that
/// of `log_joint`, and the gradient must not depend on what its buffer held before.
///
/// # Panics
/// With the point, the coordinate and both derivatives where they differ; if the model has discrete variables;
/// if its log joint is not finite at a point, or too rough for differences.
pub fn check_gradient<M: GradLogJoint + ?Sized>(model: &M, n_points: usize, key: StreamKey) {
    let model = unconstrained(model);
    for i in 0..n_points {
        let u = standard_normal(model.dim(), &mut key.rng(i as u64));
        let (value, grad) = evaluate(&model, &u);
        let alone = model.log_joint(&u);
        assert!(
            close(value, alone, VALUES),
            "log_joint_and_grad returns {value}, log_joint {alone} at {}",
            place(&model, &u)
        );
        for d in 0..u.len() {
            let (difference, error) = derivative(&model, &u, d);
            let scale = 1.0 + difference.abs();
            let name = &model.parameters().names()[d];
            assert!(
                error <= 1e-4 * scale,
                "differences in {name} do not settle ({difference} ± {error}) at {}",
                place(&model, &u)
            );
            assert!(
                (grad[d] - difference).abs() <= DIFFERENCES * scale + 10.0 * error,
                "gradient in {name}: {} by the model, {difference} ± {error} by differences at {}",
                grad[d],
                place(&model, &u)
            );
        }
    }
}

/// Checks a gradient against that of `reference`, another implementation of the same log joint, at `n_points`
/// random points: values to 10⁻⁹, derivatives along feasible directions to 10⁻⁸ relative.
///
/// The usual reference is an `AutoGrad` (feature `autodiff`).
///
/// # Panics
/// With the point and both numbers where they differ; if the parameter spaces differ or are discrete.
pub fn check_gradient_against<M, R>(model: &M, reference: &R, n_points: usize, key: StreamKey)
where
    M: GradLogJoint + ?Sized,
    R: GradLogJoint + ?Sized,
{
    assert_eq!(model.parameters(), reference.parameters(), "the parameter spaces differ");
    let (model, reference) = (unconstrained(model), unconstrained(reference));
    for i in 0..n_points {
        let u = standard_normal(model.dim(), &mut key.rng(i as u64));
        let ((value, grad), (expected, expected_grad)) = (evaluate(&model, &u), evaluate(&reference, &u));
        assert!(
            close(value, expected, VALUES),
            "log joint: {value} by the model, {expected} by the reference at {}",
            place(&model, &u)
        );
        let largest = expected_grad.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
        for (d, (g, expected)) in grad.iter().zip(&expected_grad).enumerate() {
            // Terms that cancel in one coordinate leave the rounding of the large ones.
            let tolerance = GRADIENTS * (1.0 + expected.abs()) + 1e-11 * largest;
            assert!(
                (g - expected).abs() <= tolerance,
                "gradient in {}: {g} by the model, {expected} by the reference at {}",
                model.parameters().names()[d],
                place(&model, &u)
            );
        }
    }
}

fn unconstrained<M: LogJoint + ?Sized>(model: &M) -> Unconstrained<&M> {
    match Unconstrained::new(model) {
        Ok(model) => model,
        Err(e) => panic!("a gradient needs continuous variables: {e}"),
    }
}

fn evaluate<M: GradLogJoint + ?Sized>(model: &Unconstrained<&M>, u: &ArrayRef1<f64>) -> (f64, Array1<f64>) {
    // Both wrong starts: a gradient that accumulates, or leaves coordinates untouched, shows.
    let mut z = Array1::zeros(model.inner().dim());
    let log_det = model.bijection().constrain(u, &mut z);
    let mut grad_z = Array1::from_elem(z.len(), f64::NAN);
    let value = model.inner().log_joint_and_grad(&z, &mut grad_z);
    if let Some(d) = grad_z.iter().position(|g| !g.is_finite()) {
        let name = &model.bijection().constrained().names()[d];
        panic!("gradient in {name} is {}, or was not written, at {}", grad_z[d], place(model, u));
    }
    assert!(value.is_finite(), "log joint is {value} at {}", place(model, u));
    let mut grad = Array1::zeros(u.len());
    model.bijection().pullback(u, &z, &grad_z, &mut grad);
    (value + log_det, grad)
}

/// Central differences, extrapolated to step 0: the best of Ridders' table, and its error.
fn derivative<M: LogJoint>(model: &M, u: &ArrayRef1<f64>, d: usize) -> (f64, f64) {
    const LEVELS: usize = 10;
    let mut table = [[0.0; LEVELS]; LEVELS];
    let mut best = (f64::NAN, f64::INFINITY);
    for i in 0..LEVELS {
        let h = 0.1 * 0.5f64.powi(i as i32);
        let at = |step: f64| {
            let mut u = u.to_owned();
            u[d] += step;
            model.log_joint(&u)
        };
        table[i][0] = (at(h) - at(-h)) / (2.0 * h);
        for j in 1..=i {
            let factor = 4f64.powi(j as i32);
            table[i][j] = (factor * table[i][j - 1] - table[i - 1][j - 1]) / (factor - 1.0);
            let error = (table[i][j] - table[i][j - 1]).abs().max((table[i][j] - table[i - 1][j - 1]).abs());
            if error < best.1 {
                best = (table[i][j], error);
            }
        }
        if best.1 <= 1e-9 * (1.0 + best.0.abs()) {
            break;
        }
    }
    best
}

pub(super) fn close(a: f64, b: f64, relative: f64) -> bool {
    a == b || (a - b).abs() <= relative * (1.0 + b.abs())
}

/// The point on the natural support, for messages.
fn place<M: LogJoint>(model: &Unconstrained<M>, u: &ArrayRef1<f64>) -> String {
    let mut z = Array1::zeros(model.inner().dim());
    model.bijection().constrain(u, &mut z);
    format!("z = {z}")
}
