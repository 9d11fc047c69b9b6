//! The model by its complete conditionals (PRML §10.2.1).

use ndarray::{ArrayRef1, Axis, s};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, NormalWishart};

use super::{GaussianMixture, GaussianMixtureFactors, GaussianMixtureStats};
use crate::checks::refused;

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaussianMixtureBlock {
    /// π.
    Weights,
    /// (μ_k, Λ_k), jointly for each k, all k.
    Components,
    /// z_n, all n.
    Assignments,
}

use GaussianMixtureBlock::{Assignments, Components, Weights};

/// Weights and components come first, so that a sweep from given responsibilities is "M step, then E step".
const BLOCKS: [GaussianMixtureBlock; 3] = [Weights, Components, Assignments];

/// Reported in (weights, mean, precision); assignments are left out.
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
            Weights => factors.weights = self.weights_conditional(stats).map_err(|e| refused(block, e))?,
            Components => factors.components = self.components_conditional(stats)?,
            Assignments => self.set_responsibilities(stats, factors, exec)?,
        }
        Ok(())
    }

    fn expect(
        &self,
        block: GaussianMixtureBlock,
        factors: &GaussianMixtureFactors,
        stats: &mut GaussianMixtureStats,
        exec: Exec<'_>,
    ) {
        match block {
            Weights => stats.log_weights = factors.weights.expected_log(),
            Components => {
                for (k, q) in factors.components.iter().enumerate() {
                    self.expect_component(q, k, stats);
                }
            }
            Assignments => {
                stats.labels.clear();
                let width = self.layout.n_components + 1;
                let rows = factors.assignments.as_slice().expect("assignments are created row-major");
                self.set_sums(stats, exec, |items, w| {
                    w.set_weights(self.layout, &rows[items.start * width..items.end * width], width);
                });
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
            Weights => stats.log_weights = factors.weights.sample(&mut key.rng(0)).mapv(f64::ln),
            Components => {
                for (k, q) in factors.components.iter().enumerate() {
                    self.realise_component(q, k, &mut key.rng(k as u64), stats);
                }
            }
            Assignments => {
                let labels = self.draw_labels(factors, key, exec);
                self.set_sums(stats, exec, |items, w| w.set_one_hot(self.layout, &labels[items]));
                stats.labels = labels;
            }
        }
    }

    fn block_log_prob(
        &self,
        block: GaussianMixtureBlock,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
    ) -> f64 {
        match block {
            Weights => factors.weights.log_prob(&stats.log_weights.mapv(f64::exp)),
            Components => {
                let one = |(k, q): (usize, &NormalWishart)| {
                    q.log_prob(&(
                        stats.mean.row(k).to_owned(),
                        stats.precision.slice(s![k, .., ..]).to_owned(),
                    ))
                };
                factors.components.iter().enumerate().map(one).sum()
            }
            Assignments => {
                let rows = factors.assignments.axis_iter(Axis(0));
                rows.zip(&stats.labels).map(|(r, &label)| r[label as usize].ln()).sum()
            }
        }
    }

    /// PRML eq. 10.71–10.74.
    fn expected_log_joint(&self, stats: &GaussianMixtureStats) -> f64 {
        let mut total = self.prior.log_prob_weights(stats.log_weights.sum());
        for (k, eta) in stats.coefficients(self).rows().into_iter().enumerate() {
            total += eta.dot(&stats.sums.row(k))
                + self.prior.log_prob_component(
                    stats.log_det[k],
                    &stats.precision_mean.row(k),
                    stats.quadratic[k],
                    &stats.precision.slice(s![k, .., ..]),
                );
        }
        total
    }

    /// PRML eq. 10.75–10.77, with the sign of an entropy.
    fn entropy(&self, factors: &GaussianMixtureFactors) -> f64 {
        let components: f64 = factors.components.iter().map(NormalWishart::entropy).sum();
        factors.assignments_entropy + factors.weights.entropy() + components
    }

    fn reported(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// Weights below the smallest normal number are written as that, to stay inside the simplex.
    fn realise(&self, stats: &GaussianMixtureStats, z: &mut ArrayRef1<f64>) {
        let weights = stats.log_weights.iter().map(|l| l.exp().max(f64::MIN_POSITIVE));
        let components = stats.mean.rows().into_iter().zip(stats.precision.axis_iter(Axis(0)));
        self.write(z, weights, components);
    }

    fn sample(&self, factors: &GaussianMixtureFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let weights = factors.weights.sample(rng);
        let drawn: Vec<_> = factors.components.iter().map(|q| q.sample(rng)).collect();
        self.write(
            z,
            weights.into_iter(),
            drawn.iter().map(|(mean, precision)| (mean.view(), precision.view())),
        );
    }

    fn log_prob(&self, factors: &GaussianMixtureFactors, z: &ArrayRef1<f64>) -> f64 {
        let weights = factors.weights.log_prob(&z.slice(s![..self.layout.n_components]));
        let one = |(k, q): (usize, &NormalWishart)| q.log_prob(&self.component_of(z, k));
        weights + factors.components.iter().enumerate().map(one).sum::<f64>()
    }
}
