//! Evaluations against sums over all hidden bits.

use ndarray::{Array1, Array2};
use vi_core::{Exec, LogJoint, PlateJoint, PlateModel, Posterior, StreamKey};
use vi_sgvi::{LinearEncoder, PlateElbo, PlatePosterior, Recognition, Table, evaluate_plate};

use crate::network::{Small, normal};

/// Two estimates within four standard errors of exact values: fails with probability 1.3e-4 over all keys.
#[test]
fn bounds_are_bounds() {
    let small = Small::new(70, 8, 5);
    let encoder = LinearEncoder::new(small.model.pixels().clone(), &small.family).unwrap();
    let psi = normal(encoder.n_params(), 50);
    let elbo = PlateElbo::new(&small.model, &small.family, &encoder).unwrap();
    let key = StreamKey::from_seed(51);
    let evaluation = evaluate_plate(elbo, &small.theta, &psi, 1500, key, Exec::local()).unwrap();
    let log_likelihood = small.model.log_likelihoods(&small.theta).unwrap().unwrap().sum();
    let mut tables = Default::default();
    let log_prior = vi_core::PlateLogJoint::log_prior(&small.model.at(&small.theta, &mut tables).unwrap());
    let exact = small.elbo(&encoder, &small.theta, &psi) - log_prior;
    assert!(exact < log_likelihood);
    let z = (evaluation.elbo.value - exact) / evaluation.elbo.mcse;
    assert!(z.abs() < 4.0, "ELBO {:?}, exactly {exact}", evaluation.elbo);
    // The bound with 1500 points lies below log p(x) by about half the squared error of its terms' mean weights.
    let bound = evaluation.log_likelihood;
    let gap = log_likelihood - bound.value;
    assert!(
        gap > -4.0 * bound.mcse && gap < 4.0 * bound.mcse + bound.mcse.powi(2),
        "{bound:?}, exactly {log_likelihood}"
    );
    assert!((evaluation.elbos.sum() - evaluation.elbo.value).abs() < 1e-9);
    assert!(evaluation.elbos.iter().zip(&evaluation.log_likelihoods).all(|(e, l)| e <= l), "Jensen");
    let few = evaluate_plate(elbo, &small.theta, &psi, 3, key, Exec::local()).unwrap();
    assert!(few.log_likelihood.value < bound.value, "more points, a tighter bound");
}

#[test]
fn the_posterior_has_the_density_of_its_draws() {
    let small = Small::new(70, 8, 5);
    let table = Table::new(70, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let logits = normal(350, 52);
    let local = elbo.local_params(&logits).unwrap();
    let posterior = PlatePosterior::new(small.family.clone(), local, &small.model).unwrap();
    let mut tables = Default::default();
    let joint = PlateJoint::new(&small.model, small.model.at(&small.theta, &mut tables).unwrap()).unwrap();
    assert_eq!(posterior.parameters(), joint.parameters());
    assert_eq!(posterior.parameters().names()[6], "hidden[2,2]");
    let draws = posterior.draws(2000, StreamKey::from_seed(53));
    let values: Array2<f64> = draws.values().index_axis(ndarray::Axis(0), 0).to_owned();
    let log_q =
        |z: &Array1<f64>| -> f64 { z.iter().zip(&logits).map(|(z, l)| z * l - l.exp().ln_1p()).sum() };
    let first = values.row(0).to_owned();
    approx::assert_relative_eq!(posterior.log_prob(&first).unwrap(), log_q(&first), max_relative = 1e-12);
    // 350 means within five standard errors: fails with probability 2e-4 over all keys.
    for (mean, logit) in values.mean_axis(ndarray::Axis(0)).unwrap().iter().zip(&logits) {
        let p = 1.0 / (1.0 + (-logit).exp());
        assert!((mean - p).abs() < 5.0 * (p * (1.0 - p) / 2000.0).sqrt(), "{mean}, expected {p}");
    }
    assert_eq!(table.param_name(6), "logit(hidden[2]) of datum 1");
}
