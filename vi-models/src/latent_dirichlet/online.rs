//! Minibatches of documents: what stochastic variational inference needs.
//!
//! Source: Hoffman, Blei & Bach, "Online learning for latent Dirichlet allocation", NIPS 2010, algorithm 2.

use ndarray::{Array2, ArrayRef1};
use vi_core::{Batch, ConjugateError, Exchangeable, Exec, StreamKey};

use super::corpus::Corpus;
use super::documents::infer;
use super::words::{self, slice};
use super::{
    LatentDirichletAllocation, LatentDirichletBlock, LatentDirichletFactors, LatentDirichletStats,
    LatentDirichletTopics,
};

const GLOBAL_BLOCKS: [LatentDirichletBlock; 1] = [LatentDirichletBlock::Topics];

/// How many tokens of every word belong to each topic, as if all documents were like those of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentDirichletBatch {
    /// (V, K).
    pub(super) topic_counts: Array2<f64>,
}

/// Data are documents, globals the topics; a document of a batch begins at γ = 1.
impl Exchangeable for LatentDirichletAllocation {
    type Globals = LatentDirichletTopics;
    type BatchStats = LatentDirichletBatch;

    fn n_data(&self) -> usize {
        self.n_documents()
    }

    fn global_blocks(&self) -> &[LatentDirichletBlock] {
        &GLOBAL_BLOCKS
    }

    fn globals(&self, factors: &LatentDirichletFactors, _: &LatentDirichletStats) -> LatentDirichletTopics {
        factors.topics.clone()
    }

    fn init_globals(&self, key: StreamKey, exec: Exec<'_>) -> Result<LatentDirichletTopics, ConjugateError> {
        let start = self.random_topics(key, exec);
        let mut topics = LatentDirichletTopics::zeros(&self.offsets, self.n_topics());
        topics.set_to(&start, exec);
        Ok(topics)
    }

    fn local_step(
        &self,
        globals: &LatentDirichletTopics,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<LatentDirichletBatch, ConjugateError> {
        let (layout, k) = (self.layout, self.n_topics());
        let corpus = Corpus::new(self.corpus.counts.select(batch.indices));
        let logs = globals.expected_log().t().to_owned();
        let update = self.document_update.unwrap_or_default();
        let (documents, mut words) = infer((layout, &self.prior, &corpus), &logs, update, exec);
        words::set_counts(layout, &corpus, &documents, &mut words, exec);
        let mut topic_counts = Array2::zeros((self.n_words(), k));
        for (mut out, row) in
            topic_counts.rows_mut().into_iter().zip(slice(&words).chunks_exact(layout.word_width()))
        {
            for (out, count) in out.iter_mut().zip(layout.word_counts(row)) {
                *out = batch.scale * count;
            }
        }
        Ok(LatentDirichletBatch { topic_counts })
    }

    fn n_global_natural(&self, _: LatentDirichletBlock) -> usize {
        self.n_words() * self.n_topics()
    }

    /// λ (V, K), word by word.
    fn global_natural(
        &self,
        _: LatentDirichletBlock,
        globals: &LatentDirichletTopics,
        eta: &mut ArrayRef1<f64>,
    ) {
        for (eta, lambda) in eta.iter_mut().zip(globals.concentration().t()) {
            *eta = *lambda;
        }
    }

    fn global_conditional(
        &self,
        _: LatentDirichletBlock,
        batch: &LatentDirichletBatch,
        _: &LatentDirichletTopics,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        for (eta, count) in eta.iter_mut().zip(&batch.topic_counts) {
            *eta = self.prior.topics + count;
        }
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: LatentDirichletBlock,
        eta: &ArrayRef1<f64>,
        globals: &mut LatentDirichletTopics,
    ) -> Result<(), ConjugateError> {
        let k = self.n_topics();
        if let Some((i, value)) = eta.indexed_iter().find(|(_, l)| !(l.is_finite() && **l > 0.0)) {
            let (block, parameter) = (format!("{block:?}"), format!("λ[{}, {}]", i % k, i / k));
            return Err(ConjugateError::Domain { block, parameter, value: *value });
        }
        let eta = eta.to_vec();
        let set = |v: usize, row: &mut [f64]| row.copy_from_slice(&eta[v * k..][..k]);
        globals.set(set, Exec::local());
        Ok(())
    }

    fn complete(
        &self,
        globals: &LatentDirichletTopics,
        exec: Exec<'_>,
    ) -> Result<(LatentDirichletFactors, LatentDirichletStats), ConjugateError> {
        let (factors, stats) = self.start(&globals.concentration().t(), exec);
        self.check(LatentDirichletBlock::Documents, &factors)?;
        Ok((factors, stats))
    }
}
