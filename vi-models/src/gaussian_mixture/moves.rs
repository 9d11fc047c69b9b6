//! Splits, merges and deletions of components.
//!
//! New responsibilities are formed tile by tile, from those that are kept or from what determines them, so that a move
//! holds no N×K matrix that a sweep does not hold. Where responsibilities are not kept, or values are missing, a split
//! and a merge are one assignment step further, as a start is.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1};
use vi_core::linalg::Cholesky;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, FactorsAndStats, SplitMerge, StreamKey};

use super::components::ComponentFactors;
use super::data::centred;
use super::factors::AssignmentFactors;
use super::split::Plane;
use super::{
    Covariance, GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats,
    WeightsPrior,
};

/// A component with less than one datum has nothing to split or to merge.
const OCCUPIED: f64 = 1.0;

impl GaussianMixture {
    /// E\[Λ_k\] (D, D), whatever the shape of the covariances.
    fn expected_precision(&self, q: &ComponentFactors, k: usize) -> Array2<f64> {
        let (covariance, d) = (self.covariance(), self.layout.dim);
        let values = q.expected.precision_of(covariance.of(k));
        Array2::from_shape_fn((d, d), |(i, j)| match covariance {
            Covariance::Full | Covariance::Tied => values[i * d + j],
            Covariance::Diagonal if i == j => values[i],
            Covariance::Spherical if i == j => values[0],
            Covariance::Diagonal | Covariance::Spherical => 0.0,
        })
    }

    /// E\[Λ_k\]⁻¹ (D, D).
    pub(super) fn expected_covariance(&self, q: &ComponentFactors, k: usize) -> Array2<f64> {
        let precision = self.expected_precision(q, k);
        Cholesky::factor(&precision).map_or_else(|_| Array2::eye(self.layout.dim), |c| c.inverse())
    }

    /// r_nk (N) of component `k`.
    pub(super) fn column(&self, q: &AssignmentFactors, k: usize, exec: Exec<'_>) -> Vec<f64> {
        if self.keep_responsibilities {
            return q.responsibilities.column(k).to_vec();
        }
        let (n_components, mut column) = (self.n_components, vec![0.0; self.data.nrows()]);
        exec.for_each_chunk(&mut column, 1, |items, out| {
            vi_core::scratch::with(items.len() * n_components, |rows| {
                self.tile_responsibilities(q, items, rows);
                out.iter_mut().zip(rows.chunks_exact(n_components)).for_each(|(o, row)| *o = row[k]);
            });
        });
        column
    }

    /// Calls `f` with x_n − c (D), missing values at their means under component k.
    pub(super) fn with_row<R>(
        &self,
        factors: &GaussianMixtureFactors,
        n: usize,
        k: usize,
        f: impl FnOnce(&[f64]) -> R,
    ) -> R {
        match self.missing.as_ref().and_then(|m| m.of_row(n).map(|at| m.columns(at))) {
            Some(columns) => f(&self.conditional(&factors.assignments, n, k, columns).filled),
            None => vi_core::scratch::with(self.layout.dim, |x| {
                centred(&self.data, &self.centre, n, x);
                f(x)
            }),
        }
    }

    /// The start from the responsibilities of `factors`, each row changed by `change(n, row)`.
    fn start_from_changed(
        &self,
        factors: &GaussianMixtureFactors,
        change: impl Fn(usize, &mut [f64]) + Sync,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let (k, q) = (self.n_components, &factors.assignments);
        let fill = |items: Range<usize>, rows: &mut [f64]| {
            if self.keep_responsibilities {
                let kept = q.responsibilities.as_slice().expect("row-major");
                rows.copy_from_slice(&kept[items.start * k..items.end * k]);
            } else {
                self.tile_responsibilities(q, items.clone(), rows);
            }
            items.zip(rows.chunks_exact_mut(k)).for_each(|(n, row)| change(n, row));
        };
        self.start(fill, exec)
    }
}

/// The distance of Bhattacharyya between two Gaussians (mean, covariance, log determinant).
///
/// ```text
/// ⅛ δᵀ S⁻¹ δ + ½ log(|S| / √(|Σ₁||Σ₂|)),   S = (Σ₁ + Σ₂)/2
/// ```
fn distance(a: &(Array1<f64>, Array2<f64>, f64), b: &(Array1<f64>, Array2<f64>, f64)) -> f64 {
    let Ok(mean) = Cholesky::factor(&((&a.1 + &b.1) * 0.5)) else { return f64::INFINITY };
    let delta = &a.0 - &b.0;
    0.125 * delta.dot(&mean.solve(&delta)) + 0.5 * (mean.log_det() - 0.5 * (a.2 + b.2))
}

impl SplitMerge for GaussianMixture {
    fn n_components(&self) -> usize {
        self.n_components
    }

    fn component_sizes(&self, stats: &GaussianMixtureStats) -> Array1<f64> {
        stats.counts()
    }

    /// By the distance of Bhattacharyya between the expected components, of which those with data count.
    fn merge_candidates(
        &self,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
    ) -> Vec<(usize, usize)> {
        let (sizes, q) = (stats.counts(), &factors.components);
        let occupied = (0..self.n_components).filter(|k| sizes[*k] >= OCCUPIED);
        let components: Vec<_> = occupied
            .map(|k| {
                let covariance = self.expected_covariance(q, k);
                let log_det = Cholesky::factor(&covariance).map_or(f64::NAN, |c| c.log_det());
                (k, (q.mean.row(k).to_owned(), covariance, log_det))
            })
            .collect();
        let mut pairs = Vec::new();
        for (i, (j, a)) in components.iter().enumerate() {
            pairs.extend(components[i + 1..].iter().map(|(k, b)| (distance(a, b), (*j, *k))));
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.into_iter().map(|(_, pair)| pair).collect()
    }

    /// By a plane: see `split_plane` for the ways to find one.
    fn split(
        &self,
        from: usize,
        into: usize,
        factors: &GaussianMixtureFactors,
        attempt: usize,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        let size = factors.assignments.sums()[[from, self.layout.n_features - 1]];
        if size < 2.0 * OCCUPIED {
            return Ok(None);
        }
        let plane = self.split_plane(factors, from, attempt, key, exec);
        let Some(Plane { direction, level }) = plane else { return Ok(None) };
        let change = |n: usize, row: &mut [f64]| {
            let beyond = |x: &[f64]| direction.dot(&ArrayView1::from(x)) > level;
            if row[from] > 0.0 && self.with_row(factors, n, from, beyond) {
                row[into] += std::mem::take(&mut row[from]);
            }
        };
        let (factors, stats) = self.start_from_changed(factors, change, exec)?;
        // The components follow the halves, whatever the assignments have become since.
        let stays = factors.components.count[from] - self.prior.count;
        Ok((f64::min(stays, size - stays) >= OCCUPIED).then_some((factors, stats)))
    }

    fn merge(
        &self,
        from: usize,
        into: usize,
        factors: &GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let change = |_: usize, row: &mut [f64]| row[into] += std::mem::take(&mut row[from]);
        self.start_from_changed(factors, change, exec)
    }

    /// To each other component the responsibility that it has when the weight of the deleted one is 0.
    fn delete(
        &self,
        component: usize,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let (mut factors, mut stats) = (factors.clone(), stats.clone());
        // Far enough below every other logit for a responsibility of exactly 0, and finite for the matrix product.
        stats.weights.log_weights[component] = -1e300;
        self.condition(Block::Assignments, &stats, &mut factors, exec)?;
        self.expect(Block::Assignments, &factors, &mut stats, exec);
        for block in [Block::Weights, Block::Components] {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    /// Larger components first, where weights are sticks: what is left for a component shrinks with its place.
    fn reorder(
        &self,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        let (sizes, mut order) = (stats.counts(), (0..self.n_components).collect::<Vec<_>>());
        order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
        if self.prior.given.weights == WeightsPrior::Dirichlet || order.is_sorted() {
            return Ok(None);
        }
        let change = |_: usize, row: &mut [f64]| {
            vi_core::scratch::with(row.len(), |before| {
                before.copy_from_slice(row);
                row.iter_mut().zip(&order).for_each(|(r, k)| *r = before[*k]);
            });
        };
        self.start_from_changed(factors, change, exec).map(Some)
    }
}
