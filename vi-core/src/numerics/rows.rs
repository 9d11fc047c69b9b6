//! Reductions over the rows of a matrix.

use std::marker::PhantomData;

use ndarray::{ArrayRef1, ArrayRef2, Axis};

use super::dispatch::{Op, dispatch};
use super::elementwise::{BLOCK, Digamma, Map, MapInplace};
use super::kernel::{self, Arithmetic};
use super::reduce::sum_softplus;

/// out ← [`sum_softplus`] of each row of `x` (S, N); out (S).
///
/// For a logistic model with S parameter draws the logits Z Xᵀ (draws in rows) are the layout to choose:
/// contiguous rows are read in place, others are copied first.
///
/// # Panics
/// If `out` has another length than `x` has rows.
pub fn sum_softplus_rows(x: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
    assert_eq!(x.nrows(), out.len(), "one output per row");
    let mut copy = Vec::new();
    for (row, out) in x.rows().into_iter().zip(out) {
        *out = match row.as_slice() {
            Some(row) => sum_softplus(row),
            None => {
                copy.clear();
                copy.extend(row.iter());
                sum_softplus(&copy)
            }
        };
    }
}

/// out ← log Σₖ e^{x_nk} for each row n of `x` (N, K); out (N).
///
/// As accurate as [`log_sum_exp`](super::log_sum_exp) and with the same special cases. Rows are worked on side by
/// side, one per vector lane, so short rows are as fast as long ones; a row's bits do not depend on the other rows,
/// but may differ in the last place from those of `log_sum_exp`.
///
/// # Panics
/// If `out` has another length than `x` has rows.
pub fn log_sum_exp_rows(x: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
    assert_eq!(x.nrows(), out.len(), "one output per row");
    let mut lanes = RowLanes::new(x.ncols());
    for (x, mut out) in x.axis_chunks_iter(Axis(0), BLOCK).zip(out.axis_chunks_iter_mut(Axis(0), BLOCK)) {
        lanes.load(&x);
        dispatch(Normalize(&mut lanes));
        for (n, out) in out.iter_mut().enumerate() {
            *out = lanes.log_normalizer(n, &x);
        }
    }
}

/// x ← softmax of each row of `x` (N, K), and the rows' log-sum-exp into `log_normalizer` (N).
///
/// ```text
/// x_nk ← e^{x_nk − ℓ_n},   ℓ_n = log Σₖ e^{x_nk}
/// ```
///
/// With x the log of weight times density of each mixture component, the rows become the responsibilities and
/// Σ ℓ_n is the log likelihood. A row of nothing but −∞, or with +∞ or NaN, becomes NaN.
///
/// # Panics
/// If `log_normalizer` has another length than `x` has rows.
pub fn softmax_rows_inplace(x: &mut ArrayRef2<f64>, log_normalizer: &mut ArrayRef1<f64>) {
    assert_eq!(x.nrows(), log_normalizer.len(), "one normalizer per row");
    let mut lanes = RowLanes::new(x.ncols());
    let outs = log_normalizer.axis_chunks_iter_mut(Axis(0), BLOCK);
    for (mut x, mut out) in x.axis_chunks_iter_mut(Axis(0), BLOCK).zip(outs) {
        lanes.load(&x);
        dispatch(Normalize(&mut lanes));
        for (n, out) in out.iter_mut().enumerate() {
            *out = lanes.log_normalizer(n, &x);
        }
        for (n, mut row) in x.rows_mut().into_iter().enumerate() {
            for (x, column) in row.iter_mut().zip(&lanes.columns) {
                *x = column[n];
            }
        }
    }
}

/// Up to [`BLOCK`] rows, transposed: one row per lane.
struct RowLanes {
    columns: Vec<[f64; BLOCK]>,
    max: [f64; BLOCK],
    log_normalizer: [f64; BLOCK],
}

impl RowLanes {
    fn new(n_columns: usize) -> Self {
        Self { columns: vec![[0.0; BLOCK]; n_columns], max: [0.0; BLOCK], log_normalizer: [0.0; BLOCK] }
    }

    fn load(&mut self, x: &ArrayRef2<f64>) {
        for (n, row) in x.rows().into_iter().enumerate() {
            for (column, value) in self.columns.iter_mut().zip(row) {
                column[n] = *value;
            }
        }
    }

    /// The result for row `n` of `x`, which is looked at again when it has no finite maximum.
    fn log_normalizer(&self, n: usize, x: &ArrayRef2<f64>) -> f64 {
        if self.max[n].is_finite() {
            self.log_normalizer[n]
        } else if x.row(n).iter().any(|v| v.is_nan()) {
            f64::NAN
        } else {
            self.max[n]
        }
    }
}

/// Columns ← softmax across columns, with its logarithmic normalizer.
struct Normalize<'a>(&'a mut RowLanes);

impl Op for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let RowLanes { columns, max, log_normalizer } = self.0;
        *max = [f64::NEG_INFINITY; BLOCK];
        let mut largest = [0.0; BLOCK];
        for (k, column) in columns.iter().enumerate() {
            let k = k as f64;
            for i in 0..BLOCK {
                let larger = column[i] > max[i];
                largest[i] = if larger { k } else { largest[i] };
                max[i] = if larger { column[i] } else { max[i] };
            }
        }
        let mut others = [0.0; BLOCK];
        for (k, column) in columns.iter_mut().enumerate() {
            let k = k as f64;
            for i in 0..BLOCK {
                let e = kernel::exp::<A>(column[i] - max[i]);
                column[i] = e;
                others[i] += if largest[i] == k { 0.0 } else { e };
            }
        }
        let mut scale = [0.0; BLOCK];
        for i in 0..BLOCK {
            log_normalizer[i] = max[i] + kernel::log1p::<A>(others[i]);
            scale[i] = 1.0 / (1.0 + others[i]);
        }
        for column in columns {
            for i in 0..BLOCK {
                column[i] *= scale[i];
            }
        }
    }
}

/// out ← ψ(x_nk) − ψ(Σ_j x_nj) for the matrix `x` of rows of `n_columns`; the expectations of the logarithms under
/// Dirichlet distributions with these concentrations.
///
/// ψ is that of [`digamma`](super::digamma), with its bits for the first term; the difference is rounded once. A
/// row's bits do not depend on the other rows.
///
/// # Panics
/// If the lengths differ or are no multiple of `n_columns`.
pub fn digamma_minus_total_rows(x: &[f64], n_columns: usize, out: &mut [f64]) {
    assert_eq!(x.len(), out.len(), "x and out differ in length");
    if x.is_empty() {
        return;
    }
    assert!(n_columns > 0 && x.len().is_multiple_of(n_columns), "rows of different lengths");
    dispatch(DigammaRows { x, n_columns, out });
}

struct DigammaRows<'a> {
    x: &'a [f64],
    n_columns: usize,
    out: &'a mut [f64],
}

impl DigammaRows<'_> {
    /// Values worked on at a time: with their results they fit into a first-level cache, so that the sums before and
    /// the differences after the digammas cost no memory traffic.
    const IN_CACHE: usize = 1600;
    /// Rows at a time, the digammas of whose totals are taken together.
    const MAX_ROWS: usize = 2 * BLOCK;
}

impl Op for DigammaRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let n_rows = (Self::IN_CACHE / self.n_columns).clamp(1, Self::MAX_ROWS);
        let n_values = n_rows * self.n_columns;
        for (x, out) in self.x.chunks(n_values).zip(self.out.chunks_mut(n_values)) {
            // First what takes longest: the values arrive from memory meanwhile.
            Map { x, out: &mut *out, function: PhantomData::<Digamma> }.run::<A>();
            let mut totals = [1.0; Self::MAX_ROWS];
            for (row, total) in x.chunks_exact(self.n_columns).zip(&mut totals) {
                *total = sum(row);
            }
            let totals = &mut totals[..x.len() / self.n_columns];
            MapInplace { x: &mut *totals, function: PhantomData::<Digamma> }.run::<A>();
            for (row, total) in out.chunks_exact_mut(self.n_columns).zip(totals) {
                for value in row {
                    *value -= *total;
                }
            }
        }
    }
}

/// Σ x in eight running sums: one would wait for each addition to finish.
#[inline(always)]
fn sum(x: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for i in 0..8 {
            lanes[i] += chunk[i];
        }
    }
    let mut total = 0.0;
    for x in lanes.iter().chain(rest) {
        total += x;
    }
    total
}
