//! New tokens: given topics and proportions, and of documents that the model has not seen.

use ndarray::{Array2, ArrayRef1};
use vi_core::{Exec, Predictive, StreamRng};

use super::documents::Documents;
use super::{
    HierarchicalDirichletFactors, HierarchicalDirichletGlobals, HierarchicalDirichletProcess, MODEL,
};
use crate::ModelError;
use crate::latent_dirichlet::{
    HeldOutScore, complete_documents, for_each_pair, same_vocabulary, simulate_corpus,
};
use crate::sparse_counts::SparseCounts;

/// Data are counts (D, V) of further tokens of the same documents; a point is a document. A simulation draws as many tokens
/// for each document as it has in the data.
impl Predictive for HierarchicalDirichletProcess {
    type Data = SparseCounts;

    fn observed(&self) -> &SparseCounts {
        self.counts()
    }

    fn n_points(&self, data: &SparseCounts) -> usize {
        data.n_rows()
    }

    /// # Panics
    /// If `data` is not (D, V).
    fn log_likelihood_pointwise(&self, data: &SparseCounts, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(
            (data.n_rows(), data.n_columns()),
            (self.n_documents(), self.n_words()),
            "{MODEL}: counts"
        );
        let parts = self.split(z);
        let theta = self.topic_proportions(&parts);
        out.fill(0.0);
        for_each_pair(data, &parts.topics, &theta.view(), |d, _, n, p, _, _| out[d] += n * p.ln());
    }

    /// # Panics
    /// If `data` has not D rows.
    fn simulate(&self, data: &SparseCounts, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> SparseCounts {
        assert_eq!(data.n_rows(), self.n_documents(), "{MODEL}: counts");
        let parts = self.split(z);
        let lengths: Vec<f64> = (0..data.n_rows()).map(|d| data.row(d).1.iter().sum()).collect();
        simulate_corpus(&parts.topics, &self.topic_proportions(&parts), &lengths, rng)
    }
}

impl HierarchicalDirichletProcess {
    /// E\[θ_dk\] = Σ_t E\[π_dt\] φ_dtk (D, K) under the factors.
    pub fn expected_proportions(&self, factors: &HierarchicalDirichletFactors) -> Array2<f64> {
        self.documents.expected_proportions(&factors.documents)
    }

    /// E\[θ\] (D′, K) of new documents (D′, V), given topics and weights.
    ///
    /// # Errors
    /// [`ModelError::Length`] if the documents have another vocabulary.
    pub fn fold_in(
        &self,
        globals: &HierarchicalDirichletGlobals,
        documents: &SparseCounts,
        exec: Exec<'_>,
    ) -> Result<Array2<f64>, ModelError> {
        same_vocabulary(MODEL, self.n_words(), documents)?;
        let concentration = self.priors.documents;
        let documents = Documents::new(documents.clone(), self.n_topics(), self.n_sticks(), concentration);
        let update = self.document_update.unwrap_or_default();
        let (q, _) = globals.given(self.priors.corpus, |given| documents.infer(given, update, exec));
        Ok(documents.expected_proportions(&q))
    }

    /// Document completion, as
    /// [`LatentDirichletAllocation::held_out_score`](crate::latent_dirichlet::LatentDirichletAllocation::held_out_score) has it.
    ///
    /// # Errors
    /// [`ModelError`] if the matrices are of different shapes, have another vocabulary, or nothing was held out.
    pub fn held_out_score(
        &self,
        globals: &HierarchicalDirichletGlobals,
        kept: &SparseCounts,
        held: &SparseCounts,
        exec: Exec<'_>,
    ) -> Result<HeldOutScore, ModelError> {
        complete_documents(MODEL, globals.topics(), kept, held, || self.fold_in(globals, kept, exec))
    }
}
