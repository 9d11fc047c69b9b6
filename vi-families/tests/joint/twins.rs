//! A law and its twin: the change of variables from precision to (co)variance; modes, and moments that do not exist.

use ndarray::{Array1, array};
use proptest::prelude::*;
use vi_families::{
    ExponentialFamily, Multivariate, NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart,
};

use crate::common::config;

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn densities_of_gamma_twins_differ_by_the_jacobian(
        m in -3.0..3.0f64, k in 0.1..10.0f64, a in 0.1..10.0f64, b in 0.1..10.0f64,
        mu in -5.0..5.0f64, tau in 0.01..20.0f64)
    {
        let q = NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap();
        let expected = q.log_prob(&(mu, tau)) + 2.0 * tau.ln();
        let value = NormalInverseGamma::from(q).log_prob(&(mu, 1.0 / tau));
        prop_assert!((value - expected).abs() <= 1e-12 * (10.0 + expected.abs()), "{value}, {expected}");
    }
}

/// The density falls in every direction away from the mode.
fn check_mode<F>(member: &F, z: &F::Value, nearby: impl IntoIterator<Item = F::Value>)
where
    F: Multivariate,
    F::Value: Sized,
{
    let top = member.log_prob(z);
    for (i, other) in nearby.into_iter().enumerate() {
        let value = member.log_prob(&other);
        assert!(value < top, "{member:?}: log p is {value} at neighbour {i}, {top} at the mode");
    }
}

#[test]
fn gamma_twins_have_the_stated_modes() {
    let q = NormalGamma::from_mean_count_shape_rate(1.5, 0.5, 7.0, 3.0).unwrap();
    let steps = [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)];
    let (m, v) = q.joint_mode().unwrap();
    check_mode(&q, &(m, v), steps.map(|(a, b)| (m + a, v + b)));
    let q = NormalInverseGamma::from(q);
    let (m, v) = q.joint_mode().unwrap();
    check_mode(&q, &(m, v), steps.map(|(a, b)| (m + a, v + b)));
}

#[test]
fn wishart_twins_have_the_stated_modes() {
    let (m, w) = (array![0.5, -1.0], array![[0.5, 0.1], [0.1, 0.3]]);
    let q = NormalWishart::from_mean_count_dof_scale(&m, 2.0, 14.0, &w).unwrap();
    let inverse = NormalInverseWishart::from(q.clone());
    let steps = [
        (array![1e-3, 0.0], array![[0.0, 0.0], [0.0, 0.0]]),
        (array![0.0, -1e-3], array![[0.0, 0.0], [0.0, 0.0]]),
        (array![0.0, 0.0], array![[1e-3, 0.0], [0.0, 0.0]]),
        (array![0.0, 0.0], array![[-1e-3, 0.0], [0.0, 0.0]]),
        (array![0.0, 0.0], array![[0.0, 1e-3], [1e-3, 0.0]]),
        (array![0.0, 0.0], array![[0.0, -1e-3], [-1e-3, 0.0]]),
        (array![0.0, 0.0], array![[0.0, 0.0], [0.0, 1e-3]]),
        (array![0.0, 0.0], array![[0.0, 0.0], [0.0, -1e-3]]),
    ];
    let near =
        |(m, v): &(Array1<f64>, ndarray::Array2<f64>)| steps.clone().map(|(a, b)| (a + m, b + v)).to_vec();
    let z = q.joint_mode().unwrap();
    check_mode(&q, &z, near(&z));
    let z = inverse.joint_mode().unwrap();
    check_mode(&inverse, &z, near(&z));
}

#[test]
fn moments_that_do_not_exist_are_none() {
    let gamma = |shape| NormalGamma::from_mean_count_shape_rate(0.0, 1.0, shape, 1.0).unwrap();
    assert_eq!(gamma(0.5).expected_value(), None);
    assert_eq!(gamma(0.5).joint_mode(), None);
    assert_eq!(gamma(1.0).marginal_variances(), None);
    assert_eq!(NormalInverseGamma::from(gamma(1.0)).expected_value(), None);
    assert_eq!(NormalInverseGamma::from(gamma(2.0)).marginal_variances(), None);
    let wishart = |dof| {
        NormalWishart::from_mean_count_dof_scale(&array![0.0, 0.0], 1.0, dof, &ndarray::Array2::eye(2))
            .unwrap()
    };
    assert_eq!(wishart(2.0).expected_value(), None);
    assert_eq!(wishart(3.0).marginal_variances(), None);
    assert_eq!(NormalInverseWishart::from(wishart(3.0)).expected_value(), None);
    assert_eq!(NormalInverseWishart::from(wishart(5.0)).marginal_variances(), None);
}

/// For counts κ and κ(1 + δ) the divergence is p(δ²/4 + O(δ³)).
#[test]
fn divergences_between_close_members_keep_their_digits() {
    let delta = 1e-9;
    let other = 3.0 + 3.0 * delta;
    let expected = 0.25 * ((other - 3.0) / 3.0f64).powi(2);
    let close =
        |value: f64, expected: f64| assert!((value / expected - 1.0).abs() < 1e-8, "{value}, {expected}");
    let gamma = |count| NormalGamma::from_mean_count_shape_rate(1.0, count, 2.0, 3.0).unwrap();
    close(gamma(3.0).kl(&gamma(other)), expected);
    close(NormalInverseGamma::from(gamma(3.0)).kl(&gamma(other).into()), expected);
    let eye = ndarray::Array2::eye(2);
    let wishart =
        |count| NormalWishart::from_mean_count_dof_scale(&array![0.0, 1.0], count, 4.0, &eye).unwrap();
    close(wishart(3.0).kl(&wishart(other)), 2.0 * expected);
    close(NormalInverseWishart::from(wishart(3.0)).kl(&wishart(other).into()), 2.0 * expected);
}
