//! Topics that begin at documents far from each other.

use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, Gamma};
use vi_core::StreamKey;

use super::HierarchicalDirichletProcess;
use super::documents::choose;

/// Shape and rate of the Gamma variates that tell topics of like documents apart: 1 ± 0.1.
const SHARPNESS: f64 = 100.0;
/// How much of a topic is its document; the rest is the corpus.
const SHARE: f64 = 0.5;

impl HierarchicalDirichletProcess {
    /// λ (V, K): topic by topic a document is drawn, with probability proportional to how much better its own frequencies
    /// describe it than any topic so far (k-means++ with the Kullback–Leibler divergence), and mixed with the corpus.
    ///
    /// Source: Ackermann & Blömer, "Bregman clustering for separable instances", SWAT 2010, for the divergence.
    pub(super) fn seeds(&self, key: StreamKey) -> Array2<f64> {
        let (k, v, counts) = (self.n_topics(), self.n_words(), self.counts());
        let (mut rng, total) = (key.rng(0), counts.total());
        let corpus: Vec<f64> = counts.column_totals().iter().map(|n| n / total.max(1.0)).collect();
        let gamma = Gamma::new(SHARPNESS, 1.0 / SHARPNESS).expect("positive constants");
        let lengths: Vec<f64> = (0..counts.n_rows()).map(|d| counts.row(d).1.iter().sum()).collect();
        let mut costs: Option<Vec<f64>> = None;
        let mut topics = Array2::zeros((v, k));
        for mut topic in topics.columns_mut() {
            let weights = costs.as_ref().filter(|costs| costs.iter().sum::<f64>() > 0.0).unwrap_or(&lengths);
            let seed = choose(|d| weights[d], weights.len(), rng.random());
            topic.iter_mut().zip(&corpus).for_each(|(beta, p)| *beta = (1.0 - SHARE) * p);
            let (words, row) = counts.row(seed);
            for (word, n) in words.iter().zip(row) {
                topic[*word] += SHARE * n / lengths[seed];
            }
            let far = (0..counts.n_rows()).map(|d| self.divergence(d, |v| topic[v].ln()).max(0.0));
            costs = Some(match costs {
                Some(costs) => costs.into_iter().zip(far).map(|(old, new)| old.min(new)).collect(),
                None => far.collect(),
            });
            // As many tokens as topics of one size have.
            let scale = total / k as f64;
            topic.mapv_inplace(|beta| self.priors.topics + scale * beta * gamma.sample(&mut rng));
        }
        topics
    }
}
