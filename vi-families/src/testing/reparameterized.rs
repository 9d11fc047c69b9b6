//! The contract of a reparameterised family.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::StreamKey;
use vi_core::testing::Moments;

use super::statistics::{Z_BOUND, five_point, with_element};
use crate::variational::{Reparameterized, VariationalDistribution, VariationalFamily};

/// Draws per member for the statistical checks.
const N_DRAWS: usize = 4000;

/// Checks the transport z = t_λ(ε) at every λ of `params`.
///
/// - `add_transport_vjp` and `add_entropy_grad` are the derivatives of `transport` and `entropy` (differences,
///   10⁻⁷ relative), and accumulate.
/// - The batch forms give the draws of the others bit by bit, and their sums, 10⁻¹² relative.
/// - Transported noise has the distribution of `sample`: means of z_d, z_d² and z_d z_{d+1} over 4000 draws of
///   each agree within 5.4 standard errors, so that a correct family of dimension D fails for about 3D · 7·10⁻⁸
///   of all keys.
///
/// # Panics
/// With λ and both numbers where the contract is broken.
pub fn check_reparameterized<F>(family: &F, params: &[Array1<f64>], key: StreamKey)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    for (i, lambda) in params.iter().enumerate() {
        let key = key.fold_in(i as u64);
        check_vjp(family, lambda, key.fold_in(0));
        check_entropy_grad(family, lambda);
        check_batch(family, lambda, key.fold_in(2));
        check_distribution(family, lambda, key.fold_in(1));
    }
}

fn check_vjp<F>(family: &F, lambda: &Array1<f64>, key: StreamKey)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    let q = family.bind(lambda).expect("λ of the caller is valid");
    let (mut noise, mut z) = (Array1::zeros(q.noise_dim()), Array1::zeros(q.dim()));
    q.sample_noise(&mut key.rng(0), &mut noise);
    q.transport(&noise, &mut z);
    let grad: Array1<f64> = (0..q.dim()).map(|d| 1.3 - 0.4 * d as f64).collect();
    let weight = -0.75;
    let mut out = Array1::from_elem(q.n_params(), 0.5);
    q.add_transport_vjp(&noise, &z, &grad, weight, &mut out);
    for i in 0..q.n_params() {
        let projected = |x: f64| {
            let moved = with_element(lambda, i, x);
            let mut z = Array1::zeros(family.dim());
            family.bind(&moved).expect("a neighbour of λ is valid").transport(&noise, &mut z);
            grad.dot(&z)
        };
        let expected = 0.5 + weight * five_point(projected, lambda[i], 1e-3);
        let bound = 1e-7 * (1.0 + expected.abs());
        assert!((out[i] - expected).abs() <= bound, "λ = {lambda}: vjp {i} is {}, not {expected}", out[i]);
    }
}

fn check_batch<F>(family: &F, lambda: &Array1<f64>, key: StreamKey)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    let q = family.bind(lambda).expect("λ of the caller is valid");
    let (first, n) = (3, 5);
    let (mut noise, mut z) = (Array2::zeros((n, q.noise_dim())), Array2::zeros((n, q.dim())));
    q.transport_batch(key, first..first + n, &mut noise, &mut z);
    let grad = Array2::from_shape_fn(z.dim(), |(i, d)| 0.3 + i as f64 - 0.4 * d as f64);
    let weights: Array1<f64> = (0..n).map(|i| 0.5 - 0.2 * i as f64).collect();
    let (mut one_by_one, mut batch) =
        (Array1::from_elem(q.n_params(), 0.5), Array1::from_elem(q.n_params(), 0.5));
    let (mut own_noise, mut own_z) = (Array1::zeros(q.noise_dim()), Array1::zeros(q.dim()));
    for i in 0..n {
        q.sample_noise(&mut key.rng((first + i) as u64), &mut own_noise);
        q.transport(&own_noise, &mut own_z);
        assert!(own_noise == noise.row(i) && own_z == z.row(i), "λ = {lambda}: draw {i} of a batch differs");
        q.add_transport_vjp(&own_noise, &own_z, &grad.row(i), weights[i], &mut one_by_one);
    }
    q.add_transport_vjp_batch(&noise, &z, &grad, &weights, &mut batch);
    for (a, b) in one_by_one.iter().zip(&batch) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs()), "λ = {lambda}: {a} one by one, {b} in a batch");
    }
}

fn check_entropy_grad<F>(family: &F, lambda: &Array1<f64>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    let q = family.bind(lambda).expect("λ of the caller is valid");
    let mut out = Array1::from_elem(q.n_params(), 0.5);
    q.add_entropy_grad(2.0, &mut out);
    for i in 0..q.n_params() {
        let entropy = |x: f64| {
            let moved = with_element(lambda, i, x);
            family.bind(&moved).expect("a neighbour of λ is valid").entropy().unwrap_or(f64::NAN)
        };
        let slope = five_point(entropy, lambda[i], 1e-3);
        if slope.is_nan() {
            continue;
        }
        let bound = 1e-7 * (1.0 + slope.abs());
        let grad = 0.5 * (out[i] - 0.5);
        assert!((grad - slope).abs() <= bound, "λ = {lambda}: entropy gradient {i} is {grad}, not {slope}");
    }
}

/// z_d, z_d², z_d z_{d+1}.
fn push_moments(moments: &mut [Moments], z: &ArrayRef1<f64>) {
    let d = z.len();
    for i in 0..d {
        moments[i].push(z[i]);
        moments[d + i].push(z[i] * z[i]);
        moments[2 * d + i].push(z[i] * z[(i + 1) % d]);
    }
}

fn check_distribution<F>(family: &F, lambda: &Array1<f64>, key: StreamKey)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    let q = family.bind(lambda).expect("λ of the caller is valid");
    let d = q.dim();
    let (mut sampled, mut transported) = (vec![Moments::default(); 3 * d], vec![Moments::default(); 3 * d]);
    let (mut noise, mut z) = (Array1::zeros(q.noise_dim()), Array1::zeros(d));
    for s in 0..N_DRAWS as u64 {
        q.sample(&mut key.rng(2 * s), &mut z);
        push_moments(&mut sampled, &z);
        q.sample_noise(&mut key.rng(2 * s + 1), &mut noise);
        q.transport(&noise, &mut z);
        push_moments(&mut transported, &z);
    }
    for (i, (a, b)) in sampled.iter().zip(&transported).enumerate() {
        let se = a.mcse().hypot(b.mcse());
        assert!(
            (a.mean() - b.mean()).abs() <= Z_BOUND * se,
            "λ = {lambda}: moment {i} is {} of sample, {} of transport, ± {se}",
            a.mean(),
            b.mean()
        );
    }
}
