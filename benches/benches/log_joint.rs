//! The log joint of logistic regression over a chunk of samples, with and without its gradient.
//!
//! 569 data and 31 columns, the shape of the breast-cancer data with an intercept; 64 samples, one chunk of the
//! score-function estimator.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use vi_benches::{logistic_regression, standard_normal};
use vi_core::{CHUNK, GradLogJoint, LogJoint};

fn logistic(c: &mut Criterion) {
    let model = logistic_regression(569, 30);
    let d = model.dim();
    let z = 0.1 * standard_normal(CHUNK, d, 1);
    let (mut out, mut grad) = (Array1::zeros(CHUNK), Array2::zeros((CHUNK, d)));
    let mut group = c.benchmark_group("logistic_regression_569x31");
    group.throughput(Throughput::Elements(CHUNK as u64));
    group.bench_function("log_joint_batch_64", |b| {
        b.iter(|| {
            model.log_joint_batch(black_box(&z), &mut out);
            out[0]
        });
    });
    group.bench_function("log_joint_and_grad_batch_64", |b| {
        b.iter(|| {
            model.log_joint_and_grad_batch(black_box(&z), &mut out, &mut grad);
            out[0]
        });
    });
    group.throughput(Throughput::Elements(1));
    let one = z.row(0).to_owned();
    let mut one_grad = Array1::zeros(d);
    group.bench_function("log_joint", |b| b.iter(|| model.log_joint(black_box(&one))));
    group.bench_function("log_joint_and_grad", |b| {
        b.iter(|| model.log_joint_and_grad(black_box(&one), &mut one_grad));
    });
    group.finish();
}

criterion_group!(benches, logistic);
criterion_main!(benches);
