//! A law and its twin: the change of variables from precision to (co)variance; moments and modes.

use ndarray::{Array1, array};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::{
    ExponentialFamily, Multivariate, NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart,
    Parametric,
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

/// All coordinates of a value in one vector.
trait Coordinates {
    fn flat(&self) -> Array1<f64>;
}
impl Coordinates for (f64, f64) {
    fn flat(&self) -> Array1<f64> {
        array![self.0, self.1]
    }
}
impl Coordinates for (Array1<f64>, ndarray::Array2<f64>) {
    fn flat(&self) -> Array1<f64> {
        self.0.iter().chain(&self.1).copied().collect()
    }
}

/// Expected values and variances within 5.4 standard errors of those of 20 000 draws.
fn check_moments<F>(member: &F)
where
    F: Multivariate,
    F::Value: Coordinates + Sized + Clone,
    <F::Value as ToOwned>::Owned: std::borrow::Borrow<F::Value>,
{
    const N: usize = 20_000;
    let mean = std::borrow::Borrow::borrow(&member.expected_value().unwrap()).flat();
    let variance = std::borrow::Borrow::borrow(&member.marginal_variances().unwrap()).flat();
    let (mut sum, mut squares) = (Array1::zeros(mean.len()), Array1::zeros(mean.len()));
    let mut fourth: Array1<f64> = Array1::zeros(mean.len());
    for s in 0..N {
        let z = member.sample(&mut StreamKey::from_seed(3).rng(s as u64));
        let d = (std::borrow::Borrow::<F::Value>::borrow(&z).flat() - &mean) / variance.mapv(f64::sqrt);
        sum += &d;
        squares += &d.mapv(|v| v * v);
        fourth += &d.mapv(|v| v.powi(4));
    }
    let n = N as f64;
    for i in 0..mean.len() {
        assert!(
            sum[i].abs() / n.sqrt() < 5.4,
            "{member:?}: mean of coordinate {i} off by {} se",
            sum[i] / n.sqrt()
        );
        let (square, spread) = (squares[i] / n, (fourth[i] / n - (squares[i] / n).powi(2)).sqrt());
        let z = (square - 1.0) / spread * n.sqrt();
        assert!(z.abs() < 5.4, "{member:?}: variance of coordinate {i} is {square} of the stated, {z} se");
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
fn gamma_twins_have_the_stated_moments_and_modes() {
    let q = NormalGamma::from_mean_count_shape_rate(1.5, 0.5, 7.0, 3.0).unwrap();
    let steps = [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)];
    check_moments(&q);
    let (m, v) = q.joint_mode().unwrap();
    check_mode(&q, &(m, v), steps.map(|(a, b)| (m + a, v + b)));
    let q = NormalInverseGamma::from(q);
    check_moments(&q);
    let (m, v) = q.joint_mode().unwrap();
    check_mode(&q, &(m, v), steps.map(|(a, b)| (m + a, v + b)));
}

#[test]
fn wishart_twins_have_the_stated_moments_and_modes() {
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
    check_moments(&q);
    check_moments(&inverse);
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

/// θ → member → θ and φ → member → φ return where they came from; J and ∂θ/∂φ are what differences give.
fn check_parameters<F: Parametric>(member: &F) {
    let (theta, phi) = (member.parameters(), member.unconstrained());
    let near = |a: &Array1<f64>, b: &Array1<f64>, bound: f64| {
        let far = (a - b).iter().zip(b).any(|(d, b)| d.abs() > bound * (1.0 + b.abs()));
        assert!(!far, "{member:?}: {a}, expected {b}");
    };
    near(&member.with_parameters(&theta).unwrap().natural(), &member.natural(), 1e-12);
    near(&member.with_unconstrained(&phi).unwrap().natural(), &member.natural(), 1e-12);
    let by_phi = member.natural_jacobian().dot(&member.unconstrained_jacobian());
    for i in 0..theta.len() {
        let difference = |x: &Array1<f64>, at: &dyn Fn(&Array1<f64>) -> Array1<f64>| {
            let h = 1e-4 * x[i].abs().max(0.01);
            let step = |t: f64| {
                let mut x = x.clone();
                x[i] += t * h;
                at(&x)
            };
            ((step(1.0) - step(-1.0)) * 8.0 - (step(2.0) - step(-2.0))) / (12.0 * h)
        };
        let column = difference(&theta, &|t| member.with_parameters(t).unwrap().natural());
        near(&member.natural_jacobian().column(i).to_owned(), &column, 1e-7);
        let column = difference(&phi, &|t| member.with_unconstrained(t).unwrap().natural());
        near(&by_phi.column(i).to_owned(), &column, 1e-7);
    }
    assert_eq!(
        member.parameter_blocks().iter().map(|b| b.coordinates.n_params()).sum::<usize>(),
        theta.len()
    );
}

#[test]
fn usual_parameters_and_their_jacobians() {
    let q = NormalGamma::from_mean_count_shape_rate(1.5, 0.5, 0.7, 3.0).unwrap();
    check_parameters(&q);
    check_parameters(&NormalInverseGamma::from(q));
    let (m, w) = (array![0.5, -1.0, 2.0], array![[0.5, 0.1, -0.2], [0.1, 0.3, 0.05], [-0.2, 0.05, 1.5]]);
    let q = NormalWishart::from_mean_count_dof_scale(&m, 2.0, 2.5, &w).unwrap();
    check_parameters(&q);
    check_parameters(&NormalInverseWishart::from(q));
}
