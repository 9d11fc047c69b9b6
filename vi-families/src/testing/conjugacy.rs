//! The contract of a conjugate likelihood.

use std::borrow::Borrow;
use std::fmt::Debug;

use vi_core::StreamKey;
use vi_core::testing::Moments;

use super::statistics::assert_mean;
use crate::conjugacy::ConjugateLikelihood;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::PredictiveDistribution;

/// Data per check.
const N_DATA: usize = 12;
/// Draws of z behind each average over the prior.
const N_DRAWS: usize = 4000;

/// Checks posterior, evidence and predictive distribution of a conjugate pair.
///
/// Data are drawn from the predictive distribution, each given those before.
///
/// - The evidence is the product of the predictive densities of each datum given those before: 10⁻⁹ relative.
/// - Observations of two parts, merged, give the posterior of all; a weight of 2 counts twice, of 0 not at all.
/// - The predictive density is the mean of the likelihood over 4000 draws of z from the posterior, within 5.4
///   standard errors: a correct pair fails for about 1 of 10⁶ keys as far as the central limit theorem holds.
/// - Weights that are negative or not finite are errors.
///
/// # Panics
/// With the numbers where the contract is broken.
pub fn check_conjugate<L>(likelihood: &L, prior: &L::Prior, key: StreamKey)
where
    L: ConjugateLikelihood,
    L::Value: Debug,
{
    let mut data = Vec::new();
    let mut all = likelihood.observed();
    let mut parts = [likelihood.observed(), likelihood.observed()];
    let mut chain = 0.0;
    for i in 0..N_DATA {
        let posterior = all.posterior(prior).unwrap_or_else(|e| panic!("posterior of {i} data: {e}"));
        let predictive = likelihood.predictive(&posterior).unwrap_or_else(|e| panic!("predictive: {e}"));
        let x = predictive.sample_predictive(&mut key.rng(i as u64));
        let log_predictive = predictive.log_predictive(x.borrow());
        assert!(log_predictive.is_finite(), "log predictive density {log_predictive} of a draw");
        check_average(likelihood, &posterior, x.borrow(), log_predictive, key.fold_in(i as u64));
        chain += log_predictive;
        all.push(x.borrow(), 1.0).unwrap_or_else(|e| panic!("datum {i}: {e}"));
        parts[i % 2].push(x.borrow(), 1.0).unwrap_or_else(|e| panic!("datum {i}: {e}"));
        let evidence = all.log_marginal_likelihood(prior).unwrap_or_else(|e| panic!("evidence: {e}"));
        let bound = 1e-9 * (1.0 + chain.abs() + prior.log_partition().abs());
        assert!(
            (evidence - chain).abs() <= bound,
            "log evidence of {} data is {evidence}, the predictive densities multiply to {chain}",
            i + 1
        );
        data.push(x);
    }
    let [mut merged, second] = parts;
    merged.merge(&second).unwrap_or_else(|e| panic!("merge: {e}"));
    assert_eq!(merged.n(), all.n(), "number of data after the merge");
    assert_same(&merged.posterior(prior), &all.posterior(prior), "merged parts");
    check_weights(likelihood, prior, data[0].borrow());
}

fn check_average<L>(likelihood: &L, posterior: &L::Prior, x: &L::Value, log_predictive: f64, key: StreamKey)
where
    L: ConjugateLikelihood,
    L::Value: Debug,
{
    let mut message = ndarray::Array1::zeros(likelihood.n_params());
    likelihood.add_message(x, 1.0, &mut message);
    let h = likelihood.log_base_measure(x);
    let mut ratio = Moments::default();
    for s in 0..N_DRAWS {
        let z = posterior.sample(&mut key.rng(s as u64));
        ratio.push((message.dot(&posterior.sufficient_stats(z.borrow())) + h - log_predictive).exp());
    }
    assert_mean(|| format!("p(x | z) / p(x) over draws of z, x = {x:?}"), &ratio, 1.0);
}

fn check_weights<L>(likelihood: &L, prior: &L::Prior, x: &L::Value)
where
    L: ConjugateLikelihood,
    L::Value: Debug,
{
    let (mut twice, mut doubled) = (likelihood.observed(), likelihood.observed());
    for observed in [&mut twice, &mut doubled] {
        observed.push(x, 1.0).unwrap_or_else(|e| panic!("{e}"));
    }
    twice.push(x, 1.0).unwrap_or_else(|e| panic!("{e}"));
    doubled.push(x, 0.0).unwrap_or_else(|e| panic!("{e}"));
    doubled.push(x, 1.0).unwrap_or_else(|e| panic!("{e}"));
    assert_same(&twice.posterior(prior), &doubled.posterior(prior), "a datum of weight zero");
    let mut heavy = likelihood.observed();
    heavy.push(x, 2.0).unwrap_or_else(|e| panic!("{e}"));
    assert_same(&twice.posterior(prior), &heavy.posterior(prior), "a datum of weight two");
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(heavy.push(x, weight).is_err(), "the weight {weight} was accepted");
    }
}

fn assert_same<F: ExponentialFamily>(
    a: &Result<F, crate::FamilyError>,
    b: &Result<F, crate::FamilyError>,
    what: &str,
) {
    match (a, b) {
        (Ok(a), Ok(b)) => {
            let (x, y) = (a.natural(), b.natural());
            let size = x.fold(0.0, |m: f64, v| m.max(v.abs()));
            let same = x.iter().zip(&y).all(|(x, y)| (x - y).abs() <= 1e-12 * size);
            assert!(same, "{what}: η = {x}, expected {y}");
        }
        _ => panic!("{what}: {a:?}, expected {b:?}"),
    }
}
