//! The gradient of a sigmoid belief network on the binarised digits: 1797 images of 64 pixels, 64 hidden bits, 16 points of
//! every image, in the logits of all images (a table) and in θ, leave-one-out baseline, double precision; and its parts.
//!
//! Everything runs on the threads of rayon's global pool (`RAYON_NUM_THREADS`); the parts run on one thread.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use vi_core::numerics::sum_softplus_sigmoid_rows_inplace;
use vi_core::{Exec, Kernel, PlateLogJoint, PlateModel, StreamKey};
use vi_families::{BernoulliPlate, PlateFamily};
use vi_models::digits::Digits;
use vi_models::sigmoid_belief_network::{SigmoidBeliefNetwork, SigmoidBeliefTables};
use vi_sgvi::{
    Adam, DisArm, HiddenLayerEncoder, PlateElbo, PlateEstimator, PlateScoreFunction, PlateWorkspace,
    Recognition, Table, VariationalEm,
};

const N_HIDDEN: usize = 64;
const N_POINTS: usize = 16;

fn network() -> SigmoidBeliefNetwork {
    let digits =
        Digits::from_csv(include_str!("../../data/digits.csv")).expect("the bundled digits are in order");
    SigmoidBeliefNetwork::new(digits.binarised(8.0), N_HIDDEN).expect("binarised pixels are 0 or 1")
}

fn gradients(c: &mut Criterion) {
    let model = network();
    let family = BernoulliPlate::for_space(model.local_parameters()).expect("hidden bits are binary");
    let table = Table::new(model.n_data(), &family);
    let encoder =
        HiddenLayerEncoder::new(model.pixels().clone(), 64, &family).expect("pixels are finite features");
    let mut group = c.benchmark_group("gradient_sigmoid_belief_network_1797x64_H64_S16");
    bench(&mut group, "leave_one_out", &model, &family, &table, &PlateScoreFunction::leave_one_out(N_POINTS));
    bench(
        &mut group,
        "control_variate",
        &model,
        &family,
        &table,
        &PlateScoreFunction::control_variate(N_POINTS),
    );
    bench(&mut group, "disarm", &model, &family, &table, &DisArm::new(N_POINTS / 2));
    let leave_one_out = PlateScoreFunction::leave_one_out(N_POINTS);
    bench(&mut group, "leave_one_out_encoder", &model, &family, &encoder, &leave_one_out);
    let elbo = PlateElbo::new(&model, &family, &table).expect("the parts fit");
    let kernel = VariationalEm::new(elbo, leave_one_out, Adam::default(), Adam::default())
        .expect("settings are valid");
    let (key, mut t) = (StreamKey::from_seed(1), 0);
    let mut state = kernel.init(key).expect("the starts are valid");
    group.bench_function("step_with_adam", |b| {
        b.iter(|| {
            t += 1;
            kernel.step(key.fold_in(t), &mut state).expect("the log joint is finite everywhere")
        });
    });
    group.finish();
}

fn bench<R: Recognition>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    model: &SigmoidBeliefNetwork,
    family: &BernoulliPlate,
    recognition: &R,
    estimator: &impl PlateEstimator<BernoulliPlate>,
) {
    let elbo = PlateElbo::new(model, family, recognition).expect("the parts fit");
    let (key, mut t) = (StreamKey::from_seed(1), 0);
    let (theta, params) = (model.init_model_params(key), recognition.init(key));
    let (mut model_grad, mut grad) = (Array1::zeros(theta.len()), Array1::zeros(params.len()));
    let mut workspace = PlateWorkspace::default();
    group.bench_function(name, |b| {
        b.iter(|| {
            t += 1;
            let key = key.fold_in(t);
            elbo.gradient(
                estimator,
                black_box(&theta),
                &params,
                key,
                Exec::local(),
                &mut workspace,
                &mut model_grad,
                &mut grad,
            )
            .expect("the log joint is finite everywhere")
        });
    });
}

/// One thread, 64 images (a chunk, 1024 points) at a time: times all images by 1797/64 = 28.08.
fn parts(c: &mut Criterion) {
    const N: usize = 64;
    let model = network();
    let family = BernoulliPlate::for_space(model.local_parameters()).expect("hidden bits are binary");
    let data: Vec<usize> = (0..N).collect();
    let key = StreamKey::from_seed(1);
    let theta = model.init_model_params(key);
    let params = Array2::zeros((N, N_HIDDEN));
    let n_rows = N * N_POINTS;
    let (mut z, mut log_q) = (Array2::zeros((n_rows, N_HIDDEN)), Array1::zeros(n_rows));
    let mut group = c.benchmark_group("parts_sigmoid_belief_network_1024_points");
    group.bench_function("draws_and_log_q", |b| {
        let mut t = 0;
        b.iter(|| {
            t += 1;
            family
                .sample_points(&params, &data, key.fold_in(t), N_POINTS, &mut z, &mut log_q)
                .expect("λ = 0");
        });
    });
    let mut tables = SigmoidBeliefTables::default();
    group.bench_function("tables", |b| {
        b.iter(|| black_box(model.at(&theta, &mut tables).expect("θ is finite").n_model_params()));
    });
    let at = model.at(&theta, &mut tables).expect("θ is finite");
    let (mut out, mut grad) = (Array1::zeros(n_rows), Array1::zeros(theta.len()));
    group.bench_function("log_joint", |b| b.iter(|| at.log_joint_points(&data, &z, &mut out)));
    group.bench_function("log_joint_and_gradient", |b| {
        b.iter(|| at.log_joint_points_and_add_grad(&data, &z, 1.0, &mut out, &mut grad));
    });
    let (mut eta, mut sums) = (vec![0.3; n_rows * 64], vec![0.0; n_rows]);
    group.bench_function("softplus_and_sigmoid", |b| {
        b.iter(|| sum_softplus_sigmoid_rows_inplace(black_box(&mut eta), 64, &mut sums));
    });
    let mut local_grad = Array2::zeros((N, N_HIDDEN));
    group.bench_function("scores", |b| {
        b.iter(|| family.add_scores(&params, N_POINTS, &z, &out, &mut local_grad).expect("λ = 0"));
    });
    group.finish();
}

criterion_group!(benches, gradients, parts);
criterion_main!(benches);
