//! Counts by document and by word.

use crate::sparse_counts::SparseCounts;

/// The counts of D documents over V words, and the same by word.
#[derive(Clone, Debug)]
pub(crate) struct Corpus {
    /// (D, V).
    pub(crate) counts: SparseCounts,
    /// Where the pairs of document d begin: pair i is the i-th count above zero, row by row (D).
    first_pair: Vec<usize>,
    /// Where the documents of word v begin in what follows (V + 1).
    first: Vec<usize>,
    documents: Vec<usize>,
    word_counts: Vec<f64>,
    pairs: Vec<usize>,
}

/// The documents in which a word stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrences<'a> {
    /// In ascending order.
    pub(crate) documents: &'a [usize],
    pub(crate) counts: &'a [f64],
    /// The numbers of these pairs of document and word.
    pub(crate) pairs: &'a [usize],
}

impl Corpus {
    pub(crate) fn new(counts: SparseCounts) -> Self {
        let (n_documents, n_words) = (counts.n_rows(), counts.n_columns());
        let (mut first, mut first_pair) = (vec![0; n_words + 1], Vec::with_capacity(n_documents));
        let mut n_pairs = 0;
        for d in 0..n_documents {
            first_pair.push(n_pairs);
            let words = counts.row(d).0;
            words.iter().for_each(|v| first[v + 1] += 1);
            n_pairs += words.len();
        }
        (0..n_words).for_each(|v| first[v + 1] += first[v]);
        let mut next = first.clone();
        let (mut documents, mut pairs, mut word_counts) =
            (vec![0; n_pairs], vec![0; n_pairs], vec![0.0; n_pairs]);
        for (d, pair) in first_pair.iter().enumerate() {
            let (words, row) = counts.row(d);
            for (i, (v, n)) in words.iter().zip(row).enumerate() {
                let at = next[*v];
                (documents[at], word_counts[at], pairs[at]) = (d, *n, pair + i);
                next[*v] += 1;
            }
        }
        Self { counts, first_pair, first, documents, word_counts, pairs }
    }

    /// D.
    pub(crate) fn n_documents(&self) -> usize {
        self.counts.n_rows()
    }

    /// V.
    pub(crate) fn n_words(&self) -> usize {
        self.counts.n_columns()
    }

    /// The number of the first pair of document d.
    pub(crate) fn first_pair(&self, d: usize) -> usize {
        self.first_pair[d]
    }

    pub(crate) fn occurrences(&self, v: usize) -> Occurrences<'_> {
        let range = self.first[v]..self.first[v + 1];
        Occurrences {
            documents: &self.documents[range.clone()],
            counts: &self.word_counts[range.clone()],
            pairs: &self.pairs[range],
        }
    }
}
