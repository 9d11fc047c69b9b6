//! A run that was stopped and resumed from its checkpoint on disk ends in the bits of an unbroken one.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use vi_cavi::Cavi;
use vi_core::checkpoint::{self, Header};
use vi_core::{Checkpointer, Exec, Kernel, NeverStop, Role, StreamKey, Unconstrained, run};
use vi_families::FullRankGaussian;
use vi_mcmc::{
    ChainResult, Control, Gibbs, McmcPosterior, McmcSettings, Nuts, NutsSettings, RandomWalk,
    RandomWalkSettings, RecordedChain, Sampler, sample,
};
use vi_sgvi::{Adam, Averaging, ScoreFunction, Sgvi};
use vi_tests::bits;

use crate::data::{centred, logistic_regression, non_centred};

fn key() -> StreamKey {
    StreamKey::from_seed(31).role(Role::Step)
}

/// Runs 0..n unbroken, and 0..k then, from the checkpoint alone, k..n; compares what `read` makes of the ends.
fn assert_resumes<K>(kernel: &K, start: &K::State, read: impl Fn(&K::State) -> Vec<f64>)
where
    K: Kernel,
    K::State: Serialize + DeserializeOwned,
{
    let (k, n) = (37, 90);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.checkpoint");
    let header = Header::new("test", 7);

    let mut unbroken = start.clone();
    run(kernel, &mut unbroken, key(), 0..n, &NeverStop, &mut []).unwrap();

    let mut stopped = start.clone();
    let mut checkpoints = Checkpointer::new(&path, header.clone(), 10);
    run(kernel, &mut stopped, key(), 0..k, &NeverStop, &mut [&mut checkpoints]).unwrap();
    drop(stopped);
    let (next, mut resumed): (u64, K::State) = checkpoint::read(&path, &header).unwrap();
    assert_eq!(next, k);
    run(kernel, &mut resumed, key(), next..n, &NeverStop, &mut []).unwrap();

    let (unbroken, resumed) = (read(&unbroken), read(&resumed));
    assert!(!unbroken.is_empty());
    assert_eq!(bits(&unbroken), bits(&resumed));
    assert_only_file(dir.path(), "state.checkpoint");
}

fn assert_only_file(dir: &Path, name: &str) {
    let names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [name], "temporary files were left behind");
}

#[test]
fn sgvi() {
    let model = Unconstrained::new(non_centred()).unwrap();
    let family = FullRankGaussian::new(model.bijection().unconstrained()).unwrap();
    let estimator = ScoreFunction::leave_one_out(80);
    let kernel = Sgvi::new(&model, &family, estimator, Adam::default()).unwrap();
    let kernel = kernel.with_averaging(Averaging::Tail).unwrap();
    assert_resumes(&kernel, &kernel.init(), |state| {
        state.params.iter().chain(&kernel.averaged_params(state)).chain(&state.elbo_trace).copied().collect()
    });
}

#[test]
fn cavi() {
    let model = logistic_regression();
    let kernel = Cavi::new(&model, Exec::local());
    let start = kernel.init(StreamKey::from_seed(1)).unwrap();
    assert_resumes(&kernel, &start, |state| {
        let coefficients = state.factors.coefficients.mean();
        state.elbo_trace.iter().chain(coefficients).chain(&state.factors.tilts).copied().collect()
    });
}

#[test]
fn gibbs() {
    let model = centred();
    let kernel = Gibbs::new(&model, Exec::local());
    let settings = McmcSettings { n_warmup: 20, n_draws: 70, ..McmcSettings::default() };
    let recorded = RecordedChain::new(&kernel, settings).unwrap();
    let start = recorded.start(0, StreamKey::from_seed(2)).unwrap();
    assert_resumes(&recorded, &start, |state| {
        recorded.finish(0, state.clone(), vi_core::StopReason::Budget).draws.iter().copied().collect()
    });
}

#[test]
fn random_walk() {
    let kernel = RandomWalk::new(non_centred(), RandomWalkSettings::default()).unwrap();
    let settings = McmcSettings { n_warmup: 50, n_draws: 40, ..McmcSettings::default() };
    let recorded = RecordedChain::new(&kernel, settings).unwrap();
    let start = recorded.start(0, StreamKey::from_seed(2)).unwrap();
    assert_resumes(&recorded, &start, |state| {
        recorded.finish(0, state.clone(), vi_core::StopReason::Budget).draws.iter().copied().collect()
    });
}

/// The unit of NUTS is the chain: two chains from disk and two run again are the four of an unbroken run.
#[test]
fn nuts_by_chains() {
    let nuts = Nuts::new(non_centred(), NutsSettings::default()).unwrap();
    let settings = McmcSettings { n_chains: 4, n_warmup: 100, n_draws: 60, ..McmcSettings::default() };
    let unbroken = sample(&nuts, &settings, key(), Control::none()).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chains.checkpoint");
    let header = Header::new("chains", 7);
    let run_chain = |c| nuts.sample_chain(c, &settings, key(), Control::none()).unwrap();
    checkpoint::write(&path, &header, 2, &vec![run_chain(0), run_chain(1)]).unwrap();
    let (next, mut chains): (u64, Vec<ChainResult>) = checkpoint::read(&path, &header).unwrap();
    chains.extend((next as u32..4).map(run_chain));

    let resumed = McmcPosterior::from_chains(nuts.parameters().clone(), chains);
    assert_eq!(bits(unbroken.all_draws().values()), bits(resumed.all_draws().values()));
}
