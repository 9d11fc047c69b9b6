//! The updates of proportions and assignments, one by one or together.

use ndarray::Array2;
use vi_core::Exec;

use super::documents::{Follow, Pass, entropy};
use super::log_domain::set_expected_logs;
use super::words::{self, dot, slice, slice_mut};
use super::{LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletStats};

impl LatentDirichletAllocation {
    /// q(z), and q(θ) with it unless the proportions are given.
    pub(super) fn condition_assignments(
        &self,
        log_topics: &Array2<f64>,
        follow: Follow<'_>,
        factors: &mut LatentDirichletFactors,
        exec: Exec<'_>,
    ) {
        words::set_weights(self.layout, log_topics, &mut factors.words, exec);
        let pass =
            Pass { layout: self.layout, prior: &self.prior, corpus: &self.corpus, words: &factors.words };
        pass.update(&mut factors.documents, follow, exec);
        words::set_counts(self.layout, &self.corpus, &factors.documents, &mut factors.words, exec);
        let (layout, mut entropy, mut log_normalizer) = (self.layout, 0.0, 0.0);
        let documents = slice(&factors.documents).chunks_exact(layout.document_width());
        factors.proportions_entropy = 0.0;
        for row in documents {
            let [of_proportions, log_z, _] = layout.document_scalars(row);
            entropy -= dot(layout.document_counts(row), layout.document_logs(row));
            log_normalizer += log_z;
            factors.proportions_entropy += of_proportions;
        }
        let words = slice(&factors.words).chunks_exact(layout.word_width());
        entropy += words.map(|row| layout.word_scalars(row)[1]).sum::<f64>();
        factors.log_normalizer = log_normalizer;
        factors.assignments_entropy = entropy + log_normalizer;
    }

    /// γ ← α + m.
    pub(super) fn condition_proportions(
        &self,
        document_counts: &Array2<f64>,
        factors: &mut LatentDirichletFactors,
        exec: Exec<'_>,
    ) {
        let (layout, k) = (self.layout, self.layout.n_topics);
        let (counts, alpha, width) = (slice(document_counts), self.prior.alpha(), layout.document_width());
        exec.for_each_chunk(slice_mut(&mut factors.documents), width, |items, rows| {
            vi_core::scratch::with(k, |logs| {
                for (d, row) in items.zip(rows.chunks_exact_mut(width)) {
                    let row = layout.document(row);
                    let terms = alpha.iter().zip(&counts[d * k..]);
                    for (gamma, (alpha, m)) in row.concentration.iter_mut().zip(terms) {
                        *gamma = alpha + m;
                    }
                    set_expected_logs(&row.concentration[..k], logs);
                    row.scalars[0] = entropy(&row.concentration[..k], logs);
                }
            });
        });
        let rows = slice(&factors.documents).chunks_exact(width);
        factors.proportions_entropy = rows.map(|row| layout.document_scalars(row)[0]).sum();
    }

    pub(super) fn expect_proportions(
        &self,
        factors: &LatentDirichletFactors,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let (k, width) = (self.layout.n_topics, self.layout.document_width());
        let documents = slice(&factors.documents);
        exec.for_each_chunk(slice_mut(&mut stats.log_proportions), k, |items, rows| {
            for (d, logs) in items.zip(rows.chunks_exact_mut(k)) {
                set_expected_logs(&documents[d * width..][..k], logs);
            }
        });
        stats.realised = false;
        self.sum_proportions(stats);
    }

    /// What log joints need of log θ: with the counts that stand in the statistics.
    pub(super) fn sum_proportions(&self, stats: &mut LatentDirichletStats) {
        let sums = &mut stats.sum_log_proportions;
        sums.fill(0.0);
        for row in slice(&stats.log_proportions).chunks_exact(self.layout.n_topics) {
            sums.iter_mut().zip(row).for_each(|(sum, log)| *sum += log);
        }
        stats.document_term = dot(slice(&stats.document_counts), slice(&stats.log_proportions));
    }

    pub(super) fn expect_assignments(
        &self,
        factors: &LatentDirichletFactors,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let (layout, k) = (self.layout, self.layout.n_topics);
        let (words, width) = (slice(&factors.words), self.layout.word_width());
        exec.for_each_chunk(slice_mut(&mut stats.topics.counts), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                row[..k].copy_from_slice(layout.word_counts(&words[v * width..][..width]));
            }
        });
        let (documents, width) = (slice(&factors.documents), layout.document_width());
        exec.for_each_chunk(slice_mut(&mut stats.document_counts), k, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(k)) {
                row.copy_from_slice(layout.document_counts(&documents[d * width..][..width]));
            }
        });
        stats.realised = false;
        stats.document_term = dot(slice(&stats.document_counts), slice(&stats.log_proportions));
        stats.topics.sum_term(exec);
    }
}
