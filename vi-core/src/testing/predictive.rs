//! Predictive densities and the simulations that belong to them.

use ndarray::{Array1, ArrayRef1};

use super::moments::{Moments, SIGMAS};
use super::points::standard_normal;
use crate::bijector::Bijection;
use crate::key::StreamKey;
use crate::model::Predictive;

const N_PAIRS: u64 = 4;
const N_SIMULATIONS: u64 = 400;

/// Checks that `simulate` draws from the density that `log_likelihood_pointwise` computes.
///
/// ```text
/// E[p(x̂_n | z′) / p(x̂_n | z)] = 1,     x̂ ~ p(· | z)
/// ```
/// averaged over the points n, for four pairs of near points z, z′ and 400 simulations each. A correct model
/// fails with probability below 10⁻⁵ over all keys. Also: the density is written for every point, and the same
/// generator simulates the same data.
///
/// # Panics
/// With the mean ratio, its error and the points where they disagree; if the model has discrete variables.
pub fn check_predictive<M: Predictive + ?Sized>(model: &M, key: StreamKey) {
    let bijection = match Bijection::new(model.parameters()) {
        Ok(bijection) => bijection,
        Err(e) => panic!("near points need continuous variables: {e}"),
    };
    let at = |u: &ArrayRef1<f64>| {
        let mut z = Array1::zeros(model.dim());
        bijection.constrain(u, &mut z);
        z
    };
    for pair in 0..N_PAIRS {
        let key = key.fold_in(pair);
        let u = 0.5 * standard_normal(bijection.unconstrained().dim(), &mut key.rng(0));
        let direction = standard_normal(u.len(), &mut key.rng(1));
        let z = at(&u);
        density(model, model.observed(), &z);
        check_repeatable(model, &z, key);
        let near = nearby(model, &z, |step| at(&(&u + &(&direction * step))), key);
        let mut ratio = Moments::default();
        for s in 0..N_SIMULATIONS {
            ratio.push(log_ratio(model, &z, &near, key, s).mapv(f64::exp).mean().unwrap_or(1.0));
        }
        assert!(
            ratio.agrees_closely(1.0),
            "E[p(x̂|z′)/p(x̂|z)] = {ratio}, more than {SIGMAS} errors from 1: simulate and \
             log_likelihood_pointwise disagree at z = {z}, z′ = {near}"
        );
    }
}

/// The farthest of z + step · direction at which ratios of densities still have a small variance.
fn nearby<M: Predictive + ?Sized>(
    model: &M,
    z: &Array1<f64>,
    at: impl Fn(f64) -> Array1<f64>,
    key: StreamKey,
) -> Array1<f64> {
    let mut step = 1.0;
    for _ in 0..40 {
        let near = at(step);
        let ratios: Vec<f64> =
            (0..4).flat_map(|s| log_ratio(model, z, &near, key.fold_in(1), s).to_vec()).collect();
        let worst = ratios.iter().fold(0.0, |a: f64, r| a.max(r.abs()));
        if worst < 1.0 {
            return near;
        }
        step *= 0.7;
    }
    panic!("the density of data simulated at z = {z} changes by more than a factor e however near z′ is")
}

/// log p(x̂_n | z′) − log p(x̂_n | z) of data simulated at z.
fn log_ratio<M: Predictive + ?Sized>(
    model: &M,
    z: &Array1<f64>,
    near: &Array1<f64>,
    key: StreamKey,
    simulation: u64,
) -> Array1<f64> {
    let data = model.simulate(model.observed(), z, &mut key.rng(2 + simulation));
    density(model, &data, near) - density(model, &data, z)
}

fn density<M: Predictive + ?Sized>(model: &M, data: &M::Data, z: &Array1<f64>) -> Array1<f64> {
    let mut out = Array1::from_elem(model.n_points(data), f64::NAN);
    model.log_likelihood_pointwise(data, z, &mut out);
    if let Some(n) = out.iter().position(|l| l.is_nan()) {
        panic!("log p(x_{n} | z) is NaN, or was not written, at z = {z}");
    }
    out
}

fn check_repeatable<M: Predictive + ?Sized>(model: &M, z: &Array1<f64>, key: StreamKey) {
    let simulate = || model.simulate(model.observed(), z, &mut key.rng(2));
    let (a, b) = (simulate(), simulate());
    let (n, expected) = (model.n_points(&a), model.n_points(model.observed()));
    assert_eq!(n, expected, "number of points simulated at the covariates of the observed data");
    assert_eq!(
        density(model, &a, z),
        density(model, &b, z),
        "the same generator simulated other data at z = {z}"
    );
}
