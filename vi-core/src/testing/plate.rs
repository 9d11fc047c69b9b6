//! Plates: gradients in θ, values one by one, the log joint at fixed θ.

use ndarray::{Array1, Array2, ArrayRef1, s};
use rand::RngExt;

use super::gradient::close;
use super::local::check_local;
use super::points::{random_points, standard_normal};
use crate::key::StreamKey;
use crate::model::LogJoint;
use crate::plate::{PlateError, PlateJoint, PlateLogJoint, PlateModel};

/// Points of every datum.
const N_POINTS: usize = 3;
/// Data of one call.
const N_DATA: usize = 5;
/// Elements of θ whose derivative is compared.
const N_DERIVATIVES: usize = 60;
/// Relative error up to which two evaluations count as equal.
const VALUES: f64 = 1e-10;
/// Relative error up to which a derivative counts as equal to differences.
const DIFFERENCES: f64 = 1e-6;

/// Checks a plate near its start for θ: values of many points are those of one point at a time; the gradient in θ is
/// added, weighted, and that of central differences, of log p(θ) too; [`PlateJoint`] is the sum of its terms, and its
/// blocks hold what changes with them; θ of a wrong length, or with NaN, is refused.
///
/// At most 60 elements of θ are tried. Every block is, so that the model should have few data.
///
/// # Panics
/// With both values where they differ.
pub fn check_plate<M: PlateModel>(model: &M, key: StreamKey) {
    let mut theta = model.init_model_params(key.fold_in(0));
    let m = model.model_parameters().dim();
    assert_eq!(theta.len(), m, "init_model_params has length {}, model_parameters {m}", theta.len());
    theta.scaled_add(0.3, &standard_normal(m, &mut key.rng(1)));
    let n = model.n_data().min(N_DATA);
    // From the end to the start: the order of data is the caller's.
    let data: Vec<usize> = (0..n).map(|i| (n - 1 - i) * (model.n_data() - 1) / (n - 1).max(1)).collect();
    let z = random_points(model.local_parameters(), n * N_POINTS, key.fold_in(2));
    check_values(model, &theta, &data, &z);
    check_gradient_in_theta(model, &theta, &data, &z, key.fold_in(3));
    check_joint(model, &theta, key.fold_in(4));
    check_refusals(model, &theta);
}

fn values<M: PlateModel>(model: &M, theta: &ArrayRef1<f64>, data: &[usize], z: &Array2<f64>) -> Array1<f64> {
    let mut cache = M::Cache::default();
    let at = model.at(theta, &mut cache).unwrap_or_else(|e| panic!("θ = {theta}: {e}"));
    assert_eq!(at.n_model_params(), theta.len(), "n_model_params");
    let mut out = Array1::from_elem(z.nrows(), f64::NAN);
    at.log_joint_points(data, z, &mut out);
    out
}

fn check_values<M: PlateModel>(model: &M, theta: &ArrayRef1<f64>, data: &[usize], z: &Array2<f64>) {
    let together = values(model, theta, data, z);
    for (r, together) in together.iter().enumerate() {
        let datum = data[r / N_POINTS];
        let alone = values(model, theta, &[datum], &z.slice(s![r..=r, ..]).to_owned())[0];
        assert!(
            close(*together, alone, VALUES),
            "datum {datum}, z = {}: {together} among others, {alone} alone",
            z.row(r)
        );
    }
}

fn check_gradient_in_theta<M: PlateModel>(
    model: &M,
    theta: &ArrayRef1<f64>,
    data: &[usize],
    z: &Array2<f64>,
    key: StreamKey,
) {
    const START: f64 = 1.5;
    const WEIGHT: f64 = -0.7;
    let mut cache = M::Cache::default();
    // Of another θ before: a cache that is not refreshed shows.
    drop(model.at(&theta.mapv(|t| t + 1.0), &mut cache));
    let at = model.at(theta, &mut cache).unwrap_or_else(|e| panic!("θ = {theta}: {e}"));
    let mut out = Array1::from_elem(z.nrows(), f64::NAN);
    let mut grad = Array1::from_elem(theta.len(), START);
    at.log_joint_points_and_add_grad(data, z, WEIGHT, &mut out, &mut grad);
    for (a, b) in out.iter().zip(&values(model, theta, data, z)) {
        assert!(close(*a, *b, VALUES), "log joint is {a} with the gradient, {b} without");
    }
    let mut prior_grad = Array1::from_elem(theta.len(), START);
    at.add_log_prior_grad(WEIGHT, &mut prior_grad);
    let sum = |theta: &Array1<f64>| values(model, theta, data, z).sum();
    let log_prior = |theta: &Array1<f64>| {
        let mut cache = M::Cache::default();
        model.at(theta, &mut cache).unwrap_or_else(|e| panic!("θ = {theta}: {e}")).log_prior()
    };
    let mut rng = key.rng(0);
    let all = theta.len() <= N_DERIVATIVES;
    for k in 0..theta.len().min(N_DERIVATIVES) {
        let k = if all { k } else { rng.random_range(0..theta.len()) };
        let name = &model.model_parameters().names()[k];
        for (what, got, f) in [
            ("Σ log p(x, z)", grad[k], &sum as &dyn Fn(&Array1<f64>) -> f64),
            ("log p(θ)", prior_grad[k], &log_prior),
        ] {
            let (got, expected) = ((got - START) / WEIGHT, derivative(f, theta, k));
            assert!(
                close(got, expected, DIFFERENCES),
                "gradient of {what} in {name}: {got} by the model, {expected} by differences, θ = {theta}"
            );
        }
    }
}

/// Central differences of fourth order.
fn derivative(f: &dyn Fn(&Array1<f64>) -> f64, theta: &ArrayRef1<f64>, k: usize) -> f64 {
    let step = 1e-3 * (1.0 + theta[k].abs());
    let at = |steps: f64| {
        let mut moved = theta.to_owned();
        moved[k] += steps * step;
        f(&moved)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

fn check_joint<M: PlateModel>(model: &M, theta: &ArrayRef1<f64>, key: StreamKey) {
    let mut cache = M::Cache::default();
    let at = model.at(theta, &mut cache).unwrap_or_else(|e| panic!("θ = {theta}: {e}"));
    let log_prior = at.log_prior();
    let joint = PlateJoint::new(model, at).unwrap_or_else(|e| panic!("{e}"));
    let n = model.n_data();
    assert_eq!(joint.dim(), n * model.local_parameters().dim(), "dimension of the joint");
    let z = random_points(joint.parameters(), 1, key);
    let rows = z.to_shape((n, model.local_parameters().dim())).expect("N·L values").to_owned();
    let all: Vec<usize> = (0..n).collect();
    let terms = values(model, theta, &all, &rows);
    let (value, expected) = (joint.log_joint(&z.row(0)), log_prior + terms.sum());
    assert!(close(value, expected, VALUES), "log joint is {value}, its terms add up to {expected}");
    check_local(&joint, 1, key.fold_in(1));
}

fn check_refusals<M: PlateModel>(model: &M, theta: &ArrayRef1<f64>) {
    if theta.is_empty() {
        return;
    }
    let short = theta.slice(s![1..]).to_owned();
    let refused = |theta: &ArrayRef1<f64>| model.at(theta, &mut M::Cache::default()).err();
    let error = refused(&short);
    assert!(matches!(error, Some(PlateError::Length { .. })), "θ of a wrong length: {error:?}");
    let mut nan = theta.to_owned();
    let last = nan.len() - 1;
    nan[last] = f64::NAN;
    let error = refused(&nan);
    let named = matches!(&error, Some(PlateError::ModelParameter { name, .. }) if *name == model.model_parameters().names()[last]);
    assert!(named, "NaN in θ: {error:?}");
}
