//! The linear-algebra door on the backend that is compiled in (feature `lapack` for the other one).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2, ArrayRef2, linalg::general_mat_mul};
use vi_benches::standard_normal;
use vi_core::linalg::{BACKEND, Cholesky, SymmetricEigen, gemm, symmetric_rank_update};

/// (m, k, n) of a·b: logits of logistic regression with data or draws in rows, a wide design, squares.
const SHAPES: [(usize, usize, usize); 6] =
    [(569, 31, 64), (64, 31, 569), (10_000, 100, 64), (200, 200, 200), (512, 512, 512), (2048, 2048, 2048)];

fn products(c: &mut Criterion) {
    for (m, k, n) in SHAPES {
        let mut group = c.benchmark_group(format!("gemm/{m}x{k}x{n}"));
        group.throughput(Throughput::Elements((2 * m * k * n) as u64)).sample_size(10);
        let (a, b) = (standard_normal(m, k, 51), standard_normal(k, n, 52));
        let (a_columns, b_columns) = (transposed_storage(&a), transposed_storage(&b));
        let mut out = Array2::zeros((m, n));
        let orders = [("row_row", &a, &b), ("row_col", &a, &b_columns), ("col_row", &a_columns, &b)];
        for (order, a, b) in orders {
            group.bench_function(format!("door/{order}"), |bench| {
                bench.iter(|| gemm(1.0, black_box(a), b, 0.0, &mut out));
            });
            group.bench_function(format!("ndarray/{order}"), |bench| {
                bench.iter(|| general_mat_mul(1.0, black_box(a), b, 0.0, &mut out));
            });
        }
        group.finish();
    }
    let x = standard_normal(10_000, 100, 53);
    let mut gram = Array2::zeros((100, 100));
    c.bench_function("symmetric_rank_update/100x10000", |b| {
        b.iter(|| symmetric_rank_update(1.0, &black_box(&x).t(), 0.0, &mut gram));
    });
}

/// The same matrix, column-major.
fn transposed_storage(a: &ArrayRef2<f64>) -> Array2<f64> {
    a.t().as_standard_layout().into_owned().reversed_axes()
}

fn factorisations(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("cholesky/{BACKEND}"));
    group.sample_size(20);
    for n in [4, 8, 16, 31, 64, 200, 512] {
        let b = standard_normal(n, n, 54);
        let mut a = Array2::eye(n);
        symmetric_rank_update(1.0, &b, 1.0, &mut a);
        let factor = Cholesky::factor(&a).expect("positive definite");
        let mut x = Array1::ones(n);
        group.bench_function(format!("factor/{n}"), |b| b.iter(|| Cholesky::factor(black_box(&a))));
        group.bench_function(format!("solve/{n}"), |b| {
            b.iter(|| {
                x.fill(1.0);
                black_box(&factor).solve_inplace(&mut x);
            });
        });
        group.bench_function(format!("inverse/{n}"), |b| b.iter(|| black_box(&factor).inverse()));
        group.bench_function(format!("eigen/{n}"), |b| b.iter(|| SymmetricEigen::factor(black_box(&a))));
    }
    group.finish();
}

criterion_group!(benches, products, factorisations);
criterion_main!(benches);
