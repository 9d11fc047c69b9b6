//! Corpora and starts that several tests share.

use ndarray::{Array2, ArrayRef2, arr2};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::latent_dirichlet::{
    Concentration, LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletPriors,
    LatentDirichletStats, simulate_corpus,
};
use vi_models::sparse_counts::SparseCounts;

pub(crate) type State = (LatentDirichletFactors, LatentDirichletStats);

/// 61 chapters of *Pride and Prejudice*.
pub(crate) fn pride_and_prejudice() -> SparseCounts {
    SparseCounts::from_csv(include_str!("../../../data/pride_and_prejudice.csv")).unwrap()
}

pub(crate) fn dense(rows: &ArrayRef2<f64>) -> SparseCounts {
    SparseCounts::from_dense(rows).unwrap()
}

/// Seven documents of six words.
pub(crate) fn seven() -> SparseCounts {
    dense(&arr2(&[
        [4.0, 3.0, 0.0, 0.0, 1.0, 0.0],
        [2.0, 5.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 6.0, 3.0, 0.0, 1.0],
        [0.0, 1.0, 2.0, 7.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0, 5.0, 4.0],
        [0.0, 0.0, 0.0, 1.0, 3.0, 6.0],
        [2.0, 0.0, 2.0, 0.0, 2.0, 1.0],
    ]))
}

pub(crate) fn priors(alpha: f64, eta: f64) -> LatentDirichletPriors {
    LatentDirichletPriors { proportions: Some(Concentration::Symmetric(alpha)), topics: Some(eta) }
}

/// λ (K, V) with λ_kv = 1 + ((7k + 3v) mod 11)/11.
pub(crate) fn fixed_topics(k: usize, v: usize) -> Array2<f64> {
    Array2::from_shape_fn((k, v), |(k, v)| 1.0 + ((7 * k + 3 * v) % 11) as f64 / 11.0)
}

/// A corpus of `d` documents of 20 to 59 tokens over `v` words, with four topics of their own words.
pub(crate) fn simulated(d: usize, v: usize, seed: u64) -> SparseCounts {
    let topics = Array2::from_shape_fn((4, v), |(k, v)| if v % 4 == k { 1.0 } else { 0.05 });
    let proportions = Array2::from_shape_fn((d, 4), |(d, k)| if d % 4 == k { 1.0 } else { 0.2 });
    let lengths: Vec<f64> = (0..d).map(|d| 20.0 + (d * 7 % 40) as f64).collect();
    simulate_corpus(&topics, &proportions, &lengths, &mut StreamKey::from_seed(seed).rng(0))
}

/// One sweep of coordinate ascent; returns the ELBO.
pub(crate) fn sweep(model: &LatentDirichletAllocation, (q, stats): &mut State) -> f64 {
    for block in model.blocks() {
        model.condition(*block, stats, q, Exec::local()).unwrap();
        model.expect(*block, q, stats, Exec::local());
    }
    model.elbo(q, stats)
}
