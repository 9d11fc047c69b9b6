//! Factors and statistics.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::LatentDirichletAllocation;
use super::layout::Layout;
use super::topics::{LatentDirichletTopics, TopicStats};

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
            topics: LatentDirichletTopics::zeros(&model.offsets, k),
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
    pub(super) topics: TopicStats,
    /// log θ_dk (D, K).
    pub(super) log_proportions: Array2<f64>,
    /// m_dk, how many tokens of the document belong to each topic (D, K).
    pub(super) document_counts: Array2<f64>,
    /// Σ_d log θ_dk (K).
    pub(super) sum_log_proportions: Array1<f64>,
    /// Σ_dk m_dk log θ_dk.
    pub(super) document_term: f64,
    /// Whether proportions and assignments are drawn values.
    pub(super) realised: bool,
}

impl LatentDirichletStats {
    pub(super) fn zeros(model: &LatentDirichletAllocation) -> Self {
        let (d, v, k) = (model.n_documents(), model.n_words(), model.n_topics());
        Self {
            topics: TopicStats::zeros(v, k),
            log_proportions: Array2::zeros((d, k)),
            document_counts: Array2::zeros((d, k)),
            sum_log_proportions: Array1::zeros(k),
            document_term: 0.0,
            realised: false,
        }
    }

    /// How many tokens of every word belong to each topic (K, V), expected or realised.
    pub fn topic_counts(&self) -> ArrayView2<'_, f64> {
        self.topics.counts()
    }

    /// How many tokens of every document belong to each topic (D, K), expected or realised.
    pub fn document_counts(&self) -> ArrayView2<'_, f64> {
        self.document_counts.view()
    }
}
