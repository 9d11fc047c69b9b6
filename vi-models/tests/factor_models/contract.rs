//! The contracts of the traits, for every combination of noise, priors and missing entries; bad input.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use vi_core::linalg::Cholesky;
use vi_core::testing::{
    check_conditional, check_conditional_against, check_exchangeable, check_gradient, check_natural,
    check_predictive, random_points,
};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Predictive, StreamKey};
use vi_models::ModelError;
use vi_models::factor_model::{
    Diagonal, FactorAnalysis, FactorModel, FactorModelBlock, FactorModelPriors, InterceptPrior, Isotropic,
    NoiseShape, PrecisionPrior, ProbabilisticPca,
};
use vi_models::observed_matrix::ObservedMatrix;

use crate::{reaches_the_batch_bound, simulated, sweep};

fn priors() -> FactorModelPriors {
    FactorModelPriors {
        loading: PrecisionPrior::Gamma { shape: 2.0, rate: 1.5 },
        score: PrecisionPrior::Known { precision: 1.3 },
        noise: PrecisionPrior::Gamma { shape: 2.5, rate: 0.8 },
        intercept: Some(InterceptPrior { mean: 0.4, precision: 0.7 }),
    }
}

fn model<S: NoiseShape>(missing: f64, priors: FactorModelPriors) -> FactorModel<S> {
    let data = ObservedMatrix::from_dense(&simulated(9, 4, 2, 0.5, missing, 3)).unwrap();
    assert_eq!(data.is_complete(), missing == 0.0);
    FactorModel::new(data, 2, priors).unwrap()
}

fn check<S: NoiseShape>(missing: f64, priors: FactorModelPriors) {
    let model = model::<S>(missing, priors);
    let key = StreamKey::from_seed(11);
    check_conditional(&model, key);
    check_conditional_against(&model, &[FactorModelBlock::Scores], 3, key);
    check_gradient(&model, 3, key);
    check_predictive(&model, key);
    check_natural(&model, key);
    check_exchangeable(&model, key);
}

#[test]
fn pca() {
    check::<Isotropic>(0.0, priors());
}

#[test]
fn pca_with_missing_entries() {
    check::<Isotropic>(0.3, priors());
}

#[test]
fn factor_analysis() {
    check::<Diagonal>(0.0, FactorModelPriors { intercept: None, ..priors() });
}

#[test]
fn factor_analysis_with_missing_entries() {
    check::<Diagonal>(0.3, priors());
}

#[test]
fn matrix_factorisation() {
    let score = PrecisionPrior::Gamma { shape: 1.5, rate: 2.0 };
    check::<Isotropic>(0.3, FactorModelPriors { score, ..priors() });
    let noise = PrecisionPrior::Known { precision: 3.0 };
    let loading = PrecisionPrior::Known { precision: 0.8 };
    check::<Isotropic>(0.0, FactorModelPriors { noise, loading, score, intercept: None });
}

/// Minibatches of 50 rows, with and without missing entries.
#[test]
fn minibatches_reach_the_bound() {
    for missing in [0.0, 0.2] {
        let data = ObservedMatrix::from_dense(&simulated(600, 6, 2, 0.5, missing, 3)).unwrap();
        let model = FactorAnalysis::new(data, 2, FactorModelPriors::default()).unwrap();
        reaches_the_batch_bound(&model, 50, 15);
    }
}

/// log p(y, w, μ, …) by the dense covariance W Wᵀ/λ + 1/τ of the observed entries of every row.
#[test]
fn the_log_joint_is_that_of_a_normal_with_a_dense_covariance() {
    for missing in [0.0, 0.4] {
        let model = model::<Diagonal>(missing, priors());
        let data = model.data().to_dense();
        for z in random_points(model.parameters(), 3, StreamKey::from_seed(5)).rows() {
            let w = Array2::from_shape_fn((4, 2), |(d, k)| z[2 * d + k]);
            let (mean, alpha, tau) = (|d: usize| z[8 + d], |k: usize| z[12 + k], |d: usize| z[14 + d]);
            let mut expected = 0.0;
            for row in data.rows() {
                let seen: Vec<usize> = (0..4).filter(|d| !row[*d].is_nan()).collect();
                if seen.is_empty() {
                    continue;
                }
                let covariance = Array2::from_shape_fn((seen.len(), seen.len()), |(i, j)| {
                    let (d, e) = (seen[i], seen[j]);
                    w.row(d).dot(&w.row(e)) / 1.3 + if i == j { 1.0 / tau(d) } else { 0.0 }
                });
                expected +=
                    log_normal(&Array1::from_iter(seen.iter().map(|d| row[*d] - mean(*d))), &covariance);
            }
            for k in 0..2 {
                expected += log_gamma_density(alpha(k), 2.0, 1.5);
                expected += (0..4).map(|d| log_scalar(w[[d, k]], 0.0, alpha(k))).sum::<f64>();
            }
            for d in 0..4 {
                expected += log_gamma_density(tau(d), 2.5, 0.8) + log_scalar(mean(d), 0.4, 0.7);
            }
            assert_relative_eq!(model.log_joint(&z), expected, max_relative = 1e-10);
        }
    }
}

fn log_normal(residual: &Array1<f64>, covariance: &Array2<f64>) -> f64 {
    let cholesky = Cholesky::factor(covariance).unwrap();
    let n = residual.len() as f64;
    -0.5 * (n * (2.0 * std::f64::consts::PI).ln()
        + cholesky.log_det()
        + residual.dot(&cholesky.solve(residual)))
}

fn log_scalar(x: f64, mean: f64, precision: f64) -> f64 {
    0.5 * ((precision / (2.0 * std::f64::consts::PI)).ln() - precision * (x - mean).powi(2))
}

fn log_gamma_density(x: f64, shape: f64, rate: f64) -> f64 {
    shape * rate.ln() - vi_families::special::log_gamma(shape) + (shape - 1.0) * x.ln() - rate * x
}

/// The noise is 10⁵ times smaller than the data, which lie 10⁴ away from 0: sums of squares about 0 would have lost all
/// digits of the noise.
#[test]
fn small_noise_on_large_data_is_found() {
    let mut data = simulated(200, 6, 2, 1e-5, 0.0, 8);
    data += 1e4;
    let holes = simulated(200, 6, 2, 1e-5, 0.1, 8) + 1e4;
    for data in [data, holes] {
        let data = ObservedMatrix::from_dense(&data).unwrap();
        let noise = PrecisionPrior::Gamma { shape: 1e-3, rate: 1e-12 };
        let priors = FactorModelPriors { noise, ..FactorModelPriors::default() };
        let model = ProbabilisticPca::new(data, 2, priors).unwrap();
        let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        let mut last = f64::NEG_INFINITY;
        for _ in 0..60 {
            let bound = sweep(&model, &mut q, &mut stats);
            assert!(bound >= last - 1e-9 * last.abs(), "{bound} after {last}");
            last = bound;
        }
        let sd = q.noise_precisions()[0].mean().powf(-0.5);
        assert!((sd / 1e-5 - 1.0).abs() < 0.1, "{sd}");
    }
}

/// Held-out entries of data with two factors are predicted about as well as the noise allows.
#[test]
fn held_out_entries_are_predicted() {
    let whole = simulated(150, 12, 2, 0.3, 0.0, 21);
    let mask = simulated(150, 12, 1, 1.0, 0.25, 22);
    let train =
        ndarray::Zip::from(&whole).and(&mask).map_collect(|y, m| if m.is_nan() { f64::NAN } else { *y });
    let held =
        ndarray::Zip::from(&whole).and(&mask).map_collect(|y, m| if m.is_nan() { *y } else { f64::NAN });
    let model =
        FactorAnalysis::new(ObservedMatrix::from_dense(&train).unwrap(), 4, FactorModelPriors::default())
            .unwrap();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(2), Exec::local()).unwrap();
    (0..60).for_each(|_| {
        sweep(&model, &mut q, &mut stats);
    });
    let held = ObservedMatrix::from_dense(&held).unwrap();
    let score = model.held_out(&q, &held).unwrap();
    assert_eq!(score.n, held.n_observed());
    assert!(score.root_mean_square < 0.36, "{score:?}");
    // 450 entries: a share of 0.95 has standard error 0.01.
    assert!((0.90..=0.99).contains(&score.coverage), "{score:?}");
    // The best constant is −½ log 2πe 0.09 = −0.215.
    assert!(score.mean_log_density > -0.45, "{score:?}");
    let again = model.scores_of(&q, model.data()).unwrap();
    assert!((&again - &q.scores().means()).iter().all(|e| e.abs() < 1e-3));
    assert!(model.held_out(&q, &ObservedMatrix::from_dense(&array![[1.0]]).unwrap()).is_err());
}

/// Loadings of a fit with holes have D covariances: complete rows are scored under all of them.
#[test]
fn scores_of_complete_rows_are_those_beside_a_row_with_a_hole() {
    let mut train = simulated(30, 4, 1, 0.3, 0.0, 5);
    // The first column is seen three times only: its loading is uncertain.
    train.slice_mut(ndarray::s![3.., 0]).fill(f64::NAN);
    let data = ObservedMatrix::from_dense(&train).unwrap();
    let model = ProbabilisticPca::new(data, 2, FactorModelPriors::default()).unwrap();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(2), Exec::local()).unwrap();
    (0..40).for_each(|_| {
        sweep(&model, &mut q, &mut stats);
    });
    let rows = simulated(6, 4, 1, 0.3, 0.0, 6);
    let mut beside = Array2::zeros((7, 4));
    beside.slice_mut(ndarray::s![..6, ..]).assign(&rows);
    beside[[6, 2]] = f64::NAN;
    let score = |y: &Array2<f64>| model.scores_of(&q, &ObservedMatrix::from_dense(y).unwrap()).unwrap();
    let (alone, beside) = (score(&rows), score(&beside));
    assert!(
        (&alone - &beside.slice(ndarray::s![..6, ..])).iter().all(|e| e.abs() < 1e-9),
        "{alone} {beside}"
    );
}

/// Data simulated at a point have the mean and the covariance of that point.
#[test]
fn simulated_rows_have_the_moments_of_their_parameters() {
    let data = ObservedMatrix::from_dense(&Array2::zeros((40_000, 2))).unwrap();
    let known = |precision| PrecisionPrior::Known { precision };
    let priors = FactorModelPriors {
        loading: known(1.0),
        score: known(4.0),
        noise: known(2.0),
        intercept: Some(InterceptPrior { mean: 1.0, precision: 1.0 }),
    };
    let model = ProbabilisticPca::new(data, 1, priors).unwrap();
    let z = array![2.0, -1.0, 3.0, 5.0];
    let y = model.simulate(model.data(), &z, &mut StreamKey::from_seed(7).rng(0)).to_dense();
    let mean = y.mean_axis(ndarray::Axis(0)).unwrap();
    let centred = &y - &mean;
    let covariance = centred.t().dot(&centred) / 40_000.0;
    // Variances 1.5 and 0.75, covariance −0.5; 5 standard errors of 40 000 draws: one of 5 comparisons fails with
    // probability 3·10⁻⁶ over all keys.
    assert!((mean[0] - 3.0).abs() < 5.0 * (1.5_f64 / 4e4).sqrt());
    assert!((mean[1] - 5.0).abs() < 5.0 * (0.75_f64 / 4e4).sqrt());
    assert!((covariance[[0, 0]] - 1.5).abs() < 5.0 * 1.5 * (2.0_f64 / 4e4).sqrt());
    assert!((covariance[[1, 1]] - 0.75).abs() < 5.0 * 0.75 * (2.0_f64 / 4e4).sqrt());
    assert!((covariance[[0, 1]] + 0.5).abs() < 5.0 * ((1.5_f64 * 0.75 + 0.25) / 4e4).sqrt());
    let (z, data) = model.simulate_prior(StreamKey::from_seed(3));
    model.parameters().check(&z).unwrap();
    assert_eq!(data.n_observed(), 80_000);
}

#[test]
fn bad_input_is_named() {
    let nan = f64::NAN;
    let data = |rows: &Array2<f64>| ObservedMatrix::from_dense(rows);
    assert!(matches!(data(&array![[nan, nan]]), Err(ModelError::Empty { .. })));
    let infinite = data(&array![[1.0, f64::INFINITY]]);
    assert!(matches!(infinite, Err(ModelError::Datum { row: 0, column: 1, .. })), "{infinite:?}");
    let twice = ObservedMatrix::from_entries(2, 2, [(1, 0, 1.0), (1, 0, 2.0)]);
    assert!(matches!(twice, Err(ModelError::Datum { row: 1, column: 0, requirement: "given once", .. })));
    let outside = ObservedMatrix::from_entries(2, 2, [(2, 0, 1.0)]);
    assert!(matches!(outside, Err(ModelError::Datum { row: 2, .. })));
    let good = data(&array![[1.0, 2.0], [0.5, nan]]).unwrap();
    let refused = |k, priors| match ProbabilisticPca::new(good.clone(), k, priors) {
        Err(ModelError::Prior { parameter, .. }) => parameter,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(0, FactorModelPriors::default()), "n_factors");
    let gamma = |shape, rate| PrecisionPrior::Gamma { shape, rate };
    assert_eq!(refused(1, FactorModelPriors { loading: gamma(0.0, 1.0), ..priors() }), "loading.gamma.shape");
    assert_eq!(refused(1, FactorModelPriors { noise: gamma(1.0, nan), ..priors() }), "noise.gamma.rate");
    let score = PrecisionPrior::Known { precision: -1.0 };
    assert_eq!(refused(1, FactorModelPriors { score, ..priors() }), "score.known.precision");
    let intercept = Some(InterceptPrior { mean: 0.0, precision: 0.0 });
    assert_eq!(refused(1, FactorModelPriors { intercept, ..priors() }), "intercept.precision");
}
