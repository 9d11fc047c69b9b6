//! The log joint with the assignments summed out.
//!
//! ```text
//! log p(w, β, w, π, c) = Σ_dv n_dv log Σ_t π_dt β_{c_dt v} + Σ_dt log w_{c_dt} + Σ_k log p(β_k) + log p(w) + Σ_d log p(π_d)
//! ```

use ndarray::{Array2, ArrayRef1, ArrayView2};
use vi_core::{LogJoint, ParameterSpace};

use super::HierarchicalDirichletProcess;
use super::sticks::StickStats;
use crate::latent_dirichlet::{for_each_pair, log_inside};

/// The parts of a `z` as reported.
pub(super) struct Parts<'a> {
    /// (K, V).
    pub(super) topics: ArrayView2<'a, f64>,
    /// (K).
    pub(super) weights: &'a [f64],
    /// (D T).
    pub(super) proportions: &'a [f64],
    /// (D T).
    pub(super) indicators: &'a [f64],
}

impl HierarchicalDirichletProcess {
    /// Where topics, weights, proportions and indicators begin.
    pub(super) fn offsets(&self) -> [usize; 4] {
        let (k, v, d, t) = (self.n_topics(), self.n_words(), self.n_documents(), self.n_sticks());
        [0, k * v, k * v + k, k * v + k + d * t]
    }

    pub(super) fn split<'a>(&self, z: &'a ArrayRef1<f64>) -> Parts<'a> {
        let [_, weights, proportions, indicators] = self.offsets();
        let z = z.as_slice().expect("z is contiguous");
        let topics = ArrayView2::from_shape((self.n_topics(), self.n_words()), &z[..weights]);
        Parts {
            topics: topics.expect("K V values"),
            weights: &z[weights..proportions],
            proportions: &z[proportions..indicators],
            indicators: &z[indicators..],
        }
    }

    /// θ_dk = Σ_t π_dt \[c_dt = k\] (D, K).
    pub(super) fn topic_proportions(&self, parts: &Parts<'_>) -> Array2<f64> {
        let t = self.n_sticks();
        let mut theta = Array2::zeros((self.n_documents(), self.n_topics()));
        for (i, (weight, topic)) in parts.proportions.iter().zip(parts.indicators).enumerate() {
            theta[[i / t, *topic as usize]] += weight;
        }
        theta
    }
}

impl LogJoint for HierarchicalDirichletProcess {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (parts, at) = (self.split(z), self.offsets());
        let n_topics = self.n_topics();
        if let Some(c) = parts.indicators.iter().find(|c| !(0..n_topics).any(|k| **c == k as f64)) {
            return if c.is_nan() { f64::NAN } else { f64::NEG_INFINITY };
        }
        let logs = match log_inside(&z.slice(ndarray::s![..at[3]])) {
            Ok(logs) => logs.to_vec(),
            Err(value) => return value,
        };
        let theta = self.topic_proportions(&parts);
        let mut log_joint = 0.0;
        for_each_pair(self.counts(), &parts.topics, &theta.view(), |_, _, n, p, _, _| {
            log_joint += n * p.ln();
        });
        let log_weights = &logs[at[1]..at[2]];
        log_joint += parts.indicators.iter().map(|c| log_weights[*c as usize]).sum::<f64>();
        let weights = StickStats::of_logs(n_topics, log_weights);
        let sticks = StickStats::of_logs(self.n_sticks(), &logs[at[2]..]);
        log_joint
            + self.prior.log_prob_topics(logs[..at[1]].iter().sum())
            + weights.log_prior_under(self.priors.corpus)
            + sticks.log_prior_under(self.priors.documents)
    }
}
