//! Posteriors that are known independently.

use ndarray::Array1;
use vi_core::{Draws, Exec, KnownPosterior, Posterior, ReportedPosterior, StreamKey};
use vi_diagnostics::{mcse_sd, summarise};
use vi_mcmc::{Control, Gibbs, McmcPosterior, McmcSettings, Nuts, NutsSettings, Sampler, sample};
use vi_models::linear_regression::NoisePrior;

use crate::data::{centred, linear_regression, non_centred};

/// posteriordb v1.0, eight_schools-eight_schools_noncentered (10 chains of 1000 near-independent draws):
/// name, mean, sd, Monte Carlo standard error of the mean.
const GOLD: [(&str, f64, f64, f64); 10] = [
    ("theta[1]", 6.15050229, 5.61586342, 0.05574),
    ("theta[2]", 4.93958114, 4.64557811, 0.04623),
    ("theta[3]", 3.90590609, 5.28071195, 0.05423),
    ("theta[4]", 4.79601675, 4.77093802, 0.04749),
    ("theta[5]", 3.61443632, 4.61472069, 0.04615),
    ("theta[6]", 4.05114758, 4.7962484, 0.04852),
    ("theta[7]", 6.31716976, 5.0028554, 0.04988),
    ("theta[8]", 4.88399694, 5.31769206, 0.05425),
    ("mu", 4.41051834, 3.30929648, 0.03304),
    ("tau", 3.60205952, 3.19847767, 0.03186),
];

fn run(sampler: &dyn Sampler, n_draws: usize) -> McmcPosterior {
    let settings = McmcSettings { n_chains: 4, n_warmup: 1000, n_draws, ..McmcSettings::default() };
    sample(sampler, &settings, StreamKey::from_seed(41), Control::none()).unwrap()
}

/// Means within 4 standard errors of the difference to posteriordb, sds within 4 of their standard errors of
/// the exact ones; R̂ below 1.01. Twenty comparisons: false-alarm probability about 1.3e-3 if the seed is
/// changed.
fn assert_gold(method: &str, draws: &Draws) {
    let exact = centred().posterior_covariance().unwrap().diag().mapv(f64::sqrt);
    for (d, (summary, (name, mean, _, gold_mcse))) in summarise(draws).iter().zip(GOLD).enumerate() {
        assert_eq!(summary.name, name);
        let mcse = summary.mcse_mean.unwrap().hypot(gold_mcse);
        let z = (summary.mean - mean) / mcse;
        assert!(z.abs() < 4.0, "{method}, {name}: mean {} is {z} standard errors from {mean}", summary.mean);
        let z = (summary.sd - exact[d]) / mcse_sd(&draws.coordinate(d));
        assert!(
            z.abs() < 4.0,
            "{method}, {name}: sd {} is {z} standard errors from {}",
            summary.sd,
            exact[d]
        );
        assert!(summary.rhat.unwrap() < 1.01, "{method}, {name}: R̂ = {:?}", summary.rhat);
    }
}

#[test]
fn nuts_on_eight_schools_agrees_with_posteriordb() {
    let model = non_centred();
    let posterior = run(&Nuts::new(&model, NutsSettings::default()).unwrap(), 2_000);
    let reported = ReportedPosterior::new(posterior, &model);
    assert_gold("NUTS", &reported.draws(0, StreamKey::from_seed(0)));
}

/// Gibbs on the centred form mixes slowly in τ, hence the many draws.
#[test]
fn gibbs_on_eight_schools_agrees_with_posteriordb() {
    let model = centred();
    let posterior = run(&Gibbs::new(&model, Exec::local()), 40_000);
    assert_gold("Gibbs", posterior.all_draws());
}

/// The quadrature of the model against the gold draws: within 4 of their standard errors.
#[test]
fn exact_moments_of_eight_schools_agree_with_posteriordb() {
    let mean: Array1<f64> = centred().posterior_mean().unwrap();
    let covariance = centred().posterior_covariance().unwrap();
    for (d, (name, gold, sd, mcse)) in GOLD.iter().enumerate() {
        assert!((mean[d] - gold).abs() < 4.0 * mcse, "{name}: {} against {gold}", mean[d]);
        assert!((covariance[[d, d]].sqrt() / sd - 1.0).abs() < 0.03, "{name}: {}", covariance[[d, d]].sqrt());
    }
}

/// NUTS and Gibbs against the closed-form posterior of a conjugate regression: 5 coordinates each, means
/// within 4 standard errors (false-alarm probability about 6e-4), sds within 5 %.
#[test]
fn samplers_agree_with_the_exact_regression_posterior() {
    let model = linear_regression(NoisePrior::Gamma { shape: 1.0, rate: 1.0 });
    let (mean, covariance) = (model.posterior_mean().unwrap(), model.posterior_covariance().unwrap());
    let nuts = Nuts::new(&model, NutsSettings::default()).unwrap();
    let gibbs = Gibbs::new(&model, Exec::local());
    let samplers: [(&str, &dyn Sampler); 2] = [("NUTS", &nuts), ("Gibbs", &gibbs)];
    for (method, sampler) in samplers {
        let posterior = run(sampler, 2_000);
        for (d, summary) in summarise(posterior.all_draws()).iter().enumerate() {
            let z = (summary.mean - mean[d]) / summary.mcse_mean.unwrap();
            assert!(z.abs() < 4.0, "{method}, {}: {z} standard errors from the exact mean", summary.name);
            let ratio = summary.sd / covariance[[d, d]].sqrt();
            assert!((ratio - 1.0).abs() < 0.05, "{method}, {}: sd ratio {ratio}", summary.name);
        }
    }
}
