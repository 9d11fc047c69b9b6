//! One gradient of the ELBO of logistic regression: 569 data, 30 covariates and an intercept, a mean-field
//! Gaussian, 256 samples, double precision; and of the pathwise estimator for contrast.
//!
//! The gradients run on the threads of rayon's global pool (`RAYON_NUM_THREADS`).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array1;
use vi_benches::logistic_regression;
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::{MeanFieldGaussian, VariationalFamily};
use vi_models::logistic_regression::LogisticRegression;
use vi_sgvi::{Elbo, GradientEstimator, Memory, Pathwise, ScoreFunction};

const N_SAMPLES: usize = 256;

fn gradients(c: &mut Criterion) {
    let model = logistic_regression(569, 30);
    let mut group = c.benchmark_group("gradient_logistic_regression_569x31_S256");
    bench(&mut group, "score_function_leave_one_out", &model, &ScoreFunction::leave_one_out(N_SAMPLES));
    bench(&mut group, "score_function_naive", &model, &ScoreFunction::naive(N_SAMPLES));
    bench(&mut group, "pathwise", &model, &Pathwise { n_samples: N_SAMPLES });
    group.finish();
}

fn bench<E>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    model: &LogisticRegression,
    estimator: &E,
) where
    E: GradientEstimator<LogisticRegression, MeanFieldGaussian>,
{
    let family = MeanFieldGaussian::new(model.parameters()).expect("coefficients are real");
    let elbo = Elbo::new(model, &family).expect("the family was made for the model");
    // Scales of a posterior: draws as they are in the course of a fit.
    let d = model.dim();
    let params = Array1::from_shape_fn(family.n_params(), |p| if p < d { 0.1 } else { -2.0 });
    let (mut grad, mut memory) = (Array1::zeros(family.n_params()), Memory::default());
    let (key, mut t) = (StreamKey::from_seed(1), 0);
    let exec = Exec::local();
    group.bench_function(name, |b| {
        b.iter(|| {
            t += 1;
            estimator
                .estimate(elbo, black_box(&params), key.fold_in(t), exec, &mut memory, &mut grad)
                .expect("the log joint is finite everywhere")
        });
    });
}

criterion_group!(benches, gradients);
criterion_main!(benches);
