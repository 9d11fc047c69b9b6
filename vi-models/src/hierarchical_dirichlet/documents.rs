//! What belongs to single documents: the topics of their sticks, the sticks, and the assignments of their tokens.
//!
//! ```text
//! φ_dtk ∝ exp(E[log w_k] + Σ_v n_dvt E[log β_kv])                 the topic of stick t
//! ζ_dvt ∝ exp(E[log π_dt] + Σ_k φ_dtk E[log β_kv])                the stick of a token of word v,   n_dvt = n_dv ζ_dvt
//! ```
//! Source: Wang, Paisley & Blei, AISTATS 2011, eq. 15–18.

use ndarray::{Array1, Array2};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, StreamKey, StreamRng};

use super::sticks::{StickStats, Sticks};
use crate::draws::add_multinomial;
use crate::latent_dirichlet::{Corpus, dot, slice, slice_mut};
use crate::sparse_counts::SparseCounts;

/// A word of a document.
#[derive(Clone, Copy, Debug)]
struct Pair {
    document: usize,
    word: usize,
    count: f64,
}

/// Documents and the sizes of their latent variables.
#[derive(Clone, Debug)]
pub(super) struct Documents {
    pub(super) corpus: Corpus,
    pairs: Vec<Pair>,
    /// K.
    pub(super) n_topics: usize,
    /// T.
    pub(super) n_sticks: usize,
    /// α.
    pub(super) concentration: f64,
}

/// The factors of all documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DocumentFactors {
    /// φ_dtk at k T + t, and the entropy of the document's indicators (D, K T + 1).
    pub(super) indicators: Array2<f64>,
    /// q(π).
    pub(super) proportions: Sticks,
    /// ζ_dvt and the entropy of the pair's tokens (P, T + 1).
    pub(super) assignments: Array2<f64>,
}

/// Expected or realised statistics of all documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DocumentStats {
    /// Whether stick t of document d has topic k, at k T + t (D, K T).
    pub(super) indicators: Array2<f64>,
    /// How many sticks have topic k (K).
    pub(super) n_sticks: Array1<f64>,
    /// Of π.
    pub(super) proportions: StickStats,
    /// n_dvt: how many tokens of a pair of document and word belong to each stick (P, T).
    pub(super) pairs: Array2<f64>,
    /// n_dt (D, T).
    pub(super) counts: Array2<f64>,
    /// Σ_dt n_dt log π_dt.
    pub(super) term: f64,
    /// Whether these are drawn values.
    pub(super) realised: bool,
}

/// What documents are worked out with: log w (K) and log β (V, at least K).
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub(super) log_weights: &'a [f64],
    pub(super) log_topics: &'a Array2<f64>,
}

impl Given<'_> {
    pub(super) fn word(&self, v: usize) -> &[f64] {
        &slice(self.log_topics)[v * self.log_topics.ncols()..][..self.log_weights.len()]
    }
}

impl Documents {
    pub(super) fn new(counts: SparseCounts, n_topics: usize, n_sticks: usize, concentration: f64) -> Self {
        let mut pairs = Vec::with_capacity(counts.n_nonzero());
        for document in 0..counts.n_rows() {
            let (words, row) = counts.row(document);
            pairs.extend(words.iter().zip(row).map(|(&word, &count)| Pair { document, word, count }));
        }
        Self { corpus: Corpus::new(counts), pairs, n_topics, n_sticks, concentration }
    }

    /// How often the word of pair p stands in its document.
    pub(super) fn count(&self, p: usize) -> f64 {
        self.pairs[p].count
    }

    pub(super) fn zeros(&self) -> (DocumentFactors, DocumentStats) {
        let (d, k, t, p) = (self.corpus.n_documents(), self.n_topics, self.n_sticks, self.pairs.len());
        let factors = DocumentFactors {
            indicators: Array2::zeros((d, k * t + 1)),
            proportions: Sticks::zeros(d, t),
            assignments: Array2::zeros((p, t + 1)),
        };
        let stats = DocumentStats {
            indicators: Array2::zeros((d, k * t)),
            n_sticks: Array1::zeros(k),
            proportions: StickStats::zeros(d, t),
            pairs: Array2::zeros((p, t)),
            counts: Array2::zeros((d, t)),
            term: 0.0,
            realised: false,
        };
        (factors, stats)
    }

    /// φ of the documents d for which `wanted(d)`.
    pub(super) fn condition_indicators(
        &self,
        given: Given<'_>,
        stats: &DocumentStats,
        q: &mut DocumentFactors,
        wanted: impl Fn(usize) -> bool + Sync,
        exec: Exec<'_>,
    ) {
        let (t, k) = (self.n_sticks, self.n_topics);
        let counts = slice(&stats.pairs);
        exec.for_each_chunk(slice_mut(&mut q.indicators), k * t + 1, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(k * t + 1)).filter(|(d, _)| wanted(*d)) {
                let (phi, entropy) = row.split_at_mut(k * t);
                for (phi, log) in phi.chunks_exact_mut(t).zip(given.log_weights) {
                    phi.fill(*log);
                }
                let first = self.corpus.first_pair(d);
                for (word, pair) in self.corpus.counts.row(d).0.iter().zip(first..) {
                    let counts = &counts[pair * t..][..t];
                    for (phi, log) in phi.chunks_exact_mut(t).zip(given.word(*word)) {
                        phi.iter_mut().zip(counts).for_each(|(phi, n)| *phi += n * log);
                    }
                }
                entropy[0] = (0..t).map(|t0| softmax(phi, t0, t)).sum();
            }
        });
    }

    /// ζ of the documents d for which `wanted(d)`.
    pub(super) fn condition_assignments(
        &self,
        given: Given<'_>,
        stats: &DocumentStats,
        q: &mut DocumentFactors,
        wanted: impl Fn(usize) -> bool + Sync,
        exec: Exec<'_>,
    ) {
        let (t, k) = (self.n_sticks, self.n_topics);
        let indicators = slice(&stats.indicators);
        exec.for_each_chunk(slice_mut(&mut q.assignments), t + 1, |items, rows| {
            for (pair, row) in self.pairs[items].iter().zip(rows.chunks_exact_mut(t + 1)) {
                if !wanted(pair.document) {
                    continue;
                }
                let (zeta, entropy) = row.split_at_mut(t);
                zeta.copy_from_slice(stats.proportions.log_weights(pair.document));
                let phi = indicators[pair.document * k * t..][..k * t].chunks_exact(t);
                for (phi, log) in phi.zip(given.word(pair.word)) {
                    zeta.iter_mut().zip(phi).for_each(|(zeta, phi)| *zeta += phi * log);
                }
                entropy[0] = pair.count * softmax(zeta, 0, 1);
            }
        });
    }

    /// All three, indicators first.
    pub(super) fn expect(&self, q: &DocumentFactors, stats: &mut DocumentStats, exec: Exec<'_>) {
        self.expect_indicators(q, stats, exec);
        self.expect_proportions(q, stats, exec);
        self.expect_assignments(q, stats, exec);
    }

    pub(super) fn expect_indicators(&self, q: &DocumentFactors, stats: &mut DocumentStats, exec: Exec<'_>) {
        let width = self.n_topics * self.n_sticks;
        let from = slice(&q.indicators);
        exec.for_each_chunk(slice_mut(&mut stats.indicators), width, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(width)) {
                row.copy_from_slice(&from[d * (width + 1)..][..width]);
            }
        });
        stats.realised = false;
        self.count_sticks(stats);
    }

    /// c ~ q(c). The sticks of document d are drawn from `key.rng(d)`.
    pub(super) fn draw_indicators(
        &self,
        q: &DocumentFactors,
        key: StreamKey,
        stats: &mut DocumentStats,
        exec: Exec<'_>,
    ) {
        let (t, k) = (self.n_sticks, self.n_topics);
        let from = slice(&q.indicators);
        exec.for_each_chunk(slice_mut(&mut stats.indicators), k * t, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(k * t)) {
                row.fill(0.0);
                let phi = &from[d * (k * t + 1)..][..k * t];
                draw_topics_of_sticks(phi, t, &mut key.rng(d as u64), |t0, j| row[j * t + t0] = 1.0);
            }
        });
        stats.realised = true;
        self.count_sticks(stats);
    }

    fn count_sticks(&self, stats: &mut DocumentStats) {
        stats.n_sticks.fill(0.0);
        for row in slice(&stats.indicators).chunks_exact(self.n_topics * self.n_sticks) {
            for (n, phi) in stats.n_sticks.iter_mut().zip(row.chunks_exact(self.n_sticks)) {
                *n += phi.iter().sum::<f64>();
            }
        }
    }

    pub(super) fn condition_proportions(
        &self,
        stats: &DocumentStats,
        q: &mut DocumentFactors,
        exec: Exec<'_>,
    ) {
        q.proportions.condition(self.concentration, slice(&stats.counts), exec);
    }

    pub(super) fn expect_proportions(&self, q: &DocumentFactors, stats: &mut DocumentStats, exec: Exec<'_>) {
        stats.proportions.expect(&q.proportions, self.concentration, exec);
        self.sum_term(stats);
    }

    pub(super) fn draw_proportions(
        &self,
        q: &DocumentFactors,
        key: StreamKey,
        stats: &mut DocumentStats,
        exec: Exec<'_>,
    ) {
        stats.proportions.draw(&q.proportions, self.concentration, key, exec);
        self.sum_term(stats);
    }

    pub(super) fn expect_assignments(&self, q: &DocumentFactors, stats: &mut DocumentStats, exec: Exec<'_>) {
        let t = self.n_sticks;
        let from = slice(&q.assignments);
        exec.for_each_chunk(slice_mut(&mut stats.pairs), t, |items, rows| {
            for (p, row) in items.zip(rows.chunks_exact_mut(t)) {
                let n = self.pairs[p].count;
                row.iter_mut().zip(&from[p * (t + 1)..]).for_each(|(out, zeta)| *out = n * zeta);
            }
        });
        self.count_tokens(stats);
    }

    /// z ~ q(z). The tokens of pair i of document and word are drawn from `key.rng(i)`.
    pub(super) fn draw_assignments(
        &self,
        q: &DocumentFactors,
        key: StreamKey,
        stats: &mut DocumentStats,
        exec: Exec<'_>,
    ) {
        let t = self.n_sticks;
        let from = slice(&q.assignments);
        exec.for_each_chunk(slice_mut(&mut stats.pairs), t, |items, rows| {
            vi_core::scratch::with(t, |zeta| {
                for (p, row) in items.zip(rows.chunks_exact_mut(t)) {
                    zeta.copy_from_slice(&from[p * (t + 1)..][..t]);
                    let total = zeta.iter().sum();
                    row.fill(0.0);
                    add_multinomial(&mut key.rng(p as u64), self.pairs[p].count, zeta, total, row);
                }
            });
        });
        self.count_tokens(stats);
    }

    fn count_tokens(&self, stats: &mut DocumentStats) {
        stats.counts.fill(0.0);
        let counts = slice_mut(&mut stats.counts);
        for (pair, row) in self.pairs.iter().zip(slice(&stats.pairs).chunks_exact(self.n_sticks)) {
            let counts = &mut counts[pair.document * self.n_sticks..][..self.n_sticks];
            counts.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
        }
        self.sum_term(stats);
    }

    fn sum_term(&self, stats: &mut DocumentStats) {
        let rows = slice(&stats.counts).chunks_exact(self.n_sticks).enumerate();
        stats.term = rows.map(|(d, counts)| dot(counts, stats.proportions.log_weights(d))).sum();
    }

    /// c_vk ← Σ_dt n_dvt φ_dtk, in the first K columns of `counts` (V, ·).
    pub(super) fn topic_counts(&self, stats: &DocumentStats, counts: &mut Array2<f64>, exec: Exec<'_>) {
        let (t, k, width) = (self.n_sticks, self.n_topics, counts.ncols());
        let (indicators, pairs) = (slice(&stats.indicators), slice(&stats.pairs));
        exec.for_each_chunk(slice_mut(counts), width, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(width)) {
                row[..k].fill(0.0);
                let seen = self.corpus.occurrences(v);
                for (d, p) in seen.documents.iter().zip(seen.pairs) {
                    let (phi, n) = (&indicators[d * k * t..][..k * t], &pairs[p * t..][..t]);
                    for (c, phi) in row.iter_mut().zip(phi.chunks_exact(t)) {
                        *c += dot(n, phi);
                    }
                }
            }
        });
    }

    /// E[θ_dk] = Σ_t E[π_dt] φ_dtk (D, K).
    pub(super) fn expected_proportions(&self, q: &DocumentFactors) -> Array2<f64> {
        let (t, k) = (self.n_sticks, self.n_topics);
        let mut theta = Array2::zeros((self.corpus.n_documents(), k));
        for (d, mut row) in theta.rows_mut().into_iter().enumerate() {
            let mean = q.proportions.mean(d).to_vec();
            let phi = q.topics_of_sticks(d, k * t);
            row.iter_mut().zip(phi.chunks_exact(t)).for_each(|(theta, phi)| *theta = dot(&mean, phi));
        }
        theta
    }
}

impl DocumentFactors {
    /// φ_dtk at k T + t of document d (K T).
    pub(super) fn topics_of_sticks(&self, d: usize, width: usize) -> &[f64] {
        &slice(&self.indicators)[d * (width + 1)..][..width]
    }

    /// The entropy of all three.
    pub(super) fn entropy(&self) -> f64 {
        let last = |rows: &Array2<f64>| rows.column(rows.ncols() - 1).iter().sum::<f64>();
        last(&self.indicators) + self.proportions.entropy() + last(&self.assignments)
    }
}

/// log q of indicators or assignments at realised statistics.
pub(super) fn log_prob_discrete(q: &Array2<f64>, realised: &Array2<f64>) -> f64 {
    let rows = slice(q).chunks_exact(q.ncols()).zip(slice(realised).chunks_exact(realised.ncols()));
    rows.flat_map(|(q, n)| q.iter().zip(n)).filter(|(_, n)| **n > 0.0).map(|(q, n)| n * q.ln()).sum()
}

/// Draws the topic k of every stick t of a document, from φ_tk at k T + t: `write(t, k)`.
pub(super) fn draw_topics_of_sticks(
    phi: &[f64],
    n_sticks: usize,
    rng: &mut StreamRng,
    mut write: impl FnMut(usize, usize),
) {
    for t in 0..n_sticks {
        write(t, choose(|j| phi[j * n_sticks + t], phi.len() / n_sticks, rng.random()));
    }
}

/// −Σ φ log φ.
pub(super) fn entropy_of_sticks(phi: &[f64]) -> f64 {
    -phi.iter().filter(|phi| **phi > 0.0).map(|phi| phi * phi.ln()).sum::<f64>()
}

/// The values at `first`, `first + step`, … become their softmax, whose entropy is returned.
pub(super) fn softmax(values: &mut [f64], first: usize, step: usize) -> f64 {
    let places = (first..values.len()).step_by(step);
    let max = places.clone().map(|i| values[i]).fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut moment) = (0.0, 0.0);
    for i in places.clone() {
        let logit = values[i] - max;
        values[i] = logit.exp();
        total += values[i];
        moment += values[i] * logit;
    }
    places.for_each(|i| values[i] /= total);
    total.ln() - moment / total
}

/// The first of `n` whose cumulative probability exceeds `u` times the whole.
pub(super) fn choose(probability: impl Fn(usize) -> f64, n: usize, u: f64) -> usize {
    let target = u * (0..n).map(&probability).sum::<f64>();
    let mut cumulative = 0.0;
    for j in 0..n {
        cumulative += probability(j);
        if cumulative > target {
            return j;
        }
    }
    (0..n).rev().find(|j| probability(*j) > 0.0).unwrap_or(0)
}
