//! Directions on the circle and on the sphere.

use std::f64::consts::PI;

use ndarray::{Array1, array};
use vi_families::{
    ConjugateLikelihood, ExponentialFamily, FamilyError, VonMises, VonMisesDirection, VonMisesFisher,
    VonMisesFisherDirection, VonMisesFisherMixture, VonMisesMixture,
};

use super::{assert_average, assert_close, check_pair, key};

fn angle(direction: f64, concentration: f64) -> VonMises {
    VonMises::from_mean_direction_concentration(direction, concentration).unwrap()
}

fn unit(direction: &[f64], concentration: f64) -> VonMisesFisher {
    let direction = Array1::from(direction.to_vec());
    VonMisesFisher::from_mean_direction_concentration(&direction, concentration).unwrap()
}

#[test]
fn von_mises_direction() {
    for (prior, known) in [((0.5, 2.0), 3.0), ((-3.0, 0.0), 0.25), ((2.5, 30.0), 4.0), ((1.0, 0.5), 0.0)] {
        let likelihood = VonMisesDirection::from_concentration(known).unwrap();
        check_pair(&likelihood, &angle(prior.0, prior.1), |x, z| angle(*z, known).log_prob(x));
    }
}

#[test]
fn von_mises_fisher_direction() {
    for (prior, known) in [
        (unit(&[0.5, -1.0, 2.0], 3.0), 4.0),
        (VonMisesFisher::uniform(2).unwrap(), 1.5),
        (unit(&[0.0, 1.0, 0.0, 0.5, -0.25], 20.0), 6.0),
        (unit(&[1.0, 1.0, 0.0], 2.0), 0.0),
    ] {
        let p = prior.dimension();
        let likelihood = VonMisesFisherDirection::from_dimension_concentration(p, known).unwrap();
        check_pair(&likelihood, &prior, |x, z| unit(z.as_slice().unwrap(), known).log_prob(x));
    }
}

/// p, κ, κ₀, the angle between x and the mean direction, log p(x): `reference.py`.
const ROWS: [(usize, f64, f64, f64, f64); 24] = [
    (2, 2.5, 1.25, 0.75, -1.371934818147245),
    (2, 0.0, 3.0, 1.0, -1.8378770664093456),
    (2, 4.0, 0.0, 2.0, -1.8378770664093456),
    (2, 1e-08, 1e-08, 0.5, -1.8378770664093453),
    (2, 800.0, 50.0, 0.1, 0.7692336644859807),
    (2, 10000.0, 10000.0, 0.03, 1.0897377514058968),
    (2, 3.0, 3.0, 3.125, -5.007872958806063),
    (2, 1000000.0, 0.5, 1.5, -1.8640580780708154),
    (3, 2.5, 1.25, 0.75, -2.0958629392769303),
    (3, 0.0, 3.0, 1.0, -2.5310242469692907),
    (3, 4.0, 0.0, 2.0, -2.5310242469692907),
    (3, 1e-08, 1e-08, 0.5, -2.5310242469692907),
    (3, 800.0, 50.0, 0.1, 1.7786673537538862),
    (3, 10000.0, 10000.0, 0.03, 4.4294708164094905),
    (3, 3.0, 3.0, 3.125, -4.942128719122934),
    (3, 1000000.0, 0.5, 1.5, -2.5369804117425554),
    (7, 2.5, 1.25, 0.75, -3.2228721132891924),
    (7, 0.0, 3.0, 1.0, -3.498728178685772),
    (7, 4.0, 0.0, 2.0, -3.498728178685772),
    (7, 1e-08, 1e-08, 0.5, -3.498728178685772),
    (7, 800.0, 50.0, 0.1, 5.867082813473736),
    (7, 10000.0, 10000.0, 0.03, 17.788778084233854),
    (7, 3.0, 3.0, 3.125, -4.704451803584544),
    (7, 1000000.0, 0.5, 1.5, -3.481181424161518),
];

/// A cosine keeps an angle d to 10⁻¹⁶/d, which a concentration multiplies by κd: hence the size of the errors.
#[test]
fn predictive_densities_against_quadrature() {
    for (p, k, k0, d, expected) in ROWS {
        let bound = 1e-12 + 1e-15 * (k + k0) * d;
        if p == 2 {
            let q = VonMisesMixture::from_mixing_concentration(angle(0.0, k0), k).unwrap();
            assert_close(&format!("{q:?} at {d}"), q.log_prob(d), expected, bound);
            assert_close(&format!("{q:?} at -{d}"), q.log_prob(-d), expected, bound);
        }
        let mut axis = vec![0.0; p];
        axis[p - 1] = 1.0;
        let mixing = if k0 > 0.0 { unit(&axis, k0) } else { VonMisesFisher::uniform(p).unwrap() };
        let q = VonMisesFisherMixture::from_mixing_concentration(mixing, k).unwrap();
        let mut x = Array1::zeros(p);
        (x[p - 1], x[0]) = (d.cos(), d.sin());
        assert_close(&format!("{q:?} at {d}"), q.log_prob(&x), expected, bound);
    }
}

#[test]
fn predictive_densities_integrate_to_one_and_draws_agree() {
    let (n_nodes, n_draws) = (2000, 20_000);
    for (mu, k0, k) in [(0.5, 2.0, 3.0), (-3.0, 0.5, 0.25), (2.5, 300.0, 40.0), (0.0, 0.0, 5.0)] {
        let q = VonMisesMixture::from_mixing_concentration(angle(mu, k0), k).unwrap();
        let step = 2.0 * PI / f64::from(n_nodes);
        let integral = |f: &dyn Fn(f64) -> f64| -> f64 {
            let nodes = (0..n_nodes).map(|i| -PI + (f64::from(i) + 0.5) * step);
            nodes.map(|x| step * q.log_prob(x).exp() * f(x)).sum()
        };
        assert_close(&format!("∫ {q:?}"), integral(&|_| 1.0), 1.0, 1e-12);
        let resultant = integral(&|x| (x - mu).cos());
        assert_close("resultant length", q.resultant_length(), resultant, 1e-12);
        let draws = || (0..n_draws).map(|s| q.sample(&mut key().rng(s)));
        assert!(draws().all(|x| x.abs() <= PI));
        assert_average("cos", draws().map(|x| (x - mu).cos()), resultant);
        assert_average("sin", draws().map(|x| (x - mu).sin()), 0.0);
        let entropy = integral(&|x| -q.log_prob(x));
        // Without concentration −log p is the same number for all x, and no average of draws.
        if k0 > 0.0 {
            assert_average("−log p", draws().map(|x| -q.log_prob(x)), entropy);
        }
    }
}

/// On the sphere in three dimensions the density is one in c = cos d alone, uniform around the axis: 2π p(c) dc.
#[test]
fn on_the_sphere_the_density_integrates_to_one_and_draws_agree() {
    for (k0, k) in [(2.0, 3.0), (0.5, 0.25), (300.0, 40.0)] {
        let axis = array![0.6, 0.0, -0.8];
        let q = VonMisesFisherMixture::from_mixing_concentration(unit(&[0.6, 0.0, -0.8], k0), k).unwrap();
        let at = |c: f64| q.log_prob(&(&axis * c + &(array![0.8, 0.0, 0.6] * (1.0 - c * c).sqrt())));
        // c = sin(πs/2) for s from −1 to 1: the trapezoidal rule converges as for a periodic function.
        let n_nodes = 4000;
        let integral = |f: &dyn Fn(f64) -> f64| -> f64 {
            let nodes = (0..n_nodes).map(|i| PI * ((f64::from(i) + 0.5) / f64::from(n_nodes) - 0.5));
            nodes.map(|s| PI / f64::from(n_nodes) * s.cos() * 2.0 * PI * f(s.sin())).sum()
        };
        // The corners of cos s at the ends leave an error of the square of the step.
        assert_close(&format!("∫ {q:?}"), integral(&|c| at(c).exp()), 1.0, 1e-6);
        let mean = q.mean().dot(&axis);
        assert_close("mean", mean, integral(&|c| c * at(c).exp()), 1e-6);
        let draws = || (0..10_000).map(|s| q.sample(&mut key().rng(s)));
        assert_average("cos", draws().map(|x| x.dot(&axis)), mean);
        assert_average("across", draws().map(|x| x[1]), 0.0);
        let square = integral(&|c| c * c * at(c).exp());
        assert_average("cos²", draws().map(|x| x.dot(&axis).powi(2)), square);
    }
}

/// In two dimensions both say the same of the same data.
#[test]
fn the_circle_is_the_sphere_in_two_dimensions() {
    let data = [0.3, -1.25, 3.0, 2.75, -2.0];
    let (mut angles, mut vectors) = (
        VonMisesDirection::from_concentration(2.5).unwrap().observed(),
        VonMisesFisherDirection::from_dimension_concentration(2, 2.5).unwrap().observed(),
    );
    for x in data {
        angles.push(&x, 1.5).unwrap();
        vectors.push(&array![x.cos(), x.sin()], 1.5).unwrap();
    }
    let (on_circle, on_sphere) = (angle(0.7, 1.25), unit(&[0.7f64.cos(), 0.7f64.sin()], 1.25));
    let evidence = angles.log_marginal_likelihood(&on_circle).unwrap();
    assert_close("evidence", vectors.log_marginal_likelihood(&on_sphere).unwrap(), evidence, 1e-13);
    let posterior = angles.posterior(&on_circle).unwrap();
    let other = vectors.posterior(&on_sphere).unwrap();
    assert_close("concentration", other.concentration(), posterior.concentration(), 1e-13);
}

/// ∫ p(z) Π p(x | z) dz by the trapezoidal rule, exact for periodic integrands.
#[test]
fn the_evidence_is_the_integral_over_the_prior() {
    let data = [0.3, -1.25, 3.0, 2.75, -2.0];
    for (prior, known) in [(angle(0.7, 1.25), 2.5), (angle(-3.0, 0.0), 0.5), (angle(1.0, 12.0), 7.0)] {
        let mut seen = VonMisesDirection::from_concentration(known).unwrap().observed();
        data.iter().for_each(|x| seen.push(x, 1.0).unwrap());
        let n_nodes = 1000;
        let sum: f64 = (0..n_nodes)
            .map(|i| {
                let z = -PI + 2.0 * PI * f64::from(i) / f64::from(n_nodes);
                let log_likelihood: f64 = data.iter().map(|x| angle(z, known).log_prob(x)).sum();
                (prior.log_prob(&z) + log_likelihood).exp()
            })
            .sum();
        let expected = (sum * 2.0 * PI / f64::from(n_nodes)).ln();
        assert_close("evidence", seen.log_marginal_likelihood(&prior).unwrap(), expected, 1e-12);
    }
}

#[test]
fn impossible_data_and_concentrations_are_errors() {
    let mut seen = VonMisesDirection::from_concentration(2.0).unwrap().observed();
    for x in [f64::NAN, f64::INFINITY, 3.2, -4.0] {
        assert!(matches!(seen.push(&x, 1.0), Err(FamilyError::OutsideSupport { .. })), "{x}");
    }
    let e = seen.push(&f64::NAN, 1.0).unwrap_err().to_string();
    assert_eq!(e, "VonMisesDirection: value 0 is NaN, outside the support");
    let likelihood = VonMisesFisherDirection::from_dimension_concentration(3, 2.0).unwrap();
    let mut seen = likelihood.observed();
    for x in [array![1.0, 0.0], array![1.0, f64::NAN, 0.0], array![0.0, 0.0, 1.1], array![0.0, 0.0, 0.0]] {
        assert!(matches!(seen.push(&x, 1.0), Err(FamilyError::OutsideSupport { .. })), "{x}");
    }
    let plane = VonMisesFisher::uniform(2).unwrap();
    assert!(matches!(seen.posterior(&plane), Err(FamilyError::Length { .. })));
    assert!(matches!(likelihood.predictive(&plane), Err(FamilyError::Length { .. })));
    for bad in [-1.0, f64::NAN, f64::INFINITY, 1e200] {
        assert!(VonMisesDirection::from_concentration(bad).is_err());
        assert!(VonMisesFisherDirection::from_dimension_concentration(3, bad).is_err());
        assert!(VonMisesMixture::from_mixing_concentration(angle(0.0, 1.0), bad).is_err());
        assert!(VonMisesFisherMixture::from_mixing_concentration(plane.clone(), bad).is_err());
    }
    assert!(VonMisesFisherDirection::from_dimension_concentration(1, 1.0).is_err());
    assert!(VonMisesFisherDirection::from_dimension_concentration(0, 1.0).is_err());
    let q = VonMisesFisherMixture::from_mixing_concentration(plane, 1.0).unwrap();
    for x in [array![1.0], array![0.0, 2.0], array![f64::NAN, 0.0]] {
        assert_eq!(q.log_prob(&x), f64::NEG_INFINITY, "{x}");
    }
    let q = VonMisesMixture::from_mixing_concentration(angle(0.0, 1.0), 1.0).unwrap();
    assert_eq!((q.log_prob(4.0), q.log_prob(f64::INFINITY)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    assert!(q.log_prob(f64::NAN).is_nan());
}

/// Concentrations so large that their squares leave the range of numbers.
#[test]
fn extreme_concentrations() {
    for k in [1e-300, 1e100, 1e150] {
        let q = VonMisesMixture::from_mixing_concentration(angle(1.0, k), k).unwrap();
        let expected = if k > 1.0 { 0.5 * (0.5 * k / (2.0 * PI)).ln() } else { -(2.0 * PI).ln() };
        assert_close(&format!("log p at the mode, κ = {k}"), q.log_prob(1.0), expected, 1e-13);
        let q = VonMisesFisherMixture::from_mixing_concentration(unit(&[0.0, 1.0, 0.0], k), k).unwrap();
        // A Gaussian of precision κ/2 in the tangent plane.
        let expected = if k > 1.0 { (0.5 * k / (2.0 * PI)).ln() } else { -(4.0 * PI).ln() };
        assert_close(
            &format!("log p at the mode, κ = {k}"),
            q.log_prob(&array![0.0, 1.0, 0.0]),
            expected,
            1e-13,
        );
    }
}
