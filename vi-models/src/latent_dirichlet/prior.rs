//! The priors, their validation, and their constants.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_families::special::log_gamma;

use super::MODEL;
use crate::{ModelError, checks};

/// The concentration of a Dirichlet prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Concentration {
    /// The same for every category.
    Symmetric(f64),
    /// One for every category (K).
    Each(Vec<f64>),
}

/// The priors of proportions and topics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatentDirichletPriors {
    /// α > 0 of the topic proportions of a document. Default 1/K.
    pub proportions: Option<Concentration>,
    /// η > 0 of the word probabilities of a topic. Default 1/K.
    pub topics: Option<f64>,
}

/// The priors with everything that does not change.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    /// α (K′), 1 in the padding.
    pub(crate) proportions: Vec<f64>,
    n_topics: usize,
    /// η.
    pub(crate) topics: f64,
    /// log Γ(Σα) − Σ log Γ(α).
    log_proportions: f64,
    /// log Γ(Vη) − V log Γ(η), summed over items where words are levels of items.
    log_topics: f64,
}

impl Prior {
    pub(crate) fn new(
        given: &LatentDirichletPriors,
        n_topics: usize,
        offsets: &[usize],
        padded: usize,
    ) -> Result<Self, ModelError> {
        let default = 1.0 / n_topics as f64;
        let mut proportions = match given.proportions.clone().unwrap_or(Concentration::Symmetric(default)) {
            Concentration::Symmetric(alpha) => vec![alpha; n_topics],
            Concentration::Each(alpha) => alpha,
        };
        if proportions.len() != n_topics {
            let (data, expected, actual) = ("concentration of the proportions", n_topics, proportions.len());
            return Err(ModelError::Length { model: MODEL, data, expected, actual });
        }
        for (k, alpha) in proportions.iter().enumerate() {
            checks::positive(MODEL, &format!("proportions[{k}]"), *alpha)?;
        }
        let topics = given.topics.unwrap_or(default);
        checks::positive(MODEL, "topics", topics)?;
        let log_proportions =
            log_gamma(proportions.iter().sum()) - proportions.iter().map(|a| log_gamma(*a)).sum::<f64>();
        let of_item = |w: &[usize]| {
            let n = (w[1] - w[0]) as f64;
            log_gamma(n * topics) - n * log_gamma(topics)
        };
        let log_topics = offsets.windows(2).map(of_item).sum();
        proportions.resize(padded, 1.0);
        Ok(Self { proportions, n_topics, topics, log_proportions, log_topics })
    }

    /// α (K).
    pub(crate) fn alpha(&self) -> &[f64] {
        &self.proportions[..self.n_topics]
    }

    /// Σ_d log p(θ_d) of `n_documents` documents, from Σ_d log θ_dk (K), expected or realised.
    pub(crate) fn log_prob_proportions(&self, n_documents: usize, sum_logs: &ArrayRef1<f64>) -> f64 {
        let terms = self.alpha().iter().zip(sum_logs).map(|(a, l)| (a - 1.0) * l);
        n_documents as f64 * self.log_proportions + terms.sum::<f64>()
    }

    /// Σ_k log p(β_k), from Σ_kv log β_kv, expected or realised.
    pub(crate) fn log_prob_topics(&self, sum_logs: f64) -> f64 {
        self.n_topics as f64 * self.log_topics + (self.topics - 1.0) * sum_logs
    }

    /// α as an array (K).
    pub(crate) fn alpha_array(&self) -> Array1<f64> {
        self.alpha().iter().copied().collect()
    }
}
