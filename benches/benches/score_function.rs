//! Score-function gradients of logistic regression with a mean-field Gaussian, in double precision, beside the limit
//! that products of matrices set; the estimators at D = 100; and where the time goes.
//!
//! Every benchmark runs inside a pool of the number of threads that its name says.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use vi_benches::{RandomWalk, logistic_regression, standard_normal};
use vi_core::{CHUNK, Exec, Kernel, LogJoint, StreamKey, linalg, numerics};
use vi_families::{MeanFieldGaussian, VariationalDistribution, VariationalFamily};
use vi_sgvi::{
    Adam, Elbo, GradientEstimator, Memory, Overdispersed, Pathwise, SampleReuse, ScoreFunction, Sgvi,
};

/// Data and coefficients, the intercept among them.
const SHAPES: [(usize, usize); 2] = [(569, 31), (10_000, 100)];

fn pool(n_threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads can be started")
}

fn family(model: &impl LogJoint) -> MeanFieldGaussian {
    MeanFieldGaussian::new(model.parameters()).expect("coefficients are real")
}

/// Scales of a posterior: draws as they are in the course of a fit.
fn params(d: usize) -> Array1<f64> {
    Array1::from_shape_fn(2 * d, |p| if p < d { 0.1 } else { -2.0 })
}

/// What a product of matrices can reach: squares of order 1024, one for every thread.
fn limit(c: &mut Criterion) {
    const N: usize = 1024;
    let mut group = c.benchmark_group("gemm_1024");
    let matrices: Vec<[Array2<f64>; 3]> = (0..2)
        .map(|i| [standard_normal(N, N, 2 * i), standard_normal(N, N, 2 * i + 1), Array2::zeros((N, N))])
        .collect();
    for n_threads in [1, 2] {
        let mut matrices = matrices[..n_threads].to_vec();
        group.throughput(Throughput::Elements((2 * N.pow(3) * n_threads) as u64));
        let pool = pool(n_threads);
        group.bench_function(format!("{n_threads}_threads"), |b| {
            pool.install(|| {
                b.iter(|| {
                    matrices.par_iter_mut().for_each(|[x, y, z]| linalg::gemm(1.0, x, y, 0.0, z));
                });
            });
        });
    }
    group.finish();
}

/// A step of the kernel: the leave-one-out gradient, and Adam.
fn steps(c: &mut Criterion) {
    for (n, d) in SHAPES {
        let model = logistic_regression(n, d - 1);
        let family = family(&model);
        for n_samples in [256, 4096] {
            let mut group = c.benchmark_group(format!("leave_one_out_{n}x{d}_S{n_samples}"));
            group.throughput(Throughput::Elements((2 * n * d * n_samples) as u64));
            for n_threads in [1, 2] {
                let estimator = ScoreFunction::leave_one_out(n_samples);
                let kernel = Sgvi::new(&model, &family, estimator, Adam::default()).expect("they fit");
                let mut state = kernel.init_at(&params(d)).expect("finite");
                let (key, mut t) = (StreamKey::from_seed(1), 0);
                let pool = pool(n_threads);
                group.bench_function(format!("{n_threads}_threads"), |b| {
                    pool.install(|| {
                        b.iter(|| {
                            t += 1;
                            kernel.step(key.fold_in(t), &mut state).expect("finite")
                        });
                    });
                });
            }
            group.finish();
        }
    }
}

/// The parts of a chunk of 64 samples, on one thread.
fn parts(c: &mut Criterion) {
    for (n, d) in SHAPES {
        let model = logistic_regression(n, d - 1);
        let (family, params) = (family(&model), params(d));
        let q = family.bind(&params).expect("finite");
        let mut z = Array2::zeros((CHUNK, d));
        let (mut out, mut grad, key) = (Array1::ones(CHUNK), Array1::zeros(2 * d), StreamKey::from_seed(1));
        let x = standard_normal(n, d, 3);
        let mut group = c.benchmark_group(format!("parts_{n}x{d}_64"));
        group.bench_function("draws", |b| b.iter(|| q.sample_batch(black_box(key), 0..CHUNK, &mut z)));
        let mut logits = z.dot(&x.t());
        group.bench_function("log_joint", |b| b.iter(|| model.log_joint_batch(black_box(&z), &mut out)));
        group.bench_function("softplus", |b| {
            b.iter(|| {
                logits
                    .rows()
                    .into_iter()
                    .map(|row| numerics::sum_softplus(row.as_slice().expect("rows")))
                    .sum::<f64>()
            });
        });
        group.bench_function("product_alone", |b| {
            b.iter(|| linalg::gemm(1.0, black_box(&z), &x.t(), 0.0, &mut logits));
        });
        group.bench_function("log_q", |b| b.iter(|| q.log_prob_batch(black_box(&z), &mut out)));
        group.bench_function("scores", |b| b.iter(|| q.add_score_batch(black_box(&z), &out, &mut grad)));
        group.bench_function("bind", |b| b.iter(|| family.bind(black_box(&params)).map(|q| q.mean()[0])));
        group.finish();
    }
}

/// What estimators cost beside the naive one at D = 100, S = 256.
fn estimators(c: &mut Criterion) {
    const N_SAMPLES: usize = 256;
    let model = logistic_regression(569, 99);
    let mut group = c.benchmark_group("estimators_569x100_S256");
    bench(&mut group, "naive", &model, &ScoreFunction::naive(N_SAMPLES));
    bench(&mut group, "leave_one_out", &model, &ScoreFunction::leave_one_out(N_SAMPLES));
    bench(&mut group, "moving_average", &model, &ScoreFunction::moving_average(N_SAMPLES));
    bench(&mut group, "control_variate", &model, &ScoreFunction::control_variate(N_SAMPLES));
    bench(&mut group, "antithetic", &model, &ScoreFunction::leave_one_out(N_SAMPLES).antithetic());
    let quasi = ScoreFunction::leave_one_out(N_SAMPLES).quasi_monte_carlo(4);
    bench(&mut group, "quasi_monte_carlo", &model, &quasi);
    let overdispersed = Overdispersed::new(1.5).expect("at least 1");
    let overdispersed = ScoreFunction::leave_one_out(N_SAMPLES).with_sampler(overdispersed);
    bench(&mut group, "overdispersed", &model, &overdispersed);
    bench(&mut group, "sample_reuse_4", &model, &SampleReuse::leave_one_out(N_SAMPLES, 4));
    bench(&mut group, "pathwise", &model, &Pathwise::new(N_SAMPLES));
    group.finish();

    // A log joint that costs next to nothing: what is left is the estimators' own.
    let walk = RandomWalk::new(100);
    let mut group = c.benchmark_group("estimators_walk100_S256");
    bench(&mut group, "naive", &walk, &ScoreFunction::naive(N_SAMPLES));
    bench(&mut group, "leave_one_out", &walk, &ScoreFunction::leave_one_out(N_SAMPLES));
    bench(&mut group, "control_variate", &walk, &ScoreFunction::control_variate(N_SAMPLES));
    let local = ScoreFunction::leave_one_out(N_SAMPLES).rao_blackwellized();
    bench(&mut group, "rao_blackwellised", &walk, &local);
    let full = ScoreFunction::control_variate(N_SAMPLES).rao_blackwellized();
    bench(&mut group, "rao_blackwellised_control_variate", &walk, &full);
    group.finish();
}

fn bench<M, E>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, model: &M, estimator: &E)
where
    M: LogJoint,
    E: GradientEstimator<M, MeanFieldGaussian>,
    E::State: Send,
{
    let family = family(model);
    let elbo = Elbo::new(model, &family).expect("the family was made for the model");
    let params = params(model.dim());
    let (mut grad, mut memory) = (Array1::zeros(params.len()), Memory::default());
    let (key, mut t) = (StreamKey::from_seed(1), 0);
    let pool = pool(2);
    group.bench_function(name, |b| {
        pool.install(|| {
            b.iter(|| {
                t += 1;
                estimator
                    .estimate(elbo, black_box(&params), key.fold_in(t), Exec::local(), &mut memory, &mut grad)
                    .expect("the log joint is finite everywhere")
            });
        });
    });
}

criterion_group!(benches, limit, steps, parts, estimators);
criterion_main!(benches);
