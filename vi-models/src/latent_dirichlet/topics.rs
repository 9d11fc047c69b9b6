//! The topics of a corpus: their factor, λ = η + c, and their statistics.
//!
//! Words may be levels of several items, whose probabilities add up to one for every item: a topic is then a product of
//! Dirichlet distributions, one for each.

use ndarray::{Array2, ArrayRef1, ArrayRef2, ArrayView2, s};
use serde::{Deserialize, Serialize};
use vi_core::{Exec, StreamKey, StreamRng, numerics, scratch};
use vi_families::log_gamma_variate;
use vi_families::special::{digamma, log_gamma};

use super::draws::log_dirichlet_variate;
use super::words::{dot, slice, slice_mut};

/// q(β) = Π_k Dirichlet(β_k | λ_k), or Π_k Π_j of words that are levels of items j.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentDirichletTopics {
    pub(crate) n_topics: usize,
    /// Where the words of each item begin (J + 1); 0 and V where there are no items.
    offsets: Vec<usize>,
    /// Of every word λ (K), E[log β] (K), and its share of the entropy without log Γ(Σ_v λ) (V, 2K + 1).
    rows: Array2<f64>,
    /// Σ_v λ_vk over the words of each item (J, K).
    totals: Array2<f64>,
    pub(crate) entropy: f64,
}

impl LatentDirichletTopics {
    pub(crate) fn zeros(offsets: &[usize], n_topics: usize) -> Self {
        let n_items = offsets.len() - 1;
        Self {
            n_topics,
            offsets: offsets.to_vec(),
            rows: Array2::zeros((offsets[n_items], 2 * n_topics + 1)),
            totals: Array2::zeros((n_items, n_topics)),
            entropy: 0.0,
        }
    }

    /// The item of word v.
    fn item(&self, v: usize) -> usize {
        item(&self.offsets, v)
    }

    /// λ (K, V).
    pub fn concentration(&self) -> ArrayView2<'_, f64> {
        self.rows.slice(s![.., ..self.n_topics]).reversed_axes()
    }

    /// E\[β\] (K, V).
    pub fn expected(&self) -> Array2<f64> {
        let mut expected = self.concentration().to_owned();
        for (v, mut column) in expected.columns_mut().into_iter().enumerate() {
            column /= &self.totals.row(self.item(v));
        }
        expected
    }

    /// E\[log β\] (K, V).
    pub fn expected_log(&self) -> ArrayView2<'_, f64> {
        self.rows.slice(s![.., self.n_topics..2 * self.n_topics]).reversed_axes()
    }

    /// λ ← the values given (V, K).
    pub(crate) fn set_to(&mut self, concentration: &ArrayRef2<f64>, exec: Exec<'_>) {
        let set = |v: usize, row: &mut [f64]| {
            row.iter_mut().zip(concentration.row(v)).for_each(|(lambda, start)| *lambda = *start);
        };
        self.set(set, exec);
    }

    /// λ_vk ← η + c_vk.
    pub(crate) fn condition(&mut self, eta: f64, stats: &TopicStats, exec: Exec<'_>) {
        let (counts, width) = (slice(&stats.counts), self.n_topics + 1);
        let add = |v: usize, row: &mut [f64]| {
            row.iter_mut().zip(&counts[v * width..]).for_each(|(lambda, c)| *lambda = eta + c);
        };
        self.set(add, exec);
    }

    /// Sets λ of word v from `concentration(v, λ (K))`, and all else that follows from λ.
    pub(crate) fn set(&mut self, concentration: impl Fn(usize, &mut [f64]) + Sync, exec: Exec<'_>) {
        let k = self.n_topics;
        exec.for_each_chunk(slice_mut(&mut self.rows), 2 * k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(2 * k + 1)) {
                concentration(v, &mut row[..k]);
            }
        });
        self.totals.fill(0.0);
        let totals = slice_mut(&mut self.totals);
        for (v, row) in slice(&self.rows).chunks_exact(2 * k + 1).enumerate() {
            let totals = &mut totals[item(&self.offsets, v) * k..][..k];
            totals.iter_mut().zip(&row[..k]).for_each(|(total, lambda)| *total += lambda);
        }
        let (totals, offsets) = (&self.totals, &self.offsets);
        scratch::with(totals.len(), |digammas| {
            digammas.iter_mut().zip(totals).for_each(|(psi, total)| *psi = digamma(*total));
            let digammas = &*digammas;
            exec.for_each_chunk(slice_mut(&mut self.rows), 2 * k + 1, |items, rows| {
                for (v, row) in items.zip(rows.chunks_exact_mut(2 * k + 1)) {
                    let digammas = &digammas[item(offsets, v) * k..][..k];
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

    /// log q(β) at realised statistics.
    pub(crate) fn log_prob(&self, stats: &TopicStats) -> f64 {
        let rows = self.rows.rows().into_iter().zip(stats.logs.rows());
        let words = rows.map(|(lambda, logs)| {
            let terms = lambda.iter().zip(logs).take(self.n_topics);
            terms.map(|(lambda, log)| (lambda - 1.0) * log - log_gamma(*lambda)).sum::<f64>()
        });
        words.sum::<f64>() + self.totals.iter().map(|t| log_gamma(*t)).sum::<f64>()
    }

    /// log β_k ~ q(β_k), topic by topic: `write(k, log β_k (V))`.
    pub(crate) fn sample(&self, rng: &mut StreamRng, mut write: impl FnMut(usize, &[f64])) {
        let mut logs = vec![0.0; self.rows.nrows()];
        for (k, lambda) in self.concentration().rows().into_iter().enumerate() {
            let lambda = lambda.to_vec();
            for item in self.offsets.windows(2).map(|w| w[0]..w[1]) {
                log_dirichlet_variate(&lambda[item.clone()], rng, &mut logs[item]);
            }
            write(k, &logs);
        }
    }

    /// log q(β) at log β (K, V).
    pub(crate) fn log_density(&self, logs: &ArrayRef2<f64>) -> f64 {
        let lambda = self.concentration();
        let of_item = |w: &[usize]| {
            let item = s![.., w[0]..w[1]];
            log_densities(&lambda.slice(item), &logs.slice(item))
        };
        self.offsets.windows(2).map(of_item).sum()
    }
}

/// The item of word v.
fn item(offsets: &[usize], v: usize) -> usize {
    if offsets.len() == 2 { 0 } else { offsets.partition_point(|start| *start <= v) - 1 }
}

/// Statistics of the topics and of the tokens that belong to them, expected or realised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TopicStats {
    n_topics: usize,
    /// log β_vk (K) of every word, and their sum (V, K + 1).
    pub(crate) logs: Array2<f64>,
    /// c_vk, how many tokens of the word belong to each topic (K), and Σ_k c_vk log β_vk (V, K + 1).
    pub(crate) counts: Array2<f64>,
    /// Σ_vk log β_vk.
    pub(crate) sum_logs: f64,
    /// Σ_vk c_vk log β_vk.
    pub(crate) term: f64,
}

impl TopicStats {
    pub(crate) fn zeros(n_words: usize, n_topics: usize) -> Self {
        let table = Array2::zeros((n_words, n_topics + 1));
        Self { n_topics, logs: table.clone(), counts: table, sum_logs: 0.0, term: 0.0 }
    }

    /// c (K, V).
    pub(crate) fn counts(&self) -> ArrayView2<'_, f64> {
        self.counts.slice(s![.., ..self.n_topics]).reversed_axes()
    }

    /// log β ← E_q[log β].
    pub(crate) fn expect(&mut self, topics: &LatentDirichletTopics, exec: Exec<'_>) {
        let k = self.n_topics;
        let topics = slice(&topics.rows);
        exec.for_each_chunk(slice_mut(&mut self.logs), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                row[..k].copy_from_slice(&topics[v * (2 * k + 1) + k..][..k]);
            }
        });
        self.sum(exec);
    }

    /// β ~ q(β). The Gamma variates of word v are drawn from `key.rng(v)`.
    pub(crate) fn draw(&mut self, topics: &LatentDirichletTopics, key: StreamKey, exec: Exec<'_>) {
        let (k, offsets) = (self.n_topics, &topics.offsets);
        let topics = slice(&topics.rows);
        exec.for_each_chunk(slice_mut(&mut self.logs), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                let mut rng = key.rng(v as u64);
                for (log, lambda) in row[..k].iter_mut().zip(&topics[v * (2 * k + 1)..]) {
                    *log = log_gamma_variate(*lambda, &mut rng);
                }
            }
        });
        let items = offsets.windows(2).flat_map(|w| (0..k).map(move |j| (w[0]..w[1], j)));
        for (item, j) in items {
            let mut column = self.logs.slice_mut(s![item, j]);
            let max = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total = max + column.iter().map(|l| (l - max).exp()).sum::<f64>().ln();
            column.mapv_inplace(|l| l - total);
        }
        self.sum(exec);
    }

    /// What log joints need of log β: with the counts that stand here.
    fn sum(&mut self, exec: Exec<'_>) {
        let k = self.n_topics;
        exec.for_each_chunk(slice_mut(&mut self.logs), k + 1, |_, rows| {
            for row in rows.chunks_exact_mut(k + 1) {
                row[k] = row[..k].iter().sum();
            }
        });
        self.sum_logs = last_column(&self.logs);
        self.sum_term(exec);
    }

    /// Σ_vk c_vk log β_vk.
    pub(crate) fn sum_term(&mut self, exec: Exec<'_>) {
        let k = self.n_topics;
        let logs = slice(&self.logs);
        exec.for_each_chunk(slice_mut(&mut self.counts), k + 1, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k + 1)) {
                row[k] = dot(&row[..k], &logs[v * (k + 1)..][..k]);
            }
        });
        self.term = last_column(&self.counts);
    }

    /// The realised log β, topic by topic (K V).
    pub(crate) fn by_topic(&self) -> impl Iterator<Item = &f64> {
        (0..self.n_topics).flat_map(|j| self.logs.column(j).into_iter())
    }
}

fn last_column(rows: &Array2<f64>) -> f64 {
    rows.column(rows.ncols() - 1).iter().sum()
}

/// Σ over rows of log Dirichlet(z | concentration), given log z.
pub(crate) fn log_densities(concentrations: &ArrayRef2<f64>, logs: &ArrayRef2<f64>) -> f64 {
    concentrations.rows().into_iter().zip(logs.rows()).map(|(q, z)| log_density(&q, &z)).sum()
}

/// log Dirichlet(z | concentration), given log z.
pub(crate) fn log_density(concentration: &ArrayRef1<f64>, logs: &ArrayRef1<f64>) -> f64 {
    let terms = concentration.iter().zip(logs).map(|(a, l)| (a - 1.0) * l - log_gamma(*a));
    terms.sum::<f64>() + log_gamma(concentration.sum())
}
