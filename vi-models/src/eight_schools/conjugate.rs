//! The centred form by its complete conditionals.
//!
//! The half-Cauchy prior is a scale mixture of inverse Gammas with an auxiliary variable a; the conditionals of τ² and a are
//! those of every half-Cauchy scale (`half_cauchy`), with S = Σ_j (θ_j − μ)².
//!
//! ```text
//! θ_j | · ~ N((y_j/σ_j² + μ/τ²)/p_j, 1/p_j),       p_j = 1/σ_j² + 1/τ²
//! μ   | · ~ N((m/s² + Σ_j θ_j/τ²)/p, 1/p),         p = 1/s² + J/τ²
//! ```
//! Densities of the scale are with respect to dτ, as in [`LogJoint`](vi_core::LogJoint).

use ndarray::{Array1, ArrayRef1};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gaussian, InverseGamma};

use super::EightSchoolsCentred;
use crate::checks::{LOG_2_PI, refused};
use crate::half_cauchy::{HalfCauchyStats, scale_entropy, scale_log_prob};

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EightSchoolsBlock {
    /// All θ_j, independent of each other given the rest.
    Effects,
    /// μ.
    Mean,
    /// τ².
    Variance,
    /// a, the auxiliary scale of the half-Cauchy mixture.
    Auxiliary,
}

use EightSchoolsBlock::{Auxiliary, Effects, Mean, Variance};

const BLOCKS: [EightSchoolsBlock; 4] = [Effects, Mean, Variance, Auxiliary];

/// One factor per block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EightSchoolsFactors {
    /// q(θ_j) (J).
    pub effects: Vec<Gaussian>,
    /// q(μ).
    pub mean: Gaussian,
    /// q(τ²).
    pub variance: InverseGamma,
    /// q(a).
    pub auxiliary: InverseGamma,
}

/// Expected or realised statistics.
///
/// Gaussian blocks are kept as mean and variance, which carry what E(x), E(x²) do without cancelling;
/// a realised variance is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EightSchoolsStats {
    /// E\[θ_j\] (J).
    pub effect_mean: Array1<f64>,
    /// Var\[θ_j\] (J).
    pub effect_variance: Array1<f64>,
    /// E\[μ\].
    pub mu_mean: f64,
    /// Var\[μ\].
    pub mu_variance: f64,
    /// E[1/τ²].
    pub precision: f64,
    /// E[log τ²].
    pub log_variance: f64,
    /// E[1/a].
    pub auxiliary_reciprocal: f64,
    /// E[log a].
    pub log_auxiliary: f64,
}

impl EightSchoolsStats {
    /// What is known of τ and a.
    fn scale(&self) -> HalfCauchyStats {
        HalfCauchyStats {
            precision: self.precision,
            log_variance: self.log_variance,
            auxiliary_reciprocal: self.auxiliary_reciprocal,
            log_auxiliary: self.log_auxiliary,
        }
    }

    /// E[Σ_j (θ_j − μ)²].
    fn sum_squares(&self) -> f64 {
        let squares: f64 = self.effect_mean.iter().map(|t| (t - self.mu_mean).powi(2)).sum();
        squares + self.effect_variance.sum() + self.effect_mean.len() as f64 * self.mu_variance
    }

    fn set_variance(&mut self, value: f64) {
        (self.precision, self.log_variance) = (1.0 / value, value.ln());
    }

    fn set_auxiliary(&mut self, value: f64) {
        (self.auxiliary_reciprocal, self.log_auxiliary) = (1.0 / value, value.ln());
    }
}

impl EightSchoolsCentred {
    fn effect_conditional(&self, j: usize, stats: &EightSchoolsStats) -> Result<Gaussian, FamilyError> {
        let h = &self.hierarchy;
        let precision = h.weight[j] + stats.precision;
        let mean = (h.weight[j] * h.data.effect[j] + stats.precision * stats.mu_mean) / precision;
        Gaussian::from_mean_precision(mean, precision)
    }

    fn mean_conditional(&self, stats: &EightSchoolsStats) -> Result<Gaussian, FamilyError> {
        let priors = self.priors();
        let prior = priors.mu_sd.powi(-2);
        let precision = prior + self.n_schools() as f64 * stats.precision;
        let mean = (prior * priors.mu_mean + stats.precision * stats.effect_mean.sum()) / precision;
        Gaussian::from_mean_precision(mean, precision)
    }

    fn variance_conditional(&self, stats: &EightSchoolsStats) -> Result<InverseGamma, FamilyError> {
        stats.scale().variance_conditional(self.n_schools() as f64, stats.sum_squares())
    }

    fn auxiliary_conditional(&self, stats: &EightSchoolsStats) -> Result<InverseGamma, FamilyError> {
        stats.scale().auxiliary_conditional(self.priors().tau_scale)
    }

    /// A start that differs by the scale τ₀ at which the sweep begins.
    fn start(&self, log_tau: f64) -> Result<(EightSchoolsFactors, EightSchoolsStats), FamilyError> {
        let n = self.n_schools();
        let mut stats = EightSchoolsStats {
            effect_mean: self.hierarchy.data.effect.clone(),
            effect_variance: Array1::zeros(n),
            mu_mean: 0.0,
            mu_variance: 0.0,
            precision: (-2.0 * log_tau).exp(),
            log_variance: 0.0,
            auxiliary_reciprocal: 0.0,
            log_auxiliary: 0.0,
        };
        let shape = 0.5 * (n as f64 + 1.0);
        let variance = InverseGamma::from_shape_scale(shape, shape / stats.precision)?;
        let mean = self.mean_conditional(&stats)?;
        (stats.mu_mean, stats.mu_variance) = (mean.mean(), mean.variance());
        let effects =
            (0..n).map(|j| self.effect_conditional(j, &stats)).collect::<Result<Vec<_>, FamilyError>>()?;
        let auxiliary = self.auxiliary_conditional(&stats)?;
        let factors = EightSchoolsFactors { effects, mean, variance, auxiliary };
        for block in BLOCKS {
            self.expect(block, &factors, &mut stats, Exec::local());
        }
        Ok((factors, stats))
    }
}

/// Reported in (θ, μ, τ); the auxiliary a is left out.
impl ConditionallyConjugate for EightSchoolsCentred {
    type Block = EightSchoolsBlock;
    type Stats = EightSchoolsStats;
    type Factors = EightSchoolsFactors;

    fn blocks(&self) -> &[EightSchoolsBlock] {
        &BLOCKS
    }

    /// Starts at τ₀ = A exp(ε), ε ~ N(0, 1).
    fn init(
        &self,
        key: StreamKey,
        _exec: Exec<'_>,
    ) -> Result<(EightSchoolsFactors, EightSchoolsStats), ConjugateError> {
        let noise: f64 = StandardNormal.sample(&mut key.rng(0));
        self.start(self.priors().tau_scale.ln() + noise).map_err(|e| refused(Effects, e))
    }

    fn condition(
        &self,
        block: EightSchoolsBlock,
        stats: &EightSchoolsStats,
        factors: &mut EightSchoolsFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let mut update = || -> Result<(), FamilyError> {
            match block {
                Effects => {
                    for (j, factor) in factors.effects.iter_mut().enumerate() {
                        *factor = self.effect_conditional(j, stats)?;
                    }
                }
                Mean => factors.mean = self.mean_conditional(stats)?,
                Variance => factors.variance = self.variance_conditional(stats)?,
                Auxiliary => factors.auxiliary = self.auxiliary_conditional(stats)?,
            }
            Ok(())
        };
        update().map_err(|e| refused(block, e))
    }

    fn expect(
        &self,
        block: EightSchoolsBlock,
        factors: &EightSchoolsFactors,
        stats: &mut EightSchoolsStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Effects => {
                for (j, q) in factors.effects.iter().enumerate() {
                    (stats.effect_mean[j], stats.effect_variance[j]) = (q.mean(), q.variance());
                }
            }
            Mean => (stats.mu_mean, stats.mu_variance) = (factors.mean.mean(), factors.mean.variance()),
            Variance => {
                let q = &factors.variance;
                (stats.precision, stats.log_variance) = (q.expected_reciprocal(), q.expected_log());
            }
            Auxiliary => {
                let q = &factors.auxiliary;
                (stats.auxiliary_reciprocal, stats.log_auxiliary) =
                    (q.expected_reciprocal(), q.expected_log());
            }
        }
    }

    fn draw(
        &self,
        block: EightSchoolsBlock,
        factors: &EightSchoolsFactors,
        key: StreamKey,
        stats: &mut EightSchoolsStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Effects => {
                for (j, q) in factors.effects.iter().enumerate() {
                    (stats.effect_mean[j], stats.effect_variance[j]) =
                        (q.sample(&mut key.rng(j as u64)), 0.0);
                }
            }
            Mean => (stats.mu_mean, stats.mu_variance) = (factors.mean.sample(&mut key.rng(0)), 0.0),
            Variance => stats.set_variance(factors.variance.sample(&mut key.rng(0))),
            Auxiliary => stats.set_auxiliary(factors.auxiliary.sample(&mut key.rng(0))),
        }
    }

    fn block_log_prob(
        &self,
        block: EightSchoolsBlock,
        factors: &EightSchoolsFactors,
        stats: &EightSchoolsStats,
    ) -> f64 {
        match block {
            Effects => factors.effects.iter().zip(&stats.effect_mean).map(|(q, t)| q.log_prob(t)).sum(),
            Mean => factors.mean.log_prob(&stats.mu_mean),
            Variance => stats.scale().variance_log_prob(&factors.variance),
            Auxiliary => stats.scale().auxiliary_log_prob(&factors.auxiliary),
        }
    }

    fn expected_log_joint(&self, stats: &EightSchoolsStats) -> f64 {
        let h = &self.hierarchy;
        let n = self.n_schools() as f64;
        let mut likelihood = 0.0;
        for j in 0..self.n_schools() {
            let residual = h.data.effect[j] - stats.effect_mean[j];
            likelihood -= 0.5 * h.weight[j] * (residual * residual + stats.effect_variance[j])
                + 0.5 * LOG_2_PI
                + h.data.standard_error[j].ln();
        }
        let scale = stats.scale();
        let effects = scale.normal_term(n, stats.sum_squares()) - 0.5 * n * LOG_2_PI;
        let mean = h.log_prior_mu(stats.mu_mean) - 0.5 * stats.mu_variance / h.priors.mu_sd.powi(2);
        likelihood + effects + mean + scale.expected_log_prior(h.priors.tau_scale)
    }

    fn entropy(&self, factors: &EightSchoolsFactors) -> f64 {
        let effects: f64 = factors.effects.iter().map(Gaussian::entropy).sum();
        let scale = scale_entropy(&factors.variance);
        effects + factors.mean.entropy() + scale + factors.auxiliary.entropy()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.hierarchy.reported
    }

    fn realise(&self, stats: &EightSchoolsStats, z: &mut ArrayRef1<f64>) {
        let n = self.n_schools();
        for (z, t) in z.iter_mut().zip(&stats.effect_mean) {
            *z = *t;
        }
        z[n] = stats.mu_mean;
        z[n + 1] = (0.5 * stats.log_variance).exp();
    }

    fn sample(&self, factors: &EightSchoolsFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let n = self.n_schools();
        for (z, q) in z.iter_mut().zip(&factors.effects) {
            *z = q.sample(rng);
        }
        z[n] = factors.mean.sample(rng);
        z[n + 1] = factors.variance.sample(rng).sqrt();
    }

    fn log_prob(&self, factors: &EightSchoolsFactors, z: &ArrayRef1<f64>) -> f64 {
        let n = self.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        let effects: f64 = factors.effects.iter().zip(z).map(|(q, t)| q.log_prob(t)).sum();
        effects + factors.mean.log_prob(&mu) + scale_log_prob(&factors.variance, tau)
    }
}
