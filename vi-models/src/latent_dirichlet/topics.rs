//! The update of topics: λ = η + c.

use ndarray::Array2;
use vi_core::{Exec, numerics, scratch};
use vi_families::special::{digamma, log_gamma};

use super::words::{dot, slice, slice_mut};
use super::{LatentDirichletAllocation, LatentDirichletStats, LatentDirichletTopics};

impl LatentDirichletTopics {
    /// Sets λ of word v from `concentration(v, λ (K))`, and all else that follows from λ.
    pub(super) fn set(&mut self, concentration: impl Fn(usize, &mut [f64]) + Sync, exec: Exec<'_>) {
        let k = self.n_topics;
        exec.for_each_chunk(slice_mut(&mut self.rows), 2 * k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(2 * k + 1)) {
                concentration(v, &mut row[..k]);
            }
        });
        self.totals.fill(0.0);
        for row in slice(&self.rows).chunks_exact(2 * k + 1) {
            self.totals.iter_mut().zip(&row[..k]).for_each(|(total, lambda)| *total += lambda);
        }
        let totals = &self.totals;
        scratch::with(k, |digammas| {
            digammas.iter_mut().zip(totals).for_each(|(psi, total)| *psi = digamma(*total));
            let digammas = &*digammas;
            exec.for_each_chunk(slice_mut(&mut self.rows), 2 * k + 1, |_, rows| {
                for row in rows.chunks_exact_mut(2 * k + 1) {
                    let (lambda, rest) = row.split_at_mut(k);
                    let (logs, entropy) = rest.split_at_mut(k);
                    numerics::log_gamma(lambda, logs);
                    let log_gammas: f64 = logs.iter().sum();
                    numerics::digamma(lambda, logs);
                    logs.iter_mut().zip(digammas).for_each(|(l, psi)| *l -= psi);
                    entropy[0] = log_gammas - dot(lambda, logs) + logs.iter().sum::<f64>();
                }
            });
        });
        let words: f64 = slice(&self.rows).chunks_exact(2 * k + 1).map(|row| row[2 * k]).sum();
        self.entropy = words - totals.iter().map(|t| log_gamma(*t)).sum::<f64>();
    }
}

impl LatentDirichletAllocation {
    /// λ_vk ← η + c_vk.
    pub(super) fn condition_topics(
        &self,
        stats: &LatentDirichletStats,
        topics: &mut LatentDirichletTopics,
        exec: Exec<'_>,
    ) {
        let (counts, width, eta) = (slice(&stats.topic_counts), self.layout.n_topics + 1, self.prior.topics);
        let add = |v: usize, row: &mut [f64]| {
            row.iter_mut().zip(&counts[v * width..]).for_each(|(lambda, c)| *lambda = eta + c);
        };
        topics.set(add, exec);
    }

    pub(super) fn expect_topics(
        &self,
        topics: &LatentDirichletTopics,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let k = self.layout.n_topics;
        let topics = slice(&topics.rows);
        exec.for_each_chunk(slice_mut(&mut stats.log_topics), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                row[..k].copy_from_slice(&topics[v * (2 * k + 1) + k..][..k]);
            }
        });
        self.sum_topics(stats, exec);
    }

    /// What log joints need of log β: with the counts that stand in the statistics.
    pub(super) fn sum_topics(&self, stats: &mut LatentDirichletStats, exec: Exec<'_>) {
        let k = self.layout.n_topics;
        exec.for_each_chunk(slice_mut(&mut stats.log_topics), k + 1, |_, rows| {
            for row in rows.chunks_exact_mut(k + 1) {
                row[k] = row[..k].iter().sum();
            }
        });
        stats.sum_log_topics = last_column(&stats.log_topics);
        self.sum_topic_term(stats, exec);
    }

    /// Σ_vk c_vk log β_vk.
    pub(super) fn sum_topic_term(&self, stats: &mut LatentDirichletStats, exec: Exec<'_>) {
        let k = self.layout.n_topics;
        let logs = slice(&stats.log_topics);
        exec.for_each_chunk(slice_mut(&mut stats.topic_counts), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                row[k] = dot(&row[..k], &logs[v * (k + 1)..][..k]);
            }
        });
        stats.topic_term = last_column(&stats.topic_counts);
    }
}

fn last_column(rows: &Array2<f64>) -> f64 {
    rows.column(rows.ncols() - 1).iter().sum()
}
