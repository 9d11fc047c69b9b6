//! The same seed gives the same bits: on any number of threads, after an interruption, from a checkpoint.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use support::{SemiConjugate, constrained};
use vi_core::checkpoint::{self, Header};
use vi_core::{Exec, NeverStop, StopReason, StreamKey, run};
use vi_mcmc::{
    ChainProgress, Control, Gibbs, MarkovKernel, McmcPosterior, McmcSettings, Nuts, NutsSettings, RandomWalk,
    RandomWalkSettings, RecordedChain, RecordedState, Sampler, sample,
};

const SETTINGS: McmcSettings = McmcSettings { n_chains: 5, n_warmup: 60, n_draws: 40, thin: 2 };

fn key() -> StreamKey {
    StreamKey::from_seed(11)
}

fn data() -> SemiConjugate {
    SemiConjugate::new(vec![0.3, 1.2, -0.7, 2.0])
}

fn bits(posterior: &McmcPosterior) -> Vec<u64> {
    let values = posterior.all_draws().values().iter().chain(posterior.log_joint());
    values.map(|v| v.to_bits()).collect()
}

#[track_caller]
fn same_bits_on_any_number_of_threads<S: Sampler>(sampler: &S) {
    let on = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| sample(sampler, &SETTINGS, key(), Control::none()).unwrap())
    };
    let one = on(1);
    for n_threads in [2, 3, 7] {
        let other = on(n_threads);
        assert_eq!(bits(&one), bits(&other), "{n_threads} threads");
        assert_eq!(one, other);
    }
    // The chains are not copies of each other.
    let first = one.all_draws().values().slice(ndarray::s![.., 0, 0]).to_vec();
    assert!(first.windows(2).all(|w| w[0] != w[1]), "{first:?}");
}

#[test]
fn nuts_on_any_number_of_threads() {
    same_bits_on_any_number_of_threads(&Nuts::new(constrained().0, NutsSettings::default()).unwrap());
}

#[test]
fn random_walk_on_any_number_of_threads() {
    let walk = RandomWalk::new(constrained().0, RandomWalkSettings::default()).unwrap();
    same_bits_on_any_number_of_threads(&walk);
}

#[test]
fn gibbs_on_any_number_of_threads() {
    same_bits_on_any_number_of_threads(&Gibbs::new(&data(), Exec::local()));
}

/// Stops chain 1 after `k` iterations, writes its state to disk, and goes on from what is read back.
#[track_caller]
fn resumes_in_the_same_bits<K>(kernel: &K, k: u64)
where
    K: MarkovKernel + Sampler,
    K::State: serde::Serialize + serde::de::DeserializeOwned,
{
    let unbroken = kernel.sample_chain(1, &SETTINGS, key(), Control::none()).unwrap();
    let chain = RecordedChain::new(kernel, SETTINGS).unwrap();
    let step_key = chain.step_key(1, key());
    let mut state = chain.start(1, key()).unwrap();
    run(&chain, &mut state, step_key, 0..k, &NeverStop, &mut []).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain");
    let header = Header::new("chain", 0);
    checkpoint::write(&path, &header, k, &state).unwrap();
    let (t, mut state): (u64, RecordedState<K::State>) = checkpoint::read(&path, &header).unwrap();
    let outcome = run(&chain, &mut state, step_key, t..chain.n_iterations(), &NeverStop, &mut []).unwrap();
    assert_eq!(chain.finish(1, state, outcome.reason), unbroken);
}

#[test]
fn gibbs_resumes() {
    let model = data();
    for k in [1, 30, 77] {
        resumes_in_the_same_bits(&Gibbs::new(&model, Exec::local()), k);
    }
}

#[test]
fn random_walk_resumes() {
    let walk = RandomWalk::new(constrained().0, RandomWalkSettings::default()).unwrap();
    for k in [1, 30, 77] {
        resumes_in_the_same_bits(&walk, k);
    }
}

#[test]
fn nuts_resumes_by_whole_chains() {
    let nuts = Nuts::new(constrained().0, NutsSettings::default()).unwrap();
    let whole = sample(&nuts, &SETTINGS, key(), Control::none()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain");
    let header = Header::new("chain", 0);
    let chains = [3, 1, 0, 4, 2].map(|c| {
        let chain = nuts.sample_chain(c, &SETTINGS, key(), Control::none()).unwrap();
        checkpoint::write(&path, &header, 0, &chain).unwrap();
        checkpoint::read::<vi_mcmc::ChainResult>(&path, &header).unwrap().1
    });
    let mut chains = chains.to_vec();
    chains.sort_by_key(|c| c.stats.chain);
    assert_eq!(McmcPosterior::from_chains(Sampler::parameters(&nuts).clone(), chains), whole);
}

#[track_caller]
fn interrupted_draws_are_the_first_of_an_unbroken_run<S: Sampler>(sampler: &S) {
    let whole = sample(sampler, &SETTINGS, key(), Control::none()).unwrap();
    let flag = AtomicBool::new(false);
    // One thread: chains 0 and 1 are complete when chain 2 raises the flag, 3 and 4 have not begun.
    let progress = |p: ChainProgress| {
        assert_eq!((p.n_iterations, p.warmup), (140, p.n_done <= 60));
        if p.chain == 2 && p.n_done == 100 {
            flag.store(true, Ordering::Relaxed);
        }
    };
    let control = Control::none().with_interrupt(&flag).with_progress(&progress);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let part = pool.install(|| sample(sampler, &SETTINGS, key(), control).unwrap());
    assert_eq!(part.stop_reason(), StopReason::Interrupted);
    assert_eq!(whole.stop_reason(), StopReason::Budget);
    let n_draws: Vec<usize> = part.chains().iter().map(|c| c.n_draws).collect();
    assert_eq!(n_draws, [40, 40, 20, 0, 0]);
    assert_eq!(part.all_draws().values().dim().0, 3);
    let first = whole.all_draws().values().slice(ndarray::s![..3, ..20, ..]);
    assert_eq!(part.all_draws().values(), &first);
}

#[test]
fn interruptions() {
    interrupted_draws_are_the_first_of_an_unbroken_run(&Gibbs::new(&data(), Exec::local()));
    let walk = RandomWalk::new(constrained().0, RandomWalkSettings::default()).unwrap();
    interrupted_draws_are_the_first_of_an_unbroken_run(&walk);
    let nuts = Nuts::new(constrained().0, NutsSettings::default()).unwrap();
    interrupted_draws_are_the_first_of_an_unbroken_run(&nuts);
}

#[test]
fn the_proposal_does_not_adapt_after_the_warmup() {
    let walk = RandomWalk::new(constrained().0, RandomWalkSettings::default()).unwrap();
    let chain = RecordedChain::new(&walk, SETTINGS).unwrap();
    let mut state = chain.start(0, key()).unwrap();
    let step_key = chain.step_key(0, key());
    let mut proposal_at = |from, to| {
        run(&chain, &mut state, step_key, from..to, &NeverStop, &mut []).unwrap();
        (state.kernel.log_scale, state.kernel.factor.clone())
    };
    let start = proposal_at(0, 1);
    let end_of_warmup = proposal_at(1, 60);
    assert_ne!(start, end_of_warmup);
    assert_eq!(end_of_warmup, proposal_at(60, 140));
}
