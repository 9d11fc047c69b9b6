//! Gaussian mixture: contracts, and what its input has to be.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ndarray::{Array1, Array2, array, s};
use rand_distr::{Distribution, StandardNormal};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_predictive, check_subsample, random_points,
};
use vi_core::{
    AutoGrad, ConditionallyConjugate, Exec, GradLogJoint, LogJoint, ParameterSpace, Predictive, Scalar,
    ScalarLogJoint, StreamKey, Subsample, log_sum_exp,
};
use vi_families::special::{log_gamma, multivariate_log_gamma};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixtureBlock, GaussianMixturePriors};

const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

fn key() -> StreamKey {
    StreamKey::from_seed(9)
}

/// Three overlapping clusters in two dimensions.
fn synthetic(n: usize) -> Array2<f64> {
    let mut rng = key().rng(0);
    let mut x = Array2::zeros((n, 2));
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        let centre = [[-1.5, 0.0], [1.0, 1.0], [0.5, -1.5]][i % 3];
        let noise: [f64; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
        row[0] = centre[0] + 0.7 * noise[0];
        row[1] = centre[1] + 0.4 * noise[0] + 0.5 * noise[1];
    }
    x
}

fn priors() -> GaussianMixturePriors {
    GaussianMixturePriors {
        concentration: 1.7,
        mean: Some(vec![0.3, -0.2]),
        count: 0.6,
        dof: Some(4.5),
        scale: Some(vec![vec![0.8, 0.1], vec![0.1, 0.5]]),
        ..GaussianMixturePriors::default()
    }
}

fn model(n: usize) -> GaussianMixture {
    GaussianMixture::new(synthetic(n), 3, priors()).unwrap()
}

/// The same model in two dimensions, density by density, with K = 3.
struct Reference {
    space: ParameterSpace,
    data: Array2<f64>,
}

/// (log |Λ|, (x − μ)ᵀ Λ (x − μ)).
fn quadratic<T: Scalar>(x: [T; 2], mean: &[T], precision: &[T]) -> (T, T) {
    let (u, v) = (x[0] - mean[0], x[1] - mean[1]);
    let det = precision[0] * precision[3] - precision[1] * precision[2];
    (det.ln(), u * u * precision[0] + u * v * (precision[1] + precision[2]) + v * v * precision[3])
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let (k, c) = (3, T::constant);
        let mean = |i: usize| &z[k + 2 * i..k + 2 * i + 2];
        let precision = |i: usize| &z[k * 3 + 4 * i..k * 3 + 4 * i + 4];
        let (alpha, beta, nu): (f64, f64, f64) = (1.7, 0.6, 4.5);
        // W₀ = [[0.8, 0.1], [0.1, 0.5]].
        let det_scale: f64 = 0.8 * 0.5 - 0.1 * 0.1;
        let inverse = [0.5 / det_scale, -0.1 / det_scale, 0.8 / det_scale];
        let wishart_constant =
            -0.5 * nu * det_scale.ln() - nu * std::f64::consts::LN_2 - multivariate_log_gamma(2, 0.5 * nu);
        let mut sum = c(log_gamma(3.0 * alpha) - 3.0 * log_gamma(alpha));
        for (i, weight) in z.iter().copied().take(k).enumerate() {
            let p = precision(i);
            let (log_det, q) = quadratic([c(0.3), c(-0.2)], mean(i), p);
            let trace = p[0] * inverse[0] + (p[1] + p[2]) * inverse[1] + p[3] * inverse[2];
            sum = sum + weight.ln() * (alpha - 1.0) + log_det * (0.5 * (nu - 3.0)) - trace * 0.5
                + wishart_constant
                + log_det * 0.5
                - q * (0.5 * beta)
                + (beta.ln() - LOG_2_PI);
        }
        for row in self.data.rows() {
            let terms: Vec<T> = (0..k)
                .map(|i| {
                    let (log_det, q) = quadratic([c(row[0]), c(row[1])], mean(i), precision(i));
                    z[i].ln() + log_det * 0.5 - q * 0.5 - LOG_2_PI
                })
                .collect();
            sum = sum + log_sum_exp(&terms);
        }
        sum
    }
}

#[test]
fn contracts() {
    // 150 data: two full tiles and a part of one.
    for n in [5, 150] {
        let m = model(n);
        let reference = AutoGrad(Reference { space: m.parameters().clone(), data: synthetic(n) });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 10, key());
        check_gradient(&m.minibatch(&[0, 4, 4, 2]), 5, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_batch(&m.minibatch(&[0, 4, 4, 2]), key());
        check_subsample(&m, 3, key());
        check_predictive(&m, key());
        check_conditional_against(&m, &[GaussianMixtureBlock::Assignments], 10, key());
    }
    check_conditional(&model(20), key());
}

#[test]
fn contracts_in_other_dimensions() {
    let wide = Array2::from_shape_fn((30, 4), |(i, j)| ((i * 7 + j * 3) % 11) as f64 / 4.0 + j as f64);
    let narrow = wide.slice(s![.., ..1]).to_owned();
    for data in [narrow, wide] {
        let m = GaussianMixture::new(data, 2, GaussianMixturePriors::default()).unwrap();
        check_gradient(&m, 5, key());
        check_batch(&m, key());
        check_conditional_against(&m, &[GaussianMixtureBlock::Assignments], 10, key());
        check_conditional(&m, key());
    }
}

/// The layout is row-major in (K, D, D); an asymmetric matrix stands for its symmetric part, so that single
/// entries have derivatives too: df = Σ_ij G_ij dΛ_ij.
#[test]
fn matrix_gradients_hold_entry_by_entry() {
    let m = model(40);
    let z = random_points(m.parameters(), 1, key()).row(0).to_owned();
    let mut grad = Array1::zeros(z.len());
    m.log_joint_and_grad(&z, &mut grad);
    for d in 9..z.len() {
        let h = 1e-5;
        let at = |step: f64| {
            let mut z = z.clone();
            z[d] += step;
            m.log_joint(&z)
        };
        assert_abs_diff_eq!(grad[d], (at(h) - at(-h)) / (2.0 * h), epsilon = 1e-4 * (1.0 + grad[d].abs()));
    }
}

#[test]
fn outside_the_support_there_is_no_density() {
    let m = model(5);
    let inside = random_points(m.parameters(), 1, key()).row(0).to_owned();
    let value = |d: usize, v: f64| {
        let mut z = inside.clone();
        z[d] = v;
        let mut grad = Array1::zeros(z.len());
        let both = (m.log_joint(&z), m.log_joint_and_grad(&z, &mut grad));
        assert!(both.0 == both.1 || (both.0.is_nan() && both.1.is_nan()));
        both.0
    };
    assert_eq!(value(0, 0.0), f64::NEG_INFINITY);
    assert_eq!(value(1, -0.1), f64::NEG_INFINITY);
    assert_eq!(value(9, -1.0), f64::NEG_INFINITY);
    assert!(value(0, f64::NAN).is_nan());
    assert!(value(4, f64::NAN).is_nan());
    assert!(value(9, f64::NAN).is_nan());
    // A datum of vanishing density does not turn into NaN.
    assert!(value(3, 1e180) < -1e100);
}

/// A batch with a point outside the support leaves the others alone.
#[test]
fn one_bad_point_spoils_no_batch() {
    let m = model(70);
    let mut z = random_points(m.parameters(), 20, key());
    z[[3, 0]] = -1.0;
    let mut out = Array1::zeros(20);
    m.log_joint_batch(&z, &mut out);
    for (s, row) in z.rows().into_iter().enumerate() {
        if s == 3 {
            assert_eq!(out[s], f64::NEG_INFINITY);
        } else {
            assert_relative_eq!(out[s], m.log_joint(&row), max_relative = 1e-12);
        }
    }
}

#[test]
fn simulated_data_have_the_moments_of_the_mixture() {
    let m = model(5);
    // weights (0.25, 0.75, ~0), means (2, 0) and (−2, 1), precision diag(4, 1) for all.
    let mut z = Array1::zeros(m.dim());
    z.slice_mut(s![..3]).assign(&array![0.25, 0.75 - 1e-12, 1e-12]);
    z.slice_mut(s![3..7]).assign(&array![2.0, 0.0, -2.0, 1.0]);
    for k in 0..3 {
        z.slice_mut(s![9 + 4 * k..13 + 4 * k]).assign(&array![4.0, 0.0, 0.0, 1.0]);
    }
    let n = 20_000;
    let x = m.simulate(&Array2::zeros((n, 2)), &z, &mut key().rng(1));
    // Mean −1 with variance 0.25 + 3 and 0.75 with variance 1 + 3/16; 5 standard errors: false alarm 1e-6.
    let mean = x.mean_axis(ndarray::Axis(0)).unwrap();
    assert_abs_diff_eq!(mean[0], -1.0, epsilon = 5.0 * (3.25 / n as f64).sqrt());
    assert_abs_diff_eq!(mean[1], 0.75, epsilon = 5.0 * (1.1875 / n as f64).sqrt());
    // The precision of the first column, away from its mean 2 within the first component.
    let first: Vec<f64> = x.rows().into_iter().filter(|r| r[0] > 0.0).map(|r| (r[0] - 2.0).powi(2)).collect();
    let variance = first.iter().sum::<f64>() / first.len() as f64;
    assert_relative_eq!(variance, 0.25, max_relative = 5.0 * (2.0 / first.len() as f64).sqrt());
}

#[test]
fn wrong_input_is_named() {
    let message =
        |data: Array2<f64>, k, priors| GaussianMixture::new(data, k, priors).unwrap_err().to_string();
    let default = GaussianMixturePriors::default;
    let mut bad = synthetic(4);
    bad[[2, 1]] = f64::INFINITY;
    assert_eq!(message(bad, 2, default()), "gaussian_mixture: data[2, 1] = inf, but it must be finite");
    assert_eq!(message(Array2::zeros((0, 2)), 2, default()), "gaussian_mixture: data is empty");
    assert_eq!(
        message(synthetic(4), 1, default()),
        "gaussian_mixture: n_components = 1, but it must be at least 2"
    );
    let bad = GaussianMixturePriors { concentration: 0.0, ..default() };
    assert!(message(synthetic(4), 2, bad).contains("concentration = 0, but it must be finite and > 0"));
    let bad = GaussianMixturePriors { dof: Some(1.0), ..default() };
    assert!(message(synthetic(4), 2, bad).contains("dof = 1, but it must be finite and > D − 1"));
    let bad = GaussianMixturePriors { mean: Some(vec![0.0]), ..default() };
    assert!(message(synthetic(4), 2, bad).contains("prior mean has length 1, expected 2"));
    let bad = GaussianMixturePriors { scale: Some(vec![vec![1.0, 2.0], vec![2.0, 1.0]]), ..default() };
    assert!(message(synthetic(4), 2, bad).contains("scale is not positive definite (pivot 1 is -3)"));
    let bad = GaussianMixturePriors { scale: Some(vec![vec![1.0, 2.0], vec![0.0, 1.0]]), ..default() };
    assert!(message(synthetic(4), 2, bad).contains("scale[0, 1] = 2, but it must be finite and symmetric"));
}

#[test]
fn responsibilities_have_to_be_probabilities() {
    let m = model(3);
    let wrong = array![[0.5, 0.5, 0.0], [0.2, 0.2, 0.2], [1.0, 0.0, 0.0]];
    let error = m.start_from_responsibilities(&wrong, Exec::local()).unwrap_err().to_string();
    assert!(error.contains("Assignments: Σ_k responsibilities[1, k] = 0.6"), "{error}");
    let right = array![[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]];
    let (q, stats) = m.start_from_responsibilities(&right, Exec::local()).unwrap();
    assert_eq!(q.responsibilities(), right);
    assert_abs_diff_eq!(stats.counts().as_slice().unwrap(), [1.75, 0.75, 0.5].as_slice(), epsilon = 1e-14);
    assert!(m.elbo(&q, &stats).is_finite());
}
