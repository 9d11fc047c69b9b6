//! The Ising model against sums that are written out here.

use ndarray::{Array1, Array2, array};
use vi_core::testing::check_local;
use vi_core::{KnownPosterior, LogJoint, StreamKey};
use vi_models::ModelError;
use vi_models::ising::Ising;

fn three() -> Ising {
    Ising::new(array![0.4, -0.8, 0.1], array![[0.0, 1.2, -0.5], [1.2, 0.0, 0.7], [-0.5, 0.7, 0.0]]).unwrap()
}

#[test]
fn log_joints_blocks_and_batches_agree() {
    let model = three();
    approx::assert_relative_eq!(model.log_joint(&array![1.0, 1.0, 1.0]), -0.3 + 1.4, epsilon = 1e-14);
    check_local(&model, 20, StreamKey::from_seed(1));
    check_local(&Ising::grid(3, 4, 0.2, -0.7).unwrap(), 20, StreamKey::from_seed(2));
    let z = array![[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]];
    let mut out = Array1::zeros(2);
    model.log_joint_batch(&z, &mut out);
    for (row, value) in z.rows().into_iter().zip(&out) {
        approx::assert_relative_eq!(model.log_joint(&row), *value, epsilon = 1e-14);
    }
}

#[test]
fn a_chain_has_the_evidence_of_its_transfer_matrix() {
    let (n, h, j) = (14, 0.3, -0.9_f64);
    let model = Ising::grid(1, n, h, j).unwrap();
    // Weights of chains that end in 0 and in 1, bit by bit.
    let (mut zero, mut one) = (1.0, h.exp());
    for _ in 1..n {
        (zero, one) = (zero + one, h.exp() * (zero + one * j.exp()));
    }
    approx::assert_relative_eq!(model.log_evidence().unwrap(), (zero + one).ln(), max_relative = 1e-12);
    let marginals = model.marginals().unwrap();
    approx::assert_relative_eq!(marginals[n - 1], one / (zero + one), max_relative = 1e-12);
    assert!(Ising::grid(3, 7, h, j).unwrap().log_evidence().is_none(), "21 bits are too many");
}

#[test]
fn the_mean_field_gradient_is_that_of_the_enumerated_elbo() {
    let model = three();
    let elbo = |logits: &Array1<f64>| {
        let mut sum = 0.0;
        let log_q = |z: &Array1<f64>| {
            z.iter().zip(logits).map(|(z, l): (&f64, &f64)| z * l - l.exp().ln_1p()).sum::<f64>()
        };
        model.enumerate(|z, value| sum += log_q(z).exp() * (value - log_q(z))).unwrap();
        sum
    };
    let logits = array![0.3, -0.6, 1.1];
    let gradient = model.mean_field_gradient(&logits);
    for i in 0..3 {
        let at = |step: f64| {
            let mut moved = logits.clone();
            moved[i] += step;
            elbo(&moved)
        };
        approx::assert_relative_eq!(gradient[i], (at(1e-5) - at(-1e-5)) / 2e-5, epsilon = 1e-8);
    }
}

#[test]
fn what_is_no_ising_model_is_refused() {
    let skew = array![[0.0, 1.0], [0.5, 0.0]];
    assert!(matches!(Ising::new(array![0.0, 0.0], skew), Err(ModelError::Datum { row: 0, column: 1, .. })));
    assert!(matches!(Ising::new(array![f64::NAN], Array2::zeros((1, 1))), Err(ModelError::Datum { .. })));
    assert!(matches!(Ising::new(array![0.0], Array2::zeros((2, 2))), Err(ModelError::Length { .. })));
    assert!(matches!(Ising::grid(0, 3, 0.0, 0.0), Err(ModelError::Empty { .. })));
}

#[test]
fn covariances_are_those_of_the_states() {
    let model = three();
    let (mean, covariance) = (model.posterior_mean().unwrap(), model.posterior_covariance().unwrap());
    let evidence = model.log_evidence().unwrap();
    let mut both = 0.0;
    model.enumerate(|z, value| both += z[0] * z[2] * (value - evidence).exp()).unwrap();
    approx::assert_relative_eq!(covariance[[0, 2]], both - mean[0] * mean[2], epsilon = 1e-13);
    approx::assert_relative_eq!(covariance[[1, 1]], mean[1] * (1.0 - mean[1]), epsilon = 1e-13);
    assert!(Ising::grid(3, 7, 0.1, 0.2).unwrap().posterior_covariance().is_none());
}
