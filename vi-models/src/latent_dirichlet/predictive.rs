//! New tokens: given topics and proportions, and of documents that the model has not seen.

use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use rand::RngExt;
use vi_core::{Exec, Predictive, StreamRng};

use super::corpus::Corpus;
use super::documents::infer;
use super::log_joint::for_each_pair;
use super::{LatentDirichletAllocation, LatentDirichletTopics, MODEL};
use crate::ModelError;
use crate::sparse_counts::SparseCounts;

/// Data are counts (D, V) of further tokens of the same documents; a point is a document. A simulation draws as many tokens
/// for each document as it has in the data.
impl Predictive for LatentDirichletAllocation {
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
        let (topics, proportions) = self.split(z);
        out.fill(0.0);
        for_each_pair(data, &topics, &proportions, |d, _, n, p, _, _| out[d] += n * p.ln());
    }

    /// # Panics
    /// If `data` has not D rows.
    fn simulate(&self, data: &SparseCounts, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> SparseCounts {
        assert_eq!(data.n_rows(), self.n_documents(), "{MODEL}: counts");
        let (topics, proportions) = self.split(z);
        let length = |d: usize, item: Range<usize>| {
            let (words, counts) = data.row(d);
            words.iter().zip(counts).filter(|(v, _)| item.contains(v)).map(|(_, n)| n).sum::<f64>()
        };
        simulate_tokens(&topics, &proportions, &self.offsets, length, rng)
    }
}

/// Documents of these lengths (D) with these topics (K, V) and proportions (D, K), token by token.
///
/// # Panics
/// If the shapes do not fit.
pub fn simulate_corpus(
    topics: &ArrayRef2<f64>,
    proportions: &ArrayRef2<f64>,
    lengths: &[f64],
    rng: &mut StreamRng,
) -> SparseCounts {
    assert!(proportions.ncols() == topics.nrows() && proportions.nrows() == lengths.len(), "{MODEL}: shapes");
    simulate_tokens(topics, proportions, &[0, topics.ncols()], |d, _| lengths[d], rng)
}

/// Of every document and item `length(d, words of the item)` tokens.
fn simulate_tokens(
    topics: &ArrayRef2<f64>,
    proportions: &ArrayRef2<f64>,
    offsets: &[usize],
    length: impl Fn(usize, Range<usize>) -> f64,
    rng: &mut StreamRng,
) -> SparseCounts {
    let cumulative = |rows: &ArrayRef2<f64>, starts: &[usize]| {
        let mut sums = rows.as_standard_layout().into_owned();
        for mut row in sums.rows_mut() {
            let mut total = 0.0;
            for (i, p) in row.iter_mut().enumerate() {
                total = if starts.contains(&i) { *p } else { total + *p };
                *p = total;
            }
        }
        sums
    };
    let (topics, proportions) = (cumulative(topics, offsets), cumulative(proportions, &[0]));
    let choose = |sums: &[f64], u: f64| {
        let last = sums.len() - 1;
        sums.partition_point(|c| *c <= u * sums[last]).min(last)
    };
    let row = |table: &Array2<f64>, i: usize| table.row(i).to_vec();
    let by_topic: Vec<Vec<f64>> = (0..topics.nrows()).map(|k| row(&topics, k)).collect();
    let mut entries = Vec::new();
    for d in 0..proportions.nrows() {
        let theta = row(&proportions, d);
        for item in offsets.windows(2).map(|w| w[0]..w[1]) {
            for _ in 0..length(d, item.clone()) as u64 {
                let topic = choose(&theta, rng.random());
                let level = choose(&by_topic[topic][item.clone()], rng.random());
                entries.push((d, item.start + level, 1.0));
            }
        }
    }
    SparseCounts::from_entries(proportions.nrows(), topics.ncols(), entries).expect("words of the vocabulary")
}

/// How well held-out tokens are predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOutScore {
    /// Σ over held-out tokens of the log probability, in nats.
    pub log_probability: f64,
    /// The number of held-out tokens.
    pub n_tokens: f64,
}

impl HeldOutScore {
    /// exp(−log probability per token): as many words as are equally likely.
    pub fn perplexity(&self) -> f64 {
        (-self.log_probability / self.n_tokens).exp()
    }
}

impl LatentDirichletAllocation {
    /// q(θ_d) of new documents (D′, V), given the topics: γ (D′, K).
    ///
    /// # Errors
    /// [`ModelError::Length`] if the documents have another vocabulary.
    pub fn fold_in(
        &self,
        topics: &LatentDirichletTopics,
        documents: &SparseCounts,
        exec: Exec<'_>,
    ) -> Result<Array2<f64>, ModelError> {
        same_vocabulary(MODEL, self.n_words(), documents)?;
        let corpus = Corpus::new(documents.clone());
        let k = self.n_topics();
        let logs = topics.expected_log().t().to_owned();
        let update = self.document_update.unwrap_or_default();
        let (rows, _) = infer((self.layout, &self.prior, &corpus), &logs, update, exec);
        Ok(rows.slice(ndarray::s![.., ..k]).to_owned())
    }

    /// Document completion: of every new document some tokens are `kept`, from which its proportions are inferred given the
    /// topics, and the others are `held`, which these predict. [`SparseCounts::thin`] makes such pairs.
    ///
    /// ```text
    /// log p̂ = Σ_dv held_dv log Σ_k E[θ_dk | kept_d] E[β_kv]
    /// ```
    /// Source: Wallach, Murray, Salakhutdinov & Mimno, "Evaluation methods for topic models", ICML 2009, §5; Asuncion, Welling,
    /// Smyth & Teh, "On smoothing and inference for topic models", UAI 2009, §4.
    ///
    /// # Errors
    /// [`ModelError`] if the matrices are of different shapes, have another vocabulary, or nothing was held out.
    pub fn held_out_score(
        &self,
        topics: &LatentDirichletTopics,
        kept: &SparseCounts,
        held: &SparseCounts,
        exec: Exec<'_>,
    ) -> Result<HeldOutScore, ModelError> {
        complete_documents(MODEL, topics, kept, held, || {
            let mut theta = self.fold_in(topics, kept, exec)?;
            for mut row in theta.rows_mut() {
                let total = row.sum();
                row.mapv_inplace(|g| g / total);
            }
            Ok(theta)
        })
    }
}

/// The score of `held` given E\[θ\] (D′, K) of the documents `kept`.
pub(crate) fn complete_documents(
    model: &'static str,
    topics: &LatentDirichletTopics,
    kept: &SparseCounts,
    held: &SparseCounts,
    proportions: impl FnOnce() -> Result<Array2<f64>, ModelError>,
) -> Result<HeldOutScore, ModelError> {
    let topics = topics.expected();
    same_vocabulary(model, topics.ncols(), held)?;
    let (expected, actual) = (kept.n_rows(), held.n_rows());
    if expected != actual {
        return Err(ModelError::Length { model, data: "held-out documents", expected, actual });
    }
    let n_tokens = held.total();
    if n_tokens == 0.0 {
        return Err(ModelError::Empty { model, data: "held-out tokens" });
    }
    let (theta, mut log_probability) = (proportions()?, 0.0);
    for_each_pair(held, &topics.view(), &theta.view(), |_, _, n, p, _, _| log_probability += n * p.ln());
    Ok(HeldOutScore { log_probability, n_tokens })
}

pub(crate) fn same_vocabulary(
    model: &'static str,
    n_words: usize,
    counts: &SparseCounts,
) -> Result<(), ModelError> {
    let (expected, actual) = (n_words, counts.n_columns());
    if expected == actual {
        return Ok(());
    }
    Err(ModelError::Length { model, data: "words of the new documents", expected, actual })
}
