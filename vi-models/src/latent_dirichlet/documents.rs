//! The update of documents: proportions and responsibilities in turn, given the words' weights.

use ndarray::Array2;
use vi_core::numerics::{self, MIXTURE_LANES, MixtureProportions};
use vi_core::{Exec, scratch};
use vi_families::special::{digamma, log_gamma};

use super::corpus::Corpus;
use super::layout::{DocumentRow, Layout};
use super::log_domain::{self, SMALLEST, set_expected_logs};
use super::prior::Prior;
use super::settings::{DocumentStart, DocumentUpdate};
use super::words::{dot, slice, slice_mut};

/// What a document's responsibilities follow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follow<'a> {
    /// γ, which follows them in turn until neither changes.
    Each(DocumentUpdate),
    /// Proportions whose logarithms are given (D, K).
    Given(&'a Array2<f64>),
}

/// What documents are worked out with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    pub(super) layout: Layout,
    pub(super) prior: &'a Prior,
    pub(super) corpus: &'a Corpus,
    /// The rows of words (V, ·).
    pub(super) words: &'a Array2<f64>,
}

/// The rows of all documents of a corpus (D, ·) from γ = 1, given log β (V, at least K), and those of the words (V, ·).
pub(crate) fn infer(
    (layout, prior, corpus): (Layout, &Prior, &Corpus),
    log_topics: &Array2<f64>,
    update: DocumentUpdate,
    exec: Exec<'_>,
) -> (Array2<f64>, Array2<f64>) {
    let mut words = Array2::zeros((corpus.n_words(), layout.word_width()));
    super::words::set_weights(layout, log_topics, &mut words, exec);
    let mut documents = Array2::ones((corpus.n_documents(), layout.document_width()));
    let update = DocumentUpdate { start: DocumentStart::Fresh, ..update };
    Pass { layout, prior, corpus, words: &words }.update(&mut documents, Follow::Each(update), exec);
    (documents, words)
}

/// Values in a cache line.
const LINE: usize = 8;

impl Pass<'_> {
    /// Updates the rows of all documents (D, ·).
    pub(super) fn update(&self, documents: &mut Array2<f64>, follow: Follow<'_>, exec: Exec<'_>) {
        let width = self.layout.document_width();
        exec.for_each_chunk(slice_mut(documents), width, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(width)) {
                self.update_one(d, self.layout.document(row), follow);
            }
        });
    }

    fn update_one(&self, d: usize, mut row: DocumentRow<'_>, follow: Follow<'_>) {
        let k = self.layout.n_topics;
        let n_words = self.corpus.counts.row(d).0.len().next_multiple_of(MIXTURE_LANES);
        let lengths = [n_words * k, n_words, n_words, MIXTURE_LANES * self.layout.padded, k];
        scratch::with(lengths.iter().sum::<usize>() + LINE, |buffer| {
            let start = buffer.as_ptr().align_offset(8 * LINE).min(LINE);
            let mut rest = &mut buffer[start..];
            let parts = lengths.map(|n| {
                let (head, tail) = std::mem::take(&mut rest).split_at_mut(n);
                rest = tail;
                head
            });
            let [components, counts, normalizers, lanes, begun] = parts;
            self.pack(d, components, counts);
            let shift = self.begin(d, &mut row, follow);
            begun.copy_from_slice(&row.concentration[..k]);
            if !self.share_out(d, &mut row, follow, shift, [components, counts, normalizers, lanes]) {
                row.concentration[..k].copy_from_slice(begun);
                self.update_by_logarithms(d, &mut row, follow);
            }
        });
        if let Follow::Each(_) = follow {
            row.scalars[0] = entropy(&row.concentration[..k], row.logs);
        }
    }

    /// The weights of the document's words in groups of columns, and their counts, padded by ones and zeros.
    fn pack(&self, d: usize, components: &mut [f64], padded_counts: &mut [f64]) {
        let (k, width) = (self.layout.n_topics, self.layout.word_width());
        let (words, counts) = self.corpus.counts.row(d);
        let table = slice(self.words);
        padded_counts[..counts.len()].copy_from_slice(counts);
        padded_counts[counts.len()..].fill(0.0);
        let groups = components.chunks_exact_mut(MIXTURE_LANES * k);
        for (group, words) in groups.zip(words.chunks(MIXTURE_LANES)) {
            let columns = group.as_chunks_mut::<MIXTURE_LANES>().0;
            if let Ok(words) = <&[usize; MIXTURE_LANES]>::try_from(words) {
                let rows = words.map(|v| &table[v * width..][..k]);
                for (j, column) in columns.iter_mut().enumerate() {
                    *column = rows.map(|row| row[j]);
                }
                continue;
            }
            columns.fill([1.0; MIXTURE_LANES]);
            for (i, v) in words.iter().enumerate() {
                for (column, weight) in columns.iter_mut().zip(&table[v * width..][..k]) {
                    column[i] = *weight;
                }
            }
        }
    }

    /// Sets what the iteration begins with, and returns log(θ̃ / exp a) where that is known beforehand.
    fn begin(&self, d: usize, row: &mut DocumentRow<'_>, follow: Follow<'_>) -> f64 {
        let k = self.layout.n_topics;
        match follow {
            Follow::Each(update) => {
                if update.start == DocumentStart::Fresh {
                    row.concentration.fill(1.0);
                }
                row.concentration[k..].fill(1.0);
                numerics::exp_digamma(row.concentration, row.weights);
                f64::NAN
            }
            Follow::Given(logs) => {
                row.logs.copy_from_slice(&slice(logs)[d * k..][..k]);
                let max = row.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                for (weight, a) in row.weights.iter_mut().zip(row.logs.iter()) {
                    *weight = a - max;
                }
                numerics::exp_inplace(&mut row.weights[..k]);
                -max
            }
        }
    }

    /// The fast way; false when a normaliser has underflown.
    fn share_out(
        &self,
        d: usize,
        row: &mut DocumentRow<'_>,
        follow: Follow<'_>,
        shift: f64,
        [components, counts, normalizers, lanes]: [&mut [f64]; 4],
    ) -> bool {
        let k = self.layout.n_topics;
        let problem = MixtureProportions {
            components,
            counts,
            prior: &self.prior.proportions,
            concentration: row.concentration,
            weights: row.weights,
            expected_counts: row.counts,
            normalizers,
            scratch: lanes,
            n_components: k,
        };
        match follow {
            Follow::Each(update) => {
                row.scalars[2] = problem.iterate(update.tolerance, update.max_iterations) as f64;
            }
            Follow::Given(_) => problem.share_out(),
        }
        let words = self.corpus.counts.row(d).0;
        let normalizers = &mut normalizers[..words.len()];
        let fits =
            normalizers.iter().all(|z| *z >= SMALLEST) && row.concentration.iter().all(|g| g.is_finite());
        if !fits {
            return false;
        }
        let mut shift = shift;
        if let Follow::Each(_) = follow {
            set_expected_logs(&row.concentration[..k], row.logs);
            shift = digamma(row.concentration[..k].iter().sum());
        }
        numerics::log_inplace(normalizers);
        let (table, width) = (slice(self.words), self.layout.word_width());
        let mut total = 0.0;
        for ((log_z, n), v) in normalizers.iter().zip(counts.iter()).zip(words) {
            total += n * (log_z + self.layout.word_scalars(&table[v * width..][..width])[0] - shift);
        }
        row.scalars[1] = total;
        true
    }

    fn update_by_logarithms(&self, d: usize, row: &mut DocumentRow<'_>, follow: Follow<'_>) {
        let (k, width) = (self.layout.n_topics, self.layout.word_width());
        let table = slice(self.words);
        let (words, counts) = self.corpus.counts.row(d);
        let words = words.iter().map(|v| self.layout.word_logs(&table[v * width..][..width])).zip(counts);
        let limits = match follow {
            Follow::Each(update) => {
                set_expected_logs(&row.concentration[..k], row.logs);
                (update.tolerance, update.max_iterations)
            }
            Follow::Given(_) => (0.0, 0),
        };
        scratch::with(k, |phi| {
            let parts = [phi, &mut row.concentration[..k], &mut *row.logs, &mut row.counts[..k]];
            let (log_normalizer, done) = log_domain::iterate(self.prior.alpha(), words, limits, parts);
            (row.scalars[1], row.scalars[2]) = (log_normalizer, done as f64);
        });
        for (weight, a) in row.weights.iter_mut().zip(row.logs.iter()) {
            *weight = a.exp();
        }
    }
}

/// The entropy of Dirichlet(γ), given E[log θ].
pub(super) fn entropy(concentration: &[f64], logs: &[f64]) -> f64 {
    let total: f64 = concentration.iter().sum();
    scratch::with(concentration.len(), |log_gammas| {
        numerics::log_gamma(concentration, log_gammas);
        let log_partition = log_gammas.iter().sum::<f64>() - log_gamma(total);
        log_partition - dot(concentration, logs) + logs.iter().sum::<f64>()
    })
}
