//! Draws from the factors.
//!
//! The tokens of a pair of document and word are shared out by one multinomial draw. It is made twice from the same stream,
//! once for the counts of the document and once for those of the word: nothing of the size of the data is stored, and every
//! row is the work of one thread.

use vi_core::{Exec, StreamKey, StreamRng, numerics, scratch};
use vi_families::log_gamma_variate;

use super::log_domain::{SMALLEST, responsibilities};
use super::words::{dot, slice, slice_mut};
use super::{LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletStats};
use crate::draws::add_multinomial;

impl LatentDirichletAllocation {
    /// θ ~ Π_d Dirichlet(γ_d). Document d is drawn from `key.rng(d)`.
    pub(super) fn draw_proportions<'a>(
        &self,
        concentration: impl Fn(usize) -> &'a [f64] + Sync,
        key: StreamKey,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let k = self.layout.n_topics;
        exec.for_each_chunk(slice_mut(&mut stats.log_proportions), k, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(k)) {
                log_dirichlet_variate(concentration(d), &mut key.rng(d as u64), row);
            }
        });
        stats.realised = true;
        self.sum_proportions(stats);
    }

    /// z ~ q(z). Pair i of document and word is drawn from `key.rng(i)`.
    pub(super) fn draw_assignments(
        &self,
        factors: &LatentDirichletFactors,
        key: StreamKey,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let (layout, k, corpus) = (self.layout, self.layout.n_topics, &self.corpus);
        let (documents, words) = (slice(&factors.documents), slice(&factors.words));
        let document = |d: usize| &documents[d * layout.document_width()..][..layout.document_width()];
        let word = |v: usize| &words[v * layout.word_width()..][..layout.word_width()];
        let draw = |d: usize, v: usize, pair: usize, n: f64, phi: &mut [f64], counts: &mut [f64]| {
            let (d, v) = (document(d), word(v));
            let mut total = 0.0;
            for (phi, (theta, beta)) in phi.iter_mut().zip(layout.document_weights(d).iter().zip(v)) {
                *phi = theta * beta;
                total += *phi;
            }
            if total < SMALLEST {
                responsibilities(layout.document_logs(d), layout.word_logs(v), phi);
                total = phi.iter().sum();
            }
            add_multinomial(&mut key.rng(pair as u64), n, phi, total, counts);
        };
        exec.for_each_chunk(slice_mut(&mut stats.document_counts), k, |items, rows| {
            scratch::with(k, |phi| {
                for (d, row) in items.zip(rows.chunks_exact_mut(k)) {
                    row.fill(0.0);
                    let (words, counts) = corpus.counts.row(d);
                    for ((v, n), pair) in words.iter().zip(counts).zip(corpus.first_pair(d)..) {
                        draw(d, *v, pair, *n, phi, row);
                    }
                }
            });
        });
        exec.for_each_chunk(slice_mut(&mut stats.topics.counts), k + 1, |items, rows| {
            scratch::with(k, |phi| {
                for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                    row.fill(0.0);
                    let seen = corpus.occurrences(v);
                    for ((d, n), pair) in seen.documents.iter().zip(seen.counts).zip(seen.pairs) {
                        draw(*d, v, *pair, *n, phi, &mut row[..k]);
                    }
                }
            });
        });
        stats.realised = true;
        stats.document_term = dot(slice(&stats.document_counts), slice(&stats.log_proportions));
        stats.topics.sum_term(exec);
    }
}

/// logs ← log θ, θ ~ Dirichlet(γ).
pub(crate) fn log_dirichlet_variate(concentration: &[f64], rng: &mut StreamRng, logs: &mut [f64]) {
    for (log, gamma) in logs.iter_mut().zip(concentration) {
        *log = log_gamma_variate(*gamma, rng);
    }
    let total = numerics::log_sum_exp(logs);
    logs.iter_mut().for_each(|l| *l -= total);
}
