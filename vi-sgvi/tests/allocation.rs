//! After the first step, steps allocate nothing; and what the first one allocates does not grow with the data, nor with
//! more than the draws: counted by the global allocator.
//!
//! All on a pool of one thread: what rayon's queues allocate now and then is not the estimators' affair.

use ndarray::{Array1, Array2};
use vi_core::testing::{Allocations, CountingAllocator};
use vi_core::{Exec, Kernel, LogJoint, StreamKey};
use vi_families::MeanFieldGaussian;
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{
    AdaGrad, Adam, AscentRule, ControlledPathwise, Dog, Dowg, Elbo, GradientEstimator, ImportanceBound,
    ImportancePathwise, Memory, Momentum, NaturalGradient, Overdispersed, Pathwise, RmsProp,
    SameSampleControlVariate, SampleReuse, ScoreFunction, Sgd, Sgvi, Vimco,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Coefficients, the intercept among them.
const D: usize = 6;

fn on_one_thread(f: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(f);
}

fn model(n: usize) -> LogisticRegression {
    let x = Array2::from_shape_fn((n, D - 1), |(i, j)| ((i * (j + 2)) as f64).sin());
    let y = Array1::from_shape_fn(n, |i| (i % 2) as f64);
    let data = RegressionData::with_intercept(x, y).unwrap();
    LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap()
}

fn family(model: &LogisticRegression) -> MeanFieldGaussian {
    MeanFieldGaussian::new(model.parameters()).unwrap()
}

/// What estimates number `n_first` to 29 allocate, binding included.
fn later_estimates<E>(n_first: u64, estimator: &E) -> Allocations
where
    E: GradientEstimator<LogisticRegression, MeanFieldGaussian>,
{
    let model = model(50);
    let family = family(&model);
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (Array1::zeros(2 * D), Array1::zeros(2 * D));
    let (key, mut memory) = (StreamKey::from_seed(16), Memory::default());
    let mut estimate = |t: u64| {
        estimator.estimate(elbo, &params, key.fold_in(t), Exec::local(), &mut memory, &mut grad).unwrap();
    };
    (0..n_first).for_each(&mut estimate);
    CountingAllocator::during(|| (n_first..30).for_each(estimate))
}

fn check<E>(what: &str, estimator: &E)
where
    E: GradientEstimator<LogisticRegression, MeanFieldGaussian>,
{
    assert_eq!(later_estimates(1, estimator), Allocations::default(), "{what}");
}

#[test]
fn later_estimates_allocate_nothing() {
    on_one_thread(|| {
        check("naive", &ScoreFunction::naive(200));
        check("leave-one-out", &ScoreFunction::leave_one_out(200));
        check("moving average", &ScoreFunction::moving_average(200));
        check("control variate", &ScoreFunction::control_variate(200));
        check("same-sample control variate", &ScoreFunction::new(200, SameSampleControlVariate));
        check("antithetic", &ScoreFunction::leave_one_out(200).antithetic());
        check("antithetic, control variate", &ScoreFunction::control_variate(200).antithetic());
        check("quasi-Monte Carlo", &ScoreFunction::leave_one_out(256).quasi_monte_carlo(2));
        let overdispersed = Overdispersed::new(1.5).unwrap();
        check("overdispersed", &ScoreFunction::leave_one_out(200).with_sampler(overdispersed));
        check("Rao–Blackwellised", &ScoreFunction::leave_one_out(70).rao_blackwellized());
        check("full BBVI", &ScoreFunction::control_variate(70).rao_blackwellized());
        check("pathwise", &Pathwise::new(200));
        check("Monte Carlo entropy", &Pathwise::monte_carlo_entropy(200));
        check("sticking the landing", &Pathwise::sticking_the_landing(200));
        check("controlled", &ControlledPathwise::new(200).unwrap());
        let bound = ImportanceBound::importance_weighted(20).unwrap();
        check("IWAE", &ImportancePathwise::naive(bound, 10));
        check("DReG", &ImportancePathwise::doubly_reparameterized(bound, 10));
        check("VIMCO", &Vimco::new(bound, 10));
        // The buffers of reuse grow until as many iterations are remembered as are used.
        assert_eq!(later_estimates(4, &SampleReuse::leave_one_out(100, 4)), Allocations::default());
    });
}

#[test]
fn later_steps_allocate_nothing_but_the_trace() {
    on_one_thread(|| {
        // The trace alone grows, by doubling: from room for 4 to room for 1024 in eight reallocations.
        assert_eq!(later_steps(Sgd::default()).n, 8);
        assert_eq!(later_steps(RmsProp::default()).n, 8);
        assert_eq!(later_steps(Adam::default()).n, 8);
        assert_eq!(later_steps(NaturalGradient::default()).n, 8);
        assert_eq!(later_steps(Momentum::default()).n, 8);
        assert_eq!(later_steps(AdaGrad::default()).n, 8);
        assert_eq!(later_steps(Dog::default()).n, 8);
        assert_eq!(later_steps(Dowg::default()).n, 8);
    });
}

fn later_steps(rule: impl AscentRule) -> Allocations {
    let model = model(50);
    let family = family(&model);
    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(64), rule).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(17));
    kernel.step(key.fold_in(0), &mut state).unwrap();
    CountingAllocator::during(|| {
        for t in 1..1000 {
            kernel.step(key.fold_in(t), &mut state).unwrap();
        }
    })
}

/// Bytes that the first estimate of a process with `n` data and `n_samples` samples asks for.
fn bytes_of_first(n: usize, n_samples: usize) -> usize {
    let model = model(n);
    let mut bytes = 0;
    // A new thread has no buffers of earlier estimates.
    on_one_thread(|| {
        let family = family(&model);
        let elbo = Elbo::new(&model, &family).unwrap();
        let (params, mut grad) = (Array1::zeros(2 * D), Array1::zeros(2 * D));
        let (key, mut memory) = (StreamKey::from_seed(18), Memory::default());
        let estimator = ScoreFunction::leave_one_out(n_samples);
        let allocations = CountingAllocator::during(|| {
            estimator.estimate(elbo, &params, key, Exec::local(), &mut memory, &mut grad).unwrap();
        });
        bytes = allocations.bytes;
    });
    bytes
}

#[test]
fn memory_is_that_of_the_draws_and_of_one_chunk() {
    // What is found out once in a process does not count.
    bytes_of_first(10, 64);
    let bytes = [256, 4096].map(|n_samples| [200, 2000].map(|n| bytes_of_first(n, n_samples)));
    for [of_few, of_many] in bytes {
        assert_eq!(of_few, of_many, "bytes for 200 and 2000 data");
    }
    // For every sample: its draw; its log joint, log density, log ratio, group mean and weight; its share of the
    // partial gradients of the chunks.
    let per_sample = (bytes[1][0] - bytes[0][0]) as f64 / 8.0 / (4096 - 256) as f64;
    let expected = (D + 5) as f64 + 2.0 * D as f64 / 64.0;
    assert!((per_sample - expected).abs() < 0.01, "{per_sample} numbers for every sample, not {expected}");
}
