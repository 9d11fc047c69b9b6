//! The logistic log likelihood of a few samples or many, and its gradient.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut1, s};
use vi_core::numerics::{PANEL_ROWS, RowPanels, SoftplusSums};
use vi_core::{CHUNK, CommError, Exec};

use crate::regression::RegressionData;
use crate::scratch;

/// Values of x that are gathered at a time, at least one panel of them.
const GATHERED: usize = 1 << 12;

/// Rows ±x_n such that log p(y_n | β) = −log(1 + exp(±x_nᵀβ)): the sign is 1 − 2y_n.
pub(super) trait SignedRows: Sync {
    /// Values of x per block of data. Blocks are what threads share, and their sums are folded in order: the size is part of
    /// the bits.
    const BLOCK: usize;
    /// The number of rows.
    fn n_rows(&self) -> usize;
    /// Adds rows to the sums of softplus; a range starts at a multiple of [`PANEL_ROWS`].
    fn add(&self, rows: Range<usize>, sums: &mut SoftplusSums<'_>);
}

/// −1 for y = 1, 1 for y = 0.
pub(super) fn sign(y: f64) -> f64 {
    1.0 - 2.0 * y
}

/// All data, side by side.
impl SignedRows for RowPanels {
    /// A megabyte, which stays in the second-level cache while groups of points pass over it.
    const BLOCK: usize = 1 << 17;

    fn n_rows(&self) -> usize {
        RowPanels::n_rows(self)
    }

    fn add(&self, rows: Range<usize>, sums: &mut SoftplusSums<'_>) {
        sums.add(self, rows.start / PANEL_ROWS..rows.end.div_ceil(PANEL_ROWS));
    }
}

/// Some of the data, which are brought side by side a few at a time, where they are used: no copy of them is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathered<'a> {
    pub(super) data: &'a RegressionData,
    pub(super) indices: &'a [usize],
}

impl SignedRows for Gathered<'_> {
    /// Less, as to fetch rows takes longer than to use them.
    const BLOCK: usize = 1 << 15;

    fn n_rows(&self) -> usize {
        self.indices.len()
    }

    fn add(&self, rows: Range<usize>, sums: &mut SoftplusSums<'_>) {
        let (x, y) = (self.data.x(), self.data.y());
        let at_once = (GATHERED / (PANEL_ROWS * x.ncols().max(1))).max(1) * PANEL_ROWS;
        RowPanels::with_recycled(|panels| {
            for indices in self.indices[rows].chunks(at_once) {
                panels.clear(x.ncols());
                for &n in indices {
                    let row = x.row(n);
                    match row.as_slice() {
                        Some(values) => panels.push(sign(y[n]), values),
                        None => panels.push(sign(y[n]), row),
                    }
                }
                sums.add(panels, 0..panels.n_panels());
            }
        });
    }
}

/// Overwrites `out` with `weight` times the log likelihood at every row of `z`, and `grad` with its gradients; blocks of data are
/// shared among the threads and ranks of `exec`, if there is one. The bits are the same with and without.
///
/// ```text
/// log p(y | β) = −Σ_n log(1 + e^{η_n}),   ∇ = −Σ_n σ(η_n) (1 − 2y_n) x_n,   η_n = (1 − 2y_n) x_nᵀβ
/// ```
pub(super) fn log_likelihood<R: SignedRows>(
    rows: &R,
    weight: f64,
    z: &ArrayRef2<f64>,
    exec: Option<Exec<'_>>,
    out: &mut ArrayRef1<f64>,
    mut grad: Option<&mut ArrayRef2<f64>>,
) -> Result<(), CommError> {
    let d = z.ncols();
    for start in (0..z.nrows()).step_by(CHUNK) {
        let chunk = start..(start + CHUNK).min(z.nrows());
        let z = z.slice(s![chunk.clone(), ..]);
        let n = chunk.len();
        scratch::with(n * (1 + if grad.is_some() { d } else { 0 }), |total| {
            sum_blocks(rows, &z, exec, total)?;
            let (values, gradients) = total.split_at(n);
            for (o, v) in out.slice_mut(s![chunk.clone()]).iter_mut().zip(values) {
                *o = -weight * v;
            }
            if let Some(grad) = &mut grad {
                let gradients = ArrayView2::from_shape((n, d), gradients).expect("n × d values");
                grad.slice_mut(s![chunk, ..]).zip_mut_with(&gradients, |g, v| *g = -weight * v);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Overwrites `total` with the sums of softplus (S) and, if there is room, their gradients (S × D).
fn sum_blocks<R: SignedRows>(
    rows: &R,
    z: &ArrayView2<'_, f64>,
    exec: Option<Exec<'_>>,
    total: &mut [f64],
) -> Result<(), CommError> {
    let (n, d) = z.dim();
    let block = (R::BLOCK / d.max(1)).next_multiple_of(PANEL_ROWS).max(PANEL_ROWS);
    let n_blocks = rows.n_rows().div_ceil(block);
    let sum = |b: usize, partial: &mut [f64]| {
        let (values, gradients) = partial.split_at_mut(n);
        SoftplusSums::with(z, !gradients.is_empty(), |sums| {
            rows.add(b * block..((b + 1) * block).min(rows.n_rows()), sums);
            sums.finish(values, gradients);
        });
    };
    match exec {
        _ if n_blocks <= 1 => sum(0, total),
        None => scratch::with(total.len(), |partial| {
            total.fill(0.0);
            for b in 0..n_blocks {
                sum(b, partial);
                total.iter_mut().zip(&*partial).for_each(|(t, p)| *t += p);
            }
        }),
        Some(exec) => {
            let mut total = ArrayViewMut1::from(total);
            return scratch::with_vec(|partials| {
                exec.map_and_sum_in(n_blocks, 1, &mut [], &mut total, partials, |b, _, partial| {
                    sum(b.start, partial.as_slice_mut().expect("partials are contiguous"));
                })
            });
        }
    }
    Ok(())
}
