//! A synthetic corpus of the size of AssociatedPress (Blei, Ng & Jordan 2003): 2246 documents, 10 473 words, about 436 000
//! tokens.

use std::io::Write;
use std::path::Path;

use ndarray::Array2;
use rand_distr::{Distribution, Gamma, LogNormal};
use vi_core::StreamKey;
use vi_models::latent_dirichlet::simulate_corpus;
use vi_models::sparse_counts::SparseCounts;

/// Documents, words and topics.
const SHAPE: (usize, usize, usize) = (2246, 10_473, 60);

/// Topics that share out a vocabulary whose frequencies fall like 1/(rank + 60), documents of a few topics each, and lengths
/// that are log-normal around 160 with mean 194; which word has which rank is shuffled.
///
/// # Panics
/// Never: the constants are in their domains.
pub fn associated_press_like() -> SparseCounts {
    let (n_documents, n_words, n_topics) = SHAPE;
    let mut rng = StreamKey::from_seed(17).rng(0);
    let spread = Gamma::new(0.15, 1.0).expect("positive");
    let mut topics = Array2::zeros((n_topics, n_words));
    for v in 0..n_words {
        // 3571 has no factor in common with the number of words.
        let frequency = 1.0 / ((v * 3571 % n_words) as f64 + 60.0);
        for k in 0..n_topics {
            topics[[k, v]] = frequency * (0.02 + spread.sample(&mut rng));
        }
    }
    let few = Gamma::new(0.08, 1.0).expect("positive");
    let proportions = Array2::from_shape_simple_fn((n_documents, n_topics), || 1e-3 + few.sample(&mut rng));
    let length = LogNormal::new(160_f64.ln(), 0.62).expect("positive");
    let lengths: Vec<f64> =
        (0..n_documents).map(|_| length.sample(&mut rng).clamp(10.0, 1000.0).round()).collect();
    simulate_corpus(&topics, &proportions, &lengths, &mut rng)
}

/// Writes counts as the peers read them: a line `D V nnz`, then `document word count`, from 0.
///
/// # Errors
/// When the file cannot be written.
pub fn write(counts: &SparseCounts, path: &Path) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "{} {} {}", counts.n_rows(), counts.n_columns(), counts.n_nonzero())?;
    for d in 0..counts.n_rows() {
        let (words, row) = counts.row(d);
        for (v, n) in words.iter().zip(row) {
            writeln!(file, "{d} {v} {n}")?;
        }
    }
    file.flush()
}
