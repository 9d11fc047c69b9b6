//! The model by its complete conditionals (PRML §10.2.1).

use ndarray::{ArrayRef1, s};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};

use super::components::{row, values};
use super::layout::Products;
use super::natural::check_weights;
use super::point::point_stats;
use super::weights::WeightsStats;
use super::{GaussianMixture, GaussianMixtureFactors, GaussianMixtureStats};

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaussianMixtureBlock {
    /// π.
    Weights,
    /// (μ_k, Λ_k) of all k jointly.
    Components,
    /// z_n, with the missing values of datum n, all n.
    Assignments,
}

use GaussianMixtureBlock::{Assignments, Components, Weights};

/// Weights and components come first, so that a sweep from given responsibilities is "M step, then E step".
const BLOCKS: [GaussianMixtureBlock; 3] = [Weights, Components, Assignments];

/// Reported in (weights, mean, precision); assignments and missing values are left out.
impl ConditionallyConjugate for GaussianMixture {
    type Block = GaussianMixtureBlock;
    type Stats = GaussianMixtureStats;
    type Factors = GaussianMixtureFactors;

    fn blocks(&self) -> &[GaussianMixtureBlock] {
        &BLOCKS
    }

    /// Hard assignments to centres seeded as in k-means++.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        self.start_from_labels(&self.seeded_labels(key, exec), exec)
    }

    fn condition(
        &self,
        block: GaussianMixtureBlock,
        stats: &GaussianMixtureStats,
        factors: &mut GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Weights => {
                let counts = stats.sums.rows().into_iter();
                factors.weights.condition(&self.prior.weights, counts.map(|row| row[row.len() - 1]));
                check_weights(&factors.weights)
            }
            Components => self.condition_components(&stats.sums, &mut factors.components),
            Assignments => self.condition_assignments(stats, &mut factors.assignments, exec),
        }
    }

    fn expect(
        &self,
        block: GaussianMixtureBlock,
        factors: &GaussianMixtureFactors,
        stats: &mut GaussianMixtureStats,
        _: Exec<'_>,
    ) {
        match block {
            Weights => stats.weights.assign(&factors.weights.expected),
            Components => stats.components.assign(&factors.components.expected),
            Assignments => {
                stats.labels.clear();
                stats.imputed.clear();
                stats.sums.assign(&factors.assignments.sums());
            }
        }
    }

    fn draw(
        &self,
        block: GaussianMixtureBlock,
        factors: &GaussianMixtureFactors,
        key: StreamKey,
        stats: &mut GaussianMixtureStats,
        exec: Exec<'_>,
    ) {
        match block {
            Weights => stats.weights = factors.weights.draw(&mut key.rng(0)),
            Components => {
                let rng = |i: usize, f: &mut dyn FnMut(&mut StreamRng)| f(&mut key.rng(i as u64));
                self.draw_components(&factors.components, rng, &mut stats.components);
            }
            Assignments => self.draw_assignments(&factors.assignments, key, stats, exec),
        }
    }

    fn block_log_prob(
        &self,
        block: GaussianMixtureBlock,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
    ) -> f64 {
        match block {
            Weights => factors.weights.log_density(&stats.weights),
            Components => factors.components.log_density_at(self.covariance(), &stats.components),
            Assignments => {
                let labels = self.log_prob_of_labels(&factors.assignments, &stats.labels);
                let missing = self.missing.iter().flat_map(|m| m.rows().map(move |(n, at)| (m, n, at)));
                let missing = missing.map(|(m, n, at)| {
                    let columns = m.columns(at.clone());
                    let law = self.conditional(&factors.assignments, n, stats.labels[n] as usize, columns);
                    law.log_density(columns, &stats.imputed[at])
                });
                labels + missing.sum::<f64>()
            }
        }
    }

    /// PRML eq. 10.71–10.74.
    fn expected_log_joint(&self, stats: &GaussianMixtureStats) -> f64 {
        let (covariance, components) = (self.covariance(), &stats.components);
        let mut total =
            self.prior.weights.log_density(&stats.weights) + self.prior.log_density(covariance, components);
        for (k, log_weight) in stats.weights.log_weights.iter().enumerate() {
            let sums = row(&stats.sums, k);
            // An empty component adds nothing, whatever its weight.
            let add = |p: usize, eta: f64| total += if sums[p] == 0.0 { 0.0 } else { eta * sums[p] };
            self.layout.for_each_coefficient(covariance, *log_weight, components, k, add);
        }
        if self.layout.products == Products::None {
            let scatter = values(&self.total_scatter);
            total -= 0.5 * covariance.trace(scatter, components.precision_of(0), self.layout.dim);
        }
        total
    }

    /// PRML eq. 10.75–10.77, with the sign of an entropy.
    fn entropy(&self, factors: &GaussianMixtureFactors) -> f64 {
        factors.assignments.entropy()
            + factors.weights.entropy()
            + factors.components.entropy(self.covariance())
    }

    fn reported(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn realise(&self, stats: &GaussianMixtureStats, z: &mut ArrayRef1<f64>) {
        self.write(&stats.weights, &stats.components, z);
    }

    fn sample(&self, factors: &GaussianMixtureFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let weights = factors.weights.draw(rng);
        let mut components = factors.components.expected.clone();
        let one = |_: usize, f: &mut dyn FnMut(&mut StreamRng)| f(rng);
        self.draw_components(&factors.components, one, &mut components);
        self.write(&weights, &components, z);
    }

    fn log_prob(&self, factors: &GaussianMixtureFactors, z: &ArrayRef1<f64>) -> f64 {
        let weights = z.slice(s![..self.n_components]).to_vec();
        if weights.iter().any(|w| *w <= 0.0) {
            return f64::NEG_INFINITY;
        }
        let weights = WeightsStats::of(self.prior.given.weights, &weights);
        match point_stats(self, &z.view()) {
            Ok(components) => {
                factors.weights.log_density(&weights)
                    + factors.components.log_density_at(self.covariance(), &components)
            }
            Err(value) => value,
        }
    }
}
