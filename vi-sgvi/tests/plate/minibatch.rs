//! Minibatches: N/|B| for what all data share, rows of a table by themselves.

use ndarray::{Array1, s};
use vi_core::{Kernel, StreamKey};
use vi_sgvi::{
    LearningRate, LinearEncoder, PlateElbo, PlateScoreFunction, Recognition, Sgd, Table, VariationalEm,
};

use crate::network::{Small, normal};

const N_REPLICATES: u64 = 4000;

fn unit_steps() -> Sgd {
    Sgd { learning_rate: LearningRate::Constant(1.0) }
}

/// Means and standard errors.
fn moments(samples: &[Array1<f64>]) -> (Array1<f64>, Array1<f64>) {
    let n = samples.len() as f64;
    let sum = |f: &dyn Fn(&Array1<f64>) -> Array1<f64>| {
        samples.iter().fold(Array1::zeros(samples[0].len()), |sum: Array1<f64>, x| sum + f(x))
    };
    let mean = sum(&|x| x.clone()) / n;
    let variance = sum(&|x| (x - &mean).mapv(|d| d * d)) / (n - 1.0);
    (mean, variance.mapv(|v| (v / n).sqrt()))
}

fn assert_close(samples: &[Array1<f64>], exact: &Array1<f64>, what: &str) {
    let (mean, error) = moments(samples);
    for i in 0..exact.len() {
        let z = (mean[i] - exact[i]) / error[i];
        assert!(z.abs() < 5.0, "{what} {i}: mean {} ± {}, exactly {}", mean[i], error[i], exact[i]);
    }
}

/// Steps of length one along the gradients of batches of 2 of 5 data: their means are the exact gradients. 63 elements: fails
/// with probability 3.6e-5 over all keys.
#[test]
fn steps_of_minibatches_are_unbiased() {
    let small = Small::new(5, 5, 4);
    let (features, estimator) = (small.model.pixels().clone(), PlateScoreFunction::leave_one_out(3));

    let encoder = LinearEncoder::new(features, &small.family).unwrap();
    let elbo = PlateElbo::new(&small.model, &small.family, &encoder).unwrap();
    let kernel =
        VariationalEm::new(elbo, estimator, unit_steps(), unit_steps()).unwrap().with_batch_size(2).unwrap();
    let psi = normal(encoder.n_params(), 30);
    let start = kernel.init_at(small.theta.clone(), psi.clone()).unwrap();
    let (mut in_theta, mut in_psi, mut elbos) = (Vec::new(), Vec::new(), Vec::new());
    for r in 0..N_REPLICATES {
        let mut state = start.clone();
        let info = kernel.step(StreamKey::from_seed(31).fold_in(r), &mut state).unwrap();
        in_theta.push(&state.model_params - &small.theta);
        in_psi.push(&state.params - &psi);
        elbos.push(Array1::from_elem(1, info.elbo.value));
    }
    let (exact_theta, exact_psi) = small.exact(&encoder, &psi);
    assert_close(&in_theta, &exact_theta, "θ");
    assert_close(&in_psi, &exact_psi, "ψ");
    let exact_elbo = Array1::from_elem(1, small.elbo(&encoder, &small.theta, &psi));
    assert_close(&elbos, &exact_elbo, "ELBO");
}

#[test]
fn rows_that_are_not_drawn_rest() {
    let small = Small::new(5, 5, 4);
    let table = Table::new(5, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    // Without a baseline: equal points leave a gradient, so that every row that is drawn moves.
    let estimator = PlateScoreFunction::naive(3);
    let kernel =
        VariationalEm::new(elbo, estimator, unit_steps(), unit_steps()).unwrap().with_batch_size(2).unwrap();
    let logits = normal(20, 32);
    let exact = small.exact(&table, &logits).1;
    let start = kernel.init_at(small.theta.clone(), logits.clone()).unwrap();
    let mut of_rows = vec![Vec::new(); 5];
    for r in 0..N_REPLICATES {
        let mut state = start.clone();
        kernel.step(StreamKey::from_seed(33).fold_in(r), &mut state).unwrap();
        let moved = &state.params - &logits;
        let rows = (0..5).filter(|n| moved.slice(s![4 * n..4 * n + 4]).iter().any(|m| *m != 0.0));
        let rows: Vec<usize> = rows.collect();
        assert_eq!(rows.len(), 2, "rows {rows:?} moved");
        for n in rows {
            of_rows[n].push(moved.slice(s![4 * n..4 * n + 4]).to_owned());
        }
    }
    for (n, steps) in of_rows.iter().enumerate() {
        assert_close(steps, &exact.slice(s![4 * n..4 * n + 4]).to_owned(), &format!("row {n}"));
    }
}
