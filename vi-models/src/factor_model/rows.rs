//! Gaussian factors of many vectors of one length.

use ndarray::{Array2, ArrayView2, s};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::linalg::packed;

use crate::checks::LOG_2_PI;
use vi_core::scratch;

/// Independent Gaussians N(m_i, Σ_i) in P dimensions, whose covariances are their own, or one for all.
///
/// One row holds all of a factor, so that rows are computed in parallel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianRows {
    order: usize,
    /// Mean, then where covariances are not shared: Σ packed, log |Σ| (n, P or P + P (P + 1)/2 + 1).
    pub(super) rows: Array2<f64>,
    /// Σ packed and log |Σ| where it is shared, else empty.
    pub(super) shared: Vec<f64>,
}

impl GaussianRows {
    pub(super) fn zeros(n: usize, order: usize, shared: bool) -> Self {
        let own = packed::len(order) + 1;
        let (width, shared) = if shared { (order, own) } else { (order + own, 0) };
        Self { order, rows: Array2::zeros((n, width)), shared: vec![0.0; shared] }
    }

    /// The number of vectors.
    pub fn n(&self) -> usize {
        self.rows.nrows()
    }

    /// P.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The means (n, P).
    pub fn means(&self) -> ArrayView2<'_, f64> {
        self.rows.slice(s![.., ..self.order])
    }

    fn row(&self, i: usize) -> &[f64] {
        let width = self.rows.ncols();
        &self.rows.as_slice().expect("row-major")[i * width..(i + 1) * width]
    }

    /// The mean of vector i (P).
    pub fn mean(&self, i: usize) -> &[f64] {
        &self.row(i)[..self.order]
    }

    /// Σ_i and log |Σ_i|.
    fn spread(&self, i: usize) -> &[f64] {
        if self.shared.is_empty() { &self.row(i)[self.order..] } else { &self.shared }
    }

    /// The covariance of vector i: its lower triangle, row after row (P (P + 1)/2).
    pub fn covariance(&self, i: usize) -> &[f64] {
        &self.spread(i)[..packed::len(self.order)]
    }

    /// log |Σ_i|.
    pub fn log_det(&self, i: usize) -> f64 {
        self.spread(i)[packed::len(self.order)]
    }

    /// The number of different covariances.
    pub(super) fn n_covariances(&self) -> usize {
        if self.shared.is_empty() { self.n() } else { 1 }
    }

    /// Σ_i ½ (P (1 + log 2π) + log |Σ_i|).
    pub(super) fn entropy(&self) -> f64 {
        let n = self.n() as f64;
        let log_dets = if self.shared.is_empty() {
            (0..self.n()).map(|i| self.log_det(i)).sum()
        } else {
            n * self.log_det(0)
        };
        0.5 * (n * self.order as f64 * (1.0 + LOG_2_PI) + log_dets)
    }

    /// Calls `f` with the Cholesky factor of Σ_i.
    fn with_factor<R>(&self, i: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
        scratch::with(packed::len(self.order), |factor| {
            factor.copy_from_slice(self.covariance(i));
            // A covariance is the inverse of a matrix that was factorised; should rounding undo that, NaN says so.
            if packed::cholesky(factor, self.order).is_err() {
                factor.fill(f64::NAN);
            }
            f(factor)
        })
    }

    /// Σ_i log N(x_i; m_i, Σ_i), with x_i the rows of `x` (n, P).
    pub(super) fn log_prob<'a>(&self, x: impl Fn(usize) -> &'a [f64]) -> f64 {
        let p = self.order;
        let squares = |i: usize, factor: &[f64]| {
            scratch::with(p, |residual| {
                let terms = residual.iter_mut().zip(x(i)).zip(self.mean(i));
                terms.for_each(|((r, x), m)| *r = x - m);
                packed::solve_lower_inplace(factor, residual);
                residual.iter().map(|r| r * r).sum::<f64>()
            })
        };
        let total: f64 = if self.shared.is_empty() {
            (0..self.n()).map(|i| self.with_factor(i, |f| squares(i, f)) + self.log_det(i)).sum()
        } else {
            let all = self.with_factor(0, |f| (0..self.n()).map(|i| squares(i, f)).sum::<f64>());
            all + self.n() as f64 * self.log_det(0)
        };
        -0.5 * (self.n() as f64 * p as f64 * LOG_2_PI + total)
    }

    /// Draws vectors `items` into the rows of `out`; `fill(i, noise)` gives vector i its standard normal noise.
    pub(super) fn draw(
        &self,
        items: std::ops::Range<usize>,
        mut fill: impl FnMut(usize, &mut [f64]),
        out: &mut [f64],
    ) {
        let p = self.order;
        let mut one = |i: usize, factor: &[f64], out: &mut [f64]| {
            scratch::with(p, |noise| {
                fill(i, noise);
                packed::multiply_lower(factor, noise, out);
                out.iter_mut().zip(self.mean(i)).for_each(|(x, m)| *x += m);
            });
        };
        let rows = items.zip(out.chunks_exact_mut(p));
        if self.shared.is_empty() {
            rows.for_each(|(i, out)| self.with_factor(i, |f| one(i, f, out)));
        } else {
            self.with_factor(0, |f| rows.for_each(|(i, out)| one(i, f, out)));
        }
    }
}

/// Standard normals.
pub(super) fn fill_normal(rng: &mut StreamRng, out: &mut [f64]) {
    out.iter_mut().for_each(|e| *e = StandardNormal.sample(rng));
}

/// Expected or realised first and second moments of many vectors; realised ones have no covariance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    /// E\[v_i\] (n, P).
    pub(super) mean: Array2<f64>,
    /// Σ packed (n or 1, P (P + 1)/2).
    pub(super) covariance: Array2<f64>,
}

impl Moments {
    /// Room for the moments of `q`.
    pub(super) fn zeros(q: &GaussianRows) -> Self {
        let covariance = Array2::zeros((q.n_covariances(), packed::len(q.order)));
        Self { mean: Array2::zeros((q.n(), q.order)), covariance }
    }

    pub(super) fn mean(&self, i: usize) -> &[f64] {
        let p = self.mean.ncols();
        &self.mean.as_slice().expect("row-major")[i * p..(i + 1) * p]
    }

    pub(super) fn covariance(&self, i: usize) -> &[f64] {
        let len = self.covariance.ncols();
        let i = if self.covariance.nrows() == 1 { 0 } else { i };
        &self.covariance.as_slice().expect("row-major")[i * len..(i + 1) * len]
    }

    /// Those of `q`.
    pub(super) fn expect(&mut self, q: &GaussianRows) {
        self.mean.assign(&q.means());
        if q.shared.is_empty() {
            self.covariance.assign(&q.rows.slice(s![.., q.order..q.order + packed::len(q.order)]));
        } else {
            let covariance = self.covariance.as_slice_mut().expect("row-major");
            covariance.copy_from_slice(&q.shared[..packed::len(q.order)]);
        }
    }
}
