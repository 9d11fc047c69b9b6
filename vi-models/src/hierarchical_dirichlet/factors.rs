//! Factors and statistics.

use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::HierarchicalDirichletProcess;
use super::documents::{DocumentFactors, DocumentStats};
use super::sticks::{StickStats, Sticks};
use crate::latent_dirichlet::{LatentDirichletTopics, TopicStats};

/// q(β) q(w) q(c) q(π) q(z).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalDirichletFactors {
    pub(super) topics: LatentDirichletTopics,
    pub(super) weights: Sticks,
    pub(super) documents: DocumentFactors,
}

impl HierarchicalDirichletFactors {
    pub(super) fn zeros(model: &HierarchicalDirichletProcess, documents: DocumentFactors) -> Self {
        let (v, k) = (model.n_words(), model.n_topics());
        let topics = LatentDirichletTopics::zeros(&[0, v], k);
        Self { topics, weights: Sticks::zeros(1, k), documents }
    }

    /// q(β).
    pub fn topics(&self) -> &LatentDirichletTopics {
        &self.topics
    }

    /// E\[w\] (K).
    pub fn expected_weights(&self) -> Array1<f64> {
        self.weights.mean(0)
    }
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalDirichletStats {
    pub(super) topics: TopicStats,
    pub(super) weights: StickStats,
    pub(super) documents: DocumentStats,
}

impl HierarchicalDirichletStats {
    pub(super) fn zeros(model: &HierarchicalDirichletProcess, documents: DocumentStats) -> Self {
        let (v, k) = (model.n_words(), model.n_topics());
        Self { topics: TopicStats::zeros(v, k), weights: StickStats::zeros(1, k), documents }
    }

    /// How many tokens belong to each topic (K), expected or realised.
    pub fn topic_sizes(&self) -> Array1<f64> {
        self.topics.counts().sum_axis(Axis(1))
    }

    /// How many tokens of every word belong to each topic (K, V), expected or realised.
    pub fn topic_counts(&self) -> Array2<f64> {
        self.topics.counts().to_owned()
    }
}
