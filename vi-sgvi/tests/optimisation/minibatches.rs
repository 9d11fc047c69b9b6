//! Minibatches: exact weights, every subset as likely, any estimator.

use ndarray::Array1;
use vi_core::testing::check_kernel;
use vi_core::{Exec, GradLogJoint, LogJoint, StreamKey, Subsample};
use vi_families::MeanFieldGaussian;
use vi_models::logistic_regression::LogisticRegression;
use vi_sgvi::{
    AnyOptimizer, Averaging, Bound, Elbo, ElboPlateau, GradientEstimator, ImportanceBound,
    ImportancePathwise, LearningRate, Memory, Minibatch, NaturalGradient, Pathwise, ScoreFunction, SgviError,
    SgviSettings, fit,
};

use crate::models::logistic;

const N: usize = 6;
const SIZE: usize = 2;

fn family(model: &LogisticRegression) -> MeanFieldGaussian {
    MeanFieldGaussian::new(model.parameters()).unwrap()
}

fn somewhere() -> Array1<f64> {
    Array1::from(vec![0.3, -0.7, 0.4, -0.2, 0.1, -0.5])
}

/// All pairs of six data.
fn pairs() -> Vec<[usize; SIZE]> {
    (0..N).flat_map(|i| (i + 1..N).map(move |j| [i, j])).collect()
}

fn gradient<M, E>(model: &M, family: &MeanFieldGaussian, estimator: &E, key: StreamKey) -> (Array1<f64>, f64)
where
    M: LogJoint,
    E: GradientEstimator<M, MeanFieldGaussian>,
{
    let mut grad = Array1::zeros(6);
    let elbo = Elbo::new(model, family).unwrap();
    let estimate = estimator
        .estimate(elbo, &somewhere(), key, Exec::local(), &mut Memory::default(), &mut grad)
        .unwrap();
    (grad, estimate.value)
}

/// With the samples held fixed a gradient is linear in the log joint: its mean over all minibatches is that of all data, to
/// rounding. And what the estimator on minibatches returns is what the estimator returns on the minibatch it drew.
fn check_all_minibatches<E>(estimator: E)
where
    E: GradientEstimator<LogisticRegression, MeanFieldGaussian>
        + for<'b> GradientEstimator<
            <LogisticRegression as Subsample>::Minibatch<'b>,
            MeanFieldGaussian,
            State = (),
        >,
{
    let (model, key) = (logistic(N), StreamKey::from_seed(41));
    let family = family(&model);
    let (whole, whole_elbo) = gradient(&model, &family, &estimator, key);
    let (mut mean, mut mean_elbo) = (Array1::<f64>::zeros(6), 0.0);
    let pairs = pairs();
    for pair in &pairs {
        let (grad, elbo) = gradient(&model.minibatch(pair), &family, &estimator, key);
        mean.scaled_add(1.0 / pairs.len() as f64, &grad);
        mean_elbo += elbo / pairs.len() as f64;
    }
    for (m, w) in mean.iter().zip(&whole) {
        approx::assert_relative_eq!(m, w, max_relative = 1e-10, epsilon = 1e-12);
    }
    approx::assert_relative_eq!(mean_elbo, whole_elbo, max_relative = 1e-12);

    let on_minibatches = Minibatch::new(estimator, SIZE);
    for seed in 0..20 {
        let key = StreamKey::from_seed(seed);
        let drawn = on_minibatches.indices(N, key);
        let (found, elbo) = gradient(&model, &family, &on_minibatches, key);
        let (expected, expected_elbo) =
            gradient(&model.minibatch(&drawn), &family, &on_minibatches.estimator, key);
        assert_eq!((found, elbo), (expected, expected_elbo), "{drawn:?}");
    }
}

#[test]
fn the_mean_over_all_minibatches_is_the_gradient_of_all_data() {
    check_all_minibatches(ScoreFunction::leave_one_out(8));
    check_all_minibatches(ScoreFunction::naive(8));
    check_all_minibatches(Pathwise::new(4));
}

/// Every pair within five standard errors of its share 1/15 of 15 000 keys: fails with probability 1e-5 without a cause.
#[test]
fn every_minibatch_is_as_likely() {
    let estimator = Minibatch::new((), SIZE);
    let n = 15_000;
    let mut counts = vec![0.0; N * N];
    for t in 0..n {
        let drawn = estimator.indices(N, StreamKey::from_seed(42).fold_in(t));
        counts[drawn[0] * N + drawn[1]] += 1.0;
    }
    let p = 1.0 / pairs().len() as f64;
    for [i, j] in pairs() {
        let share: f64 = counts[i * N + j] / n as f64;
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / n as f64).sqrt(), "({i}, {j}): {share}");
    }
}

#[test]
fn runs_have_the_same_bits_on_any_threads_and_after_any_stop() {
    let model = logistic(40);
    let family = family(&model);
    let settings = SgviSettings::default();
    let estimator = Minibatch::new(ScoreFunction::moving_average(130), 7);
    let kernel = settings.kernel(&model, &family, estimator, Exec::local()).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(43), 30);
}

/// The average of noisy steps on 10 of 60 data comes to the optimum of all data. The gap is of the order of the square of what
/// noise is left in the average, far below the bound.
#[test]
fn a_run_on_minibatches_comes_to_the_optimum_of_all_data() {
    let model = logistic(60);
    let family = family(&model);
    let learning_rate = LearningRate::Polynomial { initial: 0.2, delay: 100.0, exponent: 0.6 };
    let settings = SgviSettings {
        optimizer: AnyOptimizer::Natural(NaturalGradient { learning_rate, ..NaturalGradient::default() }),
        averaging: Averaging::Tail,
        tolerance: ElboPlateau { absolute: 0.0, relative: 0.0 },
        n_samples: 16,
        n_iterations: 3000,
        n_evaluate: 20_000,
        ..SgviSettings::default()
    };
    let key = StreamKey::from_seed(44);
    let whole = fit(&model, &family, settings.pathwise(), &settings, key, Exec::local()).unwrap();
    let estimator = Minibatch::new(settings.pathwise(), 10);
    let of_few = fit(&model, &family, estimator, &settings, key, Exec::local()).unwrap();
    let gap = whole.elbo.value - of_few.elbo.value;
    let error = 5.0 * whole.elbo.mcse.hypot(of_few.elbo.mcse);
    assert!(gap.abs() < 0.03 + error, "{gap} ± {error}");
    assert_eq!(of_few.evaluations.n_gradient, 3000 * 16);
}

#[test]
fn sizes_are_checked_and_names_tell() {
    let model = logistic(6);
    let family = family(&model);
    let elbo = Elbo::new(&model, &family).unwrap();
    for size in [0, 7] {
        let estimator = Minibatch::new(Pathwise::new(2), size);
        let mut grad = Array1::zeros(6);
        let key = StreamKey::from_seed(1);
        let error = estimator
            .estimate(elbo, &somewhere(), key, Exec::local(), &mut Memory::default(), &mut grad)
            .unwrap_err();
        let expected =
            format!("batch_size = {size}, but it must be at least 1 and at most the number of data");
        assert!(matches!(error, SgviError::Setting { .. }) && error.to_string() == expected, "{error}");
    }
    let estimator = Minibatch::new(Pathwise::new(2), 6);
    let name = GradientEstimator::<LogisticRegression, MeanFieldGaussian>::name(&estimator);
    assert_eq!(name, "pathwise, 6 data at a time");
    let bound = ImportanceBound::importance_weighted(4).unwrap();
    let weighted = Minibatch::new(ImportancePathwise::naive(bound, 2), 3);
    let bias = GradientEstimator::<LogisticRegression, MeanFieldGaussian>::bias(&weighted);
    assert!(bias.is_some_and(|b| b.contains("not linear")), "{bias:?}");
    let ascended = GradientEstimator::<LogisticRegression, MeanFieldGaussian>::bound(&weighted);
    assert_eq!(ascended, Bound::Importance(bound));
    // All data at once are the model itself.
    let key = StreamKey::from_seed(45);
    let (all, _) = gradient(&model, &family, &estimator, key);
    let (whole, _) = gradient(&model, &family, &Pathwise::new(2), key);
    for (a, w) in all.iter().zip(&whole) {
        approx::assert_relative_eq!(a, w, max_relative = 1e-12, epsilon = 1e-14);
    }
    fn needs_gradients<M: GradLogJoint>(_: &M) {}
    needs_gradients(&model.minibatch(&[0]));
}
