//! The centred form by its complete conditionals.
//!
//! The half-Cauchy prior is a scale mixture of inverse Gammas with an auxiliary variable a; the conditionals of τ² and a are
//! those of every half-Cauchy scale (`half_cauchy`), with S = Σ_j (θ_j − μ)², and those of θ and μ those of all effects of
//! groups (`normal_effects`), with w_j = 1/σ_j².
//!
//! Densities of the scale are with respect to dτ, as in [`LogJoint`](vi_core::LogJoint).

use ndarray::ArrayRef1;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gaussian, InverseGamma};

use super::EightSchoolsCentred;
use crate::checks::{LOG_2_PI, refused};
use crate::half_cauchy::{HalfCauchyStats, scale_entropy, scale_log_prob};
use crate::normal_effects::NormalEffectsStats;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EightSchoolsStats {
    /// θ and μ.
    pub effects: NormalEffectsStats,
    /// τ and a.
    pub scale: HalfCauchyStats,
}

impl EightSchoolsCentred {
    fn effect_conditional(&self, j: usize, stats: &EightSchoolsStats) -> Result<Gaussian, FamilyError> {
        let h = &self.hierarchy;
        stats.effects.effect_given(h.weight[j], h.data.effect[j], stats.scale.precision)
    }

    fn mean_conditional(&self, stats: &EightSchoolsStats) -> Result<Gaussian, FamilyError> {
        let priors = self.priors();
        stats.effects.mu_given((priors.mu_mean, priors.mu_sd), stats.scale.precision)
    }

    /// A start that differs by the scale τ₀ at which the sweep begins.
    fn start(&self, log_tau: f64) -> Result<(EightSchoolsFactors, EightSchoolsStats), FamilyError> {
        let n = self.n_schools();
        let scale = HalfCauchyStats::at((2.0 * log_tau).exp(), self.priors().tau_scale);
        let effects = NormalEffectsStats::at(self.hierarchy.data.effect.clone(), 0.0);
        let mut stats = EightSchoolsStats { effects, scale };
        let shape = 0.5 * (n as f64 + 1.0);
        let variance = InverseGamma::from_shape_scale(shape, shape / scale.precision)?;
        let mean = self.mean_conditional(&stats)?;
        stats.effects.expect_mu(&mean);
        let effects =
            (0..n).map(|j| self.effect_conditional(j, &stats)).collect::<Result<Vec<_>, FamilyError>>()?;
        let auxiliary = scale.auxiliary_conditional(self.priors().tau_scale)?;
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
                Variance => {
                    let (n, squares) = (stats.effects.n(), stats.effects.squares());
                    factors.variance = stats.scale.variance_conditional(n, squares)?;
                }
                Auxiliary => {
                    factors.auxiliary = stats.scale.auxiliary_conditional(self.priors().tau_scale)?;
                }
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
            Effects => stats.effects.expect_effects(&factors.effects),
            Mean => stats.effects.expect_mu(&factors.mean),
            Variance => stats.scale.expect_variance(&factors.variance),
            Auxiliary => stats.scale.expect_auxiliary(&factors.auxiliary),
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
            Effects => stats.effects.draw_effects(&factors.effects, key),
            Mean => stats.effects.draw_mu(&factors.mean, &mut key.rng(0)),
            Variance => stats.scale.set_variance(factors.variance.sample(&mut key.rng(0))),
            Auxiliary => stats.scale.set_auxiliary(factors.auxiliary.sample(&mut key.rng(0))),
        }
    }

    fn block_log_prob(
        &self,
        block: EightSchoolsBlock,
        factors: &EightSchoolsFactors,
        stats: &EightSchoolsStats,
    ) -> f64 {
        match block {
            Effects => stats.effects.effects_log_prob(&factors.effects),
            Mean => factors.mean.log_prob(&stats.effects.mu_mean),
            Variance => stats.scale.variance_log_prob(&factors.variance),
            Auxiliary => stats.scale.auxiliary_log_prob(&factors.auxiliary),
        }
    }

    fn expected_log_joint(&self, stats: &EightSchoolsStats) -> f64 {
        let h = &self.hierarchy;
        let n = self.n_schools() as f64;
        let mut likelihood = 0.0;
        for j in 0..self.n_schools() {
            let residual = h.data.effect[j] - stats.effects.effect_mean[j];
            likelihood -= 0.5 * h.weight[j] * (residual * residual + stats.effects.effect_variance[j])
                + 0.5 * LOG_2_PI
                + h.data.standard_error[j].ln();
        }
        let scale = &stats.scale;
        let effects = scale.normal_term(n, stats.effects.squares()) - 0.5 * n * LOG_2_PI;
        let mean =
            h.log_prior_mu(stats.effects.mu_mean) - 0.5 * stats.effects.mu_variance / h.priors.mu_sd.powi(2);
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
        for (z, t) in z.iter_mut().zip(&stats.effects.effect_mean) {
            *z = *t;
        }
        z[n] = stats.effects.mu_mean;
        z[n + 1] = stats.scale.scale();
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
