//! The hierarchical Dirichlet process on documents of separated topics.

use ndarray::Array2;
use vi_core::{ConditionallyConjugate, Exchangeable, Exec, StreamKey};
use vi_models::latent_dirichlet::simulate_corpus;
use vi_models::sparse_counts::SparseCounts;

use crate::hierarchical::{model, sweep};

/// `d` documents of 50 tokens with `n` topics of ten words each, most documents with two of them; topic k has 1/(k + 2) of
/// the weight, up to a constant.
fn corpus(d: usize, n: usize, seed: u64) -> SparseCounts {
    let topics =
        Array2::from_shape_fn((n, 10 * n), |(k, v)| if v / 10 == k { 0.098 } else { 0.002 / (n - 1) as f64 });
    let weights: Vec<f64> = (0..n).map(|k| 1.0 / (k + 2) as f64).collect();
    let total: f64 = weights.iter().sum();
    let at = |u: f64| {
        let mut left = u.fract() * total;
        weights.iter().position(|w| {
            left -= w;
            left < 0.0
        })
    };
    let proportions = Array2::from_shape_fn((d, n), |(i, k)| {
        let (first, second) = (at(0.618_034 * i as f64), at(0.414_214 * i as f64 + 0.3));
        if first == Some(k) {
            1.0
        } else if second == Some(k) {
            0.6
        } else {
            0.0
        }
    });
    simulate_corpus(&topics, &proportions, &vec![50.0; d], &mut StreamKey::from_seed(seed).rng(0))
}

/// New documents: the words' frequencies alone give about 40, a topic of ten words and its second about 17.
#[test]
fn held_out_tokens_of_new_documents_are_predicted() {
    let counts = corpus(120, 4, 4);
    let model = model(counts.select(&(0..80).collect::<Vec<_>>()), [10, 5], [1.0, 1.0, 0.1]);
    let (kept, held) =
        counts.select(&(80..120).collect::<Vec<_>>()).thin(0.5, StreamKey::from_seed(3)).unwrap();
    let mut state = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let perplexity = |(q, stats): &(_, _)| {
        model.held_out_score(&model.globals(q, stats), &kept, &held, Exec::local()).unwrap().perplexity()
    };
    for _ in 0..40 {
        sweep(&model, &mut state);
    }
    let fitted = perplexity(&state);
    assert!((12.0..22.0).contains(&fitted), "{fitted}");
}
