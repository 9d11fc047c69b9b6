//! Where the numbers of a document and of a word stand in their rows.
//!
//! Each row holds all that one item has, so that a pass over items writes disjoint rows; what the vector instructions read is
//! padded to K′, a multiple of their width.

use vi_core::numerics::MIXTURE_LANES;

/// The widths of rows for K topics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    /// K.
    pub(crate) n_topics: usize,
    /// K′.
    pub(crate) padded: usize,
}

/// The factors of a document.
#[derive(Debug)]
pub(crate) struct DocumentRow<'a> {
    /// γ (K′), 1 in the padding.
    pub(crate) concentration: &'a mut [f64],
    /// θ̃ ∝ exp a (K′).
    pub(crate) weights: &'a mut [f64],
    /// m: expected counts of the topics (K′), 0 in the padding.
    pub(crate) counts: &'a mut [f64],
    /// a: what q(z) has of the proportions, E[log θ] at the last update (K).
    pub(crate) logs: &'a mut [f64],
    /// The entropy of q(θ_d), Σ_v n_v log Z_v, and the number of iterations of the last update.
    pub(crate) scalars: &'a mut [f64; 3],
}

/// The factor q(z) of a word's tokens, apart from what their documents contribute.
#[derive(Debug)]
pub(crate) struct WordRow<'a> {
    /// β̃ = exp(b − max b) (K′), 0 in the padding.
    pub(crate) weights: &'a mut [f64],
    /// b: what q(z) has of the topics, E[log β] at the last update (K).
    pub(crate) logs: &'a mut [f64],
    /// c: expected counts of the topics (K).
    pub(crate) counts: &'a mut [f64],
    /// max b and −Σ_k c_k b_k.
    pub(crate) scalars: &'a mut [f64; 2],
}

impl Layout {
    pub(crate) fn new(n_topics: usize) -> Self {
        Self { n_topics, padded: n_topics.next_multiple_of(MIXTURE_LANES) }
    }

    pub(crate) fn document_width(self) -> usize {
        3 * self.padded + self.n_topics + 3
    }

    pub(crate) fn word_width(self) -> usize {
        self.padded + 2 * self.n_topics + 2
    }

    pub(crate) fn document(self, row: &mut [f64]) -> DocumentRow<'_> {
        let (concentration, rest) = row.split_at_mut(self.padded);
        let (weights, rest) = rest.split_at_mut(self.padded);
        let (counts, rest) = rest.split_at_mut(self.padded);
        let (logs, rest) = rest.split_at_mut(self.n_topics);
        let scalars = rest.first_chunk_mut().expect("three scalars end the row");
        DocumentRow { concentration, weights, counts, logs, scalars }
    }

    pub(crate) fn word(self, row: &mut [f64]) -> WordRow<'_> {
        let (weights, rest) = row.split_at_mut(self.padded);
        let (logs, rest) = rest.split_at_mut(self.n_topics);
        let (counts, rest) = rest.split_at_mut(self.n_topics);
        let scalars = rest.first_chunk_mut().expect("two scalars end the row");
        WordRow { weights, logs, counts, scalars }
    }

    /// θ̃ (K) of a document's row.
    pub(crate) fn document_weights(self, row: &[f64]) -> &[f64] {
        &row[self.padded..][..self.n_topics]
    }

    /// a (K) of a document's row.
    pub(crate) fn document_logs(self, row: &[f64]) -> &[f64] {
        &row[3 * self.padded..][..self.n_topics]
    }

    /// m (K) of a document's row.
    pub(crate) fn document_counts(self, row: &[f64]) -> &[f64] {
        &row[2 * self.padded..][..self.n_topics]
    }

    /// The scalars of a document's row.
    pub(crate) fn document_scalars(self, row: &[f64]) -> [f64; 3] {
        let start = 3 * self.padded + self.n_topics;
        [row[start], row[start + 1], row[start + 2]]
    }

    /// b (K) of a word's row.
    pub(crate) fn word_logs(self, row: &[f64]) -> &[f64] {
        &row[self.padded..][..self.n_topics]
    }

    /// c (K) of a word's row.
    pub(crate) fn word_counts(self, row: &[f64]) -> &[f64] {
        &row[self.padded + self.n_topics..][..self.n_topics]
    }

    /// max b and −Σ_k c_k b_k of a word's row.
    pub(crate) fn word_scalars(self, row: &[f64]) -> [f64; 2] {
        let start = self.padded + 2 * self.n_topics;
        [row[start], row[start + 1]]
    }
}
