//! Starts of the iteration: from given responsibilities or labels, or seeded as in k-means++.

use ndarray::{Array1, Array2, ArrayRef2, Axis, s};
use rand::RngExt;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, StreamKey};
use vi_families::{Dirichlet, FamilyError};

use super::updates::choose;
use super::{GaussianMixture, GaussianMixtureBlock, GaussianMixtureFactors, GaussianMixtureStats};
use crate::checks::refused;

impl GaussianMixture {
    /// The start in which q(z) has these responsibilities (N, K), and weights and components follow them.
    ///
    /// # Errors
    /// [`ConjugateError`] when a row is not a probability vector, or no component fits the responsibilities.
    ///
    /// # Panics
    /// If the shape is not (N, K).
    pub fn start_from_responsibilities(
        &self,
        responsibilities: &ArrayRef2<f64>,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let (n, k) = (self.data.nrows(), self.layout.n_components);
        assert_eq!(responsibilities.dim(), (n, k), "gaussian_mixture: responsibilities are (N, K)");
        let mut assignments = Array2::zeros((n, k + 1));
        assignments.slice_mut(s![.., ..k]).assign(responsibilities);
        for (n, mut row) in assignments.rows_mut().into_iter().enumerate() {
            let sum: f64 = row.iter().take(k).sum();
            let probabilities = row.iter().take(k).all(|r| *r >= 0.0) && (sum - 1.0).abs() < 1e-9;
            if !probabilities {
                let parameter = format!("Σ_k responsibilities[{n}, k]");
                let block = format!("{:?}", GaussianMixtureBlock::Assignments);
                return Err(ConjugateError::Domain { block, parameter, value: sum });
            }
            row[k] = -row.iter().take(k).filter(|r| **r > 0.0).map(|r| r * r.ln()).sum::<f64>();
        }
        self.start(assignments, exec)
    }

    /// The start in which datum n belongs to component `labels[n]` for certain.
    ///
    /// # Errors
    /// [`ConjugateError`] when no component fits the labels.
    ///
    /// # Panics
    /// If there are not N labels, or one is ≥ K.
    pub fn start_from_labels(
        &self,
        labels: &[usize],
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let (n, k) = (self.data.nrows(), self.layout.n_components);
        assert_eq!(labels.len(), n, "gaussian_mixture: one label per datum");
        let mut assignments = Array2::zeros((n, k + 1));
        for (mut row, &label) in assignments.rows_mut().into_iter().zip(labels) {
            assert!(label < k, "gaussian_mixture: label {label} of {k} components");
            row[label] = 1.0;
        }
        self.start(assignments, exec)
    }

    fn start(
        &self,
        assignments: Array2<f64>,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let k = self.layout.n_components;
        let prior = Dirichlet::from_concentration(&Array1::from_elem(k, self.prior.concentration));
        let mut factors = GaussianMixtureFactors {
            assignments,
            assignments_entropy: 0.0,
            weights: prior.map_err(|e: FamilyError| refused(GaussianMixtureBlock::Weights, e))?,
            components: Vec::new(),
        };
        self.sum_entropy(&mut factors, exec)?;
        let mut stats = GaussianMixtureStats::zeros(self);
        self.expect(GaussianMixtureBlock::Assignments, &factors, &mut stats, exec);
        for block in [GaussianMixtureBlock::Weights, GaussianMixtureBlock::Components] {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    /// Labels of the nearest of K data, chosen one after the other with probability proportional to the
    /// squared distance from those chosen before (Arthur & Vassilvitskii 2007), in units of each column's
    /// standard deviation.
    pub(super) fn seeded_labels(&self, key: StreamKey, exec: Exec<'_>) -> Vec<usize> {
        let (n, k) = (self.data.nrows(), self.layout.n_components);
        let precision = self.data.var_axis(Axis(0), 0.0).mapv(|v| if v > 0.0 { 1.0 / v } else { 0.0 });
        let mut rng = key.rng(0);
        let mut seed = rng.random_range(0..n);
        // Per datum: the squared distance to its nearest seed, and which one that is.
        let mut nearest: Vec<f64> = [f64::INFINITY, 0.0].repeat(n);
        for component in 0..k {
            let centre = self.data.row(seed);
            exec.for_each_chunk(&mut nearest, 2, |items, nearest| {
                for (i, best) in items.zip(nearest.chunks_exact_mut(2)) {
                    let difference = self.data.row(i).into_iter().zip(&centre).zip(&precision);
                    let distance = difference.map(|((x, c), p)| p * (x - c) * (x - c)).sum();
                    if distance < best[0] {
                        best.copy_from_slice(&[distance, component as f64]);
                    }
                }
            });
            let distances: Array1<f64> = nearest.iter().step_by(2).copied().collect();
            seed = choose(&distances, rng.random::<f64>() * distances.sum());
        }
        nearest.iter().skip(1).step_by(2).map(|&c| c as usize).collect()
    }
}
