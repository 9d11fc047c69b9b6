//! The contract of a differentiable density.

use ndarray::{Array1, Array2, Axis};
use vi_core::StreamKey;

use super::statistics::five_point;
use crate::variational::{DifferentiableDensity, VariationalDistribution, VariationalFamily};

/// Draws per member.
const N_DRAWS: usize = 20;

/// Checks ∇_z log q at draws from every λ of `params`, along the rows of `directions` (n, D).
///
/// - `add_log_prob_grad` is the derivative of `log_prob` (differences, 10⁻⁶ relative), and accumulates.
/// - The batch form gives the same, 10⁻¹¹ relative.
///
/// A direction must stay within the support for a ten-thousandth of the least |z| that it moves: the unit vectors, or for
/// simplices what leaves the sum as it is.
///
/// # Panics
/// With λ and both numbers where the contract is broken.
pub fn check_differentiable_density<F>(
    family: &F,
    params: &[Array1<f64>],
    directions: &Array2<f64>,
    key: StreamKey,
) where
    F: VariationalFamily,
    for<'a> F::Member<'a>: DifferentiableDensity,
{
    let weight = -0.75;
    for (i, lambda) in params.iter().enumerate() {
        let q = family.bind(lambda).expect("λ of the caller is valid");
        let mut z = Array2::zeros((N_DRAWS, q.dim()));
        q.sample_batch(key.fold_in(i as u64), 0..N_DRAWS, &mut z);
        let mut batch = Array2::from_elem(z.dim(), 0.5);
        q.add_log_prob_grad_batch(&z, weight, &mut batch);
        for (z, of_batch) in z.axis_iter(Axis(0)).zip(batch.rows()) {
            let mut grad = Array1::from_elem(q.dim(), 0.5);
            q.add_log_prob_grad(&z, weight, &mut grad);
            for (one, many) in grad.iter().zip(of_batch) {
                let bound = 1e-11 * (1.0 + one.abs());
                assert!((one - many).abs() <= bound, "λ = {lambda}: {one} alone, {many} in a batch");
            }
            for direction in directions.rows() {
                let moved = z.iter().zip(direction).filter(|(_, d)| **d != 0.0);
                let actual = (&grad - 0.5).dot(&direction);
                // Near an end of the support the gradient tells how near.
                let h =
                    1e-4 * moved.map(|(z, _)| z.abs()).fold(1.0 / (1.0 + actual.abs()), f64::min).max(1e-6);
                let along = |t: f64| q.log_prob(&(&z + &(&direction * t)));
                let expected = weight * five_point(along, 0.0, h);
                let bound = 1e-6 * (1.0 + expected.abs());
                assert!(
                    (actual - expected).abs() <= bound,
                    "λ = {lambda}, z = {z}: {actual} along {direction}, not {expected}"
                );
            }
        }
    }
}
