//! Splits, merges and deletions of components.
//!
//! New responsibilities are formed tile by tile, from those that are kept or from what determines them, so that a move
//! holds no N×K matrix that a sweep does not hold. Where responsibilities are not kept, or values are missing, a split
//! and a merge are one assignment step further, as a start is.

use std::ops::Range;

use ndarray::{Array1, Array2};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::linalg::Cholesky;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, FactorsAndStats, SplitMerge, StreamKey};

use super::components::{ComponentFactors, row};
use super::data::centred;
use super::{
    Covariance, GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats,
};

/// A component with less than one datum has nothing to split or to merge.
const OCCUPIED: f64 = 1.0;

/// How often a random direction is multiplied by the correlations of a component: towards its longest axis, but not all
/// the way, so that another key gives another direction.
const POWER: usize = 3;

impl GaussianMixture {
    /// One over the standard deviation of every column (D), of the observed values; zero where there is no spread.
    fn inverse_sd(&self) -> Array1<f64> {
        let spread = |(column, c): (ndarray::ArrayView1<'_, f64>, &f64)| {
            let observed = || column.iter().filter(|v| !v.is_nan()).map(|v| v - c);
            let square: f64 = observed().map(|v| v * v).sum();
            if square > 0.0 { (observed().count() as f64 / square).sqrt() } else { 0.0 }
        };
        self.data.columns().into_iter().zip(&self.centre).map(spread).collect()
    }

    /// E\[Λ_k\]⁻¹ (D, D).
    fn expected_covariance(&self, q: &ComponentFactors, k: usize) -> Array2<f64> {
        let (covariance, d) = (self.covariance(), self.layout.dim);
        let values = q.expected.precision_of(covariance.of(k));
        let precision = Array2::from_shape_fn((d, d), |(i, j)| match covariance {
            Covariance::Full | Covariance::Tied => values[i * d + j],
            Covariance::Diagonal if i == j => values[i],
            Covariance::Spherical if i == j => values[0],
            Covariance::Diagonal | Covariance::Spherical => 0.0,
        });
        Cholesky::factor(&precision).map_or_else(|_| Array2::eye(d), |c| c.inverse())
    }

    /// A random direction a (D) in which the component is long: the halves are told apart by the sign of aᵀ(x − m).
    fn split_direction(&self, q: &ComponentFactors, k: usize, key: StreamKey) -> Array1<f64> {
        let covariance = self.expected_covariance(q, k);
        let inverse_sd = self.inverse_sd();
        let mut rng = key.rng(0);
        let mut direction: Array1<f64> = (0..inverse_sd.len()).map(|_| rng.sample(StandardNormal)).collect();
        for _ in 0..POWER {
            direction = &covariance.dot(&(&direction * &inverse_sd)) * &inverse_sd;
            let norm = direction.dot(&direction).sqrt();
            direction.mapv_inplace(|v| v / norm);
        }
        direction * inverse_sd
    }

    /// aᵀ(x_n − c), with missing values at their means under component k.
    fn projection(&self, factors: &GaussianMixtureFactors, n: usize, k: usize, direction: &[f64]) -> f64 {
        let dot = |x: &[f64]| direction.iter().zip(x).map(|(a, x)| a * x).sum();
        match self.missing.as_ref().and_then(|m| m.of_row(n).map(|at| m.columns(at))) {
            Some(columns) => dot(&self.conditional(&factors.assignments, n, k, columns).filled),
            None => vi_core::scratch::with(direction.len(), |x| {
                centred(&self.data, &self.centre, n, x);
                dot(x)
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

    /// By a plane through the mean of the component, across a direction in which it is long.
    fn split(
        &self,
        from: usize,
        into: usize,
        factors: &GaussianMixtureFactors,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        let (q, sums) = (&factors.components, factors.assignments.sums());
        let size = self.layout.count(&sums.row(from).to_vec());
        if size < 2.0 * OCCUPIED {
            return Ok(None);
        }
        let direction = self.split_direction(q, from, key).to_vec();
        let level: f64 = direction.iter().zip(row(&q.mean, from)).map(|(a, m)| a * m).sum();
        let change = |n: usize, row: &mut [f64]| {
            if row[from] > 0.0 && self.projection(factors, n, from, &direction) > level {
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
}
