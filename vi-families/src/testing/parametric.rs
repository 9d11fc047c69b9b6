//! The contract of the usual parameters and their unconstrained form.

use std::borrow::Borrow;

use ndarray::{Array1, Array2};
use vi_core::StreamKey;

use super::statistics::{five_point, five_point_vector, steady_step, with_element};
use crate::parametric::Parametric;

/// Step of the differences in φ, in standard errors of one draw.
const STEP: f64 = 1e-3;
/// Draws at which scores are compared with differences.
const N_DRAWS: usize = 5;

/// Checks the usual parameters θ and the unconstrained φ of every member.
///
/// - θ and φ have one element per element of η and lead back to the member: η to 10⁻¹⁰ of its largest element, and
///   what the rounding of θ grows to in ∂η/∂θ.
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
    let growth = rounding_of_natural(member);
    let back = [("θ", member.with_parameters(&theta)), ("φ", member.with_unconstrained(&phi))];
    for (name, again) in back {
        let again = again.unwrap_or_else(|e| panic!("{member:?}: back from {name}: {e}"));
        for ((a, b), growth) in again.natural().iter().zip(&eta).zip(&growth) {
            assert!((a - b).abs() <= 1e-10 * size + growth, "{member:?}: η = {b} → {name} → {a}");
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

/// The step for differences in φ\[i\], by the Fisher information in φ.
fn step<F: Parametric>(member: &F, phi: &Array1<f64>, i: usize) -> f64 {
    let curvature = |member: &F| {
        let to_eta = member.natural_jacobian().dot(&member.unconstrained_jacobian());
        let column = to_eta.column(i).to_owned();
        column.dot(&member.fisher().dot(&column))
    };
    let at = |x: f64| member.with_unconstrained(&with_element(phi, i, x)).ok();
    // A direction of no consequence must not go round the circle.
    let first = (STEP / curvature(member).sqrt()).min(1e-2 * phi[i].abs().max(1.0));
    steady_step(first, phi[i], |x| at(x).as_ref().map(curvature))
}

/// How far η moves when θ is rounded (P).
fn rounding_of_natural<F: Parametric>(member: &F) -> Array1<f64> {
    member.natural_jacobian().mapv(f64::abs).dot(&member.parameters().mapv(f64::abs)) * (4.0 * f64::EPSILON)
}

/// Compares column `i` of a Jacobian with `slope`, whose elements may be off by `rounding`.
fn assert_column<F: Parametric>(
    member: &F,
    (name, jacobian): (&str, &Array2<f64>),
    column: usize,
    slope: &Array1<f64>,
    rounding: &Array1<f64>,
) {
    let size = jacobian.column(column).fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, expected) in slope.iter().enumerate() {
        let value = jacobian[[i, column]];
        assert!(
            (value - expected).abs() <= 1e-7 * (size + expected.abs()) + rounding[i],
            "{member:?}: {name}[{i},{column}] is {value}, by differences {expected}"
        );
    }
}

fn check_jacobians<F: Parametric>(member: &F) {
    let (phi, theta, eta) = (member.unconstrained(), member.parameters(), member.natural());
    let to_theta = member.unconstrained_jacobian();
    let to_eta = member.natural_jacobian().dot(&to_theta);
    let growth = rounding_of_natural(member);
    for i in 0..phi.len() {
        let h = step(member, &phi, i);
        // The last digits of φ and of the values.
        let unit = 16.0 * f64::EPSILON / h;
        let slope = five_point_vector(|x| moved(member, &phi, i, x).parameters(), phi[i], h);
        let rounding = (slope.mapv(f64::abs) * phi[i].abs() + theta.mapv(f64::abs)) * unit;
        assert_column(member, ("∂θ/∂φ", &to_theta), i, &slope, &rounding);
        let slope = five_point_vector(|x| moved(member, &phi, i, x).natural(), phi[i], h);
        let rounding =
            (slope.mapv(f64::abs) * phi[i].abs() + eta.mapv(f64::abs)) * unit + &growth * (4.0 / h);
        assert_column(member, ("∂η/∂φ", &to_eta), i, &slope, &rounding);
    }
}

fn check_scores<F: Parametric>(member: &F) {
    let phi = member.unconstrained();
    let steps: Vec<f64> = (0..phi.len()).map(|i| step(member, &phi, i)).collect();
    for s in 0..N_DRAWS {
        let draw = member.sample(&mut StreamKey::from_seed(1).rng(s as u64));
        let z: &F::Value = draw.borrow();
        let score = member.score_unconstrained(z);
        let size = 1.0 + score.fold(0.0, |m: f64, v| m.max(v.abs()));
        let lost = 4.0 * rounding_of_natural(member).dot(&member.score(z).mapv(f64::abs));
        let terms = (member.natural() * member.sufficient_stats(z)).mapv(f64::abs).sum();
        for i in 0..phi.len() {
            let slope = five_point(|x| moved(member, &phi, i, x).log_prob(z), phi[i], steps[i]);
            let rounding = (16.0 * f64::EPSILON * (terms + member.log_partition().abs()) + lost) / steps[i];
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
