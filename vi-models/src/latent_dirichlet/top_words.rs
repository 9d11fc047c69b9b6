//! What a topic is about.

use super::{LatentDirichletAllocation, LatentDirichletTopics};

/// A word of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct TopWord {
    /// Its number, from 0.
    pub word: usize,
    /// Its name.
    pub name: String,
    /// E\[β_kv\].
    pub probability: f64,
}

impl LatentDirichletTopics {
    /// The `n` words of every topic with the largest expected probability, the largest first; equals in the order of words.
    ///
    /// # Panics
    /// If `vocabulary` has fewer than V names.
    pub fn top_words(&self, vocabulary: &[String], n: usize) -> Vec<Vec<TopWord>> {
        let topics = self.expected();
        let top = |probabilities: ndarray::ArrayView1<'_, f64>| {
            let mut order: Vec<usize> = (0..probabilities.len()).collect();
            order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
            let word =
                |v: usize| TopWord { word: v, name: vocabulary[v].clone(), probability: probabilities[v] };
            order.into_iter().take(n).map(word).collect()
        };
        topics.rows().into_iter().map(top).collect()
    }
}

impl LatentDirichletAllocation {
    /// [`LatentDirichletTopics::top_words`] with the names of this model's words.
    pub fn top_words(&self, topics: &LatentDirichletTopics, n: usize) -> Vec<Vec<TopWord>> {
        topics.top_words(&self.vocabulary, n)
    }
}
