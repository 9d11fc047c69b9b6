//! Factors and statistics.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::LatentDirichletAllocation;
use super::layout::Layout;

/// q(β) = Π_k Dirichlet(β_k | λ_k).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentDirichletTopics {
    pub(super) n_topics: usize,
    /// Of every word λ (K), E[log β] (K), and its share of the entropy without log Γ(Σ_v λ) (V, 2K + 1).
    pub(super) rows: Array2<f64>,
    /// Σ_v λ_vk (K).
    pub(super) totals: Array1<f64>,
    pub(super) entropy: f64,
}

impl LatentDirichletTopics {
    pub(super) fn zeros(n_words: usize, n_topics: usize) -> Self {
        let rows = Array2::zeros((n_words, 2 * n_topics + 1));
        Self { n_topics, rows, totals: Array1::zeros(n_topics), entropy: 0.0 }
    }

    /// λ (K, V).
    pub fn concentration(&self) -> ArrayView2<'_, f64> {
        self.rows.slice(s![.., ..self.n_topics]).reversed_axes()
    }

    /// E\[β\] (K, V).
    pub fn expected(&self) -> Array2<f64> {
        &self.concentration() / &self.totals.view().insert_axis(Axis(1))
    }

    /// E\[log β\] (K, V).
    pub fn expected_log(&self) -> ArrayView2<'_, f64> {
        self.rows.slice(s![.., self.n_topics..2 * self.n_topics]).reversed_axes()
    }
}

/// q(β) q(θ) q(z). The responsibilities φ_dvk ∝ exp(a_dk + b_vk) are given by two tables and never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentDirichletFactors {
    pub(super) n_topics: usize,
    pub(super) topics: LatentDirichletTopics,
    /// The row of every document (D, ·).
    pub(super) documents: Array2<f64>,
    pub(super) proportions_entropy: f64,
    /// The row of every word (V, ·).
    pub(super) words: Array2<f64>,
    pub(super) assignments_entropy: f64,
    /// Σ_dv n_dv log Z_dv.
    pub(super) log_normalizer: f64,
}

impl LatentDirichletFactors {
    pub(super) fn zeros(model: &LatentDirichletAllocation) -> Self {
        let layout = model.layout;
        let (d, v, k) = (model.n_documents(), model.n_words(), layout.n_topics);
        Self {
            n_topics: k,
            topics: LatentDirichletTopics::zeros(v, k),
            documents: Array2::ones((d, layout.document_width())),
            proportions_entropy: 0.0,
            words: Array2::zeros((v, layout.word_width())),
            assignments_entropy: 0.0,
            log_normalizer: 0.0,
        }
    }

    /// q(β).
    pub fn topics(&self) -> &LatentDirichletTopics {
        &self.topics
    }

    /// γ (D, K): q(θ_d) is Dirichlet(γ_d).
    pub fn proportions(&self) -> ArrayView2<'_, f64> {
        self.documents.slice(s![.., ..self.n_topics])
    }

    /// E\[θ\] (D, K).
    pub fn expected_proportions(&self) -> Array2<f64> {
        let gamma = self.proportions();
        &gamma / &gamma.sum_axis(Axis(1)).insert_axis(Axis(1))
    }

    /// How many iterations the last update of every document took, added up.
    pub fn n_document_iterations(&self) -> u64 {
        let layout = Layout::new(self.n_topics);
        let rows = self.documents.rows().into_iter();
        rows.map(|row| layout.document_scalars(row.to_slice().expect("row-major"))[2] as u64).sum()
    }
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentDirichletStats {
    pub(super) n_topics: usize,
    /// log β_vk (K) of every word, and their sum (V, K + 1).
    pub(super) log_topics: Array2<f64>,
    /// c_vk, how many tokens of the word belong to each topic (K), and Σ_k c_vk log β_vk (V, K + 1).
    pub(super) topic_counts: Array2<f64>,
    /// log θ_dk (D, K).
    pub(super) log_proportions: Array2<f64>,
    /// m_dk, how many tokens of the document belong to each topic (D, K).
    pub(super) document_counts: Array2<f64>,
    /// Σ_d log θ_dk (K).
    pub(super) sum_log_proportions: Array1<f64>,
    /// Σ_vk log β_vk.
    pub(super) sum_log_topics: f64,
    /// Σ_vk c_vk log β_vk.
    pub(super) topic_term: f64,
    /// Σ_dk m_dk log θ_dk.
    pub(super) document_term: f64,
    /// Whether proportions and assignments are drawn values.
    pub(super) realised: bool,
}

impl LatentDirichletStats {
    pub(super) fn zeros(model: &LatentDirichletAllocation) -> Self {
        let (d, v, k) = (model.n_documents(), model.n_words(), model.n_topics());
        Self {
            n_topics: k,
            log_topics: Array2::zeros((v, k + 1)),
            topic_counts: Array2::zeros((v, k + 1)),
            log_proportions: Array2::zeros((d, k)),
            document_counts: Array2::zeros((d, k)),
            sum_log_proportions: Array1::zeros(k),
            sum_log_topics: 0.0,
            topic_term: 0.0,
            document_term: 0.0,
            realised: false,
        }
    }

    /// How many tokens of every word belong to each topic (K, V), expected or realised.
    pub fn topic_counts(&self) -> ArrayView2<'_, f64> {
        self.topic_counts.slice(s![.., ..self.n_topics]).reversed_axes()
    }

    /// How many tokens of every document belong to each topic (D, K), expected or realised.
    pub fn document_counts(&self) -> ArrayView2<'_, f64> {
        self.document_counts.view()
    }
}
