//! Far from the data a log joint is finite or −∞, and never NaN.

use ndarray::{Array1, array};
use vi_core::{GradLogJoint, LogJoint, Predictive, Unconstrained};

use crate::data;

/// With a component of width σ₁ → 0 beside the data, the others alone explain them: nothing is left of the narrow one
/// but its prior.
#[test]
fn a_narrow_component_adds_nothing() {
    let model = data::two_normals();
    let wide = |sigma: f64| array![-0.1234567, 1.3, sigma, 0.9, 0.4];
    let likelihood = |z: &Array1<f64>| {
        let mut pointwise = Array1::zeros(model.n_points(model.observed()));
        model.log_likelihood_pointwise(model.observed(), z, &mut pointwise);
        pointwise.sum()
    };
    // log N(y | 1.3, 0.9²) + log 0.6 for every datum.
    let y = model.y();
    let expected: f64 = y
        .iter()
        .map(|y| {
            0.6f64.ln() - 0.9f64.ln() - 0.5 * ((y - 1.3) / 0.9).powi(2) - 0.5 * std::f64::consts::TAU.ln()
        })
        .sum();
    for sigma in [1e-9, 1e-30, 1e-160, 1e-300] {
        let z = wide(sigma);
        let value = model.log_joint(&z);
        let without = value - likelihood(&z);
        assert!(
            (likelihood(&z) - expected).abs() < 1e-9 * expected.abs(),
            "σ₁ = {sigma}: {}",
            likelihood(&z)
        );
        assert!(
            (without - (model.log_joint(&wide(1e-9)) - likelihood(&wide(1e-9)))).abs() < 1e-6,
            "σ₁ = {sigma}"
        );
        let mut grad = Array1::zeros(5);
        assert!((model.log_joint_and_grad(&z, &mut grad) - value).abs() < 1e-9 * value.abs());
        assert!(grad.iter().all(|g| g.is_finite()), "σ₁ = {sigma}: {grad}");
    }
    // Both narrow: no datum is explained.
    let z = array![-0.1, 1.3, 1e-200, 1e-200, 0.4];
    assert_eq!(model.log_joint(&z), f64::NEG_INFINITY);
}

#[test]
fn a_mean_that_overflows_has_no_density() {
    let model = Unconstrained::new(data::hidden_markov()).unwrap();
    for far in [700.0, 2400.0] {
        let mut z = Array1::zeros(model.dim());
        let last = model.dim() - 1;
        z[last] = far;
        let value = model.log_joint(&z);
        assert!(!value.is_nan() && value < -1e6, "{value}");
    }
}
