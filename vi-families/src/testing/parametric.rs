//! The contract of the usual parameters and their unconstrained form.

use std::borrow::Borrow;

use ndarray::{Array1, Array2};
use vi_core::StreamKey;

use super::statistics::{five_point, five_point_vector, with_element};
use crate::parametric::Parametric;

/// Step of the differences in φ.
const STEP: f64 = 1e-3;
/// Draws at which scores are compared with differences.
const N_DRAWS: usize = 5;

/// Checks the usual parameters θ and the unconstrained φ of every member.
///
/// - θ and φ have one element per element of η and lead back to the member: η to 10⁻¹⁰ of its largest element.
/// - `unconstrained_jacobian` is ∂θ/∂φ and `natural_jacobian` times it ∂η/∂φ, by differences, 10⁻⁷ relative.
/// - `score_unconstrained` is ∂ log p/∂φ at draws, by differences, 10⁻⁶ relative.
/// - `fisher_in_parameters` is symmetric, with positive diagonal.
/// - A φ of the wrong length, or with an element that is not finite, is an error.
///
/// # Panics
/// With the member and both numbers where the contract is broken.
pub fn check_parametric<F: Parametric>(members: &[F]) {
    for member in members {
        check_round_trips(member);
        check_jacobians(member);
        check_scores(member);
        check_bad_values(member);
    }
}

fn check_round_trips<F: Parametric>(member: &F) {
    let (eta, theta, phi) = (member.natural(), member.parameters(), member.unconstrained());
    let n: usize = member.parameter_blocks().iter().map(|b| b.coordinates.n_params()).sum();
    let p = member.n_params();
    assert_eq!((theta.len(), phi.len(), n), (p, p, p), "{member:?}: lengths of θ, φ and the blocks");
    let size = eta.fold(0.0, |m: f64, v| m.max(v.abs()));
    let back = [("θ", member.with_parameters(&theta)), ("φ", member.with_unconstrained(&phi))];
    for (name, again) in back {
        let again = again.unwrap_or_else(|e| panic!("{member:?}: back from {name}: {e}"));
        for (a, b) in again.natural().iter().zip(&eta) {
            assert!((a - b).abs() <= 1e-10 * size, "{member:?}: η = {b} → {name} → {a}");
        }
    }
    let fisher = member.fisher_in_parameters();
    for i in 0..p {
        assert!(fisher[[i, i]] > 0.0, "{member:?}: Fisher information {} of θ[{i}]", fisher[[i, i]]);
        for j in 0..i {
            let scale = (fisher[[i, i]] * fisher[[j, j]]).sqrt();
            let gap = (fisher[[i, j]] - fisher[[j, i]]).abs();
            assert!(gap <= 1e-9 * scale, "{member:?}: Fisher information in θ is not symmetric at ({i},{j})");
        }
    }
}

fn moved<F: Parametric>(member: &F, phi: &Array1<f64>, i: usize, x: f64) -> F {
    let phi = with_element(phi, i, x);
    member.with_unconstrained(&phi).unwrap_or_else(|e| panic!("{member:?}: no member at φ = {phi}: {e}"))
}

fn assert_column<F: Parametric>(
    member: &F,
    name: &str,
    jacobian: &Array2<f64>,
    column: usize,
    slope: &Array1<f64>,
) {
    let size = jacobian.column(column).fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, expected) in slope.iter().enumerate() {
        let value = jacobian[[i, column]];
        assert!(
            (value - expected).abs() <= 1e-7 * (size + expected.abs()),
            "{member:?}: {name}[{i},{column}] is {value}, by differences {expected}"
        );
    }
}

fn check_jacobians<F: Parametric>(member: &F) {
    let phi = member.unconstrained();
    let to_theta = member.unconstrained_jacobian();
    let to_eta = member.natural_jacobian().dot(&to_theta);
    for i in 0..phi.len() {
        let slope = five_point_vector(|x| moved(member, &phi, i, x).parameters(), phi[i], STEP);
        assert_column(member, "∂θ/∂φ", &to_theta, i, &slope);
        let slope = five_point_vector(|x| moved(member, &phi, i, x).natural(), phi[i], STEP);
        assert_column(member, "∂η/∂φ", &to_eta, i, &slope);
    }
}

fn check_scores<F: Parametric>(member: &F) {
    let phi = member.unconstrained();
    for s in 0..N_DRAWS {
        let draw = member.sample(&mut StreamKey::from_seed(1).rng(s as u64));
        let z: &F::Value = draw.borrow();
        let score = member.score_unconstrained(z);
        let size = 1.0 + score.fold(0.0, |m: f64, v| m.max(v.abs()));
        let rounding = 1e-11 * member.log_prob(z).abs();
        for i in 0..phi.len() {
            let slope = five_point(|x| moved(member, &phi, i, x).log_prob(z), phi[i], STEP);
            assert!(
                (score[i] - slope).abs() <= 1e-6 * size + rounding,
                "{member:?} at {draw:?}: score in φ[{i}] is {}, by differences {slope}",
                score[i],
                draw = z
            );
        }
    }
}

fn check_bad_values<F: Parametric>(member: &F) {
    let phi = member.unconstrained();
    let longer: Array1<f64> = phi.iter().copied().chain([0.0]).collect();
    assert!(member.with_unconstrained(&longer).is_err(), "{member:?}: a φ that is too long was accepted");
    assert!(member.with_parameters(&longer).is_err(), "{member:?}: a θ that is too long was accepted");
    for i in 0..phi.len() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let bad = with_element(&phi, i, value);
            assert!(member.with_unconstrained(&bad).is_err(), "{member:?}: φ = {bad} was accepted");
            let bad = with_element(&member.parameters(), i, value);
            assert!(member.with_parameters(&bad).is_err(), "{member:?}: θ = {bad} was accepted");
        }
        // Enormous values may leave the range of f64, and must not panic.
        for value in [800.0, -800.0, 1e300, -1e300] {
            let _ = member.with_unconstrained(&with_element(&phi, i, value));
            let _ = member.with_parameters(&with_element(&member.parameters(), i, value));
        }
    }
}
