//! Steps of pathwise stochastic gradients of logistic regression with a mean-field Gaussian, in double precision, and
//! where the time of a step goes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use rayon::ThreadPoolBuilder;
use vi_benches::logistic_regression;
use vi_core::{GradLogJoint, Kernel, LogJoint, StreamKey};
use vi_families::{MeanFieldGaussian, Reparameterized, VariationalDistribution, VariationalFamily};
use vi_sgvi::{Adam, ControlledPathwise, GradientEstimator, Pathwise, Sgvi};

/// Data and coefficients, the intercept among them.
const SHAPE: (usize, usize) = (569, 31);

fn params() -> Array1<f64> {
    Array1::from_shape_fn(2 * SHAPE.1, |p| if p < SHAPE.1 { 0.1 } else { -2.0 })
}

/// A step of the kernel on two threads: gradient and Adam.
fn steps(c: &mut Criterion) {
    let model = logistic_regression(SHAPE.0, SHAPE.1 - 1);
    let family = MeanFieldGaussian::new(model.parameters()).expect("coefficients are real");
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("threads can be started");
    let mut group = c.benchmark_group("pathwise_569x31_2_threads");
    for n_samples in [1, 10, 100] {
        let mut run = |name: &str, step: &mut (dyn FnMut() + Send)| {
            group.bench_function(format!("{name}_S{n_samples}"), |b| pool.install(|| b.iter(&mut *step)));
        };
        step_of(&model, &family, Pathwise::new(n_samples), |step| run("closed_form", step));
        step_of(&model, &family, Pathwise::sticking_the_landing(n_samples), |step| run("sticking", step));
        let controlled = ControlledPathwise::new(n_samples).expect("at least one sample");
        step_of(&model, &family, controlled, |step| run("controlled", step));
    }
    group.finish();
}

/// Calls `f` with a step of the kernel.
fn step_of<M, E>(
    model: &M,
    family: &MeanFieldGaussian,
    estimator: E,
    f: impl FnOnce(&mut (dyn FnMut() + Send)),
) where
    M: LogJoint,
    E: GradientEstimator<M, MeanFieldGaussian>,
{
    let kernel = Sgvi::new(model, family, estimator, Adam::default()).expect("they fit");
    let mut state = kernel.init_at(&params()).expect("finite");
    let (key, mut t) = (StreamKey::from_seed(1), 0);
    f(&mut || {
        t += 1;
        kernel.step(key.fold_in(t), &mut state).expect("finite");
    });
}

/// The parts of a step, on one thread.
fn parts(c: &mut Criterion) {
    let model = logistic_regression(SHAPE.0, SHAPE.1 - 1);
    let family = MeanFieldGaussian::new(model.parameters()).expect("coefficients are real");
    let (params, d) = (params(), SHAPE.1);
    let q = family.bind(&params).expect("finite");
    let key = StreamKey::from_seed(1);
    for n in [1, 10, 64] {
        let (mut noise, mut z) = (Array2::zeros((n, d)), Array2::zeros((n, d)));
        let (mut out, mut gradients, mut grad) =
            (Array1::ones(n), Array2::zeros((n, d)), Array1::zeros(2 * d));
        let mut group = c.benchmark_group(format!("parts_of_pathwise_569x31_{n}"));
        group.bench_function("draws", |b| {
            b.iter(|| q.transport_batch(black_box(key), 0..n, &mut noise, &mut z));
        });
        group.bench_function("log_joint_and_grad", |b| {
            b.iter(|| model.log_joint_and_grad_batch(black_box(&z), &mut out, &mut gradients));
        });
        group.bench_function("log_q", |b| b.iter(|| q.log_prob_batch(black_box(&z), &mut out)));
        group.bench_function("pull_back", |b| {
            b.iter(|| q.add_transport_vjp_batch(black_box(&noise), &z, &gradients, &out, &mut grad));
        });
        group.bench_function("bind", |b| b.iter(|| family.bind(black_box(&params)).map(|q| q.mean()[0])));
        group.finish();
    }
}

criterion_group!(benches, steps, parts);
criterion_main!(benches);
