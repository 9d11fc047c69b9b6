//! One Gibbs sweep over every block of a model.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use vi_benches::{linear_regression, logistic_regression, standard_normal};
use vi_core::{ConditionallyConjugate, Exec, Kernel, StreamKey};
use vi_mcmc::{Gibbs, MarkovKernel};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

fn sweep<M: ConditionallyConjugate>(c: &mut Criterion, name: &str, model: &M) {
    let key = StreamKey::from_seed(1);
    let gibbs = Gibbs::new(model, Exec::local());
    let mut start = gibbs.start(0, 0, key).expect("the synthetic data admit a start");
    // The statistics of a start are expected ones; a sweep later they are those of a draw.
    gibbs.step(key, &mut start).expect("the conditionals are exact");
    c.bench_function(&format!("gibbs_sweep/{name}"), |b| {
        b.iter_batched_ref(
            || start.clone(),
            |state| gibbs.step(key, state).expect("the conditionals are exact"),
            BatchSize::SmallInput,
        );
    });
}

/// Two well-separated groups of points in the plane.
fn two_groups(n: usize) -> Array2<f64> {
    let mut x = standard_normal(n, 2, 21);
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        row += if i % 2 == 0 { 3.0 } else { -3.0 };
    }
    x
}

fn models(c: &mut Criterion) {
    sweep(c, "logistic_regression_569x31", &logistic_regression(569, 30));
    sweep(c, "linear_regression_569x31", &linear_regression(569, 30));
    let mixture = GaussianMixture::new(two_groups(272), 6, GaussianMixturePriors::default());
    sweep(c, "gaussian_mixture_272x2_k6", &mixture.expect("default priors are valid"));
}

criterion_group!(benches, models);
criterion_main!(benches);
