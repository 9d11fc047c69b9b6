//! Gold-standard posteriors of models that are not conjugate.

use ndarray::Array1;
use serde_json::Value;
use vi_core::{Draws, GradLogJoint, Posterior, Reported, ReportedPosterior, StreamKey};
use vi_diagnostics::summarise;
use vi_mcmc::{Control, McmcPosterior, McmcSettings, Nuts, NutsSettings, sample};
use vi_models::garch::Garch;
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};

/// Name, mean, sd, Monte Carlo standard error of the mean.
type Gold = (&'static str, f64, f64, f64);

/// posteriordb v1.0, garch-garch11 (10 chains of 1000 near-independent draws).
const GARCH: [Gold; 4] = [
    ("mu", 5.05001795, 0.124031, 0.001235),
    ("alpha0", 1.47075974, 0.571816841, 0.005668),
    ("alpha1", 0.567284283, 0.127110112, 0.00128),
    ("beta1", 0.293024546, 0.124775831, 0.001254),
];

/// posteriordb v1.0, hmm_example-hmm_example: θ\[1,1\], θ\[2,1\] and the means.
const HIDDEN_MARKOV: [Gold; 4] = [
    ("theta[1,1]", 0.666645206, 0.101230635, 0.001002),
    ("theta[2,1]", 0.073132588, 0.0284424966, 0.0002857),
    ("mu[1]", 3.02151677, 0.224452885, 0.002224),
    ("mu[2]", 8.82728187, 0.11057826, 0.001115),
];

fn read(text: &str) -> (Array1<f64>, Value) {
    let value: Value = serde_json::from_str(text).unwrap();
    (value["y"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect(), value)
}

fn nuts<M: GradLogJoint>(model: &M) -> McmcPosterior {
    let settings = McmcSettings { n_chains: 4, n_warmup: 1000, n_draws: 5_000, ..McmcSettings::default() };
    let sampler = Nuts::new(model, NutsSettings::default()).unwrap();
    sample(&sampler, &settings, StreamKey::from_seed(43), Control::none()).unwrap()
}

/// Means within 4 standard errors of the difference, sds within 5 %, R̂ below 1.01. Four means: a correct model
/// fails with probability 3e-4 if the seed is changed.
fn assert_gold(draws: &Draws, gold: &[Gold]) {
    let summaries = summarise(draws);
    for (name, mean, sd, mcse) in gold {
        let found = summaries.iter().find(|s| s.name == *name).unwrap();
        let z = (found.mean - mean) / found.mcse_mean.unwrap().hypot(*mcse);
        assert!(z.abs() < 4.0, "{name}: mean {} is {z} standard errors from {mean}", found.mean);
        assert!((found.sd / sd - 1.0).abs() < 0.05, "{name}: sd {}, expected {sd}", found.sd);
        assert!(found.rhat.unwrap() < 1.01, "{name}: R̂ = {:?}", found.rhat);
    }
}

#[test]
#[ignore = "long: 24 000 iterations of NUTS"]
fn nuts_on_garch_agrees_with_posteriordb() {
    let (y, value) = read(include_str!("../../../data/garch.json"));
    let model = Garch::new(y, value["sigma1"].as_f64().unwrap()).unwrap();
    let reported = ReportedPosterior::new(nuts(&model), &model);
    assert_eq!(model.reported().names()[3], "beta1");
    assert_gold(&reported.draws(0, StreamKey::from_seed(0)), &GARCH);
}

#[test]
#[ignore = "long: 24 000 iterations of NUTS"]
fn nuts_on_a_hidden_markov_chain_agrees_with_posteriordb() {
    let (y, _) = read(include_str!("../../../data/hmm_example.json"));
    let model = HiddenMarkov::new(y, HiddenMarkovPriors::two_states()).unwrap();
    assert_gold(nuts(&model).all_draws(), &HIDDEN_MARKOV);
}
