//! Rows of independent Gamma factors whose prior rate is shared in a row.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, StreamKey, StreamRng};
use vi_families::special::log_gamma;
use vi_families::{ExponentialFamily, FamilyError, Gamma};

use super::{FactorPrior, RatePrior, set_column_sums};
use crate::lines::Lines;

/// q(θ): Gamma(shape_nk, rate_nk), all independent (n, K).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaRows {
    pub(super) shape: Array2<f64>,
    pub(super) rate: Array2<f64>,
}

/// E\[θ\] and E[log θ] (n, K).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LogAndMean {
    pub(super) mean: Array2<f64>,
    pub(super) log: Array2<f64>,
}

impl LogAndMean {
    pub(super) fn constant(n: usize, k: usize, value: f64) -> Self {
        Self { mean: Array2::from_elem((n, k), value), log: Array2::from_elem((n, k), value.ln()) }
    }

    pub(super) fn row(&self, n: usize) -> &[f64] {
        let k = self.mean.ncols();
        &flat(&self.mean)[n * k..][..k]
    }
}

pub(super) fn flat(a: &Array2<f64>) -> &[f64] {
    a.as_slice().expect("row-major")
}

pub(super) fn flat_mut(a: &mut Array2<f64>) -> &mut [f64] {
    a.as_slice_mut().expect("row-major")
}

impl GammaRows {
    pub(super) fn ones(n: usize, k: usize) -> Self {
        Self { shape: Array2::ones((n, k)), rate: Array2::ones((n, k)) }
    }

    /// The shapes (n, K).
    pub fn shapes(&self) -> &Array2<f64> {
        &self.shape
    }

    /// The rates (n, K).
    pub fn rates(&self) -> &Array2<f64> {
        &self.rate
    }

    /// The means (n, K).
    pub fn means(&self) -> Array2<f64> {
        &self.shape / &self.rate
    }

    /// Gamma(a + parts, rate_n + Σ_d other_d), d over what was observed in row n.
    pub(super) fn condition(
        &mut self,
        prior: FactorPrior,
        parts: &Array2<f64>,
        prior_rate: &LogAndMean,
        other: &LogAndMean,
        missing: &Lines,
    ) {
        let k = self.shape.ncols();
        self.shape.zip_mut_with(parts, |shape, part| *shape = prior.shape + part);
        vi_core::scratch::with(k, |totals| {
            set_column_sums(flat(&other.mean), totals);
            for (n, row) in flat_mut(&mut self.rate).chunks_exact_mut(k).enumerate() {
                row.copy_from_slice(totals);
                for d in missing.line(n) {
                    row.iter_mut().zip(other.row(*d)).for_each(|(r, b)| *r -= b);
                }
                // A row of which nothing was observed: what rounding leaves of its sum is not negative.
                row.iter_mut().for_each(|r| *r = r.max(0.0) + prior_rate.mean[[n, 0]]);
            }
        });
    }

    /// The first shape or rate that is not finite and positive.
    pub(super) fn check(&self) -> Result<(), FamilyError> {
        let bad = |v: &&f64| !(**v > 0.0 && v.is_finite());
        let wrong = self.shape.iter().zip(&self.rate).find(|(s, r)| bad(s) || bad(r));
        wrong.map_or(Ok(()), |(shape, rate)| Gamma::from_shape_rate(*shape, *rate).map(|_| ()))
    }

    pub(super) fn expect(&self, out: &mut LogAndMean, exec: Exec<'_>) {
        let k = self.shape.ncols();
        exec.for_each_chunk(flat_mut(&mut out.log), k, |items, log| {
            let range = items.start * k..items.end * k;
            let (shape, rate) = (&flat(&self.shape)[range.clone()], &flat(&self.rate)[range]);
            vi_core::scratch::with(log.len(), |mean| Gamma::mean_params_each(shape, rate, log, mean));
        });
        let ratio = self.shape.iter().zip(&self.rate);
        out.mean.iter_mut().zip(ratio).for_each(|(m, (shape, rate))| *m = shape / rate);
    }

    /// Row n from `key.rng(n)`.
    pub(super) fn draw(&self, key: StreamKey, out: &mut LogAndMean, exec: Exec<'_>) {
        let k = self.shape.ncols();
        exec.for_each_chunk(flat_mut(&mut out.mean), k, |items, rows| {
            for (n, row) in items.zip(rows.chunks_exact_mut(k)) {
                self.draw_row(n, &mut key.rng(n as u64), row);
            }
        });
        out.log.zip_mut_with(&out.mean, |log, mean| *log = mean.ln());
    }

    /// Draws that underflow count as the smallest positive number.
    pub(super) fn draw_row(&self, n: usize, rng: &mut StreamRng, out: &mut [f64]) {
        for (k, out) in out.iter_mut().enumerate() {
            let q = Gamma::from_shape_rate(self.shape[[n, k]], self.rate[[n, k]]);
            *out = q.map_or(f64::NAN, |q| q.sample(rng).max(f64::MIN_POSITIVE));
        }
    }

    pub(super) fn log_prob(&self, values: &[f64]) -> f64 {
        vi_core::scratch::with(values.len(), |terms| {
            Gamma::log_prob_each(flat(&self.shape), flat(&self.rate), values, terms);
            terms.iter().sum()
        })
    }

    pub(super) fn entropy(&self) -> f64 {
        vi_core::scratch::with(self.shape.len(), |terms| {
            Gamma::entropy_each(flat(&self.shape), flat(&self.rate), terms);
            terms.iter().sum()
        })
    }
}

impl FactorPrior {
    /// Σ E[log Gamma(θ_nk; a, ξ_n)] + Σ E[log p(ξ_n)].
    pub(super) fn expected_log_prob(&self, theta: &LogAndMean, rate: &LogAndMean) -> f64 {
        let k = theta.mean.ncols() as f64;
        let mut sum = -(theta.mean.len() as f64) * log_gamma(self.shape);
        for n in 0..theta.mean.nrows() {
            let (mean, log) = (theta.mean.row(n).sum(), theta.log.row(n).sum());
            sum += (self.shape - 1.0) * log - rate.mean[[n, 0]] * mean + k * self.shape * rate.log[[n, 0]];
        }
        if let RatePrior::Gamma { shape, rate: prior } = self.rate {
            let n = rate.mean.len() as f64;
            sum += n * (shape * prior.ln() - log_gamma(shape));
            sum += (shape - 1.0) * rate.log.sum() - prior * rate.mean.sum();
        }
        sum
    }

    /// q(ξ_n) = Gamma(a′ + K a, b′ + Σ_k E[θ_nk]).
    pub(super) fn condition_rates(&self, theta: &LogAndMean, out: &mut GammaRows) {
        if let RatePrior::Gamma { shape, rate } = self.rate {
            out.shape.fill(shape + theta.mean.ncols() as f64 * self.shape);
            for (n, r) in out.rate.iter_mut().enumerate() {
                *r = rate + theta.row(n).iter().sum::<f64>();
            }
        }
    }

    /// Where the rates start.
    pub(super) fn start(&self) -> f64 {
        match self.rate {
            RatePrior::Known { rate } => rate,
            RatePrior::Gamma { shape, rate } => shape / rate,
        }
    }
}
