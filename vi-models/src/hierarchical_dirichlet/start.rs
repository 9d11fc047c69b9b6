//! Starts: of documents given the topics, and of a whole run.
//!
//! With all sticks alike a document's updates leave them alike. So the topics of a document are found as in latent Dirichlet
//! allocation with concentrations α w_k, and its sticks begin at those of which it has most, the largest first.

use ndarray::{Array2, ArrayRef2, Axis};
use vi_core::{ConditionallyConjugate, Exec};

use super::documents::{DocumentFactors, DocumentStats, Documents, Given, softmax};
use super::{
    HierarchicalDirichletBlock as Block, HierarchicalDirichletFactors, HierarchicalDirichletProcess,
    HierarchicalDirichletStats,
};
use crate::latent_dirichlet::{
    Concentration, DocumentUpdate, LatentDirichletPriors, Layout, Prior, dot, infer_documents, slice,
    slice_mut,
};

/// The least concentration of a topic in the start of a document: below, weights underflow.
const LEAST: f64 = 1e-3;

impl Documents {
    /// The expected counts of topics (D, K), and what their tokens have of the proportions, E[log θ] (D, K).
    fn by_topic(&self, given: Given<'_>, update: DocumentUpdate, exec: Exec<'_>) -> [Array2<f64>; 2] {
        let (k, v) = (self.n_topics, self.corpus.n_words());
        let layout = Layout::new(k);
        let concentration =
            given.log_weights.iter().map(|log| (self.concentration * log.exp()).clamp(LEAST, 1.0 / LEAST));
        let proportions = Some(Concentration::Each(concentration.collect()));
        let priors = LatentDirichletPriors { proportions, topics: Some(1.0) };
        let prior = Prior::new(&priors, k, &[0, v], layout.padded).expect("positive concentrations");
        let (rows, _) = infer_documents((layout, &prior, &self.corpus), given.log_topics, update, exec);
        let mut found = [(); 2].map(|()| Array2::zeros((self.corpus.n_documents(), k)));
        let [counts, logs] = &mut found;
        for (d, row) in slice(&rows).chunks_exact(layout.document_width()).enumerate() {
            slice_mut(counts)[d * k..][..k].copy_from_slice(layout.document_counts(row));
            slice_mut(logs)[d * k..][..k].copy_from_slice(layout.document_logs(row));
        }
        found
    }

    /// Sticks at the topics of which documents have most, and tokens that follow.
    fn start(
        &self,
        [counts, logs]: &[Array2<f64>; 2],
        given: Given<'_>,
        exec: Exec<'_>,
    ) -> (DocumentFactors, DocumentStats) {
        let (k, t) = (self.n_topics, self.n_sticks);
        let (mut q, mut stats) = self.zeros();
        let n = t.min(k);
        for (d, row) in slice_mut(&mut q.indicators).chunks_exact_mut(k * t + 1).enumerate() {
            let mut order: Vec<usize> = (0..k).collect();
            // Stable: of equals the first.
            order.sort_by(|a, b| counts[[d, *b]].total_cmp(&counts[[d, *a]]));
            order.iter().take(n).enumerate().for_each(|(t0, topic)| row[topic * t + t0] = 1.0);
            for t0 in n..t {
                (0..k).for_each(|topic| row[topic * t + t0] = given.log_weights[topic]);
                row[k * t] += softmax(&mut row[..k * t], t0, t);
            }
            for (p, word) in (self.corpus.first_pair(d)..).zip(self.corpus.counts.row(d).0) {
                let zeta = &mut slice_mut(&mut q.assignments)[p * (t + 1)..][..t + 1];
                for (zeta, topic) in zeta.iter_mut().zip(&order[..n]) {
                    *zeta = logs[[d, *topic]] + given.word(*word)[*topic];
                }
                zeta[t] = self.count(p) * softmax(&mut zeta[..n], 0, 1);
            }
        }
        self.expect_assignments(&q, &mut stats, exec);
        self.condition_proportions(&stats, &mut q, exec);
        self.expect(&q, &mut stats, exec);
        (q, stats)
    }

    /// From the factors given, indicators, proportions and assignments in turn; each document until the mean over its sticks
    /// of |Δn_dt| is below the tolerance. No document depends on another.
    pub(super) fn iterate(
        &self,
        given: Given<'_>,
        update: DocumentUpdate,
        q: &mut DocumentFactors,
        stats: &mut DocumentStats,
        exec: Exec<'_>,
    ) {
        let t = self.n_sticks;
        let mut active = vec![true; self.corpus.n_documents()];
        for _ in 0..update.max_iterations {
            let before = stats.counts.clone();
            self.condition_indicators(given, stats, q, |d| active[d], exec);
            self.expect_indicators(q, stats, exec);
            self.condition_proportions(stats, q, exec);
            self.expect_proportions(q, stats, exec);
            self.condition_assignments(given, stats, q, |d| active[d], exec);
            self.expect_assignments(q, stats, exec);
            let change = (&stats.counts - &before).mapv(f64::abs).sum_axis(Axis(1)) / t as f64;
            active
                .iter_mut()
                .zip(&change)
                .for_each(|(active, change)| *active &= *change >= update.tolerance);
            if active.iter().all(|active| !active) {
                break;
            }
        }
    }

    /// The factors of documents given topics and weights alone.
    pub(super) fn infer(
        &self,
        given: Given<'_>,
        update: DocumentUpdate,
        exec: Exec<'_>,
    ) -> (DocumentFactors, DocumentStats) {
        let (mut q, mut stats) = self.start(&self.by_topic(given, update, exec), given, exec);
        self.iterate(given, update, &mut q, &mut stats, exec);
        (q, stats)
    }
}

impl HierarchicalDirichletProcess {
    /// The start with topics λ (V, K) in whatever order: the sticks of the corpus take the largest first.
    pub(super) fn start_from_topics(
        &self,
        topics: &ArrayRef2<f64>,
        exec: Exec<'_>,
    ) -> (HierarchicalDirichletFactors, HierarchicalDirichletStats) {
        let (k, update) = (self.n_topics(), self.document_update.unwrap_or_default());
        let (q, stats) = self.documents.zeros();
        let mut q = HierarchicalDirichletFactors::zeros(self, q);
        let mut stats = HierarchicalDirichletStats::zeros(self, stats);
        let alike = vec![-(k as f64).ln(); k];
        q.topics.set_to(topics, exec);
        stats.topics.expect(&q.topics, exec);
        let given = Given { log_weights: &alike, log_topics: &stats.topics.logs };
        let found = self.documents.by_topic(given, update, exec);
        let sizes = found[0].sum_axis(Axis(0));
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
        q.topics.set_to(&topics.select(Axis(1), &order), exec);
        stats.topics.expect(&q.topics, exec);
        let given = Given { log_weights: &alike, log_topics: &stats.topics.logs };
        let found = found.map(|table| table.select(Axis(1), &order));
        (q.documents, _) = self.documents.start(&found, given, exec);
        self.expect(Block::Documents, &q, &mut stats, exec);
        q.weights.condition(
            self.priors.corpus,
            stats.documents.n_sticks.as_slice().expect("one piece"),
            exec,
        );
        stats.weights.expect(&q.weights, self.priors.corpus, exec);
        (q, stats)
    }

    /// log p(words of document d | a topic with these log probabilities) against its own frequencies, in nats.
    pub(super) fn divergence(&self, d: usize, log_topic: impl Fn(usize) -> f64) -> f64 {
        let (words, counts) = self.counts().row(d);
        let total: f64 = counts.iter().sum();
        let own: f64 = counts.iter().map(|n| n * (n / total).ln()).sum();
        let logs: Vec<f64> = words.iter().map(|v| log_topic(*v)).collect();
        own - dot(counts, &logs)
    }
}
