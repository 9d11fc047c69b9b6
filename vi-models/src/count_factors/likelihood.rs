//! Poisson counts whose rates are weighted sums of positive factors, for many points of one datum at a time.

use vi_core::numerics::{self, Vectorised, vectorised};

use super::products::{Product, add_weighted_rows, padded};
use crate::sparse_counts::SparseCounts;

/// Columns of one pass: their rates, at 16 points, take 16 KiB.
pub(super) const TILE: usize = 128;
/// Rates below the smallest normal number count as that: zero density would be an artefact of rounding.
pub(super) const SMALLEST: f64 = f64::MIN_POSITIVE;

/// Positive weights, row after row, and the sums of their columns.
#[derive(Clone, Debug, Default)]
pub struct WeightTable {
    /// W (D, K).
    pub(super) weights: Vec<f64>,
    /// Σ_d W_dk (K).
    pub(super) totals: Vec<f64>,
}

impl WeightTable {
    /// The weights with these logarithms, rows of `n_factors`.
    pub(super) fn fill(&mut self, log_weights: &[f64], n_factors: usize) {
        self.weights.resize(log_weights.len(), 0.0);
        numerics::exp(log_weights, &mut self.weights);
        self.sum(n_factors);
    }

    pub(super) fn from_weights(weights: Vec<f64>, n_factors: usize) -> Self {
        let mut table = Self { weights, totals: Vec::new() };
        table.sum(n_factors);
        table
    }

    fn sum(&mut self, n_factors: usize) {
        self.totals.clear();
        self.totals.resize(n_factors, 0.0);
        for row in self.weights.chunks_exact(n_factors) {
            self.totals.iter_mut().zip(row).for_each(|(total, w)| *total += w);
        }
    }

    /// K.
    pub(super) fn n_factors(&self) -> usize {
        self.totals.len()
    }
}

/// The points of a datum, side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Points<'a> {
    /// The factors (K, lanes).
    pub(super) side_by_side: &'a [f64],
    pub(super) lanes: usize,
}

/// Scratch for [`TILE`] columns, see [`Scratch::lengths`].
#[derive(Debug)]
pub(super) struct Scratch<'a> {
    pub(super) rates: &'a mut [f64],
    pub(super) ratios: &'a mut [f64],
    pub(super) products: &'a mut [f64],
}

impl Scratch<'_> {
    pub(super) fn lengths(n_rows: usize, lanes: usize, n_factors: usize) -> [usize; 3] {
        [n_rows * lanes, n_rows * lanes, n_rows * padded(n_factors)]
    }
}

/// Where the gradient in the logarithms of the weights goes.
#[derive(Debug)]
pub(super) struct LogWeightGrad<'a> {
    pub(super) weight: f64,
    /// (D, K).
    pub(super) grad: &'a mut [f64],
    /// The factors of the datum's points, one by one, padded (lanes, padded K).
    pub(super) one_by_one: &'a [f64],
}

/// sums (lanes) += Σ_d x_d log r_d(z) at every point; and the gradient of that part.
///
/// ```text
/// log p(x | z) = Σ_d x_d log r_d − Σ_k z_k Σ_d W_dk − Σ_d log x_d!,     r_d = Σ_k W_dk z_k
/// ∂/∂ log W_dk = W_dk z_k (x_d / r_d − 1)
/// ```
/// Only the columns with x_d > 0 are looked at. The second term and its gradient, −W_dk Σ z_k, are the caller's.
pub(super) fn add_count_terms(
    table: &WeightTable,
    counts: &SparseCounts,
    n: usize,
    points: Points<'_>,
    scratch: &mut Scratch<'_>,
    sums: &mut [f64],
    mut grad: Option<LogWeightGrad<'_>>,
) {
    let (columns, counts) = counts.row(n);
    let (lanes, width) = (points.lanes, padded(table.n_factors()));
    for (columns, counts) in columns.chunks(TILE).zip(counts.chunks(TILE)) {
        let rates = &mut scratch.rates[..columns.len() * lanes];
        Product {
            table: &table.weights,
            rows: Some(columns),
            right: points.side_by_side,
            lanes,
            floor: SMALLEST,
            out: &mut *rates,
        }
        .compute();
        if let Some(grad) = &mut grad {
            let ratios = &mut scratch.ratios[..rates.len()];
            vectorised(Ratios { counts, rates, lanes, out: &mut *ratios });
            let products = &mut scratch.products[..columns.len() * width];
            Product {
                table: ratios,
                rows: None,
                right: grad.one_by_one,
                lanes: width,
                floor: f64::NEG_INFINITY,
                out: &mut *products,
            }
            .compute();
            add_to_rows(table, columns, products, grad);
        }
        numerics::log_inplace(rates);
        add_weighted_rows(counts, rates, sums);
    }
}

/// grad_dk += weight · W_dk · products_dk for the chosen rows.
fn add_to_rows(table: &WeightTable, columns: &[usize], products: &[f64], grad: &mut LogWeightGrad<'_>) {
    let k = table.n_factors();
    for (d, products) in columns.iter().zip(products.chunks_exact(padded(k))) {
        let weights = &table.weights[d * k..][..k];
        add_scaled(grad.weight, weights, products, &mut grad.grad[d * k..][..k]);
    }
}

/// grad += weight · weights ⊙ products
pub(super) fn add_scaled(weight: f64, weights: &[f64], products: &[f64], grad: &mut [f64]) {
    for ((grad, w), product) in grad.iter_mut().zip(weights).zip(products) {
        *grad += weight * w * product;
    }
}

/// out ← x_d / r_ds
struct Ratios<'a> {
    counts: &'a [f64],
    rates: &'a [f64],
    lanes: usize,
    out: &'a mut [f64],
}

impl Vectorised for Ratios<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.rates.chunks_exact(self.lanes).zip(self.out.chunks_exact_mut(self.lanes));
        for (x, (rates, out)) in self.counts.iter().zip(rows) {
            for (out, rate) in out.iter_mut().zip(rates) {
                *out = x / rate;
            }
        }
    }
}
