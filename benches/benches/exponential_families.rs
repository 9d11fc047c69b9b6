//! Slice forms of `vi-families` beside other crates in the same run; throughput per value.
//!
//! The ratio within a group counts: the times move with the machine.

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use rv::traits::HasDensity;
use statrs::distribution::Continuous;
use vi_benches::standard_normal;
use vi_core::{StreamKey, numerics};
use vi_families::{
    Beta, Dirichlet, ExponentialFamily, Gamma, Gaussian, InverseGamma, LogNormal, LogProbSlice, SampleSlice,
    fill_standard_normal,
};

/// Values per call.
const N: usize = 1_000_000;

fn group<'a>(c: &'a mut Criterion, name: &str, n: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(format!("exponential families/{name}"));
    group.throughput(Throughput::Elements(n as u64));
    group.sample_size(20);
    group
}

/// e^{2.3 ε}: two thirds between 0.1 and 10, and tails on both sides of every branch of the scalar functions.
fn positive(n: usize, seed: u64) -> Vec<f64> {
    standard_normal(n, 1, seed).iter().map(|v| (2.3 * v).exp()).collect()
}

fn scalar(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, x: &[f64], f: impl Fn(f64) -> f64) {
    let mut out = vec![0.0; x.len()];
    group.bench_function(name, |b| {
        b.iter(|| {
            for (out, x) in out.iter_mut().zip(black_box(x)) {
                *out = f(*x);
            }
        });
    });
}

fn special_functions(c: &mut Criterion) {
    use special::Gamma as _;
    let x = positive(N, 1);
    let mut out = vec![0.0; N];
    type Vectorised = fn(&[f64], &mut [f64]);
    type Peers = [(&'static str, fn(f64) -> f64); 3];
    let functions: [(&str, Vectorised, Peers); 2] = [
        (
            "log_gamma",
            numerics::log_gamma,
            [
                ("statrs", statrs::function::gamma::ln_gamma),
                ("special", |x| special::Gamma::ln_gamma(x).0),
                ("scalar", vi_families::special::log_gamma),
            ],
        ),
        (
            "digamma",
            numerics::digamma,
            [
                ("statrs", statrs::function::gamma::digamma),
                ("special", |x| x.digamma()),
                ("scalar", vi_families::special::digamma),
            ],
        ),
    ];
    for (name, vectorised, peers) in functions {
        let mut group = group(c, name, N);
        group.bench_function("slice", |b| b.iter(|| vectorised(black_box(&x), &mut out)));
        for (peer, f) in peers {
            scalar(&mut group, peer, &x, f);
        }
    }
    let mut group = group(c, "trigamma", N);
    group.bench_function("slice", |b| b.iter(|| numerics::trigamma(black_box(&x), &mut out)));
    scalar(&mut group, "special", &x, |x| x.trigamma());
    scalar(&mut group, "scalar", &x, vi_families::special::trigamma);
}

fn log_prob<F: LogProbSlice + ExponentialFamily<Value = f64>>(
    c: &mut Criterion,
    name: &str,
    member: &F,
    z: &[f64],
    statrs: &impl Continuous<f64, f64>,
    rv: &impl HasDensity<f64>,
) {
    let mut out = vec![0.0; z.len()];
    let mut group = group(c, &format!("log_prob/{name}"), z.len());
    group.bench_function("slice", |b| b.iter(|| member.log_prob_slice(black_box(z), &mut out)));
    scalar(&mut group, "statrs", z, |z| statrs.ln_pdf(z));
    scalar(&mut group, "rv", z, |z| rv.ln_f(&z));
    scalar(&mut group, "scalar", z, |z| member.log_prob(&z));
}

fn log_densities(c: &mut Criterion) {
    use statrs::distribution as peer;
    let z = positive(N, 2);
    let unit: Vec<f64> = z.iter().map(|z| z / (1.0 + z)).collect();
    let gaussian = Gaussian::from_mean_sd(0.3, 1.7).expect("valid");
    let statrs = peer::Normal::new(0.3, 1.7).expect("valid");
    let rv = rv::dist::Gaussian::new(0.3, 1.7).expect("valid");
    log_prob(c, "Gaussian", &gaussian, &z, &statrs, &rv);
    let gamma = Gamma::from_shape_rate(2.5, 1.5).expect("valid");
    let statrs = peer::Gamma::new(2.5, 1.5).expect("valid");
    let rv = rv::dist::Gamma::new(2.5, 1.5).expect("valid");
    log_prob(c, "Gamma", &gamma, &z, &statrs, &rv);
    let inverse = InverseGamma::from_shape_scale(2.5, 1.5).expect("valid");
    let statrs = peer::InverseGamma::new(2.5, 1.5).expect("valid");
    let rv = rv::dist::InvGamma::new(2.5, 1.5).expect("valid");
    log_prob(c, "InverseGamma", &inverse, &z, &statrs, &rv);
    let beta = Beta::from_alpha_beta(2.5, 1.5).expect("valid");
    let statrs = peer::Beta::new(2.5, 1.5).expect("valid");
    let rv = rv::dist::Beta::new(2.5, 1.5).expect("valid");
    log_prob(c, "Beta", &beta, &unit, &statrs, &rv);
    let log_normal = LogNormal::from_log_mean_log_sd(0.3, 1.7).expect("valid");
    let statrs = peer::LogNormal::new(0.3, 1.7).expect("valid");
    let rv = rv::dist::LogNormal::new(0.3, 1.7).expect("valid");
    log_prob(c, "LogNormal", &log_normal, &z, &statrs, &rv);
}

fn own_parameters(c: &mut Criterion) {
    let (shapes, rates, z) = (positive(N, 3), positive(N, 4), positive(N, 5));
    let (mut out, mut second) = (vec![0.0; N], vec![0.0; N]);
    let mut densities = group(c, "log_prob/Gamma with its own shape and rate", N);
    densities.bench_function("slice", |b| {
        b.iter(|| Gamma::log_prob_each(black_box(&shapes), &rates, &z, &mut out));
    });
    densities.bench_function("statrs", |b| {
        b.iter(|| {
            for i in 0..N {
                let member = statrs::distribution::Gamma::new(shapes[i], rates[i]).expect("valid");
                out[i] = member.ln_pdf(black_box(z[i]));
            }
        });
    });
    densities.bench_function("rv", |b| {
        b.iter(|| {
            for i in 0..N {
                let member = rv::dist::Gamma::new(shapes[i], rates[i]).expect("valid");
                out[i] = member.ln_f(black_box(&z[i]));
            }
        });
    });
    densities.finish();
    let mut parameters = group(c, "parameters", N);
    parameters.bench_function("Gamma mean_params_each", |b| {
        b.iter(|| Gamma::mean_params_each(black_box(&shapes), &rates, &mut out, &mut second));
    });
    parameters.bench_function("Gamma entropy_each", |b| {
        b.iter(|| Gamma::entropy_each(black_box(&shapes), &rates, &mut out));
    });
    parameters.bench_function("Beta mean_params_each", |b| {
        b.iter(|| Beta::mean_params_each(black_box(&shapes), &rates, &mut out, &mut second));
    });
    parameters.bench_function("Beta entropy_each", |b| {
        b.iter(|| Beta::entropy_each(black_box(&shapes), &rates, &mut out));
    });
}

/// 10⁵ Dirichlets of size 100, beside the digammas alone.
fn dirichlets(c: &mut Criterion) {
    let (rows, columns) = (100_000, 100);
    let concentrations =
        Array2::from_shape_vec((rows, columns), positive(rows * columns, 6)).expect("the product of both");
    let mut out = Array2::zeros((rows, columns));
    let mut group = group(c, "E[log θ] of 100000 Dirichlets of size 100", rows * columns);
    group.bench_function("expected_log_rows", |b| {
        b.iter(|| Dirichlet::expected_log_rows(black_box(&concentrations), &mut out));
    });
    group.bench_function("digamma alone", |b| {
        let x = concentrations.as_slice().expect("standard layout");
        b.iter(|| numerics::digamma(black_box(x), out.as_slice_mut().expect("standard layout")));
    });
}

fn draws(c: &mut Criterion) {
    const DRAWS: usize = 10_000;
    let mut out = vec![0.0; DRAWS];
    let key = StreamKey::from_seed(7);
    let mut normals = group(c, "draws/standard normal", DRAWS);
    normals.bench_function("fill_standard_normal", |b| {
        let mut rng = key.rng(0);
        b.iter(|| fill_standard_normal(&mut rng, black_box(&mut out)));
    });
    normals.bench_function("rand_distr", |b| {
        let mut rng = key.rng(0);
        b.iter(|| black_box(&mut out).iter_mut().for_each(|v| *v = StandardNormal.sample(&mut rng)));
    });
    normals.finish();
    for shape in [0.5, 2.0, 20.0] {
        let member = Gamma::from_shape_rate(shape, 1.5).expect("valid");
        let peer = rand_distr::Gamma::new(shape, 1.0 / 1.5).expect("valid");
        draw(c, &format!("Gamma, shape {shape}"), &member, &peer);
    }
    let member = InverseGamma::from_shape_scale(2.0, 1.5).expect("valid");
    draw(c, "InverseGamma, beside a Gamma", &member, &rand_distr::Gamma::new(2.0, 1.5).expect("valid"));
    let member = Beta::from_alpha_beta(2.0, 3.0).expect("valid");
    draw(c, "Beta", &member, &rand_distr::Beta::new(2.0, 3.0).expect("valid"));
    let member = vi_families::Exponential::from_rate(1.5).expect("valid");
    draw(c, "Exponential", &member, &rand_distr::Exp::new(1.5).expect("valid"));
}

fn draw<F: SampleSlice>(c: &mut Criterion, name: &str, member: &F, peer: &impl Distribution<f64>) {
    const DRAWS: usize = 10_000;
    let mut out = vec![0.0; DRAWS];
    let key = StreamKey::from_seed(8);
    let mut group = group(c, &format!("draws/{name}"), DRAWS);
    group.bench_function("sample_slice", |b| {
        let mut rng = key.rng(0);
        b.iter(|| member.sample_slice(&mut rng, black_box(&mut out)));
    });
    group.bench_function("sample", |b| {
        let mut rng = key.rng(0);
        b.iter(|| black_box(&mut out).iter_mut().for_each(|v| *v = member.sample(&mut rng)));
    });
    group.bench_function("rand_distr", |b| {
        let mut rng = key.rng(0);
        b.iter(|| black_box(&mut out).iter_mut().for_each(|v| *v = peer.sample(&mut rng)));
    });
}

criterion_group!(benches, special_functions, log_densities, own_parameters, dirichlets, draws);
criterion_main!(benches);
