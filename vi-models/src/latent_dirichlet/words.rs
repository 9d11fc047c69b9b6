//! Passes over words: weights before the documents are updated, expected counts afterwards.
//!
//! ```text
//! c_vk = β̃_vk Σ_d θ̃_dk n_dv / Z_dv,     Z_dv = Σ_k θ̃_dk β̃_vk
//! ```
//! The normaliser of a pair costs as much to form again as to fetch, so that nothing of the size of the data is stored, and
//! every word is the work of one thread.

use ndarray::{Array2, ArrayRef2};
use vi_core::numerics::{self, MixtureRows};
use vi_core::{Exec, scratch};

use super::corpus::Corpus;
use super::layout::Layout;
use super::log_domain::{self, SMALLEST};

/// b ← the first K columns of log β, and β̃ ← exp(b − max b).
pub(crate) fn set_weights(layout: Layout, log_topics: &Array2<f64>, words: &mut Array2<f64>, exec: Exec<'_>) {
    let k = layout.n_topics;
    let (logs, width) = (slice(log_topics), log_topics.ncols());
    exec.for_each_chunk(slice_mut(words), layout.word_width(), |items, rows| {
        for (v, row) in items.zip(rows.chunks_exact_mut(layout.word_width())) {
            let row = layout.word(row);
            row.logs.copy_from_slice(&logs[v * width..][..k]);
            let max = row.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (w, b) in row.weights.iter_mut().zip(row.logs.iter()) {
                *w = b - max;
            }
            numerics::exp_inplace(&mut row.weights[..k]);
            row.weights[k..].fill(0.0);
            row.scalars[0] = max;
        }
    });
}

/// The expected counts c of all words, given the weights of documents (D, ·).
pub(crate) fn set_counts(
    layout: Layout,
    corpus: &Corpus,
    documents: &ArrayRef2<f64>,
    words: &mut Array2<f64>,
    exec: Exec<'_>,
) {
    let (k, stride) = (layout.n_topics, layout.document_width());
    let documents = documents.as_slice().expect("rows of documents are row-major");
    let thetas = MixtureRows { values: documents, stride, start: layout.padded };
    exec.for_each_chunk(slice_mut(words), layout.word_width(), |items, rows| {
        scratch::with(layout.padded, |sums| {
            for (v, row) in items.zip(rows.chunks_exact_mut(layout.word_width())) {
                let row = layout.word(row);
                let seen = corpus.occurrences(v);
                sums.fill(0.0);
                let least = thetas.add_shares(seen.documents, seen.counts, row.weights, sums);
                for ((c, w), sum) in row.counts.iter_mut().zip(row.weights.iter()).zip(sums.iter()) {
                    *c = w * sum;
                }
                if least < SMALLEST {
                    let logs = |d: &usize| layout.document_logs(&documents[d * stride..][..stride]);
                    let seen = seen.documents.iter().map(logs).zip(seen.counts);
                    log_domain::share_out(&mut sums[..k], row.logs, seen, row.counts);
                }
                row.scalars[1] = -dot(row.counts, row.logs);
            }
        });
    });
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn slice(rows: &Array2<f64>) -> &[f64] {
    rows.as_slice().expect("tables are created row-major")
}

pub(crate) fn slice_mut(rows: &mut Array2<f64>) -> &mut [f64] {
    rows.as_slice_mut().expect("tables are created row-major")
}
