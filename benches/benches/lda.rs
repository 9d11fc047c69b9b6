//! Passes of latent Dirichlet allocation over a corpus of the size of AssociatedPress: α = η = 1/K, documents iterated to a
//! mean change of 1e-3 or 100 times, 20 passes from a random start (10 for K = 100).
//!
//! `warm` begins a document at its last γ, `fresh` at γ = 1 in every pass. The bounds reached are printed with documents
//! iterated to 1e-5 or 300 times, per token. The corpus is written to `lda_corpus.txt` in the target directory for the peers,
//! or read from `LDA_CORPUS`. Threads are those of rayon's global pool (`RAYON_NUM_THREADS`).
#![allow(clippy::print_stderr, reason = "the bounds belong to the times")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use vi_benches::corpus;
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::latent_dirichlet::{
    DocumentStart, DocumentUpdate, LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletPriors,
    LatentDirichletStats,
};
use vi_models::sparse_counts::SparseCounts;

type State = (LatentDirichletFactors, LatentDirichletStats);

fn read(path: &str) -> SparseCounts {
    let text = std::fs::read_to_string(path).expect("LDA_CORPUS names a file");
    let mut lines = text.lines().map(|line| {
        let mut numbers = line.split_whitespace().map(|n| n.parse::<usize>().expect("whole numbers"));
        std::array::from_fn::<_, 3, _>(|_| numbers.next().expect("three numbers a line"))
    });
    let [n_documents, n_words, _] = lines.next().expect("a first line");
    SparseCounts::from_entries(n_documents, n_words, lines.map(|[d, v, n]| (d, v, n as f64))).expect("counts")
}

fn counts() -> SparseCounts {
    if let Ok(path) = std::env::var("LDA_CORPUS") {
        return read(&path);
    }
    let counts = corpus::associated_press_like();
    let target = std::env::var("CARGO_TARGET_DIR")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    corpus::write(&counts, &target.join("lda_corpus.txt")).expect("the target directory can be written");
    counts
}

fn pass(model: &LatentDirichletAllocation, (q, stats): &mut State) {
    for block in model.blocks() {
        model.condition(*block, stats, q, Exec::local()).expect("the counts are finite");
        model.expect(*block, q, stats, Exec::local());
    }
}

fn passes(c: &mut Criterion) {
    let counts = counts();
    let n_tokens = counts.total();
    eprintln!(
        "{} documents, {} words, {} pairs, {n_tokens} tokens",
        counts.n_rows(),
        counts.n_columns(),
        counts.n_nonzero()
    );
    for (k, n_passes) in [(20, 20), (100, 10)] {
        let mut group = c.benchmark_group(format!("lda_{n_passes}_passes_K{k}"));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));
        for (name, start) in [("warm", DocumentStart::Warm), ("fresh", DocumentStart::Fresh)] {
            let update = DocumentUpdate { start, ..DocumentUpdate::default() };
            let model = LatentDirichletAllocation::new(counts.clone(), k, LatentDirichletPriors::default());
            let model = model.and_then(|m| m.with_document_update(update)).expect("the settings are valid");
            let begin =
                model.init(StreamKey::from_seed(1), Exec::local()).expect("the corpus admits a start");
            let mut state = begin.clone();
            let mut iterations = 0;
            for _ in 0..n_passes {
                pass(&model, &mut state);
                iterations += state.0.n_document_iterations();
            }
            let tight = DocumentUpdate { tolerance: 1e-5, max_iterations: 300, ..update };
            let tight = model.clone().with_document_update(tight).expect("the settings are valid");
            let block = *model.blocks().last().expect("documents come last");
            tight.condition(block, &state.1, &mut state.0, Exec::local()).expect("the counts are finite");
            tight.expect(block, &state.0, &mut state.1, Exec::local());
            eprintln!(
                "K = {k}, {name}: {:.5} nats a token after {n_passes} passes, {:.1} iterations a document and pass",
                tight.elbo(&state.0, &state.1) / n_tokens,
                iterations as f64 / (n_passes * counts.n_rows()) as f64
            );
            group.bench_function(name, |b| {
                b.iter_batched_ref(
                    || begin.clone(),
                    |state| (0..n_passes).for_each(|_| pass(&model, state)),
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, passes);
criterion_main!(benches);
