//! Gamma latent variables of a plate and counts over them: draws, scores, log joints and whole gradients of the ELBO.
//!
//! The shapes are those of the digits: 1797 data, 20 latent variables each, 16 points. Draws and scores are those of 64
//! data, on one thread; gradients run on the threads of rayon's global pool (`RAYON_NUM_THREADS`).

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use rand_distr::Distribution;
use vi_core::{Exec, Parameter, ParameterSpace, PlateLogJoint, PlateModel, StreamKey, Support};
use vi_families::{Gamma, GammaPlate, PlateFamily, SampleSlice};
use vi_models::count_factors::{
    DeepExponentialFamily, DeepExponentialFamilyPriors, GammaPoisson, GammaPoissonPriors,
};
use vi_models::digits::Digits;
use vi_models::sparse_counts::SparseCounts;
use vi_sgvi::{PlateElbo, PlateScoreFunction, PlateWorkspace, Recognition, Table};

const N_LATENT: usize = 20;
const N_POINTS: usize = 16;
const N_DATA: usize = 64;

/// Log shapes around the logarithm of `shape`, log rates around 0: no two members are equal.
fn params(shape: f64) -> Array2<f64> {
    Array2::from_shape_fn((N_DATA, 2 * N_LATENT), |(n, p)| {
        let noise = 0.1 * ((n * 2 * N_LATENT + p) as f64).sin();
        if p < N_LATENT { shape.ln() + noise } else { noise }
    })
}

fn family(c: &mut Criterion) {
    let space = ParameterSpace::new([Parameter::vector("z", N_LATENT, Support::Positive)]).expect("one name");
    let family = GammaPlate::for_space(&space).expect("positive");
    let n_rows = N_DATA * N_POINTS;
    let (mut z, mut log_q) = (Array2::zeros((n_rows, N_LATENT)), Array1::zeros(n_rows));
    let (mut scores, weights) = (Array2::zeros((N_DATA, 2 * N_LATENT)), Array1::ones(n_rows));
    let data: Vec<usize> = (0..N_DATA).collect();
    let mut group = c.benchmark_group("gamma_plate_64x20_S16");
    group.throughput(Throughput::Elements((n_rows * N_LATENT) as u64));
    let mut t = 0;
    for shape in [0.3, 1.3, 5.0] {
        let params = params(shape);
        group.bench_function(format!("draws_and_log_densities_shape_{shape}"), |b| {
            b.iter(|| {
                t += 1;
                let key = StreamKey::from_seed(t);
                family.sample_points(black_box(&params), &data, key, N_POINTS, &mut z, &mut log_q)
            });
        });
        let mut out = vec![0.0; N_POINTS];
        group.bench_function(format!("draws_member_by_member_shape_{shape}"), |b| {
            b.iter(|| {
                t += 1;
                let mut rng = StreamKey::from_seed(t).rng(0);
                for row in params.rows() {
                    for l in 0..N_LATENT {
                        let member = Gamma::from_shape_rate(row[l].exp(), row[N_LATENT + l].exp());
                        member.expect("positive").sample_slice(&mut rng, &mut out);
                        black_box(&out);
                    }
                }
            });
        });
    }
    let params = params(1.3);
    group.bench_function("log_densities", |b| {
        b.iter(|| family.log_prob_points(black_box(&params), N_POINTS, &z, &mut log_q));
    });
    group.bench_function("scores", |b| {
        b.iter(|| family.add_scores(black_box(&params), N_POINTS, &z, &weights, &mut scores));
    });
    group.finish();
}

/// Weights (K, 64) of a Gamma with shape ½ and scale 2, lifted by 0.05: those of the peers' scripts, but for the seed.
fn weights() -> Array2<f64> {
    let gamma = rand_distr::Gamma::new(0.5, 2.0).expect("positive");
    let mut rng = StreamKey::from_seed(3).rng(0);
    Array2::from_shape_simple_fn((N_LATENT, 64), || gamma.sample(&mut rng) + 0.05)
}

fn digits() -> SparseCounts {
    let digits = Digits::from_csv(include_str!("../../data/digits.csv")).expect("the file is in order");
    SparseCounts::from_dense(digits.pixels()).expect("ink is counted")
}

fn log_joints(c: &mut Criterion) {
    let mut group = c.benchmark_group("gamma_poisson_64x64_K20_S16");
    let n_rows = N_DATA * N_POINTS;
    group.throughput(Throughput::Elements(n_rows as u64));
    let z = Array2::from_shape_fn((n_rows, N_LATENT), |(r, k)| ((r * N_LATENT + k) as f64).sin().exp());
    let data: Vec<usize> = (0..N_DATA).collect();
    let (mut out, empty) = (Array1::zeros(n_rows), Array1::zeros(0));
    let fixed =
        GammaPoisson::with_fixed_weights(digits(), &weights(), GammaPoissonPriors::default()).expect("valid");
    let mut cache = Default::default();
    let at = fixed.at(&empty, &mut cache).expect("no parameters");
    group.bench_function("log_joints", |b| b.iter(|| at.log_joint_points(&data, black_box(&z), &mut out)));
    let learned = GammaPoisson::new(digits(), N_LATENT, GammaPoissonPriors::default()).expect("valid");
    let (theta, mut cache) = (learned.init_model_params(StreamKey::from_seed(1)), Default::default());
    let at = learned.at(&theta, &mut cache).expect("finite");
    let mut grad = Array1::zeros(theta.len());
    group.bench_function("log_joints_and_gradient_in_weights", |b| {
        b.iter(|| at.log_joint_points_and_add_grad(&data, black_box(&z), 1.0, &mut out, &mut grad));
    });
    group.finish();
}

/// Whole leave-one-out gradients, in the parameters of every datum and in θ.
fn gradients(c: &mut Criterion) {
    let priors = GammaPoissonPriors::default();
    let fixed = GammaPoisson::with_fixed_weights(digits(), &weights(), priors).expect("valid");
    let learned = GammaPoisson::new(digits(), N_LATENT, priors).expect("valid");
    let mut group = c.benchmark_group("gradient_gamma_poisson_1797x64_K20_S16");
    // Shapes of exactly 1 have draws of their own; others are what a fit meets after its first step.
    bench_gradient(&mut group, "fixed_weights_shape_1", &fixed, 0.0);
    bench_gradient(&mut group, "fixed_weights_shape_0.9", &fixed, 0.9_f64.ln());
    bench_gradient(&mut group, "fixed_weights_shape_1.1", &fixed, 1.1_f64.ln());
    bench_gradient(&mut group, "learned_weights_shape_1.1", &learned, 1.1_f64.ln());
    group.finish();
    let words = SparseCounts::from_csv(include_str!("../../data/pride_and_prejudice.csv"));
    let words = words.expect("the file is in order");
    let deep =
        DeepExponentialFamily::new(words, 10, 4, DeepExponentialFamilyPriors::default()).expect("valid");
    let mut group = c.benchmark_group("gradient_deep_exponential_family_61x1495_K10_4_S16");
    bench_gradient(&mut group, "learned_weights_shape_1.1", &deep, 1.1_f64.ln());
    group.finish();
}

fn bench_gradient<M: PlateModel>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    model: &M,
    log_shape: f64,
) {
    let family = GammaPlate::for_space(model.local_parameters()).expect("positive");
    let table = Table::new(model.n_data(), &family);
    let elbo = PlateElbo::new(model, &family, &table).expect("they fit");
    let theta = model.init_model_params(StreamKey::from_seed(1));
    let dim = family.dim();
    let params =
        Array1::from_shape_fn(table.n_params(), |p| if p % (2 * dim) < dim { log_shape } else { 0.0 });
    let (mut model_grad, mut grad) = (Array1::zeros(theta.len()), Array1::zeros(params.len()));
    let (mut workspace, estimator) = (PlateWorkspace::default(), PlateScoreFunction::leave_one_out(N_POINTS));
    let mut t = 0;
    group.bench_function(name, |b| {
        b.iter(|| {
            t += 1;
            let (params, key) = (black_box(&params), StreamKey::from_seed(t));
            let exec = Exec::local();
            elbo.gradient(&estimator, &theta, params, key, exec, &mut workspace, &mut model_grad, &mut grad)
                .expect("finite")
        });
    });
}

criterion_group!(benches, family, log_joints, gradients);
criterion_main!(benches);
