//! Families of a plate against families of one datum, and the law of the bits.

use ndarray::{Array1, Array2, array};
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::testing::{check_plate_family, check_plate_family_against};
use vi_families::{
    BernoulliPlate, EachMember, FamilyError, GaussianPlate, LowRankGaussian, MeanFieldGaussian, PlateFamily,
    ProductFamily,
};

fn space(n: usize, support: Support) -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("z", n, support)]).unwrap()
}

#[test]
fn bits_are_those_of_a_product() {
    for n in [1, 7, 8, 63, 64, 65, 130] {
        let bits = BernoulliPlate::for_space(&space(n, Support::Binary)).unwrap();
        check_plate_family(&bits, StreamKey::from_seed(n as u64));
        let product = EachMember::new(ProductFamily::for_space(&space(n, Support::Binary)).unwrap());
        check_plate_family_against(&bits, &product, StreamKey::from_seed(100 + n as u64));
    }
}

#[test]
fn normal_coordinates_are_those_of_the_mean_field() {
    for n in [1, 5, 70] {
        let gaussian = GaussianPlate::for_space(&space(n, Support::Real)).unwrap();
        check_plate_family(&gaussian, StreamKey::from_seed(n as u64));
        let mean_field = EachMember::new(MeanFieldGaussian::new(&space(n, Support::Real)).unwrap());
        check_plate_family_against(&gaussian, &mean_field, StreamKey::from_seed(200 + n as u64));
    }
}

#[test]
fn any_family_is_one_of_a_plate() {
    let low_rank = LowRankGaussian::new(&space(4, Support::Real), 2).unwrap();
    check_plate_family(&EachMember::new(low_rank), StreamKey::from_seed(1));
    check_plate_family(
        &EachMember::new(ProductFamily::for_space(&space(3, Support::Positive)).unwrap()),
        StreamKey::from_seed(2),
    );
}

/// The points of one datum at these logits.
fn points(logits: &[f64], n: usize, key: StreamKey, pairs: bool) -> Array2<f64> {
    let bits = BernoulliPlate::for_space(&space(logits.len(), Support::Binary)).unwrap();
    let params = Array2::from_shape_vec((1, logits.len()), logits.to_vec()).unwrap();
    let (mut z, mut log_q) = (Array2::zeros((n, logits.len())), Array1::zeros(n));
    if pairs {
        bits.sample_antithetic_points(&params, &[3], key, n / 2, &mut z, &mut log_q).unwrap();
    } else {
        bits.sample_points(&params, &[3], key, n, &mut z, &mut log_q).unwrap();
    }
    let mut alone = Array1::zeros(n);
    bits.log_prob_points(&params, n, &z, &mut alone).unwrap();
    for (a, b) in log_q.iter().zip(&alone) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "log q: {a} with the draw, {b} alone");
    }
    z
}

/// Means and products of neighbours of 70 bits over 40 000 points: 280 values within five standard errors, which fails
/// with probability 2e-4 over all keys.
#[test]
fn bits_have_their_probabilities_and_are_independent() {
    let n = 40_000;
    let logits: Vec<f64> = (0..70).map(|l| (f64::from(l) - 35.0) / 8.0).collect();
    let p: Vec<f64> = logits.iter().map(|l| 1.0 / (1.0 + (-l).exp())).collect();
    for pairs in [false, true] {
        let z = points(&logits, n, StreamKey::from_seed(4), pairs);
        // Points of a pair depend on each other: only the first of every pair here.
        let step = if pairs { 2 } else { 1 };
        for first in 0..step {
            let rows: Vec<_> = z.rows().into_iter().skip(first).step_by(step).collect();
            let within = |mean: f64, expected: f64, what: &str| {
                let error = (expected * (1.0 - expected) / rows.len() as f64).sqrt();
                assert!(
                    (mean - expected).abs() < 5.0 * error,
                    "{what}: {mean}, expected {expected} ± {error}"
                );
            };
            for l in 0..70 {
                within(rows.iter().map(|r| r[l]).sum::<f64>() / rows.len() as f64, p[l], "mean");
                let next = (l + 1) % 70;
                let both = rows.iter().map(|r| r[l] * r[next]).sum::<f64>() / rows.len() as f64;
                within(both, p[l] * p[next], "neighbours");
            }
        }
    }
}

/// In a pair both bits are 1 with probability max(0, 2p − 1), and both 0 with probability max(0, 1 − 2p).
#[test]
fn pairs_are_as_opposed_as_they_can_be() {
    let logits = [-4.0, -1.0, -0.1, 0.0, 0.3, 2.0, 6.0];
    let n = 40_000;
    let z = points(&logits, n, StreamKey::from_seed(5), true);
    for (l, logit) in logits.iter().enumerate() {
        let p = 1.0 / (1.0 + f64::exp(-logit));
        let (both_one, both_zero): (Vec<bool>, Vec<bool>) = (0..n / 2)
            .map(|s| (z[[2 * s, l]] + z[[2 * s + 1, l]] == 2.0, z[[2 * s, l]] + z[[2 * s + 1, l]] == 0.0))
            .unzip();
        for (seen, expected) in [(both_one, (2.0 * p - 1.0).max(0.0)), (both_zero, (1.0 - 2.0 * p).max(0.0))]
        {
            let share = seen.iter().filter(|s| **s).count() as f64 / seen.len() as f64;
            let error = (expected * (1.0 - expected) / seen.len() as f64).sqrt();
            assert!((share - expected).abs() <= 5.0 * error, "logit {logit}: {share}, expected {expected}");
        }
    }
}

#[test]
fn certain_bits_are_certain() {
    let z = points(&[-800.0, 800.0, -60.0, 60.0], 10_000, StreamKey::from_seed(6), false);
    assert!(z.rows().into_iter().all(|row| row == array![0.0, 1.0, 0.0, 1.0]));
}

#[test]
fn bad_parameters_are_named() {
    let bits = BernoulliPlate::for_space(&space(3, Support::Binary)).unwrap();
    let params = array![[0.0, 0.0, 0.0], [0.0, f64::INFINITY, 0.0]];
    let (mut z, mut log_q) = (Array2::zeros((4, 3)), Array1::zeros(4));
    let error =
        bits.sample_points(&params, &[0, 1], StreamKey::from_seed(1), 2, &mut z, &mut log_q).unwrap_err();
    let expected = "BernoulliPlate: logit(z[2]) of row 1 = inf, but it must be finite";
    assert_eq!(error.to_string(), expected);
    let gaussian = GaussianPlate::for_space(&space(1, Support::Real)).unwrap();
    let error = gaussian.log_prob_points(&array![[0.0, 301.0]], 1, &array![[0.0]], &mut Array1::zeros(1));
    assert!(matches!(error, Err(FamilyError::Domain { value: 301.0, .. })), "{error:?}");
    assert!(BernoulliPlate::for_space(&space(2, Support::Real)).is_err());
    assert!(GaussianPlate::for_space(&space(2, Support::Positive)).is_err());
}
