//! Topics of documents.

use serde::Deserialize;
use vi_core::ParameterSpace;
use vi_diagnostics::Summary;
use vi_models::latent_dirichlet::{LatentDirichletAllocation, LatentDirichletPriors};
use vi_models::sparse_counts::SparseCounts;

use super::{ModelEntry, checked, described};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::study::found::{Finding, Found, of, texts};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const LATENT_DIRICHLET: ModelEntry = ModelEntry {
    name: "latent_dirichlet",
    about: "latent Dirichlet allocation: documents as mixtures of `n_topics` topics, from a list of document, word, count",
    example: "[data]\nset = \"pride_and_prejudice\"\n\n[model]\nname = \"latent_dirichlet\"\nn_topics = 3\n",
    data_keys: &["columns", "vocabulary"],
    reads_data: true,
    build: latent_dirichlet,
};

/// Words shown for a topic: as many as fit a line.
const N_WORDS: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topics {
    n_topics: usize,
    #[serde(default)]
    priors: LatentDirichletPriors,
}

fn latent_dirichlet(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Topics { n_topics, priors: given } = reader.rest(table, &["name"])?;
    let priors = described(&given)?;
    let (documents, words, counts) = data.counts()?;
    let vocabulary = data.in_words(&words)?;
    let n_data = documents.names.len();
    let entries = documents.index.iter().zip(&words.index).zip(&counts);
    let entries = entries.map(|((document, word), count)| (*document, *word, *count));
    let counts = checked(&at, SparseCounts::from_entries(n_data, words.names.len(), entries))?;
    let corpus = counts.clone();
    let model = checked(&at, LatentDirichletAllocation::new(counts, n_topics, given))?;
    let model = checked(&at, model.with_vocabulary(vocabulary.clone()))?;
    let space = vi_core::LogJoint::parameters(&model).clone();
    let study = Plain {
        conjugate: |m| Some(Conditionals::of(m).exchangeable(m)),
        ..Plain::smooth(LATENT_DIRICHLET.name, model, n_data, priors)
    };
    let read = move |parameters: &[Summary]| top_words(&space, parameters, &vocabulary, &corpus);
    Ok(Box::new(Found::new(study, read)))
}

/// The words that a topic gives most to, topic by topic, the commonest topic first.
fn top_words(
    space: &ParameterSpace,
    parameters: &[Summary],
    words: &[String],
    corpus: &SparseCounts,
) -> Vec<Finding> {
    let (topics, shares) = (of(space, parameters, "topics"), of(space, parameters, "proportions"));
    let n_topics = topics.len() / words.len();
    let total = corpus.total();
    let (mut share, mut log_likelihood) = (vec![0.0; n_topics], 0.0);
    for (d, row) in shares.chunks_exact(n_topics).enumerate() {
        let (of_document, counts) = corpus.row(d);
        let length: f64 = counts.iter().sum();
        share.iter_mut().zip(row).for_each(|(s, p)| *s += p.mean * length / total);
        for (word, count) in of_document.iter().zip(counts) {
            let p: f64 =
                row.iter().enumerate().map(|(k, p)| p.mean * topics[k * words.len() + word].mean).sum();
            log_likelihood += count * p.ln();
        }
    }
    let per_word = log_likelihood / total;
    let mut rows: Vec<(f64, Vec<String>)> = (0..n_topics)
        .map(|k| {
            let mut of_topic: Vec<(f64, &String)> =
                topics[k * words.len()..(k + 1) * words.len()].iter().map(|p| p.mean).zip(words).collect();
            of_topic.sort_by(|a, b| b.0.total_cmp(&a.0));
            let top = &of_topic[..N_WORDS.min(of_topic.len())];
            let in_top: f64 = top.iter().map(|(p, _)| p).sum();
            let top: Vec<&str> = top.iter().map(|(_, word)| word.as_str()).collect();
            (
                share[k],
                vec![
                    (k + 1).to_string(),
                    format!("{:.1} %", 100.0 * share[k]),
                    top.join(", "),
                    format!("{:.1} %", 100.0 * in_top),
                ],
            )
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    vec![Finding {
        title: "Top words of every topic".to_owned(),
        header: texts(["topic", "share of the tokens", "likeliest words", "their probability"]),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        note: format!(
            "Posterior means; of every topic its likeliest words, the likeliest first, and their probability together. The share is the mean of the documents' \
             proportions, by their lengths. At these means the words of the data themselves (not held out) have \
             {per_word:.3} nats each, a perplexity of {:.0}.",
            (-per_word).exp()
        ),
    }]
}
