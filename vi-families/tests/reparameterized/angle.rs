//! The von Mises factor of an angle, against differences, quadrature and its own distribution function.

use std::f64::consts::PI;

use ndarray::{Array1, Array2, array};
use vi_core::{Bijection, Parameter, ParameterSpace, Support};
use vi_families::testing::{check_differentiable_density, check_reparameterized};
use vi_families::{
    ExponentialFamily, ProductFamily, Reparameterized, UniformTransport, Univariate, VariationalDistribution,
    VariationalFamily, VonMises,
};

use crate::key;

fn family() -> ProductFamily {
    ProductFamily::for_space(&ParameterSpace::new([Parameter::scalar("phi", Support::Angle)]).unwrap())
        .unwrap()
}

/// Directions on both sides of the cut, κ from 0.05 to 400.
fn members() -> [Array1<f64>; 5] {
    [array![0.3, -3.0], array![-2.0, 0.2], array![3.1, 1.5], array![9.0, 3.0], array![-3.1, 6.0]]
}

#[test]
fn an_angle_is_a_transport() {
    check_reparameterized(&family(), &members(), key());
    check_differentiable_density(&family(), &members(), &Array2::eye(1), key());
}

/// Differences of fourth order.
fn slope(f: impl Fn(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// ∂z/∂κ = −(∂F/∂κ)/p at fixed F, F the distribution function of the deviation from the location.
#[test]
fn draws_are_differentiated_as_the_distribution_function_says() {
    for lambda in members() {
        let (family, kappa) = (family(), lambda[1].exp());
        let q = family.bind(&lambda).unwrap();
        let of = |kappa: f64| VonMises::from_mean_direction_concentration(0.0, kappa).unwrap();
        for u in [0.02, 0.3, 0.5, 0.77, 0.999] {
            let (mut z, mut out) = (array![0.0], array![0.0, 0.0]);
            q.transport(&array![u], &mut z);
            let deviation = of(kappa).quantile(u);
            assert!(
                ((z[0] - lambda[0] - deviation).cos() - 1.0).abs() < 1e-14,
                "the draw is turned by the location"
            );
            assert!(z[0].abs() <= PI);
            q.add_transport_vjp(&array![u], &z, &array![1.0], 1.0, &mut out);
            let by_log_kappa = slope(|h| of(kappa * h.exp()).cdf(deviation), 1e-3);
            let expected = -by_log_kappa / of(kappa).log_prob(&deviation).exp();
            assert_eq!(out[0], 1.0);
            let error = (out[1] - expected).abs();
            assert!(error < 1e-7 * (1.0 + expected.abs()), "λ = {lambda}, u = {u}: {} ≠ {expected}", out[1]);
        }
    }
}

/// A function on the circle and its derivative.
fn on_circle(z: f64) -> (f64, f64) {
    let bump = (z - 0.4).cos().exp();
    ((2.0 * z + 0.3).sin() + bump, 2.0 * (2.0 * z + 0.3).cos() - bump * (z - 0.4).sin())
}

/// ∫ f over the circle: the trapezium rule, exact to rounding for smooth functions on a circle.
fn around(from: f64, f: impl Fn(f64) -> f64) -> f64 {
    const N: usize = 2000;
    let width = 2.0 * PI / N as f64;
    let wrapped = |z: f64| z - 2.0 * PI * (z / (2.0 * PI)).round();
    (0..N).map(|i| f(wrapped(from + (i as f64 + 0.5) * width)) * width).sum()
}

/// `d/dλ E[f]` three ways: by differences of the integral, by the score, along the paths; and the paths of the transport
/// themselves, from evenly spaced uniforms.
#[test]
fn gradients_of_expectations_are_those_of_quadrature() {
    let family = family();
    let expectation = |lambda: &Array1<f64>| {
        let q = family.bind(lambda).unwrap();
        around(lambda[0], |z| on_circle(z).0 * q.log_prob(&array![z]).exp())
    };
    for lambda in members() {
        let q = family.bind(&lambda).unwrap();
        let element = |p: usize, of: &dyn Fn(f64, &mut Array1<f64>)| {
            around(lambda[0], |z| {
                let mut out = Array1::zeros(2);
                of(z, &mut out);
                out[p] * q.log_prob(&array![z]).exp()
            })
        };
        for p in 0..2 {
            let moved = |h: f64| {
                let mut moved = lambda.clone();
                moved[p] += h;
                expectation(&moved)
            };
            let exact = slope(moved, 1e-3);
            let by_score = element(p, &|z, out| q.add_score(&array![z], on_circle(z).0, out));
            let by_path = element(p, &|z, out| {
                q.add_transport_vjp(&array![0.5], &array![z], &array![on_circle(z).1], 1.0, out);
            });
            let n = 4000;
            let mut sum = Array1::zeros(2);
            for i in 0..n {
                let (u, mut z) = (array![(i as f64 + 0.5) / n as f64], array![0.0]);
                q.transport(&u, &mut z);
                q.add_transport_vjp(&u, &z, &array![on_circle(z[0]).1], 1.0 / n as f64, &mut sum);
            }
            let errors = [by_score - exact, by_path - exact, sum[p] - exact];
            // Quantiles of the thin part of the circle are steep, so that evenly spaced uniforms are a coarse rule.
            let bounds = [1e-9, 1e-9, 1e-3];
            for (error, bound) in errors.iter().zip(bounds) {
                assert!(
                    error.abs() < bound * (1.0 + exact.abs()),
                    "λ = {lambda}, {p}: {exact}, errors {errors:?}"
                );
            }
        }
    }
}

/// Entropy and uniforms of the member are those of the distribution.
#[test]
fn the_factor_is_the_distribution() {
    let family = family();
    for lambda in members() {
        let q = family.bind(&lambda).unwrap();
        let d = VonMises::from_mean_direction_concentration(lambda[0], lambda[1].exp()).unwrap();
        assert!((q.entropy().unwrap() - d.entropy()).abs() < 1e-13);
        assert!((q.log_prob(&array![1.0]) - d.log_prob(&1.0)).abs() < 1e-12);
        let (mut by_uniform, mut by_noise) = (array![0.0], array![0.0]);
        q.transport_uniforms(&array![0.3], &mut by_uniform);
        q.transport(&array![0.3], &mut by_noise);
        assert_eq!(by_uniform, by_noise);
        assert_eq!(q.log_prob(&array![3.2]), f64::NEG_INFINITY);
    }
    let space = ParameterSpace::new([Parameter::scalar("phi", Support::Angle)]).unwrap();
    assert!(space.check(&array![-PI]).is_ok() && space.check(&array![3.2]).is_err());
    let message = Bijection::new(&space).unwrap_err().to_string();
    assert!(message.contains("`phi`") && message.contains("angle"), "{message}");
    assert_eq!(family.param_names(), ["location(phi)", "log_concentration(phi)"]);
    let message = family.bind(&array![f64::NAN, 0.0]).unwrap_err().to_string();
    assert!(message.contains("location(phi)"), "{message}");
    let message = family.bind(&array![0.0, 301.0]).unwrap_err().to_string();
    assert!(message.contains("log_concentration(phi)"), "{message}");
}

/// η′ = η + ρ J ñ, also across the centre, where the direction turns by more than a quarter.
#[test]
fn natural_steps_are_straight_in_natural_parameters() {
    let family = family();
    let natural_of = |l: &Array1<f64>| array![l[1].exp() * l[0].cos(), l[1].exp() * l[0].sin()];
    for lambda in members() {
        for along in [array![0.3, -0.2], array![1.5, -2.5], array![0.0, 3.0]] {
            let mut moved = Array1::zeros(2);
            let n_halvings = family.natural_step(&lambda, &along, 0.8, &mut moved).unwrap();
            let (k, s, c) = (lambda[1].exp(), lambda[0].sin(), lambda[0].cos());
            let jacobian = array![[-k * s, k * c], [k * c, k * s]];
            let expected = natural_of(&lambda) + 0.8 * jacobian.dot(&along);
            assert_eq!(n_halvings, 0);
            let error = (natural_of(&moved) - &expected).mapv(f64::abs).sum();
            assert!(error < 1e-12 * (1.0 + k), "λ = {lambda}, ñ = {along}: {moved}");
        }
    }
    // To η = 0, where there is no direction: half way.
    let mut moved = Array1::zeros(2);
    assert_eq!(family.natural_step(&array![0.5, 0.0], &array![0.0, -1.0], 1.0, &mut moved).unwrap(), 1);
    assert!((moved[1] - 0.5f64.ln()).abs() < 1e-15 && moved[0] == 0.5, "{moved}");
}
