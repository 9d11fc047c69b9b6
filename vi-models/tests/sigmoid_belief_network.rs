//! The sigmoid belief network against its formula written out, sums over all hidden bits, and bad input.

use ndarray::{Array1, Array2, array, s};
use vi_core::testing::{check_plate, random_points};
use vi_core::{PlateError, PlateLogJoint, PlateModel, StreamKey};
use vi_models::ModelError;
use vi_models::digits::Digits;
use vi_models::sigmoid_belief_network::{SigmoidBeliefNetwork, SigmoidBeliefTables};

const DIGITS: &str = include_str!("../../data/digits.csv");

fn random_pixels(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let space =
        vi_core::ParameterSpace::new([vi_core::Parameter::vector("x", d, vi_core::Support::Binary)]).unwrap();
    random_points(&space, n, StreamKey::from_seed(seed))
}

fn random_theta(model: &SigmoidBeliefNetwork, seed: u64) -> Array1<f64> {
    random_points(model.model_parameters(), 1, StreamKey::from_seed(seed)).row(0).to_owned()
}

fn log_bernoulli(bit: f64, logit: f64) -> f64 {
    if bit == 1.0 { -(-logit).exp().ln_1p() } else { -logit.exp().ln_1p() }
}

/// The definition, factor by factor.
fn log_joint(theta: &Array1<f64>, x: &[f64], z: &[f64]) -> f64 {
    let (h, d) = (z.len(), x.len());
    let (weight, rest) = theta.as_slice().unwrap().split_at(h * d);
    let (pixel_bias, hidden_bias) = rest.split_at(d);
    let hidden: f64 = z.iter().zip(hidden_bias).map(|(z, b)| log_bernoulli(*z, *b)).sum();
    let pixels = (0..d).map(|d_| {
        let logit = pixel_bias[d_] + (0..h).map(|h_| z[h_] * weight[h_ * d + d_]).sum::<f64>();
        log_bernoulli(x[d_], logit)
    });
    hidden + pixels.sum::<f64>()
}

fn values(model: &SigmoidBeliefNetwork, theta: &Array1<f64>, data: &[usize], z: &Array2<f64>) -> Array1<f64> {
    let mut cache = SigmoidBeliefTables::default();
    let mut out = Array1::from_elem(z.nrows(), f64::NAN);
    model.at(theta, &mut cache).unwrap().log_joint_points(data, z, &mut out);
    out
}

/// Numbers of bits and pixels that are and are not multiples of groups, words and vectors.
const SHAPES: [(usize, usize); 6] = [(1, 1), (5, 8), (6, 9), (40, 17), (64, 64), (93, 3)];

#[test]
fn log_joints_are_those_of_the_definition() {
    for (h, d) in SHAPES {
        let model = SigmoidBeliefNetwork::new(random_pixels(7, d, 1), h).unwrap();
        let theta = random_theta(&model, 2);
        let data = [3, 0, 6];
        // More points than one tile holds.
        for n_points in [1, 5, 700] {
            let z = random_points(model.local_parameters(), 3 * n_points, StreamKey::from_seed(3));
            for (r, value) in values(&model, &theta, &data, &z).iter().enumerate() {
                let x = model.pixels().row(data[r / n_points]).to_vec();
                let expected = log_joint(&theta, &x, &z.row(r).to_vec());
                approx::assert_relative_eq!(*value, expected, max_relative = 1e-11);
            }
        }
    }
}

#[test]
fn it_is_a_plate() {
    for (i, (h, d)) in SHAPES.into_iter().enumerate() {
        let model = SigmoidBeliefNetwork::new(random_pixels(6, d, 4), h).unwrap();
        check_plate(&model, StreamKey::from_seed(5 + i as u64));
        check_plate(&model.with_weight_prior(0.7).unwrap(), StreamKey::from_seed(50 + i as u64));
    }
}

#[test]
fn gradients_over_several_tiles_add_up() {
    let model = SigmoidBeliefNetwork::new(random_pixels(5, 11, 6), 13).unwrap();
    let theta = random_theta(&model, 7);
    let z = random_points(model.local_parameters(), 5 * 600, StreamKey::from_seed(8));
    let mut cache = SigmoidBeliefTables::default();
    let at = model.at(&theta, &mut cache).unwrap();
    let data = [4, 3, 2, 1, 0];
    let (mut out, mut grad) = (Array1::zeros(3000), Array1::zeros(theta.len()));
    at.log_joint_points_and_add_grad(&data, &z, 0.5, &mut out, &mut grad);
    let (mut parts, mut one) = (Array1::zeros(theta.len()), Array1::zeros(1));
    for r in 0..3000 {
        let row = z.slice(s![r..=r, ..]);
        at.log_joint_points_and_add_grad(&data[r / 600..=r / 600], &row, 0.5, &mut one, &mut parts);
        approx::assert_relative_eq!(one[0], out[r], max_relative = 1e-12);
    }
    for (a, b) in grad.iter().zip(&parts) {
        approx::assert_relative_eq!(*a, *b, max_relative = 1e-9, epsilon = 1e-9);
    }
}

#[test]
fn the_log_likelihood_is_the_sum_over_all_hidden_bits() {
    let (h, d) = (6, 9);
    let model = SigmoidBeliefNetwork::new(random_pixels(8, d, 9), h).unwrap();
    let theta = random_theta(&model, 10);
    let exact = model.log_likelihoods(&theta).unwrap().unwrap();
    for (n, exact) in exact.iter().enumerate() {
        let x = model.pixels().row(n).to_vec();
        let states = (0..1 << h).map(|k| (0..h).map(|i| f64::from(k >> i & 1)).collect::<Vec<_>>());
        let expected = states.map(|z| log_joint(&theta, &x, &z).exp()).sum::<f64>().ln();
        approx::assert_relative_eq!(*exact, expected, max_relative = 1e-12);
    }
    let large = SigmoidBeliefNetwork::new(random_pixels(1, d, 9), 13).unwrap();
    assert!(large.log_likelihoods(&random_theta(&large, 1)).unwrap().is_none(), "13 bits are too many");
}

/// Relative frequencies of all 2⁴ images against their probabilities: with 20 000 data, 16 frequencies lie within five
/// standard errors with probability 1 − 1e-5.
#[test]
fn simulated_data_have_the_likelihood_that_is_computed() {
    let all = Array2::from_shape_fn((16, 4), |(k, d)| f64::from(u8::from(k >> d & 1 == 1)));
    let model = SigmoidBeliefNetwork::new(all, 3).unwrap();
    let theta = random_theta(&model, 12);
    let n = 20_000;
    let (x, z) = model.simulate(&theta, n, StreamKey::from_seed(13)).unwrap();
    assert_eq!((x.dim(), z.dim()), ((n, 4), (n, 3)));
    let mut counts = [0.0; 16];
    for row in x.rows() {
        counts[row.iter().enumerate().map(|(d, x)| (*x as usize) << d).sum::<usize>()] += 1.0;
    }
    let exact = model.log_likelihoods(&theta).unwrap().unwrap();
    approx::assert_relative_eq!(exact.mapv(f64::exp).sum(), 1.0, epsilon = 1e-12);
    for (count, log_p) in counts.iter().zip(&exact) {
        let p = log_p.exp();
        let error = (p * (1.0 - p) / n as f64).sqrt();
        assert!((count / n as f64 - p).abs() < 5.0 * error, "{} against {p} ± {error}", count / n as f64);
    }
}

#[test]
fn bad_input_is_named() {
    let new = SigmoidBeliefNetwork::new;
    let error = new(array![[0.0, 1.0], [1.0, 0.5]], 2).unwrap_err();
    assert!(matches!(error, ModelError::Datum { row: 1, column: 1, value: 0.5, .. }), "{error}");
    assert!(new(array![[0.0, f64::NAN]], 2).is_err());
    assert!(matches!(new(Array2::zeros((0, 4)), 2), Err(ModelError::Empty { data: "pixels", .. })));
    assert!(matches!(new(Array2::zeros((4, 4)), 0), Err(ModelError::Empty { data: "hidden bits", .. })));
    let model = new(Array2::zeros((4, 3)), 2).unwrap();
    let error = model.with_data(Array2::zeros((4, 2))).unwrap_err();
    assert!(matches!(error, ModelError::Length { expected: 3, actual: 2, .. }), "{error}");
    assert!(model.clone().with_weight_prior(-1.0).is_err());
    let mut theta = random_theta(&model, 1);
    theta[8] = f64::INFINITY;
    let error = model.log_likelihoods(&theta).unwrap_err();
    let expected = "model parameter pixel_bias[3] = inf, but it must be finite";
    assert!(matches!(&error, PlateError::ModelParameter { .. }) && error.to_string() == expected, "{error}");
}

#[test]
fn points_off_the_support_have_no_density() {
    let model = SigmoidBeliefNetwork::new(random_pixels(1, 3, 1), 41).unwrap();
    let theta = random_theta(&model, 1);
    for (at, wrong) in [(0, 0.5), (39, 2.0), (40, -1.0), (7, f64::NAN), (33, 0.007_812_5)] {
        let mut z = random_points(model.local_parameters(), 3, StreamKey::from_seed(2));
        z[[1, at]] = wrong;
        let out = values(&model, &theta, &[0], &z);
        assert!(out[0].is_finite() && out[1] == f64::NEG_INFINITY && out[2].is_finite(), "{wrong}: {out}");
    }
}

#[test]
fn the_digits_are_all_there() {
    let digits = Digits::from_csv(DIGITS).unwrap();
    assert_eq!((digits.pixels().dim(), digits.labels().len()), ((1797, 64), 1797));
    // Sums of scikit-learn's `load_digits()`: `data.sum()`, `(data >= 8).sum()`, `bincount(target)`.
    assert_eq!(digits.pixels().sum(), 561_718.0);
    assert_eq!(digits.binarised(8.0).sum(), 37_151.0);
    let count = |digit| digits.labels().iter().filter(|l| **l == digit).count();
    assert_eq!((0..10).map(count).collect::<Vec<_>>(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let header = DIGITS.lines().next().unwrap();
    let bad = format!("{header}\n{}17,3\n", "0,".repeat(63));
    let error = Digits::from_csv(&bad).unwrap_err();
    assert!(matches!(error, ModelError::Datum { row: 0, column: 63, value: 17.0, .. }), "{error}");
    assert!(matches!(Digits::from_csv("header\n1,2\n"), Err(ModelError::Length { actual: 2, .. })));
    assert!(matches!(Digits::from_csv("header\n"), Err(ModelError::Empty { .. })));
}
