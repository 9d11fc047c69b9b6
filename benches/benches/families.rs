//! The hot path of the score-function gradient: draws, densities and scores of 256 samples in 31 dimensions, in
//! chunks of 64 as the estimator calls them; and special functions.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2, s};
use vi_core::{CHUNK, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::special::{digamma, log_gamma, trigamma};
use vi_families::{
    Dirichlet, ExponentialFamily, FullRankGaussian, MeanFieldGaussian, ProductFamily,
    VariationalDistribution, VariationalFamily,
};

const S: usize = 256;
const D: usize = 31;

fn bench_family<F: VariationalFamily>(c: &mut Criterion, name: &str, family: &F) {
    let lambda: Array1<f64> = (0..family.n_params()).map(|i| 0.02 * (i % 17) as f64 - 0.1).collect();
    let key = StreamKey::from_seed(1);
    let (mut z, mut log_prob) = (Array2::zeros((S, family.dim())), Array1::zeros(S));
    let (weights, mut score) = (Array1::from_elem(S, 0.5), Array1::zeros(family.n_params()));
    let q = family.bind(&lambda).expect("λ is small");
    let chunks = || (0..S).step_by(CHUNK).map(|start| start..start + CHUNK);
    let mut group = c.benchmark_group(format!("{name} {S}×{}", family.dim()));
    group.bench_function("bind", |b| b.iter(|| black_box(family.bind(black_box(&lambda)).is_ok())));
    group.bench_function("sample_batch", |b| {
        b.iter(|| {
            for rows in chunks() {
                q.sample_batch(key, rows.clone(), &mut z.slice_mut(s![rows, ..]));
            }
        });
    });
    group.bench_function("log_prob_batch", |b| {
        b.iter(|| {
            for rows in chunks() {
                q.log_prob_batch(&z.slice(s![rows.clone(), ..]), &mut log_prob.slice_mut(s![rows]));
            }
            black_box(&log_prob);
        });
    });
    group.bench_function("add_score_batch", |b| {
        b.iter(|| {
            for rows in chunks() {
                q.add_score_batch(&z.slice(s![rows.clone(), ..]), &weights.slice(s![rows]), &mut score);
            }
            black_box(&score);
        });
    });
    group.finish();
}

fn variational_families(c: &mut Criterion) {
    let reals = ParameterSpace::new([Parameter::vector("theta", D, Support::Real)]).expect("valid space");
    let positive =
        ParameterSpace::new([Parameter::vector("tau", D, Support::Positive)]).expect("valid space");
    bench_family(c, "mean-field", &MeanFieldGaussian::new(&reals).expect("real space"));
    bench_family(c, "full-rank", &FullRankGaussian::new(&reals).expect("real space"));
    bench_family(c, "product of Gammas", &ProductFamily::for_space(&positive).expect("positive space"));
}

/// What the normal draws of `sample_batch` cost by themselves.
fn normals(c: &mut Criterion) {
    use rand_distr::{Distribution, StandardNormal};
    let key = StreamKey::from_seed(1);
    let mut z = vec![0.0f64; D];
    c.bench_function(&format!("standard normals {S}×{D}"), |b| {
        b.iter(|| {
            for i in 0..S {
                let mut rng = key.rng(i as u64);
                z.iter_mut().for_each(|v| *v = StandardNormal.sample(&mut rng));
            }
            black_box(&z);
        });
    });
}

fn special_functions(c: &mut Criterion) {
    let x: Vec<f64> = (0..1000).map(|i| 0.05 + 0.03 * i as f64).collect();
    let mut group = c.benchmark_group("special, 1000 values");
    for (name, f) in
        [("log_gamma", log_gamma as fn(f64) -> f64), ("digamma", digamma), ("trigamma", trigamma)]
    {
        group.bench_function(name, |b| b.iter(|| black_box(&x).iter().map(|v| f(*v)).sum::<f64>()));
    }
    let q = Dirichlet::from_concentration(&Array1::from(x.clone())).expect("positive");
    let mu = q.mean_params();
    group.bench_function("Dirichlet from_mean_params", |b| {
        b.iter(|| Dirichlet::from_mean_params(black_box(&mu)))
    });
    group.finish();
}

criterion_group!(benches, variational_families, normals, special_functions);
criterion_main!(benches);
