//! Elementary functions on slices against the standard library and scalar forms on it; times are per slice, throughput per value.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use vi_benches::standard_normal;
use vi_core::numerics;

/// One row of logits of the breast-cancer data, and a slice that is long enough to forget its ends.
const LENGTHS: [usize; 2] = [569, 4096];

type Vectorised = fn(&[f64], &mut [f64]);
/// A function of one value and what the reports call it.
type Scalar = (&'static str, fn(f64) -> f64);

const FUNCTIONS: [(&str, Vectorised, Scalar); 5] = [
    ("exp", numerics::exp, ("std", f64::exp)),
    ("log", numerics::log, ("std", f64::ln)),
    ("log1p", numerics::log1p, ("std", f64::ln_1p)),
    ("softplus", numerics::softplus, ("scalar", numerics::softplus_scalar)),
    ("sigmoid", numerics::sigmoid, ("scalar", numerics::sigmoid_scalar)),
];

fn elementwise(c: &mut Criterion) {
    for (name, vectorised, (peer, scalar)) in FUNCTIONS {
        let mut group = c.benchmark_group(format!("numerics/{name}"));
        for n in LENGTHS {
            let normal = standard_normal(n, 1, 41).into_raw_vec_and_offset().0;
            let positive = name.starts_with("log");
            let x: Vec<f64> = normal.iter().map(|v| if positive { v.exp() } else { 4.0 * v }).collect();
            let mut out = vec![0.0; n];
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(format!("{}/{n}", numerics::cpu_level()), |b| {
                b.iter(|| vectorised(black_box(&x), &mut out));
            });
            group.bench_function(format!("{peer}/{n}"), |b| {
                b.iter(|| {
                    for (out, x) in out.iter_mut().zip(black_box(&x)) {
                        *out = scalar(*x);
                    }
                });
            });
        }
        group.finish();
    }
}

fn reductions(c: &mut Criterion) {
    let mut group = c.benchmark_group("numerics/reductions");
    for n in LENGTHS {
        let x: Vec<f64> = standard_normal(n, 1, 42).iter().map(|v| 4.0 * v).collect();
        let mut out = vec![0.0; n];
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("log_sum_exp/{n}"), |b| b.iter(|| numerics::log_sum_exp(black_box(&x))));
        group.bench_function(format!("sum_softplus/{n}"), |b| {
            b.iter(|| numerics::sum_softplus(black_box(&x)))
        });
        group.bench_function(format!("sum_softplus_sigmoid/{n}"), |b| {
            b.iter(|| numerics::sum_softplus_sigmoid(black_box(&x), &mut out));
        });
    }
    let logits = standard_normal(64, 569, 43);
    let mut sums = Array1::zeros(64);
    group.throughput(Throughput::Elements(64 * 569));
    group.bench_function("sum_softplus_rows/64x569", |b| {
        b.iter(|| numerics::sum_softplus_rows(black_box(&logits), &mut sums));
    });
    group.finish();
}

fn mixtures(c: &mut Criterion) {
    let mut group = c.benchmark_group("numerics/rows");
    let log_densities: Array2<f64> = standard_normal(1000, 6, 44) * 5.0;
    let mut log_normalizer = Array1::zeros(1000);
    group.throughput(Throughput::Elements(6000));
    group.bench_function("log_sum_exp_rows/1000x6", |b| {
        b.iter(|| numerics::log_sum_exp_rows(black_box(&log_densities), &mut log_normalizer));
    });
    let mut work = log_densities.clone();
    group.bench_function("softmax_rows_inplace/1000x6", |b| {
        b.iter(|| {
            work.assign(black_box(&log_densities));
            numerics::softmax_rows_inplace(&mut work, &mut log_normalizer);
        });
    });
    group.finish();
}

criterion_group!(benches, elementwise, reductions, mixtures);
criterion_main!(benches);
