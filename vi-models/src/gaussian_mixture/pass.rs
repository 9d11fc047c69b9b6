//! One pass over the data: what assignments are expected to be, and their sums of statistics.

use std::ops::Range;

use ndarray::{Array2, ArrayViewMut2};
use vi_core::{ConjugateError, Exec, scratch};

use super::factors::AssignmentFactors;
use super::tile::{Rows, TILE, Workspace, tiles, with_workspace};
use super::{GaussianMixture, GaussianMixtureBlock, GaussianMixtureFactors, GaussianMixtureStats};

impl GaussianMixture {
    pub(super) fn all_rows(&self) -> Rows<'_> {
        Rows { data: &self.data, centre: &self.centre, missing: self.missing.as_ref(), indices: None }
    }

    /// Assignment step: r_nk ∝ exp⟨E\[η_k\], T(x_n)⟩ (PRML eq. 10.46–10.49), with their entropy and sums.
    pub(super) fn condition_assignments(
        &self,
        stats: &GaussianMixtureStats,
        q: &mut AssignmentFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let log_weights = ndarray::aview1(&stats.weights.log_weights);
        let (layout, k) = (&self.layout, self.n_components);
        layout.set_coefficients(self.covariance(), &log_weights, &stats.components, &mut q.coefficients);
        let (rows, eta) = (self.all_rows(), std::mem::take(&mut q.coefficients));
        let outcome = self.sum_tiles(q, eta.dim(), exec, |w, _, kept, sums| {
            w.set_responsibilities(layout, k, &eta, rows);
            w.copy_weights(k, kept);
            let entropy = w.total_entropy();
            w.add_sums(layout, Some(&eta), rows, sums);
            entropy
        });
        q.coefficients = eta;
        outcome
    }

    /// Sums and entropy of responsibilities that `fill(items, rows)` writes (n, K), a tile at a time.
    pub(super) fn sum_given(
        &self,
        q: &mut AssignmentFactors,
        fill: impl Fn(Range<usize>, &mut [f64]) + Sync,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (layout, k, rows) = (&self.layout, self.n_components, self.all_rows());
        let shape = q.coefficients.dim();
        self.sum_tiles(q, shape, exec, |w, items, kept, sums| {
            let mut add = |given: &mut [f64]| {
                fill(items.clone(), given);
                w.set_weights(k, given);
                w.add_sums(layout, None, rows, sums);
                -given.iter().filter(|r| **r > 0.0).map(|r| r * r.ln()).sum::<f64>()
            };
            if kept.is_empty() { scratch::with(items.len() * k, add) } else { add(kept) }
        })
    }

    /// Calls `tile` for every tile with the workspace (data loaded), its items, the rows of responsibilities where
    /// they are kept, and the sums (K, P) to add to; it returns the tile's entropy.
    fn sum_tiles(
        &self,
        q: &mut AssignmentFactors,
        (k, p): (usize, usize),
        exec: Exec<'_>,
        tile: impl Fn(&mut Workspace, Range<usize>, &mut [f64], &mut ArrayViewMut2<'_, f64>) -> f64 + Sync,
    ) -> Result<(), ConjugateError> {
        let (n, rows) = (self.data.nrows(), self.all_rows());
        let kept = q.responsibilities.as_slice_mut().expect("row-major");
        let width = kept.len() / n;
        let outcome = exec.map_and_sum_in(
            n,
            self.data_per_partial(),
            kept,
            &mut q.totals,
            &mut q.partials.0,
            |items, kept, partial| {
                let (sums, entropy) = partial.as_slice_mut().expect("contiguous").split_at_mut(k * p);
                let mut sums = ArrayViewMut2::from_shape((k, p), sums).expect("K · P values");
                let start = items.start;
                with_workspace(|w| {
                    for items in tiles(items) {
                        w.load(rows, items.clone());
                        let kept = &mut kept[(items.start - start) * width..(items.end - start) * width];
                        entropy[0] += tile(w, items, kept, &mut sums);
                    }
                });
            },
        );
        outcome.map_err(|e| ConjugateError::Communication(e.to_string()))?;
        check_entropy(q)
    }

    /// Data that add to one partial sum, in whole tiles: so many that partials stay under an eighth of the size of data
    /// and responsibilities together and number at most 256, but at least 16 where there are data enough.
    pub(super) fn data_per_partial(&self) -> usize {
        let ((k, d), n) = (self.dims(), self.data.nrows());
        let memory = (8 * k * self.layout.n_features).div_ceil(k + d);
        memory.max(n / 256).min(n.div_ceil(16)).div_ceil(TILE).max(1) * TILE
    }

    /// The responsibilities q(z_n = k) (N, K), computed again where they are not kept.
    pub fn responsibilities(&self, factors: &GaussianMixtureFactors, exec: Exec<'_>) -> Array2<f64> {
        let (q, k) = (&factors.assignments, self.n_components);
        if q.responsibilities.nrows() == self.data.nrows() {
            return q.responsibilities.clone();
        }
        let mut out = Array2::zeros((self.data.nrows(), k));
        let rows = out.as_slice_mut().expect("row-major");
        exec.for_each_chunk(rows, k, |items, out| self.tile_responsibilities(q, items, out));
        out
    }

    /// Σ_n log q(z_n = labels_n), without a second matrix of responsibilities.
    pub(super) fn log_prob_of_labels(&self, q: &AssignmentFactors, labels: &[u32]) -> f64 {
        let (n, k) = (self.data.nrows(), self.n_components);
        let kept = q.responsibilities.as_slice().expect("row-major");
        let mut total = 0.0;
        for items in tiles(0..n) {
            let labels = &labels[items.clone()];
            let mut add = |rows: &[f64]| {
                let rows = rows.chunks_exact(k).zip(labels);
                total += rows.map(|(row, label)| row[*label as usize].ln()).sum::<f64>();
            };
            if kept.is_empty() {
                scratch::with(items.len() * k, |rows| {
                    self.tile_responsibilities(q, items, rows);
                    add(rows);
                });
            } else {
                add(&kept[items.start * k..items.end * k]);
            }
        }
        total
    }

    /// The responsibilities of at most a tile of data into `out` (n, K), from η.
    pub(super) fn tile_responsibilities(&self, q: &AssignmentFactors, items: Range<usize>, out: &mut [f64]) {
        with_workspace(|w| {
            w.load(self.all_rows(), items);
            w.set_responsibilities(&self.layout, self.n_components, &q.coefficients, self.all_rows());
            w.copy_weights(self.n_components, out);
        });
    }
}

/// A value that is not finite names its datum where responsibilities are kept.
fn check_entropy(q: &AssignmentFactors) -> Result<(), ConjugateError> {
    let entropy = q.entropy();
    if entropy.is_finite() {
        return Ok(());
    }
    let rows = q.responsibilities.rows();
    let parameter = match rows.into_iter().position(|row| row.iter().any(|r| !r.is_finite())) {
        Some(n) => format!("responsibilities[{n}]"),
        None => "entropy of the responsibilities".to_owned(),
    };
    let block = format!("{:?}", GaussianMixtureBlock::Assignments);
    Err(ConjugateError::Domain { block, parameter, value: entropy })
}
