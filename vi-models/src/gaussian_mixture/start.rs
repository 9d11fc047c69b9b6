//! Starts of the iteration: from given responsibilities or labels, at random, or seeded as in k-means++.

use std::ops::Range;

use ndarray::{Array1, ArrayRef2};
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, StreamKey};

use super::components::ComponentFactors;
use super::data::centred;
use super::factors::AssignmentFactors;
use super::{GaussianMixture, GaussianMixtureBlock, GaussianMixtureFactors, GaussianMixtureStats};
use crate::draws::choose;

impl GaussianMixture {
    /// The start in which q(z) has these responsibilities (N, K), and weights and components follow them.
    ///
    /// With missing values, or where responsibilities are not kept, one assignment step follows: what is left of those
    /// given are weights and components.
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
        let (n, k) = (self.data.nrows(), self.n_components);
        assert_eq!(responsibilities.dim(), (n, k), "gaussian_mixture: responsibilities are (N, K)");
        for (n, row) in responsibilities.rows().into_iter().enumerate() {
            let sum = row.sum();
            if !(row.iter().all(|r| *r >= 0.0) && (sum - 1.0).abs() < 1e-9) {
                let parameter = format!("Σ_k responsibilities[{n}, k]");
                let block = format!("{:?}", GaussianMixtureBlock::Assignments);
                return Err(ConjugateError::Domain { block, parameter, value: sum });
            }
        }
        let fill = |items: Range<usize>, rows: &mut [f64]| {
            for (n, row) in items.zip(rows.chunks_exact_mut(k)) {
                row.iter_mut().zip(responsibilities.row(n)).for_each(|(r, given)| *r = *given);
            }
        };
        self.start(fill, exec)
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
        let (n, k) = (self.data.nrows(), self.n_components);
        assert_eq!(labels.len(), n, "gaussian_mixture: one label per datum");
        for label in labels {
            assert!(*label < k, "gaussian_mixture: label {label} of {k} components");
        }
        let fill = |items: Range<usize>, rows: &mut [f64]| {
            rows.fill(0.0);
            for (label, row) in labels[items].iter().zip(rows.chunks_exact_mut(k)) {
                row[*label] = 1.0;
            }
        };
        self.start(fill, exec)
    }

    /// The start with the responsibilities of every datum drawn uniformly from the simplex: components begin nearly
    /// equal, and tell themselves apart slowly. Datum n draws from `key.rng(n)`.
    ///
    /// # Errors
    /// [`ConjugateError`] when no component fits the responsibilities.
    pub fn start_at_random(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let fill = |items: Range<usize>, rows: &mut [f64]| {
            for (n, row) in items.zip(rows.chunks_exact_mut(self.n_components)) {
                let mut rng = key.rng(n as u64);
                row.iter_mut().for_each(|r| *r = Exp1.sample(&mut rng));
                let total: f64 = row.iter().sum();
                row.iter_mut().for_each(|r| *r /= total);
            }
        };
        self.start(fill, exec)
    }

    pub(super) fn start(
        &self,
        fill: impl Fn(Range<usize>, &mut [f64]) + Sync,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let (k, d) = self.dims();
        let mut assignments = AssignmentFactors::zeros(self);
        self.sum_given(&mut assignments, fill, exec)?;
        let mut factors = GaussianMixtureFactors {
            assignments,
            weights: self.prior.weights.clone(),
            components: ComponentFactors::zeros(self.covariance(), k, d),
        };
        let mut stats = GaussianMixtureStats::zeros(self);
        self.expect(GaussianMixtureBlock::Assignments, &factors, &mut stats, exec);
        for block in [GaussianMixtureBlock::Weights, GaussianMixtureBlock::Components] {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        if !self.starts_as_given() {
            self.condition(GaussianMixtureBlock::Assignments, &stats, &mut factors, exec)?;
            self.expect(GaussianMixtureBlock::Assignments, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    /// Labels of the nearest of K data, chosen one after the other with probability proportional to the
    /// squared distance from those chosen before (Arthur & Vassilvitskii 2007), in units of each column's
    /// standard deviation. Missing values count as the column's mean.
    pub(super) fn seeded_labels(&self, key: StreamKey, exec: Exec<'_>) -> Vec<usize> {
        let (n, k, d) = (self.data.nrows(), self.n_components, self.layout.dim);
        let mut rng = key.rng(0);
        let (mut centre, mut squares) = (vec![0.0; d], vec![0.0; d]);
        for n in 0..n {
            centred(&self.data, &self.centre, n, &mut centre);
            squares.iter_mut().zip(&centre).for_each(|(s, x)| *s += x * x);
        }
        let precision: Vec<f64> = squares.iter().map(|s| if *s > 0.0 { n as f64 / s } else { 0.0 }).collect();
        let mut seed = rng.random_range(0..n);
        // Per datum: the squared distance to its nearest seed, and which one that is.
        let mut nearest: Vec<f64> = [f64::INFINITY, 0.0].repeat(n);
        for component in 0..k {
            centred(&self.data, &self.centre, seed, &mut centre);
            exec.for_each_chunk(&mut nearest, 2, |items, nearest| {
                vi_core::scratch::with(d, |x| {
                    for (i, best) in items.zip(nearest.chunks_exact_mut(2)) {
                        centred(&self.data, &self.centre, i, x);
                        let difference = x.iter().zip(&centre).zip(&precision);
                        let distance = difference.map(|((x, c), p)| p * (x - c) * (x - c)).sum();
                        if distance < best[0] {
                            best.copy_from_slice(&[distance, component as f64]);
                        }
                    }
                });
            });
            let distances: Array1<f64> = nearest.iter().step_by(2).copied().collect();
            seed = choose(distances.iter().copied(), rng.random::<f64>() * distances.sum());
        }
        nearest.iter().skip(1).step_by(2).map(|&c| c as usize).collect()
    }
}
