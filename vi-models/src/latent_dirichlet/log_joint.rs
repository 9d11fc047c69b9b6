//! The log joint with the assignments summed out, and its gradient.
//!
//! ```text
//! log p(w, β, θ) = Σ_dv n_dv log p_dv + Σ_k log p(β_k) + Σ_d log p(θ_d),     p_dv = Σ_k θ_dk β_kv
//!
//! ∂/∂θ_dk = Σ_v n_dv β_kv / p_dv + (α_k − 1)/θ_dk
//! ∂/∂β_kv = Σ_d n_dv θ_dk / p_dv + (η − 1)/β_kv
//! ```

use ndarray::{Array1, Array2, ArrayRef1, ArrayView2, Axis};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};

use super::LatentDirichletAllocation;
use crate::sparse_counts::SparseCounts;

/// Calls `f` with document, word, count, p_dv, β_v (K) and θ_d (K) of every pair.
pub(crate) fn for_each_pair(
    counts: &SparseCounts,
    topics: &ArrayView2<'_, f64>,
    proportions: &ArrayView2<'_, f64>,
    mut f: impl FnMut(usize, usize, f64, f64, &ArrayRef1<f64>, &ArrayRef1<f64>),
) {
    let by_word = topics.t().as_standard_layout().into_owned();
    for (d, theta) in proportions.rows().into_iter().enumerate() {
        let (words, row) = counts.row(d);
        for (v, n) in words.iter().zip(row) {
            let beta = by_word.row(*v);
            f(d, *v, *n, theta.dot(&beta), &beta, &theta);
        }
    }
}

impl LatentDirichletAllocation {
    /// The priors' share of the log joint at a `z` with logarithms `log_z`.
    fn log_prior(&self, log_z: &Array1<f64>) -> f64 {
        let (topics, proportions) = self.split(log_z);
        self.prior.log_prob_topics(topics.sum())
            + self.prior.log_prob_proportions(self.n_documents(), &proportions.sum_axis(Axis(0)))
    }
}

/// log z, or the value that the log joint has outside the support.
pub(crate) fn log_inside(z: &ArrayRef1<f64>) -> Result<Array1<f64>, f64> {
    match z.iter().find(|v| v.is_nan() || **v <= 0.0) {
        Some(v) => Err(if v.is_nan() { f64::NAN } else { f64::NEG_INFINITY }),
        None => Ok(z.mapv(f64::ln)),
    }
}

impl LogJoint for LatentDirichletAllocation {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let log_z = match log_inside(z) {
            Ok(log_z) => log_z,
            Err(value) => return value,
        };
        let (topics, proportions) = self.split(z);
        let mut log_likelihood = 0.0;
        for_each_pair(self.counts(), &topics, &proportions, |_, _, n, p, _, _| log_likelihood += n * p.ln());
        log_likelihood + self.log_prior(&log_z)
    }
}

impl GradLogJoint for LatentDirichletAllocation {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let log_z = match log_inside(z) {
            Ok(log_z) => log_z,
            Err(value) => {
                grad.fill(f64::NAN);
                return value;
            }
        };
        let (topics, proportions) = self.split(z);
        let mut by_word = Array2::<f64>::zeros((self.n_words(), self.n_topics()));
        let mut by_document = Array2::<f64>::zeros(proportions.dim());
        let mut log_likelihood = 0.0;
        for_each_pair(self.counts(), &topics, &proportions, |d, v, n, p, beta, theta| {
            log_likelihood += n * p.ln();
            by_word.row_mut(v).scaled_add(n / p, theta);
            by_document.row_mut(d).scaled_add(n / p, beta);
        });
        let alpha = self.prior.alpha_array();
        let priors = topics.iter().map(|b| (self.prior.topics - 1.0) / b).chain(
            proportions.rows().into_iter().flat_map(|theta| {
                alpha.iter().zip(theta.to_vec()).map(|(a, t)| (a - 1.0) / t).collect::<Vec<_>>()
            }),
        );
        let likelihoods = by_word.t().to_owned().into_iter().chain(by_document);
        for ((g, likelihood), prior) in grad.iter_mut().zip(likelihoods).zip(priors) {
            *g = likelihood + prior;
        }
        log_likelihood + self.log_prior(&log_z)
    }
}
