//! Deliberately wrong estimators, which the check has to find out.

use ndarray::{ArrayRef1, array};
use vi_core::{CommError, Exec, LogJoint, StreamKey};
use vi_families::MeanFieldGaussian;
use vi_sgvi::testing::{Z_LIMIT, check_estimator, compare_gradient};
use vi_sgvi::{Baseline, BaselineScratch, Elbo, ScoreFunction, Terms};

use crate::common::GaussianTarget;

/// The known bug: the subtracted mean contains the sample itself.
#[derive(Clone, Copy)]
pub(crate) struct MeanOfAll;

impl Baseline for MeanOfAll {
    const NAME: &'static str = "a wrong baseline";
    const MIN_GROUPS: usize = 1;
    type State = ();
    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        terms.weighted_sum(exec, scratch, grad, |_, f, weights| {
            let n = f.len() as f64;
            let mean = f.iter().sum::<f64>() / n;
            weights.iter_mut().zip(f).for_each(|(w, f)| *w = (f - mean) / n);
        })
    }
}

fn key(s: usize) -> StreamKey {
    StreamKey::from_seed(20_140_401).fold_in(s as u64)
}

/// The bias shrinks like 1/S, so that more replicates are needed to see it: at S = 100, in release, 60 000.
fn found_out(sizes: &[(usize, u64)]) {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7];
    let exact = model.mean_field_gradient(&params);
    let elbo = Elbo::new(&model, &family).unwrap();
    for &(s, n_replicates) in sizes {
        let wrong = ScoreFunction::new(s, MeanOfAll);
        let wrong = compare_gradient(&wrong, elbo, &params, &exact, n_replicates, key(s)).unwrap();
        let (_, z) = wrong.worst();
        assert!(z > Z_LIMIT, "S = {s}: only {z} standard errors off");
        let shrunk = &exact * ((s - 1) as f64 / s as f64);
        let z = ((&wrong.mean - &shrunk) / &wrong.mcse).mapv(f64::abs);
        assert!(z.iter().all(|&z| z < Z_LIMIT), "S = {s}: not the exact gradient times (S−1)/S: {z}");
    }
}

#[test]
fn a_baseline_that_contains_the_sample_is_found_out() {
    found_out(&[(2, 400), (3, 800), (10, 5_000)]);
}

#[test]
#[ignore = "long: run in release"]
fn a_baseline_that_contains_the_sample_is_found_out_among_a_hundred() {
    found_out(&[(100, 60_000)]);
}

#[test]
#[should_panic(expected = "biased: the gradient with respect to")]
fn the_contract_check_fails_a_biased_estimator() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = array![0.0, 0.3, 1.0, -0.4, 0.2, 0.7];
    let exact = model.mean_field_gradient(&params);
    check_estimator(&ScoreFunction::new(2, MeanOfAll), &model, &family, &params, &exact, 400, key(2));
}
