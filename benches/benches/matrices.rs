//! Gaussian vectors and Wishart matrices of order 50 in both of their forms, beside the triangular operations that
//! their densities and draws are made of.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use vi_core::StreamKey;
use vi_core::linalg::Cholesky;
use vi_families::{ExponentialFamily, InverseWishart, MvGaussian, Wishart};

const P: usize = 50;

/// AR(1) with correlation ½: well conditioned and full.
fn covariance() -> Array2<f64> {
    Array2::from_shape_fn((P, P), |(i, j)| 0.5f64.powi(i.abs_diff(j) as i32))
}

fn operations(c: &mut Criterion) {
    let covariance = covariance();
    let factor = Cholesky::factor(&covariance).expect("positive definite");
    let vector: Array1<f64> = (0..P).map(|i| (i as f64).sin()).collect();
    let mut group = c.benchmark_group(format!("linear algebra of order {P}"));
    group.bench_function("triangular solve, one vector", |b| {
        let mut x = vector.clone();
        b.iter(|| {
            x.assign(&vector);
            factor.solve_lower_inplace(black_box(&mut x));
        });
    });
    group.bench_function("product, one vector", |b| {
        b.iter(|| black_box(factor.l().dot(black_box(&vector))));
    });
    group.bench_function("product, a matrix", |b| {
        b.iter(|| black_box(factor.l().dot(black_box(&covariance))));
    });
    group.bench_function("triangular solve, a matrix", |b| {
        let mut x = covariance.clone();
        b.iter(|| {
            x.assign(&covariance);
            factor.solve_lower_matrix_inplace(black_box(&mut x));
        });
    });
    group.bench_function("Cholesky", |b| {
        b.iter(|| black_box(Cholesky::factor(black_box(&covariance)).is_ok()))
    });
    group.bench_function("inverse from the factor", |b| b.iter(|| black_box(factor.inverse())));
    group.finish();
}

fn gaussian(c: &mut Criterion) {
    let (mean, covariance) = (Array1::zeros(P), covariance());
    let key = StreamKey::from_seed(1);
    let mut group = c.benchmark_group(format!("MvGaussian of order {P}"));
    for (form, q) in [
        ("covariance", MvGaussian::from_mean_covariance(&mean, &covariance)),
        ("precision", MvGaussian::from_mean_precision(&mean, &covariance)),
    ] {
        let q = q.expect("positive definite");
        let mut z: Array1<f64> = q.sample(&mut key.rng(0));
        group.bench_function(format!("log_prob by {form}"), |b| {
            b.iter(|| black_box(q.log_prob(black_box(&z))))
        });
        let mut rng = key.rng(1);
        group.bench_function(format!("sample_into by {form}"), |b| {
            b.iter(|| q.sample_into(&mut rng, black_box(&mut z)));
        });
    }
    group.bench_function("from covariance", |b| {
        b.iter(|| black_box(MvGaussian::from_mean_covariance(&mean, black_box(&covariance)).is_ok()));
    });
    group.finish();
}

fn wishart(c: &mut Criterion) {
    let (scale, dof, key) = (covariance(), P as f64 + 10.0, StreamKey::from_seed(1));
    let mut group = c.benchmark_group(format!("Wishart of order {P}"));
    for (form, q) in [
        ("scale", Wishart::from_dof_scale(dof, &scale)),
        ("inverse scale", Wishart::from_dof_inverse_scale(dof, &scale)),
    ] {
        let q = q.expect("positive definite");
        let z = q.sample(&mut key.rng(0));
        group.bench_function(format!("log_prob by {form}"), |b| {
            b.iter(|| black_box(q.log_prob(black_box(&z))))
        });
        let mut rng = key.rng(1);
        group.bench_function(format!("sample by {form}"), |b| b.iter(|| black_box(q.sample(&mut rng))));
    }
    let q = InverseWishart::from_dof_scale(dof, &scale).expect("positive definite");
    let (z, mut rng) = (q.sample(&mut key.rng(0)), key.rng(1));
    group.bench_function("inverse: log_prob", |b| b.iter(|| black_box(q.log_prob(black_box(&z)))));
    group.bench_function("inverse: sample", |b| b.iter(|| black_box(q.sample(&mut rng))));
    group.finish();
}

criterion_group!(benches, operations, gaussian, wishart);
criterion_main!(benches);
