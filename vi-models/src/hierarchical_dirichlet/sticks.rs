//! Weights by stick-breaking, one law a row: of the corpus (one row) and of its documents (D rows).

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use vi_core::{Exec, StreamKey, StreamRng};

use crate::latent_dirichlet::{slice, slice_mut};
use crate::stick_breaking;

/// Π_n Π_t Beta(v_nt | a_nt, b_nt), N laws of T weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sticks {
    n_weights: usize,
    /// Of every law a (T − 1), b (T − 1), E[log π] (T), E[log(1 − v)] (T − 1), and its entropy (N, 4T − 2).
    rows: Array2<f64>,
}

/// log π (T), log(1 − v) (T − 1), and log p(π), expected or realised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StickStats {
    n_weights: usize,
    /// (N, 2T).
    rows: Array2<f64>,
}

/// The parts of a row of [`Sticks`].
struct Row<'a> {
    first: &'a mut [f64],
    second: &'a mut [f64],
    log_weights: &'a mut [f64],
    log_rest: &'a mut [f64],
    entropy: &'a mut f64,
}

fn split(row: &mut [f64], t: usize) -> Row<'_> {
    let (first, rest) = row.split_at_mut(t - 1);
    let (second, rest) = rest.split_at_mut(t - 1);
    let (log_weights, rest) = rest.split_at_mut(t);
    let (log_rest, rest) = rest.split_at_mut(t - 1);
    Row { first, second, log_weights, log_rest, entropy: &mut rest[0] }
}

fn pairs<'a>(a: &'a [f64], b: &'a [f64]) -> impl ExactSizeIterator<Item = (f64, f64)> + 'a {
    a.iter().copied().zip(b.iter().copied())
}

impl Sticks {
    pub(super) fn zeros(n: usize, n_weights: usize) -> Self {
        Self { n_weights, rows: Array2::zeros((n, 4 * n_weights - 2)) }
    }

    /// Sets a and b of law n by `parameters(n, a, b)`, and all else that follows.
    pub(super) fn set(&mut self, parameters: impl Fn(usize, &mut [f64], &mut [f64]) + Sync, exec: Exec<'_>) {
        let (t, width) = (self.n_weights, self.rows.ncols());
        exec.for_each_chunk(slice_mut(&mut self.rows), width, |items, rows| {
            for (n, row) in items.zip(rows.chunks_exact_mut(width)) {
                let row = split(row, t);
                parameters(n, row.first, row.second);
                stick_breaking::expect(row.first, row.second, row.log_weights, row.log_rest);
                let sticks = pairs(row.first, row.second);
                *row.entropy = -stick_breaking::log_density(sticks, row.log_weights, row.log_rest);
            }
        });
    }

    /// a_nt ← 1 + m_nt, b_nt ← α + Σ_{s>t} m_ns, given counts m (N, T).
    pub(super) fn condition(&mut self, concentration: f64, counts: &[f64], exec: Exec<'_>) {
        let t = self.n_weights;
        let set = |n: usize, first: &mut [f64], second: &mut [f64]| {
            stick_breaking::condition(concentration, &counts[n * t..][..t], first, second);
        };
        self.set(set, exec);
    }

    /// a (T − 1) and b (T − 1) of law n.
    pub(super) fn parameters(&self, n: usize) -> (&[f64], &[f64]) {
        let row = &slice(&self.rows)[n * self.rows.ncols()..][..2 * (self.n_weights - 1)];
        row.split_at(self.n_weights - 1)
    }

    /// The sum of the entropies.
    pub(super) fn entropy(&self) -> f64 {
        self.rows.column(self.rows.ncols() - 1).iter().sum()
    }

    /// E[π_n] (T).
    pub(super) fn mean(&self, n: usize) -> Array1<f64> {
        let (first, second) = self.parameters(n);
        let mut mean = Array1::zeros(self.n_weights);
        stick_breaking::mean(first, second, mean.as_slice_mut().expect("one piece"));
        mean
    }

    /// log q at these statistics.
    pub(super) fn log_prob(&self, stats: &StickStats) -> f64 {
        let of_row = |n: usize| {
            let (first, second) = self.parameters(n);
            stick_breaking::log_density(pairs(first, second), stats.log_weights(n), stats.log_rest(n))
        };
        (0..self.rows.nrows()).map(of_row).sum()
    }

    /// log π_n of a draw, with log(1 − v) as scratch.
    pub(super) fn sample(
        &self,
        n: usize,
        rng: &mut StreamRng,
        log_weights: &mut [f64],
        log_rest: &mut [f64],
    ) {
        let (first, second) = self.parameters(n);
        stick_breaking::draw(first, second, rng, log_weights, log_rest);
    }
}

impl StickStats {
    pub(super) fn zeros(n: usize, n_weights: usize) -> Self {
        Self { n_weights, rows: Array2::zeros((n, 2 * n_weights)) }
    }

    /// The statistics of weights given by their logarithms, row by row (N T).
    pub(super) fn of_logs(n_weights: usize, logs: &[f64]) -> Self {
        let mut stats = Self::zeros(logs.len() / n_weights, n_weights);
        let rows = slice_mut(&mut stats.rows).chunks_exact_mut(2 * n_weights);
        for (row, logs) in rows.zip(logs.chunks_exact(n_weights)) {
            row[..n_weights].copy_from_slice(logs);
            let weights: Vec<f64> = logs.iter().map(|l| l.exp()).collect();
            stick_breaking::log_rest_of(&weights, &mut row[n_weights..2 * n_weights - 1]);
        }
        stats
    }

    /// The statistics expected under q, whose prior is Beta(1, α).
    pub(super) fn expect(&mut self, q: &Sticks, concentration: f64, exec: Exec<'_>) {
        let (t, width) = (self.n_weights, q.rows.ncols());
        let from = slice(&q.rows);
        self.set(concentration, exec, |n, row| {
            row[..2 * t - 1].copy_from_slice(&from[n * width + 2 * (t - 1)..][..2 * t - 1]);
        });
    }

    /// π ~ q. Law n is drawn from `key.rng(n)`.
    pub(super) fn draw(&mut self, q: &Sticks, concentration: f64, key: StreamKey, exec: Exec<'_>) {
        let t = self.n_weights;
        self.set(concentration, exec, |n, row| {
            let (log_weights, rest) = row.split_at_mut(t);
            q.sample(n, &mut key.rng(n as u64), log_weights, &mut rest[..t - 1]);
        });
    }

    fn set(&mut self, concentration: f64, exec: Exec<'_>, fill: impl Fn(usize, &mut [f64]) + Sync) {
        let t = self.n_weights;
        exec.for_each_chunk(slice_mut(&mut self.rows), 2 * t, |items, rows| {
            for (n, row) in items.zip(rows.chunks_exact_mut(2 * t)) {
                fill(n, row);
                row[2 * t - 1] = log_prior(concentration, &row[..t], &row[t..2 * t - 1]);
            }
        });
    }

    /// log π_n (T).
    pub(super) fn log_weights(&self, n: usize) -> &[f64] {
        &slice(&self.rows)[n * 2 * self.n_weights..][..self.n_weights]
    }

    fn log_rest(&self, n: usize) -> &[f64] {
        &slice(&self.rows)[(2 * n + 1) * self.n_weights..][..self.n_weights - 1]
    }

    /// Σ_n log p(π_n) at the concentration of the last update.
    pub(super) fn log_prior(&self) -> f64 {
        self.rows.column(2 * self.n_weights - 1).iter().sum()
    }

    /// Σ_n log p(π_n) under Beta(1, α).
    pub(super) fn log_prior_under(&self, concentration: f64) -> f64 {
        let of_row = |n| log_prior(concentration, self.log_weights(n), self.log_rest(n));
        (0..self.rows.nrows()).map(of_row).sum()
    }
}

/// log p(π) where every stick is Beta(1, α).
fn log_prior(concentration: f64, log_weights: &[f64], log_rest: &[f64]) -> f64 {
    let sticks = (0..log_rest.len()).map(|_| (1.0, concentration));
    stick_breaking::log_density(sticks, log_weights, log_rest)
}
