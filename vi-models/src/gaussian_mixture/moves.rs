//! Splits, merges and deletions of components.

use ndarray::{Array1, Array2, ArrayRef1, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::linalg::Cholesky;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, FactorsAndStats, SplitMerge, StreamKey};
use vi_families::NormalWishart;

use super::{GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats};

/// A component with less than one datum has nothing to split or to merge.
const OCCUPIED: f64 = 1.0;

/// Passes over the data in which the direction of a split is looked for.
const N_PASSES: usize = 10;

impl GaussianMixture {
    /// A direction a (D) in which the data of a component, with weights r (N), are least like a Gaussian: the halves are told
    /// apart by the sign of aᵀ(x − m).
    ///
    /// ```text
    /// w ← E[s³ z] − 3w,   w ← w/|w|,     s = wᵀz,   z = Lᵀ(x − m),   LLᵀ = E[Λ],   a = Lw
    /// ```
    /// Two clusters in one component have the most negative kurtosis along the line that joins them, whatever the units
    /// and the spread in other directions. The iteration begins at random, and another key may find another direction.
    ///
    /// Source: Hyvärinen & Oja, "A fast fixed-point algorithm for independent component analysis", Neural Computation 9 (1997).
    fn split_direction(
        &self,
        component: &NormalWishart,
        weights: &ArrayRef1<f64>,
        key: StreamKey,
    ) -> Option<Array1<f64>> {
        let root = Cholesky::factor(&component.expected_precision()).ok()?.l().to_owned();
        let centre = component.mean() + &self.centre;
        let total = weights.sum();
        let mut rng = key.rng(0);
        let mut w: Array1<f64> = (0..centre.len()).map(|_| rng.sample(StandardNormal)).collect();
        w /= w.dot(&w).sqrt();
        for _ in 0..N_PASSES {
            let direction = root.dot(&w);
            let level = direction.dot(&centre);
            let (mut cubes, mut weight) = (Array1::<f64>::zeros(centre.len()), 0.0);
            for (x, r) in self.data.rows().into_iter().zip(weights) {
                if *r > 0.0 {
                    let cube = r * (direction.dot(&x) - level).powi(3);
                    cubes.scaled_add(cube, &x);
                    weight += cube;
                }
            }
            cubes.scaled_add(-weight, &centre);
            let next = root.t().dot(&cubes) / total - 3.0 * &w;
            let norm = next.dot(&next).sqrt();
            if !(norm.is_finite() && norm > 0.0) {
                return None;
            }
            w = next / norm;
        }
        Some(root.dot(&w))
    }
}

/// E[Λ]⁻¹ (D, D).
fn covariance(component: &NormalWishart) -> Array2<f64> {
    let d = component.mean().len();
    Cholesky::factor(&component.expected_precision()).map_or_else(|_| Array2::eye(d), |c| c.inverse())
}

/// The distance of Bhattacharyya between two Gaussians.
///
/// ```text
/// ⅛ δᵀ S⁻¹ δ + ½ log(|S| / √(|Σ₁||Σ₂|)),   S = (Σ₁ + Σ₂)/2
/// ```
fn distance(a: (&Array1<f64>, &Array2<f64>, f64), b: (&Array1<f64>, &Array2<f64>, f64)) -> f64 {
    let Ok(mean) = Cholesky::factor(&((a.1 + b.1) * 0.5)) else { return f64::INFINITY };
    let delta = a.0 - b.0;
    0.125 * delta.dot(&mean.solve(&delta)) + 0.5 * (mean.log_det() - 0.5 * (a.2 + b.2))
}

impl SplitMerge for GaussianMixture {
    fn n_components(&self) -> usize {
        self.layout.n_components
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
        let sizes = stats.counts();
        let components: Vec<_> = (0..self.layout.n_components)
            .filter(|k| sizes[*k] >= OCCUPIED)
            .map(|k| {
                let q = &factors.components[k];
                let covariance = covariance(q);
                let log_det = Cholesky::factor(&covariance).map_or(f64::NAN, |c| c.log_det());
                (k, q.mean().clone(), covariance, log_det)
            })
            .collect();
        let mut pairs = Vec::new();
        for (i, (j, m1, s1, d1)) in components.iter().enumerate() {
            for (k, m2, s2, d2) in &components[i + 1..] {
                pairs.push((distance((m1, s1, *d1), (m2, s2, *d2)), (*j, *k)));
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.into_iter().map(|(_, pair)| pair).collect()
    }

    /// By a plane through the mean of the component, across a direction in which its data are least like a Gaussian.
    fn split(
        &self,
        from: usize,
        into: usize,
        factors: &GaussianMixtureFactors,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<Option<FactorsAndStats<Self>>, ConjugateError> {
        let component = &factors.components[from];
        let mut responsibilities = factors.responsibilities().to_owned();
        let weights = responsibilities.column(from);
        if weights.sum() < OCCUPIED {
            return Ok(None);
        }
        let Some(direction) = self.split_direction(component, &weights, key) else { return Ok(None) };
        let level = direction.dot(&(component.mean() + &self.centre));
        let (mut stays, mut goes) = (0.0, 0.0);
        for (x, mut r) in self.data.rows().into_iter().zip(responsibilities.rows_mut()) {
            if direction.dot(&x) > level {
                goes += r[from];
                r[into] += r[from];
                r[from] = 0.0;
            } else {
                stays += r[from];
            }
        }
        if f64::min(stays, goes) < OCCUPIED {
            return Ok(None);
        }
        self.start_from_responsibilities(&responsibilities, exec).map(Some)
    }

    fn merge(
        &self,
        from: usize,
        into: usize,
        factors: &GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<FactorsAndStats<Self>, ConjugateError> {
        let mut responsibilities = factors.responsibilities().to_owned();
        let moved = responsibilities.column(from).to_owned();
        let mut kept = responsibilities.slice_mut(s![.., into]);
        kept += &moved;
        responsibilities.column_mut(from).fill(0.0);
        self.start_from_responsibilities(&responsibilities, exec)
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
        stats.log_weights[component] = -1e300;
        self.condition(Block::Assignments, &stats, &mut factors, exec)?;
        self.expect(Block::Assignments, &factors, &mut stats, exec);
        for block in [Block::Weights, Block::Components] {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }
}
