//! Latent Dirichlet allocation: documents as mixtures of topics, topics as distributions over words.
//!
//! ```text
//! β_k ~ Dirichlet(η, …, η)                 k = 1 … K topics over V words
//! θ_d ~ Dirichlet(α_1, …, α_K)             d = 1 … D documents
//! z_di ~ Categorical(θ_d)                  the topic of token i of document d
//! w_di | z_di = k ~ Categorical(β_k)
//! ```
//! Data are counts n_dv of word v in document d ([`SparseCounts`], D × V). Densities are those of the tokens in order: that of
//! the counts is larger by Σ_d log(n_d! / Π_v n_dv!), the same for every model.
//!
//! ```
//! use vi_core::{ConditionallyConjugate, Exec, StreamKey};
//! use vi_models::latent_dirichlet::{LatentDirichletAllocation, LatentDirichletPriors};
//! use vi_models::sparse_counts::SparseCounts;
//!
//! let counts = SparseCounts::from_entries(4, 4, [
//!     (0, 0, 9.0), (0, 1, 8.0), (1, 0, 7.0), (1, 1, 9.0), (2, 2, 8.0), (2, 3, 7.0), (3, 2, 9.0), (3, 3, 9.0),
//! ])?;
//! let words = ["sea", "ship", "bread", "oven"].map(String::from).to_vec();
//! let model = LatentDirichletAllocation::new(counts, 2, LatentDirichletPriors::default())?.with_vocabulary(words)?;
//! let exec = Exec::local();
//! let (mut factors, mut stats) = model.init(StreamKey::from_seed(1), exec)?;
//! for _ in 0..30 {
//!     for block in model.blocks() {
//!         model.condition(*block, &stats, &mut factors, exec)?;
//!         model.expect(*block, &factors, &mut stats, exec);
//!     }
//! }
//! let top = model.top_words(factors.topics(), 2);
//! let together = |a: &str, b: &str| top.iter().any(|t| t.iter().all(|w| w.name == a || w.name == b));
//! assert!(together("sea", "ship") && together("bread", "oven"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! # Inference
//!
//! q(β) q(θ) q(z) with φ_dvk = q(z_di = k) the same for all tokens of a word in a document. By default the blocks are the
//! topics and the documents, the latter with an iteration of its own ([`DocumentUpdate`]);
//! [`LatentDirichletAllocation::with_single_updates`] makes proportions and assignments blocks of their own. Gibbs sampling
//! draws β, θ and z in turn, the tokens of a word in a document by one multinomial draw.
//!
//! # Cost
//!
//! An iteration of a document with w different words is 2 w K multiplications and K exponentials of digammas; memory beside
//! the data is a few tables D × K and V × K. Responsibilities are formed for one document at a time. The expected counts of a
//! word are summed over its documents in a second pass, by word: no table V × K is added up.
//!
//! Source: Blei, Ng & Jordan, "Latent Dirichlet allocation", JMLR 3 (2003), §5; Hoffman, Blei & Bach, "Online learning for
//! latent Dirichlet allocation", NIPS 2010, eq. 4–5.

mod concentrations;
mod conjugate;
mod corpus;
mod documents;
mod draws;
mod factors;
mod layout;
mod local;
mod log_domain;
mod log_joint;
mod online;
mod predictive;
mod prior;
mod settings;
mod start;
mod top_words;
mod topics;
mod words;

use ndarray::{ArrayRef1, ArrayView2};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::sparse_counts::SparseCounts;

pub use concentrations::Proportions;
pub use conjugate::LatentDirichletBlock;
pub use factors::{LatentDirichletFactors, LatentDirichletStats};
pub use online::LatentDirichletBatch;
pub use predictive::{HeldOutScore, simulate_corpus};
pub use prior::{Concentration, LatentDirichletPriors};
pub use settings::{DocumentStart, DocumentUpdate};
pub use top_words::TopWord;
pub use topics::LatentDirichletTopics;

pub(crate) use corpus::Corpus;
pub(crate) use documents::infer as infer_documents;
pub(crate) use layout::Layout;
pub(crate) use log_joint::{for_each_pair, log_inside};
pub(crate) use predictive::{complete_documents, same_vocabulary};
pub(crate) use prior::Prior;
pub(crate) use topics::TopicStats;
pub(crate) use words::{dot, slice, slice_mut};

/// Name of the model in errors.
const MODEL: &str = "latent_dirichlet";

/// Latent Dirichlet allocation of K topics over counts (D, V).
#[derive(Clone, Debug)]
pub struct LatentDirichletAllocation {
    corpus: Corpus,
    /// Where the words of each item begin; 0 and V where words are those of documents.
    offsets: Vec<usize>,
    layout: Layout,
    prior: Prior,
    /// `None`: proportions and assignments are blocks of their own.
    document_update: Option<DocumentUpdate>,
    /// Names of the words (V).
    vocabulary: Vec<String>,
    parameters: ParameterSpace,
}

impl LatentDirichletAllocation {
    /// The model of `counts`, documents (D) in rows and words (V) in columns, with `n_topics` topics.
    ///
    /// # Errors
    /// [`ModelError`] when there are fewer than two topics or words, or a prior is outside its domain.
    pub fn new(
        counts: SparseCounts,
        n_topics: usize,
        priors: LatentDirichletPriors,
    ) -> Result<Self, ModelError> {
        let (d, v) = (counts.n_rows(), counts.n_columns());
        for (parameter, value) in [("n_topics", n_topics), ("n_words", v)] {
            if value < 2 {
                let (parameter, value) = (parameter.to_owned(), value as f64);
                return Err(ModelError::Prior { model: MODEL, parameter, value, requirement: "at least 2" });
            }
        }
        let parameters = ParameterSpace::new([
            Parameter::new("topics", &[n_topics, v], Support::Simplex),
            Parameter::new("proportions", &[d, n_topics], Support::Simplex),
        ])?;
        Self::of_items(counts, &[0, v], n_topics, priors, parameters)
    }

    /// The model of words that are levels of items, those of item j from `offsets[j]` to `offsets[j + 1]`, with parameters
    /// laid out as topics (K, V) and proportions (D, K).
    pub(crate) fn of_items(
        counts: SparseCounts,
        offsets: &[usize],
        n_topics: usize,
        priors: LatentDirichletPriors,
        parameters: ParameterSpace,
    ) -> Result<Self, ModelError> {
        let (layout, v) = (Layout::new(n_topics), counts.n_columns());
        let prior = Prior::new(&priors, n_topics, offsets, layout.padded)?;
        Ok(Self {
            corpus: Corpus::new(counts),
            offsets: offsets.to_vec(),
            layout,
            prior,
            document_update: Some(DocumentUpdate::default()),
            vocabulary: (1..=v).map(|v| v.to_string()).collect(),
            parameters,
        })
    }

    /// The same with the words' names, which are their numbers from 1 otherwise.
    ///
    /// # Errors
    /// [`ModelError::Length`] unless there is one name for every word.
    pub fn with_vocabulary(mut self, words: Vec<String>) -> Result<Self, ModelError> {
        let (expected, actual) = (self.n_words(), words.len());
        if actual != expected {
            return Err(ModelError::Length { model: MODEL, data: "vocabulary", expected, actual });
        }
        self.vocabulary = words;
        Ok(self)
    }

    /// The same with other settings of the iteration over a document.
    ///
    /// # Errors
    /// [`ModelError`] names the setting that is outside its domain.
    pub fn with_document_update(mut self, update: DocumentUpdate) -> Result<Self, ModelError> {
        update.validate(MODEL)?;
        self.document_update = Some(update);
        Ok(self)
    }

    /// The same with proportions and assignments as blocks of their own, each set to its complete conditional once a sweep.
    #[must_use]
    pub fn with_single_updates(mut self) -> Self {
        self.document_update = None;
        self
    }

    /// The counts (D, V).
    pub fn counts(&self) -> &SparseCounts {
        &self.corpus.counts
    }

    /// K.
    pub fn n_topics(&self) -> usize {
        self.layout.n_topics
    }

    /// V.
    pub fn n_words(&self) -> usize {
        self.corpus.n_words()
    }

    /// D.
    pub fn n_documents(&self) -> usize {
        self.corpus.n_documents()
    }

    /// The names of the words (V).
    pub fn vocabulary(&self) -> &[String] {
        &self.vocabulary
    }

    /// α (K).
    pub fn proportions_concentration(&self) -> &[f64] {
        self.prior.alpha()
    }

    /// η.
    pub fn topics_concentration(&self) -> f64 {
        self.prior.topics
    }

    /// The topics (K, V) and proportions (D, K) of a `z` laid out as reported.
    fn split<'a>(&self, z: &'a ArrayRef1<f64>) -> (ArrayView2<'a, f64>, ArrayView2<'a, f64>) {
        let (k, v, d) = (self.n_topics(), self.n_words(), self.n_documents());
        let (topics, proportions) = z.view().split_at(ndarray::Axis(0), k * v);
        let shaped = |part: ndarray::ArrayView1<'a, f64>, shape| {
            part.into_shape_with_order(shape).expect("z is contiguous and has K V + D K values")
        };
        (shaped(topics, (k, v)), shaped(proportions, (d, k)))
    }
}
