//! One sweep of coordinate ascent on a Gaussian mixture, with the ELBO checked after every block, from a random start;
//! and what products of matrices reach on the same machine.
//!
//! Names are `mixture_<covariance>/<N>x<D>_K<K>[_lean]_<threads>_threads`; lean is without the N × K matrix. In
//! `mixture_missing` a tenth of the values is missing: in five patterns of two columns, each of a tenth of the data, or
//! each value by itself.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use rayon::prelude::*;
use vi_benches::{gaussian_clusters, standard_normal};
use vi_cavi::Cavi;
use vi_core::{Exec, Kernel, StreamKey, linalg};
use vi_models::gaussian_mixture::{Covariance, GaussianMixture, GaussianMixturePriors};

/// (N, D, K) of full covariances.
const FULL: [(usize, usize, usize); 6] = [
    (100_000, 2, 10),
    (100_000, 10, 10),
    (100_000, 10, 50),
    (100_000, 50, 10),
    (100_000, 50, 50),
    (1_000_000, 10, 10),
];

/// Of the other shapes.
const OTHER: [(usize, usize, usize); 2] = [(100_000, 10, 10), (100_000, 50, 50)];

fn pool(n_threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads can be started")
}

fn sweep(
    c: &mut Criterion,
    (n, d, k): (usize, usize, usize),
    covariance: Covariance,
    lean: bool,
    n_threads: usize,
) {
    let mut group = c.benchmark_group(format!("mixture_{covariance:?}").to_lowercase());
    group.sample_size(10).throughput(Throughput::Elements(n as u64));
    let name = format!("{n}x{d}_K{k}{}_{n_threads}_threads", if lean { "_lean" } else { "" });
    // Data and start are made once, and only for what runs: a sample must not begin with the first sweep, which is
    // checked at the cost of several.
    let (mut prepared, key) = (None, StreamKey::from_seed(1));
    group.bench_function(name, |b| {
        let (pool, model, state) = prepared.get_or_insert_with(|| {
            let priors = GaussianMixturePriors { covariance, ..GaussianMixturePriors::default() };
            // One pass to see that it runs needs no large data.
            let n = if std::env::args().any(|a| a == "--test") { n / 50 } else { n };
            let model = GaussianMixture::new(gaussian_clusters(n, d, k), k, priors);
            let mut model = model.expect("default priors are valid");
            if lean {
                model = model.without_responsibilities();
            }
            let pool = pool(n_threads);
            let state = pool.install(|| {
                let cavi = Cavi::new(&model, Exec::local());
                let (factors, stats) =
                    model.start_at_random(key, Exec::local()).expect("the data admit a start");
                let mut state = cavi.warm_start(factors, stats).expect("the bound is finite");
                cavi.step(key, &mut state).expect("the conditionals are exact");
                state
            });
            (pool, model, state)
        });
        let cavi = Cavi::new(&*model, Exec::local());
        pool.install(|| b.iter(|| cavi.step(key, state).expect("the conditionals are exact")));
    });
    group.finish();
}

fn sweeps(c: &mut Criterion) {
    for n_threads in [1, 2] {
        for shape in FULL {
            sweep(c, shape, Covariance::Full, false, n_threads);
        }
        for covariance in [Covariance::Diagonal, Covariance::Tied, Covariance::Spherical] {
            for shape in OTHER {
                sweep(c, shape, covariance, false, n_threads);
            }
        }
        for shape in [FULL[1], FULL[4], FULL[5]] {
            sweep(c, shape, Covariance::Full, true, n_threads);
        }
        sweep(c, OTHER[1], Covariance::Diagonal, true, n_threads);
    }
}

/// NaN for a tenth of the values of `x` (N, 10).
fn with_gaps(mut x: Array2<f64>, patterns: bool) -> Array2<f64> {
    let draws = standard_normal(x.nrows(), x.ncols(), 3);
    for ((n, j), v) in x.indexed_iter_mut() {
        // −1.2816 is the lowest decile.
        let missing = if patterns { n % 2 == 0 && n / 2 % 5 == j / 2 } else { draws[[n, j]] < -1.2816 };
        if missing {
            *v = f64::NAN;
        }
    }
    x
}

fn missing(c: &mut Criterion) {
    let mut group = c.benchmark_group("mixture_missing");
    let (n, d, k) = (10_000, 10, 10);
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        for (name, patterns) in [("five_patterns", true), ("at_random", false)] {
            let name = format!("{covariance:?}_{n}x{d}_K{k}_{name}").to_lowercase();
            group.sample_size(10).throughput(Throughput::Elements(n as u64)).bench_function(name, |b| {
                let priors = GaussianMixturePriors { covariance, ..GaussianMixturePriors::default() };
                let x = with_gaps(gaussian_clusters(n, d, k), patterns);
                let model =
                    GaussianMixture::with_missing_values(x, k, priors).expect("default priors are valid");
                let key = StreamKey::from_seed(1);
                pool(1).install(|| {
                    let cavi = Cavi::new(&model, Exec::local());
                    let (factors, stats) =
                        model.start_at_random(key, Exec::local()).expect("the data admit a start");
                    let mut state = cavi.warm_start(factors, stats).expect("the bound is finite");
                    b.iter(|| cavi.step(key, &mut state).expect("the conditionals are exact"));
                });
            });
        }
    }
    group.finish();
}

/// What a product of matrices can reach: squares of order 1024, one for every thread.
fn limit(c: &mut Criterion) {
    const N: usize = 1024;
    let mut group = c.benchmark_group("mixture_gemm_1024");
    for n_threads in [1, 2] {
        group.throughput(Throughput::Elements((2 * N.pow(3) * n_threads) as u64)).sample_size(10);
        group.bench_function(format!("{n_threads}_threads"), |b| {
            let (x, y) = (standard_normal(N, N, 1), standard_normal(N, N, 2));
            let mut out = vec![Array2::zeros((N, N)); n_threads];
            pool(n_threads).install(|| {
                b.iter(|| out.par_iter_mut().for_each(|z| linalg::gemm(1.0, &x, &y, 0.0, z)));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, limit, sweeps, missing);
criterion_main!(benches);
