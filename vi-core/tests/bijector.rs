//! Bijectors: exact determinants, exact gradients, and tails that stay inside the support.

#[path = "support/toys.rs"]
mod toys;

use faer::Mat;
use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use toys::{Waves, continuous_parameters};
use vi_core::testing::{check_gradient, random_points};
use vi_core::{Bijection, Parameter, ParameterSpace, StreamKey, Support};

const UNIT: Support = Support::Interval { lower: 0.0, upper: 1.0 };

fn bijection(parameter: Parameter) -> Bijection {
    Bijection::new(&ParameterSpace::new([parameter]).unwrap()).unwrap()
}

fn constrain(b: &Bijection, u: &Array1<f64>) -> (Array1<f64>, f64) {
    let mut z = Array1::from_elem(b.constrained().dim(), f64::NAN);
    let log_det = b.constrain(u, &mut z);
    (z, log_det)
}

fn unconstrain(b: &Bijection, z: &Array1<f64>) -> Array1<f64> {
    let mut u = Array1::from_elem(b.unconstrained().dim(), f64::NAN);
    b.unconstrain(z, &mut u).unwrap();
    u
}

/// The coordinates of z that can be chosen: the reference measure of the support is Lebesgue measure on these.
fn free_coordinates(space: &ParameterSpace) -> Vec<usize> {
    let mut free = Vec::new();
    for p in space.parameters() {
        let (size, n) = (p.event_size(), p.event_order());
        free.extend(p.range().filter(|d| {
            let i = (d - p.range().start) % size;
            match p.support() {
                Support::Simplex => i + 1 < n,
                Support::CholeskyFactor | Support::PositiveDefinite => i % n <= i / n,
                _ => true,
            }
        }));
    }
    free
}

/// log |det ∂z_free/∂u| by central differences, extrapolated once.
fn log_det_by_differences(b: &Bijection, u: &Array1<f64>) -> f64 {
    let free = free_coordinates(b.constrained());
    assert_eq!(free.len(), u.len());
    let column = |j: usize| {
        let difference = |h: f64| {
            let at = |step: f64| {
                let mut u = u.clone();
                u[j] += step;
                constrain(b, &u).0
            };
            (at(h) - at(-h)) / (2.0 * h)
        };
        let h = 2e-3;
        (difference(h / 2.0) * 4.0 - difference(h)) / 3.0
    };
    let columns: Vec<Array1<f64>> = (0..u.len()).map(column).collect();
    Mat::from_fn(u.len(), u.len(), |i, j| columns[j][free[i]]).determinant().abs().ln()
}

#[test]
fn log_det_is_that_of_the_jacobian_on_every_support() {
    for parameter in continuous_parameters().into_iter().filter(|p| p.name() != "one") {
        let b = bijection(parameter);
        for (i, scale) in [0.0, 0.5, 1.0, 2.0].into_iter().enumerate() {
            let real = random_points(b.unconstrained(), 3, StreamKey::from_seed(i as u64));
            for u in real.rows() {
                let u = &u * scale;
                let (_, log_det) = constrain(&b, &u);
                let expected = log_det_by_differences(&b, &u);
                let name = b.constrained().parameters()[0].name();
                assert!(
                    (log_det - expected).abs() < 1e-7 * (1.0 + expected.abs()),
                    "{name} at {u}: {log_det}, {expected}"
                );
                assert_eq!(b.log_det(&u), log_det);
            }
        }
    }
}

#[test]
fn pullback_is_the_gradient_on_every_support() {
    for (i, parameter) in continuous_parameters().into_iter().enumerate() {
        check_gradient(&Waves::new([parameter]), 5, StreamKey::from_seed(i as u64));
    }
    check_gradient(&Waves::new(continuous_parameters()), 3, StreamKey::from_seed(100));
}

#[test]
fn whole_spaces_round_trip_and_stay_in_the_support() {
    let space = ParameterSpace::new(continuous_parameters()).unwrap();
    let b = Bijection::new(&space).unwrap();
    assert!(b.unconstrained().is_unconstrained());
    for z in random_points(&space, 50, StreamKey::from_seed(3)).rows() {
        space.check(&z).unwrap();
        let u = unconstrain(&b, &z.to_owned());
        let (back, _) = constrain(&b, &u);
        assert!((&back - &z).iter().zip(z).all(|(e, z)| e.abs() < 1e-12 * (1.0 + z.abs())), "{z} {back}");
    }
}

#[test]
fn names_and_lengths_of_the_unconstrained_space() {
    let space = ParameterSpace::new(continuous_parameters()).unwrap();
    let b = Bijection::new(&space).unwrap();
    let names: Vec<&str> = b.unconstrained().parameters().iter().map(Parameter::name).collect();
    let expected = [
        "x",
        "log(tau)",
        "logit(p)",
        "stick(w)",
        "stick(rows)",
        "log_increments(c)",
        "log_increments(d)",
        "log_cholesky(L)",
        "log_cholesky(S)",
        "log_cholesky(T)",
    ];
    assert_eq!(names, expected, "a simplex of one element has no coordinate");
    let sizes: Vec<usize> = b.unconstrained().parameters().iter().map(Parameter::size).collect();
    assert_eq!(sizes, [2, 1, 4, 3, 4, 3, 6, 6, 6, 6]);
    assert!(b.unconstrained().names().contains(&"log_cholesky(T)[2,3]".to_owned()));
}

#[test]
fn discrete_supports_are_refused_by_name() {
    for (support, text) in [
        (Support::Binary, "binary"),
        (Support::Count, "count"),
        (Support::Categorical { n: 3 }, "categorical(3)"),
    ] {
        let space =
            ParameterSpace::new([Parameter::scalar("mu", Support::Real), Parameter::scalar("k", support)]);
        let message = Bijection::new(&space.unwrap()).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("parameter `k` has support {text}, which a bijection onto the real line cannot treat")
        );
    }
}

#[test]
fn points_outside_the_support_are_named() {
    let b = bijection(Parameter::vector("tau", 2, Support::Positive));
    let error = b.unconstrain(&array![1.0, -2.0], &mut array![0.0, 0.0]).unwrap_err();
    assert_eq!(error.to_string(), "tau[2] = -2 lies outside its support (positive)");
    assert_eq!(b.log_prob_constrained(&array![1.0, -2.0], |_| 0.0), f64::NEG_INFINITY);
}

#[test]
fn zero_is_the_uniform_simplex() {
    for k in 1..8 {
        let b = bijection(Parameter::vector("w", k, Support::Simplex));
        let (z, _) = constrain(&b, &Array1::zeros(k - 1));
        assert!(z.iter().all(|z| (z - 1.0 / k as f64).abs() < 1e-15), "{z}");
    }
}

#[test]
fn far_tails_stay_inside_the_support_with_exact_determinants() {
    for parameter in continuous_parameters().into_iter().filter(|p| !p.name().contains(['S', 'T'])) {
        let b = bijection(parameter);
        let n = b.unconstrained().dim();
        for value in [-700.0, -300.0, -40.0, 40.0, 300.0, 700.0] {
            for u in [
                Array1::from_elem(n, value),
                Array1::from_shape_fn(n, |i| if i % 2 == 0 { value } else { -value }),
            ] {
                let (z, log_det) = constrain(&b, &u);
                b.constrained().check(&z).unwrap_or_else(|e| panic!("{e} at u = {u}"));
                assert!(log_det.is_finite(), "{log_det} at u = {u}");
                let mut grad = Array1::from_elem(n, f64::NAN);
                b.pullback(&u, &z, &z.mapv(f64::recip), &mut grad);
                assert!(grad.iter().all(|g| g.is_finite()), "{grad} at u = {u}");
            }
        }
    }
    // log dz/du = log 4 − |u| − 2 log(1 + e^−|u|): to the last digits, where 1 − σ(u) has none.
    let b = bijection(Parameter::scalar("p", Support::Interval { lower: -1.0, upper: 3.0 }));
    assert!((constrain(&b, &array![700.0]).1 - (4f64.ln() - 700.0)).abs() < 1e-12);
    // The second break is of a rest of 2 e^−700.
    let b = bijection(Parameter::vector("w", 3, Support::Simplex));
    let (z, log_det) = constrain(&b, &array![700.0, 0.0]);
    let expected = 2f64.ln() - 700.0 + (2f64.ln() - 700.0) + 0.25f64.ln();
    assert!((log_det - expected).abs() < 1e-10, "{log_det} {expected}");
    assert!((z[1].ln() - -700.0).abs() < 1e-10, "{z}");
}

#[test]
fn nan_is_not_hidden() {
    for parameter in continuous_parameters().into_iter().filter(|p| p.name() != "one") {
        let b = bijection(parameter);
        let (z, log_det) = constrain(&b, &Array1::from_elem(b.unconstrained().dim(), f64::NAN));
        assert!(log_det.is_nan() || b.is_identity());
        assert!(z.iter().any(|z| z.is_nan()), "{z}");
    }
}

#[test]
fn views_with_gaps_give_the_same_bits() {
    let space = ParameterSpace::new(continuous_parameters()).unwrap();
    let b = Bijection::new(&space).unwrap();
    let (n, d) = (b.unconstrained().dim(), space.dim());
    let u = random_points(b.unconstrained(), 1, StreamKey::from_seed(4)).row(0).to_owned();
    let (z, log_det) = constrain(&b, &u);
    let (mut wide_u, mut wide_z) = (Array2::zeros((n, 2)), Array2::zeros((d, 2)));
    wide_u.column_mut(1).assign(&u);
    assert_eq!(b.constrain(&wide_u.column(1), &mut wide_z.column_mut(1)), log_det);
    assert_eq!(wide_z.column(1), z);
    let mut grad = Array1::zeros(n);
    b.pullback(&u, &z, &z, &mut grad);
    let mut wide_grad = Array2::zeros((n, 2));
    b.pullback(&wide_u.column(1), &wide_z.column(1), &wide_z.column(1), &mut wide_grad.column_mut(0));
    assert_eq!(wide_grad.slice(s![.., 0]), grad);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn positive_round_trips(u in -700.0..700.0) {
        let b = bijection(Parameter::scalar("x", Support::Positive));
        let (z, log_det) = constrain(&b, &array![u]);
        prop_assert_eq!(log_det, u);
        prop_assert!((unconstrain(&b, &z)[0] - u).abs() <= 1e-13 * (1.0 + u.abs()));
    }

    #[test]
    fn the_lower_end_of_an_interval_keeps_its_digits(u in -700.0..2.0) {
        let b = bijection(Parameter::scalar("x", UNIT));
        let (z, _) = constrain(&b, &array![u]);
        prop_assert!((unconstrain(&b, &z)[0] - u).abs() <= 1e-12 * (1.0 + u.abs()), "{}", z);
    }

    #[test]
    fn intervals_round_trip_where_z_can_tell(lower in -1e3..1e3, width in 1e-3..1e3, z in 0.001..0.999) {
        let b = bijection(Parameter::scalar("x", Support::Interval { lower, upper: lower + width }));
        let z = array![lower + width * z];
        let (back, _) = constrain(&b, &unconstrain(&b, &z));
        prop_assert!((back[0] - z[0]).abs() <= 1e-12 * (lower.abs() + width));
    }

    #[test]
    fn simplexes_round_trip_with_tiny_components(u in prop::collection::vec(-150.0..150.0, 4)) {
        let b = bijection(Parameter::vector("w", 5, Support::Simplex));
        let u = Array1::from(u);
        let (z, _) = constrain(&b, &u);
        b.constrained().check(&z).unwrap();
        let back = unconstrain(&b, &z);
        prop_assert!((&back - &u).iter().all(|e| e.abs() < 1e-10), "{} {}", u, back);
    }

    #[test]
    fn ordered_vectors_round_trip(first in -1e3..1e3, steps in prop::collection::vec(-10.0..10.0, 3)) {
        let b = bijection(Parameter::vector("c", 4, Support::Ordered));
        let u = Array1::from_iter(std::iter::once(first).chain(steps));
        let (z, _) = constrain(&b, &u);
        let (back, _) = constrain(&b, &unconstrain(&b, &z));
        prop_assert!((&back - &z).iter().zip(&z).all(|(e, z)| e.abs() < 1e-12 * (1.0 + z.abs())));
    }

    #[test]
    fn matrices_round_trip(u in prop::collection::vec(-2.0..2.0, 6)) {
        for support in [Support::CholeskyFactor, Support::PositiveDefinite] {
            let b = bijection(Parameter::new("S", &[3, 3], support));
            let u = Array1::from(u.clone());
            let (z, _) = constrain(&b, &u);
            b.constrained().check(&z).unwrap();
            prop_assert!((unconstrain(&b, &z) - &u).iter().all(|e| e.abs() < 1e-8));
        }
    }
}
