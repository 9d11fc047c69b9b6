//! Hierarchical Dirichlet process: documents as mixtures of topics, of which there are as many as the documents need.
//!
//! ```text
//! β_k ~ Dirichlet(η, …, η)                          k = 1 … K topics over V words
//! w_k = v_k Π_{j<k} (1 − v_j)                       v_k ~ Beta(1, γ), v_K = 1: the topics' weights in the corpus
//! c_dt ~ Categorical(w)                             t = 1 … T: the topic of stick t of document d
//! π_dt = u_dt Π_{s<t} (1 − u_ds)                    u_dt ~ Beta(1, α), u_dT = 1: the sticks of document d
//! z_di ~ Categorical(π_d)                           the stick of token i of document d
//! w_di | z_di = t, c_dt = k ~ Categorical(β_k)
//! ```
//! θ_dk = Σ_t π_dt \[c_dt = k\] are the proportions of the topics in a document. With K and T unlimited they have the law of the
//! hierarchical Dirichlet process; K and T truncate it, and topics without tokens cost next to nothing. Data are counts n_dv
//! ([`SparseCounts`], D × V); densities are those of the tokens in order, as in
//! [`latent_dirichlet`](crate::latent_dirichlet), and those of weights and sticks are taken over w and π_d.
//!
//! ```
//! use vi_core::{ConditionallyConjugate, Exec, StreamKey};
//! use vi_models::hierarchical_dirichlet::{HierarchicalDirichletPriors, HierarchicalDirichletProcess};
//! use vi_models::sparse_counts::SparseCounts;
//!
//! let counts = SparseCounts::from_entries(4, 4, [
//!     (0, 0, 9.0), (0, 1, 8.0), (1, 0, 7.0), (1, 1, 9.0), (2, 2, 8.0), (2, 3, 7.0), (3, 2, 9.0), (3, 3, 9.0),
//! ])?;
//! let model = HierarchicalDirichletProcess::new(counts, [5, 3], HierarchicalDirichletPriors::default())?;
//! let exec = Exec::local();
//! let (mut factors, mut stats) = model.init(StreamKey::from_seed(1), exec)?;
//! for _ in 0..30 {
//!     for block in model.blocks() {
//!         model.condition(*block, &stats, &mut factors, exec)?;
//!         model.expect(*block, &factors, &mut stats, exec);
//!     }
//! }
//! // The 66 tokens are shared out among the topics.
//! assert!((stats.topic_sizes().sum() - 66.0).abs() < 1e-9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! # Inference
//!
//! q(β) q(w) q(c) q(π) q(z), every factor of its conditional's family: each update is the optimum of its block. By default the
//! blocks are updated once a sweep; [`HierarchicalDirichletProcess::with_document_update`] makes one block of a document's
//! three factors, with an iteration of its own. Gibbs sampling draws the blocks in turn. Splits, merges and deletions of topics
//! ([`SplitMerge`](vi_core::SplitMerge)) lead out of optima in which two topics share what is one.
//!
//! # Cost
//!
//! A sweep is about 8 P K T multiply–adds for P pairs of document and word, and 2 P T + 2 D K T numbers beside the topics.
//!
//! Source: Teh, Jordan, Beal & Blei, "Hierarchical Dirichlet processes", JASA 101 (2006); Wang, Paisley & Blei, "Online
//! variational inference for the hierarchical Dirichlet process", AISTATS 2011, eq. 1–4 and 12–18.

mod conjugate;
mod documents;
mod factors;
mod log_joint;
mod moves;
mod online;
mod predictive;
mod seeds;
mod start;
mod sticks;

use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::latent_dirichlet::{DocumentUpdate, LatentDirichletPriors, Prior};
use crate::sparse_counts::SparseCounts;
use crate::{ModelError, checks};

pub use conjugate::HierarchicalDirichletBlock;
pub use factors::{HierarchicalDirichletFactors, HierarchicalDirichletStats};
pub use online::{HierarchicalDirichletBatch, HierarchicalDirichletGlobals};

use documents::Documents;

/// Name of the model in errors.
const MODEL: &str = "hierarchical_dirichlet";

/// The priors of weights, sticks and topics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HierarchicalDirichletPriors {
    /// γ > 0: the larger, the more topics in the corpus. Default 1.
    pub corpus: f64,
    /// α > 0: the larger, the more topics in a document. Default 1.
    pub documents: f64,
    /// η > 0 of the word probabilities of a topic. Default 0.1.
    pub topics: f64,
}

impl Default for HierarchicalDirichletPriors {
    fn default() -> Self {
        Self { corpus: 1.0, documents: 1.0, topics: 0.1 }
    }
}

/// The hierarchical Dirichlet process over counts (D, V), truncated at K topics and T sticks a document.
#[derive(Clone, Debug)]
pub struct HierarchicalDirichletProcess {
    documents: Documents,
    priors: HierarchicalDirichletPriors,
    /// The topics' prior.
    prior: Prior,
    /// `None`: indicators, proportions and assignments are blocks of their own.
    document_update: Option<DocumentUpdate>,
    parameters: ParameterSpace,
}

impl HierarchicalDirichletProcess {
    /// The model of `counts`, documents (D) in rows and words (V) in columns, truncated at K topics and T sticks a document.
    ///
    /// # Errors
    /// [`ModelError`] when K, T or V is below two, or a prior is outside its domain.
    pub fn new(
        counts: SparseCounts,
        [n_topics, n_sticks]: [usize; 2],
        priors: HierarchicalDirichletPriors,
    ) -> Result<Self, ModelError> {
        let (d, v) = (counts.n_rows(), counts.n_columns());
        for (parameter, value) in [("n_topics", n_topics), ("n_sticks", n_sticks), ("n_words", v)] {
            if value < 2 {
                let (parameter, value) = (parameter.to_owned(), value as f64);
                return Err(ModelError::Prior { model: MODEL, parameter, value, requirement: "at least 2" });
            }
        }
        for (parameter, value) in
            [("corpus", priors.corpus), ("documents", priors.documents), ("topics", priors.topics)]
        {
            checks::positive(MODEL, parameter, value)?;
        }
        let of_topics = LatentDirichletPriors { proportions: None, topics: Some(priors.topics) };
        let parameters = ParameterSpace::new([
            Parameter::new("topics", &[n_topics, v], Support::Simplex),
            Parameter::new("weights", &[n_topics], Support::Simplex),
            Parameter::new("proportions", &[d, n_sticks], Support::Simplex),
            Parameter::new("indicators", &[d, n_sticks], Support::Categorical { n: n_topics }),
        ])?;
        Ok(Self {
            documents: Documents::new(counts, n_topics, n_sticks, priors.documents),
            priors,
            prior: Prior::new(&of_topics, n_topics, &[0, v], n_topics)?,
            document_update: None,
            parameters,
        })
    }

    /// The same with the three factors of a document as one block, iterated until they change little.
    ///
    /// # Errors
    /// [`ModelError`] names the setting that is outside its domain.
    pub fn with_document_update(mut self, update: DocumentUpdate) -> Result<Self, ModelError> {
        update.validate(MODEL)?;
        self.document_update = Some(update);
        Ok(self)
    }

    /// The counts (D, V).
    pub fn counts(&self) -> &SparseCounts {
        &self.documents.corpus.counts
    }

    /// K.
    pub fn n_topics(&self) -> usize {
        self.documents.n_topics
    }

    /// T.
    pub fn n_sticks(&self) -> usize {
        self.documents.n_sticks
    }

    /// V.
    pub fn n_words(&self) -> usize {
        self.documents.corpus.n_words()
    }

    /// D.
    pub fn n_documents(&self) -> usize {
        self.documents.corpus.n_documents()
    }

    /// The concentrations.
    pub fn priors(&self) -> HierarchicalDirichletPriors {
        self.priors
    }
}
