//! Same seed, same bits, whatever the number of threads.

use vi_cavi::CaviSettings;
use vi_core::{Exec, Posterior, Role, StreamKey, Unconstrained};
use vi_families::{FullRankGaussian, MeanFieldGaussian};
use vi_mcmc::{
    Control, Gibbs, McmcSettings, Nuts, NutsSettings, RandomWalk, RandomWalkSettings, Sampler, sample,
};
use vi_sgvi::{SgviFit, SgviSettings};
use vi_tests::assert_same_bits_for_any_threads;

use crate::data::{centred, logistic_regression, non_centred};

const KEY: u64 = 21;

fn key() -> StreamKey {
    StreamKey::from_seed(KEY)
}

fn sgvi_settings(n_samples: usize) -> SgviSettings {
    SgviSettings { n_samples, n_iterations: 60, n_evaluate: 500, ..SgviSettings::default() }
}

/// Parameters, bound, trace and draws: everything that a user reads.
fn numbers<F>(fit: &SgviFit<F>) -> Vec<f64>
where
    F: vi_families::VariationalFamily + Clone,
{
    let draws = fit.posterior.draws(100, key().role(Role::Evaluate));
    let scalars = [fit.elbo.value, fit.elbo.mcse];
    fit.posterior
        .params()
        .iter()
        .chain(&scalars)
        .chain(&fit.elbo_trace)
        .chain(draws.values())
        .copied()
        .collect()
}

#[test]
fn score_function_sgvi() {
    let model = logistic_regression();
    assert_same_bits_for_any_threads("score function, mean field", || {
        let family = MeanFieldGaussian::new(vi_core::LogJoint::parameters(&model)).unwrap();
        let settings = sgvi_settings(200);
        let estimator = settings.score_function();
        numbers(&vi_sgvi::fit(&model, &family, estimator, &settings, key(), Exec::local()).unwrap())
    });
}

#[test]
fn pathwise_sgvi() {
    let model = Unconstrained::new(non_centred()).unwrap();
    assert_same_bits_for_any_threads("pathwise, full rank", || {
        let family = FullRankGaussian::new(model.bijection().unconstrained()).unwrap();
        let settings = sgvi_settings(130);
        numbers(&vi_sgvi::fit(&model, &family, settings.pathwise(), &settings, key(), Exec::local()).unwrap())
    });
}

#[test]
fn cavi() {
    let model = logistic_regression();
    assert_same_bits_for_any_threads("CAVI", || {
        let settings = CaviSettings { max_iterations: 40, n_restarts: 3, ..CaviSettings::default() };
        let fit = vi_cavi::fit(&model, &settings, key(), Exec::local()).unwrap();
        let draws = fit.posterior(&model).draws(100, key());
        let traces = fit.restarts.iter().flat_map(|r| &r.elbo_trace);
        traces.chain(draws.values()).copied().collect()
    });
}

fn draws_of(what: &str, sampler: &dyn Sampler, n_draws: usize) {
    assert_same_bits_for_any_threads(what, || {
        let settings = McmcSettings { n_chains: 4, n_warmup: n_draws, n_draws, ..McmcSettings::default() };
        let posterior = sample(sampler, &settings, key(), Control::none()).unwrap();
        posterior.all_draws().values().iter().copied().collect()
    });
}

#[test]
fn gibbs() {
    let logistic = logistic_regression();
    draws_of("Gibbs, logistic regression", &Gibbs::new(&logistic, Exec::local()), 40);
    let schools = centred();
    draws_of("Gibbs, eight schools", &Gibbs::new(&schools, Exec::local()), 200);
}

#[test]
fn nuts() {
    let nuts = Nuts::new(non_centred(), NutsSettings::default()).unwrap();
    draws_of("NUTS", &nuts, 200);
}

#[test]
fn random_walk() {
    let walk = RandomWalk::new(non_centred(), RandomWalkSettings::default()).unwrap();
    draws_of("random walk", &walk, 500);
}
