//! (∇A)⁻¹ far out in the parameter space, against how far rounding of μ can move its answer.

use ndarray::{Array1, Array2, array};
use vi_families::special::{digamma, multivariate_digamma};
use vi_families::{Beta, Dirichlet, ExponentialFamily, Gamma, NormalWishart, Wishart};

fn assert_relative(what: &str, value: f64, expected: f64, tolerance: f64) {
    let error = ((value - expected) / expected).abs();
    assert!(
        error <= tolerance,
        "{what} = {value}, expected {expected}: relative error {error:e} > {tolerance:e}"
    );
}

/// log a − ψ(a) ≈ 1/(2a) for large a: one rounding of μ of size ε moves a by the factor 1 + 2aε.
#[test]
fn gamma_shapes_from_tiny_to_huge() {
    for exponent in -6..=6 {
        let shape = 1.7 * 10f64.powi(exponent);
        for rate in [1e-3, 1.0, 2e4] {
            let q = Gamma::from_shape_rate(shape, rate).unwrap();
            let back = Gamma::from_mean_params(&q.mean_params()).unwrap();
            let size = q.expected_log().abs() + 1.0;
            let tolerance = 1e-13 + 8.0 * f64::EPSILON * size * (1.0 + 2.0 * shape);
            assert_relative(&format!("shape at rate {rate}"), back.shape(), shape, tolerance);
            assert_relative(&format!("rate at shape {shape}"), back.rate(), rate, tolerance);
        }
    }
}

#[test]
fn beta_and_dirichlet_concentrations_from_small_to_large() {
    for (a, b) in [(1e-3, 1e-3), (1e-3, 50.0), (0.5, 0.5), (3.0, 400.0), (1e4, 2e4), (1e-2, 1e5), (1e6, 0.3)]
    {
        let q = Beta::from_alpha_beta(a, b).unwrap();
        let back = Beta::from_mean_params(&q.mean_params()).unwrap();
        let tolerance = 1e-12 + 64.0 * f64::EPSILON * (1.0 + a + b);
        assert_relative(&format!("alpha of ({a}, {b})"), back.alpha(), a, tolerance);
        assert_relative(&format!("beta of ({a}, {b})"), back.beta(), b, tolerance);
    }
    for scale in [1e-3, 1.0, 1e3] {
        let concentration = Array1::from_shape_fn(40, |k| scale * (1.0 + k as f64));
        let q = Dirichlet::from_concentration(&concentration).unwrap();
        let back = Dirichlet::from_mean_params(&q.mean_params()).unwrap();
        let tolerance = 1e-12 + 64.0 * f64::EPSILON * (1.0 + q.total_concentration());
        for (k, (value, expected)) in back.concentration().iter().zip(&concentration).enumerate() {
            assert_relative(&format!("concentration[{k}]"), *value, *expected, tolerance);
        }
    }
}

#[test]
fn degrees_of_freedom_from_the_least_to_many() {
    for p in 1..=5 {
        let scale = Array2::from_shape_fn((p, p), |(i, j)| if i == j { 1.0 + i as f64 } else { 0.3 });
        for extra in [1e-3, 0.1, 1.0, 30.0, 1e4] {
            let dof = (p - 1) as f64 + extra;
            let q = Wishart::from_dof_scale(dof, &scale).unwrap();
            let back = Wishart::from_mean_params(&q.mean_params()).unwrap();
            let size = 1.0 + q.expected_log_det().abs() + multivariate_digamma(p, 0.5 * dof).abs();
            let tolerance = 1e-12 + 64.0 * f64::EPSILON * size * (1.0 + dof);
            assert_relative(&format!("dof of order {p}"), back.dof(), dof, tolerance);
            let mean = Array1::from_elem(p, 2.0);
            let q = NormalWishart::from_mean_count_dof_scale(&mean, 0.25, dof, &scale).unwrap();
            let back = NormalWishart::from_mean_params(&q.mean_params()).unwrap();
            assert_relative(&format!("dof of order {p}"), back.dof(), dof, tolerance);
            let cancelled =
                q.natural().fold(0.0, |m: f64, v| m.max(v.abs())) + dof * mean.dot(&scale.dot(&mean));
            let tolerance = 1e-12 + 64.0 * f64::EPSILON * cancelled;
            assert_relative(&format!("count of order {p}, dof {dof}"), back.count(), 0.25, tolerance);
        }
    }
}

#[test]
fn the_maximum_likelihood_estimate_solves_its_equation() {
    // Averages of T that are no round trip: log x̄ − mean(log x) = log a − ψ(a).
    let x: [f64; 5] = [0.2, 1.5, 0.7, 3.1, 0.05];
    let mean = x.iter().sum::<f64>() / 5.0;
    let mean_log = x.iter().map(|v| v.ln()).sum::<f64>() / 5.0;
    let q = Gamma::from_mean_params(&array![mean_log, mean]).unwrap();
    assert_relative("log a − ψ(a)", q.shape().ln() - digamma(q.shape()), mean.ln() - mean_log, 1e-14);
    assert_relative("mean", q.mean(), mean, 1e-15);
}

#[test]
fn means_of_no_member_are_refused() {
    // Jensen: E log z < log E z; Σ exp E log z_k < 1; E log|Λ| < log|E Λ|; a positive-definite E Λ.
    assert!(Gamma::from_mean_params(&array![0.1, 1.0]).is_err());
    assert!(Dirichlet::from_mean_params(&array![-0.5, -0.5]).is_err());
    assert!(Wishart::from_mean_params(&array![0.1, 1.0, 0.0, 1.0]).is_err());
    assert!(Wishart::from_mean_params(&array![-9.0, 1.0, 2.0, 1.0]).is_err());
}
