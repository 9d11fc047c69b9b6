//! Minibatches of documents: what stochastic variational inference needs.
//!
//! Source: Wang, Paisley & Blei, AISTATS 2011, algorithm 1; Hoffman, Blei, Wang & Paisley, JMLR 14 (2013), §4.

use ndarray::{Array1, Array2, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, StreamKey};

use super::documents::{Documents, Given};
use super::sticks::{StickStats, Sticks};
use super::{
    HierarchicalDirichletBlock as Block, HierarchicalDirichletFactors, HierarchicalDirichletProcess,
    HierarchicalDirichletStats,
};
use crate::latent_dirichlet::LatentDirichletTopics;

const GLOBAL_BLOCKS: [Block; 2] = [Block::Topics, Block::Weights];

/// q(β) q(w).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalDirichletGlobals {
    topics: LatentDirichletTopics,
    weights: Sticks,
}

impl HierarchicalDirichletGlobals {
    /// q(β).
    pub fn topics(&self) -> &LatentDirichletTopics {
        &self.topics
    }

    /// E\[w\] (K).
    pub fn expected_weights(&self) -> Array1<f64> {
        self.weights.mean(0)
    }

    /// Calls `f` with what documents need, for corpus concentration γ.
    pub(super) fn given<R>(&self, gamma: f64, f: impl FnOnce(Given<'_>) -> R) -> R {
        let mut weights = StickStats::zeros(1, self.topics.n_topics);
        weights.expect(&self.weights, gamma, Exec::local());
        let log_topics = self.topics.expected_log().t().as_standard_layout().into_owned();
        f(Given { log_weights: weights.log_weights(0), log_topics: &log_topics })
    }
}

/// Tokens of every word in each topic, and sticks of each topic, as if all documents were like those of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct HierarchicalDirichletBatch {
    /// (V, K).
    topic_counts: Array2<f64>,
    /// (K).
    n_sticks: Array1<f64>,
}

/// Data are documents, globals the topics and their weights; a document of a batch begins anew.
impl Exchangeable for HierarchicalDirichletProcess {
    type Globals = HierarchicalDirichletGlobals;
    type BatchStats = HierarchicalDirichletBatch;

    fn n_data(&self) -> usize {
        self.n_documents()
    }

    fn global_blocks(&self) -> &[Block] {
        &GLOBAL_BLOCKS
    }

    fn globals(
        &self,
        q: &HierarchicalDirichletFactors,
        _: &HierarchicalDirichletStats,
    ) -> HierarchicalDirichletGlobals {
        HierarchicalDirichletGlobals { topics: q.topics.clone(), weights: q.weights.clone() }
    }

    fn init_globals(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<HierarchicalDirichletGlobals, ConjugateError> {
        let (q, stats) = self.init(key, exec)?;
        Ok(self.globals(&q, &stats))
    }

    fn local_step(
        &self,
        globals: &HierarchicalDirichletGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<HierarchicalDirichletBatch, ConjugateError> {
        let counts = self.counts().select(batch.indices);
        let documents = Documents::new(counts, self.n_topics(), self.n_sticks(), self.priors.documents);
        let update = self.document_update.unwrap_or_default();
        let (_, stats) = globals.given(self.priors.corpus, |given| documents.infer(given, update, exec));
        let mut topic_counts = Array2::zeros((self.n_words(), self.n_topics()));
        documents.topic_counts(&stats, &mut topic_counts, exec);
        topic_counts *= batch.scale;
        Ok(HierarchicalDirichletBatch { topic_counts, n_sticks: stats.n_sticks * batch.scale })
    }

    fn n_global_natural(&self, block: Block) -> usize {
        let k = self.n_topics();
        if block == Block::Topics { self.n_words() * k } else { 2 * (k - 1) }
    }

    /// λ (V, K) word by word; a and b of the sticks (K − 1 each).
    fn global_natural(&self, block: Block, globals: &HierarchicalDirichletGlobals, eta: &mut ArrayRef1<f64>) {
        let (first, second) = globals.weights.parameters(0);
        let concentration = globals.topics.concentration();
        if block == Block::Topics {
            eta.iter_mut().zip(concentration.t()).for_each(|(eta, lambda)| *eta = *lambda);
        } else {
            eta.iter_mut().zip(first.iter().chain(second)).for_each(|(eta, value)| *eta = *value);
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &HierarchicalDirichletBatch,
        _: &HierarchicalDirichletGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        if block == Block::Topics {
            eta.iter_mut().zip(&batch.topic_counts).for_each(|(eta, c)| *eta = self.priors.topics + c);
        } else {
            let eta = eta.as_slice_mut().expect("one piece");
            let (first, second) = eta.split_at_mut(self.n_topics() - 1);
            let counts = batch.n_sticks.as_slice().expect("one piece");
            crate::stick_breaking::condition(self.priors.corpus, counts, first, second);
        }
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut HierarchicalDirichletGlobals,
    ) -> Result<(), ConjugateError> {
        let k = self.n_topics();
        if let Some((i, value)) = eta.indexed_iter().find(|(_, l)| !(l.is_finite() && **l > 0.0)) {
            let (block, parameter) = (format!("{block:?}"), format!("η[{i}]"));
            return Err(ConjugateError::Domain { block, parameter, value: *value });
        }
        let eta = eta.to_vec();
        if block == Block::Topics {
            let set = |v: usize, row: &mut [f64]| row.copy_from_slice(&eta[v * k..][..k]);
            globals.topics.set(set, Exec::local());
        } else {
            let set = |_: usize, first: &mut [f64], second: &mut [f64]| {
                first.copy_from_slice(&eta[..k - 1]);
                second.copy_from_slice(&eta[k - 1..]);
            };
            globals.weights.set(set, Exec::local());
        }
        Ok(())
    }

    fn complete(
        &self,
        globals: &HierarchicalDirichletGlobals,
        exec: Exec<'_>,
    ) -> Result<(HierarchicalDirichletFactors, HierarchicalDirichletStats), ConjugateError> {
        let update = self.document_update.unwrap_or_default();
        let (documents, local) =
            globals.given(self.priors.corpus, |given| self.documents.infer(given, update, exec));
        let mut q = HierarchicalDirichletFactors::zeros(self, documents);
        (q.topics, q.weights) = (globals.topics.clone(), globals.weights.clone());
        let mut stats = HierarchicalDirichletStats::zeros(self, local);
        for block in [Block::Topics, Block::Weights, Block::Documents] {
            self.expect(block, &q, &mut stats, exec);
        }
        Ok((q, stats))
    }
}
