//! Splits, merges and deletions of topics.

use ndarray::{Array1, Array2};
use rand::RngExt;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, FactorsAndStats, SplitMerge, StreamKey};

use super::documents::{Given, choose, entropy_of_sticks};
use super::{
    HierarchicalDirichletBlock as Block, HierarchicalDirichletFactors, HierarchicalDirichletProcess,
    HierarchicalDirichletStats,
};
use crate::latent_dirichlet::{dot, slice, slice_mut};

/// A topic with less than one token has nothing to split or to merge.
const OCCUPIED: f64 = 1.0;
/// Passes over the documents in which a topic's tokens are told apart.
const N_PASSES: usize = 10;

impl HierarchicalDirichletProcess {
    /// The state in which `change(document, φ)` has been done to the indicators, φ_dtk at k T + t, and all else follows.
    fn with_indicators(
        &self,
        factors: &HierarchicalDirichletFactors,
        change: impl Fn(usize, &mut [f64]),
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let (k, t) = (self.n_topics(), self.n_sticks());
        let mut q = factors.clone();
        for (d, row) in slice_mut(&mut q.documents.indicators).chunks_exact_mut(k * t + 1).enumerate() {
            let (phi, entropy) = row.split_at_mut(k * t);
            change(d, phi);
            entropy[0] = entropy_of_sticks(phi);
        }
        self.follow(q, exec)
    }

    /// Topics, weights and proportions at their optimum given indicators and assignments.
    fn follow(
        &self,
        mut q: HierarchicalDirichletFactors,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let mut stats = HierarchicalDirichletStats::zeros(self, self.documents.zeros().1);
        self.expect(Block::Documents, &q, &mut stats, exec);
        for block in [Block::Topics, Block::Weights, Block::Proportions] {
            self.condition(block, &stats, &mut q, exec)?;
            self.expect(block, &q, &mut stats, exec);
        }
        Ok((q, stats))
    }

    /// Expected counts of the words of document d in topic k, (word, count).
    fn words_of(&self, q: &HierarchicalDirichletFactors, d: usize, k: usize) -> Vec<(usize, f64)> {
        let t = self.n_sticks();
        let phi = &q.documents.topics_of_sticks(d, self.n_topics() * t)[k * t..][..t];
        let (words, counts) = self.counts().row(d);
        let pairs = slice(&q.documents.assignments).chunks_exact(t + 1);
        let pairs = pairs.skip(self.documents.corpus.first_pair(d));
        words.iter().zip(counts).zip(pairs).map(|((v, n), zeta)| (*v, n * dot(&zeta[..t], phi))).collect()
    }

    /// Which documents' tokens of topic k leave it when it is split in two, as two unigram models tell them apart.
    fn halves(&self, q: &HierarchicalDirichletFactors, k: usize, key: StreamKey) -> Option<Vec<bool>> {
        let (mut rng, v) = (key.rng(0), self.n_words());
        let documents: Vec<_> = (0..self.n_documents()).map(|d| self.words_of(q, d, k)).collect();
        let sizes: Vec<f64> = documents.iter().map(|d| d.iter().map(|(_, n)| n).sum()).collect();
        let mut whole = vec![self.priors.topics; v];
        documents.iter().flatten().for_each(|(word, n)| whole[*word] += n);
        let total: f64 = whole.iter().sum();
        let log_p = |counts: &[f64], d: usize| {
            let scale: f64 = counts.iter().sum();
            documents[d].iter().map(|(word, n)| n * (counts[*word] / scale).ln()).sum::<f64>()
        };
        // Seeds: a document, and one that it describes badly; each mixed with the whole.
        let seed = |d: usize| {
            let mut counts: Vec<f64> = whole.iter().map(|n| n / total).collect();
            documents[d].iter().for_each(|(word, n)| counts[*word] += n / sizes[d]);
            counts
        };
        if sizes.iter().filter(|n| **n >= OCCUPIED).count() < 2 {
            return None;
        }
        let first = choose(|d| sizes[d], sizes.len(), rng.random());
        let near = seed(first);
        let worse =
            |d: usize| if sizes[d] < OCCUPIED { 0.0 } else { (log_p(&whole, d) - log_p(&near, d)).max(0.0) };
        let costs: Vec<f64> = (0..sizes.len()).map(worse).collect();
        if costs.iter().sum::<f64>() <= 0.0 {
            return None;
        }
        let mut halves = [near, seed(choose(|d| costs[d], costs.len(), rng.random()))];
        let mut leaves = vec![false; sizes.len()];
        for _ in 0..N_PASSES {
            let mut next = [(); 2].map(|()| vec![self.priors.topics; v]);
            for (d, leaves) in leaves.iter_mut().enumerate() {
                *leaves = log_p(&halves[1], d) > log_p(&halves[0], d);
                documents[d].iter().for_each(|(word, n)| next[usize::from(*leaves)][*word] += n);
            }
            halves = next;
        }
        let gone: f64 = sizes.iter().zip(&leaves).filter(|(_, l)| **l).map(|(n, _)| n).sum();
        let stays = sizes.iter().sum::<f64>() - gone;
        (gone >= OCCUPIED && stays >= OCCUPIED).then_some(leaves)
    }
}

impl SplitMerge for HierarchicalDirichletProcess {
    fn n_components(&self) -> usize {
        self.n_topics()
    }

    /// The number of tokens of every topic.
    fn component_sizes(&self, stats: &HierarchicalDirichletStats) -> Array1<f64> {
        stats.topic_sizes()
    }

    /// By the affinity of the topics' word probabilities, Σ_v √(β_jv β_kv).
    fn merge_candidates(
        &self,
        factors: &HierarchicalDirichletFactors,
        stats: &HierarchicalDirichletStats,
    ) -> Vec<(usize, usize)> {
        let (sizes, roots) = (stats.topic_sizes(), factors.topics.expected().mapv(f64::sqrt));
        let affinities: Array2<f64> = roots.dot(&roots.t());
        let occupied: Vec<usize> = (0..self.n_topics()).filter(|k| sizes[*k] >= OCCUPIED).collect();
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (i, j) in occupied.iter().enumerate() {
            pairs.extend(occupied[i + 1..].iter().map(|k| (*j, *k)));
        }
        pairs.sort_by(|a, b| affinities[*b].total_cmp(&affinities[*a]));
        pairs
    }

    /// By documents: a document's tokens of the topic go to one half. Attempts differ by their key.
    fn split(
        &self,
        from: usize,
        into: usize,
        factors: &HierarchicalDirichletFactors,
        _attempt: usize,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        let Some(leaves) = self.halves(factors, from, key) else { return Ok(None) };
        let t = self.n_sticks();
        let change = |d: usize, phi: &mut [f64]| {
            if leaves[d] {
                give(phi, from, into, t);
            }
        };
        self.with_indicators(factors, change, exec).map(Some)
    }

    fn merge(
        &self,
        from: usize,
        into: usize,
        factors: &HierarchicalDirichletFactors,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let t = self.n_sticks();
        self.with_indicators(factors, |_, phi| give(phi, from, into, t), exec)
    }

    /// To each other topic the sticks that it has when the weight of the deleted one is 0.
    fn delete(
        &self,
        component: usize,
        factors: &HierarchicalDirichletFactors,
        stats: &HierarchicalDirichletStats,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let mut log_weights = stats.weights.log_weights(0).to_vec();
        // Far enough below every other logit for a responsibility of exactly 0, and finite.
        log_weights[component] = -1e300;
        let (mut q, mut local) = (factors.clone(), stats.documents.clone());
        let given = Given { log_weights: &log_weights, log_topics: &stats.topics.logs };
        self.documents.condition_indicators(given, &local, &mut q.documents, |_| true, exec);
        self.documents.expect_indicators(&q.documents, &mut local, exec);
        self.documents.condition_assignments(given, &local, &mut q.documents, |_| true, exec);
        self.follow(q, exec)
    }
}

/// All sticks of topic `from` to topic `into`.
fn give(phi: &mut [f64], from: usize, into: usize, n_sticks: usize) {
    for t in 0..n_sticks {
        phi[into * n_sticks + t] += std::mem::take(&mut phi[from * n_sticks + t]);
    }
}
