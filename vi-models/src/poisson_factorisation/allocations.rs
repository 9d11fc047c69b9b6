//! The parts of the counts: their multinomial factor, and its sums over rows and columns.
//!
//! ```text
//! φ_ndk = e^(l_nk + m_dk)/r_nd,   r_nd = Σ_k e^(l_nk + m_dk),   l = E[log θ], m = E[log β]
//! Σ_d E[z_ndk] = e^l_nk Σ_d (x_nd/r_nd) e^m_dk         Σ_n E[z_ndk] = e^m_dk Σ_n (x_nd/r_nd) e^l_nk
//! ```
//! Only the ratios x/r are stored, one for each count above zero.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use vi_core::{ConjugateError, Exec, StreamKey, scratch};

use super::gamma_rows::{LogAndMean, flat, flat_mut};
use super::{PoissonFactorisation, dot};
use crate::draws::add_multinomial;

/// Below the largest of its row, a logarithm counts as this much less: products of two stay above underflow.
const FLOOR: f64 = -300.0;

/// q(z), by the logarithms that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Allocations {
    /// l less its largest in the row, and its exponential (N, K); the largest (N).
    row_log: Array2<f64>,
    row_weight: Array2<f64>,
    row_top: Vec<f64>,
    /// The same of m (D, K).
    column_log: Array2<f64>,
    column_weight: Array2<f64>,
    column_top: Vec<f64>,
    /// x_nd/r_nd of every count above zero, r without the largest of either; and Σ_d x_nd log r_nd of every row.
    ratios: Vec<f64>,
    row_log_rates: Vec<f64>,
    /// E[z] summed over columns and over rows.
    expected: Parts,
    /// −E[log q(z)] against the measure Π 1/z!.
    pub(super) entropy: f64,
}

/// Realised or expected sums of parts over the columns of a row (N, K), and over the rows of a column (D, K).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Parts {
    pub(super) of_rows: Array2<f64>,
    pub(super) of_columns: Array2<f64>,
}

impl Parts {
    pub(super) fn zeros(n: usize, d: usize, k: usize) -> Self {
        Self { of_rows: Array2::zeros((n, k)), of_columns: Array2::zeros((d, k)) }
    }
}

fn shifted(log: &Array2<f64>, out: &mut Array2<f64>, weight: &mut Array2<f64>, top: &mut [f64]) {
    let k = log.ncols();
    let rows = flat(log).chunks_exact(k).zip(flat_mut(out).chunks_exact_mut(k));
    for ((log, out), top) in rows.zip(top) {
        *top = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        out.iter_mut().zip(log).for_each(|(o, l)| *o = (l - *top).max(FLOOR));
    }
    vi_core::numerics::exp(flat(out), flat_mut(weight));
}

impl Allocations {
    pub(super) fn zeros(model: &PoissonFactorisation) -> Self {
        let (n, d, k) = (model.counts.n_rows(), model.counts.n_columns(), model.n_factors);
        Self {
            row_log: Array2::zeros((n, k)),
            row_weight: Array2::ones((n, k)),
            row_top: vec![0.0; n],
            column_log: Array2::zeros((d, k)),
            column_weight: Array2::ones((d, k)),
            column_top: vec![0.0; d],
            ratios: vec![0.0; model.counts.n_nonzero()],
            row_log_rates: vec![0.0; n],
            expected: Parts::zeros(n, d, k),
            entropy: 0.0,
        }
    }

    fn row(&self, n: usize) -> &[f64] {
        let k = self.row_weight.ncols();
        &flat(&self.row_weight)[n * k..][..k]
    }

    fn column(&self, d: usize) -> &[f64] {
        let k = self.column_weight.ncols();
        &flat(&self.column_weight)[d * k..][..k]
    }

    /// Sets q(z) from E[log θ] and E[log β].
    pub(super) fn condition(
        &mut self,
        model: &PoissonFactorisation,
        rows: &LogAndMean,
        columns: &LogAndMean,
        exec: Exec<'_>,
    ) {
        shifted(&rows.log, &mut self.row_log, &mut self.row_weight, &mut self.row_top);
        shifted(&columns.log, &mut self.column_log, &mut self.column_weight, &mut self.column_top);
        let mut log_rates = std::mem::take(&mut self.row_log_rates);
        let q = &*self;
        exec.for_each_chunk(&mut log_rates, 1, |items, out| {
            for (n, out) in items.zip(out) {
                *out = 0.0;
                let (columns, counts) = model.counts.row(n);
                for (d, x) in columns.iter().zip(counts) {
                    let log = dot(q.row(n), q.column(*d)).ln() + q.row_top[n] + q.column_top[*d];
                    *out += x * log;
                }
            }
        });
        self.row_log_rates = log_rates;
        self.set_ratios(model, exec);
    }

    /// The ratios of all counts, in tiles of the same length, whatever their rows.
    fn set_ratios(&mut self, model: &PoissonFactorisation, exec: Exec<'_>) {
        let mut ratios = std::mem::take(&mut self.ratios);
        let q = &*self;
        exec.for_each_chunk(&mut ratios, 1, |items, out| {
            let lines = model.counts.lines();
            let mut n = lines.line_of(items.start);
            for (p, out) in items.zip(out) {
                while p >= lines.range(n).end {
                    n += 1;
                }
                let (columns, counts) = model.counts.row(n);
                let i = p - lines.range(n).start;
                *out = counts[i] / dot(q.row(n), q.column(columns[i]));
            }
        });
        self.ratios = ratios;
    }

    fn sum_parts(&self, model: &PoissonFactorisation, parts: &mut Parts, exec: Exec<'_>) {
        let k = model.n_factors;
        exec.for_each_chunk(flat_mut(&mut parts.of_rows), k, |items, rows| {
            for (n, out) in items.zip(rows.chunks_exact_mut(k)) {
                out.fill(0.0);
                let (columns, _) = model.counts.row(n);
                for (d, ratio) in columns.iter().zip(&self.ratios[model.counts.lines().range(n)]) {
                    out.iter_mut().zip(self.column(*d)).for_each(|(o, w)| *o += ratio * w);
                }
                out.iter_mut().zip(self.row(n)).for_each(|(o, w)| *o *= w);
            }
        });
        exec.for_each_chunk(flat_mut(&mut parts.of_columns), k, |items, rows| {
            for (d, out) in items.zip(rows.chunks_exact_mut(k)) {
                out.fill(0.0);
                let range = model.by_column.range(d);
                let positions = &model.position[range];
                for (n, p) in model.by_column.line(d).iter().zip(positions) {
                    let ratio = self.ratios[*p];
                    out.iter_mut().zip(self.row(*n)).for_each(|(o, w)| *o += ratio * w);
                }
                out.iter_mut().zip(self.column(d)).for_each(|(o, w)| *o *= w);
            }
        });
    }

    /// Σ x log r: with the logarithms as they are used, so that φ sums to one.
    fn log_rates(&self) -> f64 {
        self.row_log_rates.iter().sum()
    }

    /// Σ z log φ + Σ x log r: the logarithms that were used, weighted by parts.
    fn weighted_logs(&self, parts: &Parts) -> f64 {
        let side = |log: &Array2<f64>, top: &[f64], parts: &Array2<f64>| {
            let k = log.ncols();
            let rows = flat(log).chunks_exact(k).zip(flat(parts).chunks_exact(k)).zip(top);
            rows.map(|((log, part), top)| dot(log, part) + top * part.iter().sum::<f64>()).sum::<f64>()
        };
        side(&self.row_log, &self.row_top, &parts.of_rows)
            + side(&self.column_log, &self.column_top, &parts.of_columns)
    }

    /// log q(z) against the measure Π 1/z!, at realised parts.
    pub(super) fn log_prob(&self, model: &PoissonFactorisation, parts: &Parts) -> f64 {
        model.log_factorials + self.weighted_logs(parts) - self.log_rates()
    }

    /// The expected parts of this factor, and its entropy. An entropy that is not finite names its row.
    pub(super) fn finish(
        &mut self,
        model: &PoissonFactorisation,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let mut expected = std::mem::take(&mut self.expected);
        self.sum_parts(model, &mut expected, exec);
        self.entropy = -self.log_prob(model, &expected);
        self.expected = expected;
        if self.entropy.is_finite() {
            return Ok(());
        }
        let n = self.row_log_rates.iter().position(|v| !v.is_finite()).unwrap_or(0);
        let (parameter, value) = (format!("log_rates[{n}]"), self.row_log_rates[n]);
        Err(ConjugateError::Domain { block: "Allocations".to_owned(), parameter, value })
    }

    /// E[z] summed over columns and over rows.
    pub(super) fn expect(&self, parts: &mut Parts) {
        parts.of_rows.assign(&self.expected.of_rows);
        parts.of_columns.assign(&self.expected.of_columns);
    }

    /// Draws the parts of every count, that at position p of the rows from `key.rng(p)`: twice from the same stream, once
    /// for its row and once for its column, so that nothing is stored and every line is the work of one thread.
    pub(super) fn draw(
        &self,
        model: &PoissonFactorisation,
        key: StreamKey,
        parts: &mut Parts,
        exec: Exec<'_>,
    ) {
        let k = model.n_factors;
        let draw = |position: usize, (n, d): (usize, usize), x: f64, weights: &mut [f64], out: &mut [f64]| {
            let both = self.row(n).iter().zip(self.column(d));
            weights.iter_mut().zip(both).for_each(|(w, (a, b))| *w = a * b);
            let total = weights.iter().sum();
            add_multinomial(&mut key.rng(position as u64), x, weights, total, out);
        };
        exec.for_each_chunk(flat_mut(&mut parts.of_rows), k, |items, rows| {
            scratch::with(k, |weights| {
                for (n, out) in items.zip(rows.chunks_exact_mut(k)) {
                    out.fill(0.0);
                    let (columns, counts) = model.counts.row(n);
                    let positions = model.counts.lines().range(n);
                    for ((position, d), x) in positions.zip(columns).zip(counts) {
                        draw(position, (n, *d), *x, weights, out);
                    }
                }
            });
        });
        exec.for_each_chunk(flat_mut(&mut parts.of_columns), k, |items, rows| {
            scratch::with(k, |weights| {
                for (d, out) in items.zip(rows.chunks_exact_mut(k)) {
                    out.fill(0.0);
                    let positions = &model.position[model.by_column.range(d)];
                    for (n, position) in model.by_column.line(d).iter().zip(positions) {
                        draw(*position, (*n, d), model.counts.counts()[*position], weights, out);
                    }
                }
            });
        });
    }
}
