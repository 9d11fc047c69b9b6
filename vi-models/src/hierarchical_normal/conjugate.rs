//! The complete conditionals.
//!
//! ```text
//! θ and μ: see `normal_effects`, with w_j = n_j/σ² and the means ȳ_j of the groups
//! τ², σ² and their auxiliary variables: see `half_cauchy`, with Σ_j (θ_j − μ)² and Σ_ij (y_ij − θ_j)²
//! ```

use ndarray::ArrayRef1;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gaussian, InverseGamma};

use super::HierarchicalNormal;
use crate::checks::{LOG_2_PI, refused};
use crate::half_cauchy::{HalfCauchyStats, draw_scale, scale_entropy, scale_log_prob};
use crate::normal_effects::NormalEffectsStats;

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HierarchicalNormalBlock {
    /// All θ_j, independent of each other given the rest.
    Effects,
    /// μ.
    Mean,
    /// τ².
    Between,
    /// The auxiliary variable of τ².
    BetweenAuxiliary,
    /// σ².
    Within,
    /// The auxiliary variable of σ².
    WithinAuxiliary,
}

use HierarchicalNormalBlock::{Between, BetweenAuxiliary, Effects, Mean, Within, WithinAuxiliary};

const BLOCKS: [HierarchicalNormalBlock; 6] =
    [Effects, Mean, Between, BetweenAuxiliary, Within, WithinAuxiliary];

/// One factor per block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalNormalFactors {
    /// q(θ_j) (J).
    pub effects: Vec<Gaussian>,
    /// q(μ).
    pub mean: Gaussian,
    /// q(τ²).
    pub between: InverseGamma,
    /// Its auxiliary variable.
    pub between_auxiliary: InverseGamma,
    /// q(σ²).
    pub within: InverseGamma,
    /// Its auxiliary variable.
    pub within_auxiliary: InverseGamma,
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalNormalStats {
    /// θ and μ.
    pub effects: NormalEffectsStats,
    /// τ.
    pub between: HalfCauchyStats,
    /// σ.
    pub within: HalfCauchyStats,
}

impl HierarchicalNormal {
    /// E[Σ_ij (y_ij − θ_j)²].
    fn within_squares(&self, stats: &HierarchicalNormalStats) -> f64 {
        let effects = &stats.effects;
        let term = |j: usize| {
            self.count[j] * ((self.mean[j] - effects.effect_mean[j]).powi(2) + effects.effect_variance[j])
        };
        self.within_squares + (0..self.n_groups()).map(term).sum::<f64>()
    }

    /// A start at some scales.
    fn start(
        &self,
        between: f64,
        within: f64,
    ) -> Result<(HierarchicalNormalFactors, HierarchicalNormalStats), ConjugateError> {
        let mut stats = HierarchicalNormalStats {
            effects: NormalEffectsStats::at(self.mean.clone(), self.mean.mean().unwrap_or(0.0)),
            between: HalfCauchyStats::at(between * between, self.priors.between_scale),
            within: HalfCauchyStats::at(within * within, self.priors.within_scale),
        };
        let scale = InverseGamma::from_shape_scale(1.0, 1.0).expect("positive");
        let normal = Gaussian::from_mean_precision(0.0, 1.0).expect("positive");
        let mut factors = HierarchicalNormalFactors {
            effects: vec![normal.clone(); self.n_groups()],
            mean: normal,
            between: scale.clone(),
            between_auxiliary: scale.clone(),
            within: scale.clone(),
            within_auxiliary: scale,
        };
        for block in BLOCKS {
            self.condition(block, &stats, &mut factors, Exec::local())?;
            self.expect(block, &factors, &mut stats, Exec::local());
        }
        Ok((factors, stats))
    }
}

/// Reported in (θ, μ, τ, σ).
impl ConditionallyConjugate for HierarchicalNormal {
    type Block = HierarchicalNormalBlock;
    type Stats = HierarchicalNormalStats;
    type Factors = HierarchicalNormalFactors;

    fn blocks(&self) -> &[HierarchicalNormalBlock] {
        &BLOCKS
    }

    /// Starts at the standard deviation of the data, times exp(ε) for each scale.
    fn init(
        &self,
        key: StreamKey,
        _exec: Exec<'_>,
    ) -> Result<(HierarchicalNormalFactors, HierarchicalNormalStats), ConjugateError> {
        let mut rng = key.rng(0);
        let sd = Some(self.data.value.std(0.0)).filter(|sd| *sd > 0.0).unwrap_or(1.0);
        let mut scale = || sd * Distribution::<f64>::sample(&StandardNormal, &mut rng).exp();
        self.start(scale(), scale())
    }

    fn condition(
        &self,
        block: HierarchicalNormalBlock,
        stats: &HierarchicalNormalStats,
        factors: &mut HierarchicalNormalFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (effects, between, within, priors) =
            (&stats.effects, &stats.between, &stats.within, &self.priors);
        let mut update = || -> Result<(), FamilyError> {
            match block {
                Effects => {
                    for (j, factor) in factors.effects.iter_mut().enumerate() {
                        let weight = self.count[j] * within.precision;
                        *factor = effects.effect_given(weight, self.mean[j], between.precision)?;
                    }
                }
                Mean => factors.mean = effects.mu_given((priors.mu_mean, priors.mu_sd), between.precision)?,
                Between => {
                    let n = self.n_groups() as f64;
                    factors.between = between.variance_conditional(n, stats.effects.squares())?;
                }
                BetweenAuxiliary => {
                    factors.between_auxiliary = between.auxiliary_conditional(priors.between_scale)?;
                }
                Within => {
                    factors.within =
                        within.variance_conditional(self.n_data(), self.within_squares(stats))?;
                }
                WithinAuxiliary => {
                    factors.within_auxiliary = within.auxiliary_conditional(priors.within_scale)?;
                }
            }
            Ok(())
        };
        update().map_err(|e| refused(block, e))
    }

    fn expect(
        &self,
        block: HierarchicalNormalBlock,
        factors: &HierarchicalNormalFactors,
        stats: &mut HierarchicalNormalStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Effects => stats.effects.expect_effects(&factors.effects),
            Mean => stats.effects.expect_mu(&factors.mean),
            Between => stats.between.expect_variance(&factors.between),
            BetweenAuxiliary => stats.between.expect_auxiliary(&factors.between_auxiliary),
            Within => stats.within.expect_variance(&factors.within),
            WithinAuxiliary => stats.within.expect_auxiliary(&factors.within_auxiliary),
        }
    }

    fn draw(
        &self,
        block: HierarchicalNormalBlock,
        factors: &HierarchicalNormalFactors,
        key: StreamKey,
        stats: &mut HierarchicalNormalStats,
        _exec: Exec<'_>,
    ) {
        let rng = &mut key.rng(0);
        match block {
            Effects => stats.effects.draw_effects(&factors.effects, key),
            Mean => stats.effects.draw_mu(&factors.mean, rng),
            Between => stats.between.set_variance(factors.between.sample(rng)),
            BetweenAuxiliary => stats.between.set_auxiliary(factors.between_auxiliary.sample(rng)),
            Within => stats.within.set_variance(factors.within.sample(rng)),
            WithinAuxiliary => stats.within.set_auxiliary(factors.within_auxiliary.sample(rng)),
        }
    }

    fn block_log_prob(
        &self,
        block: HierarchicalNormalBlock,
        factors: &HierarchicalNormalFactors,
        stats: &HierarchicalNormalStats,
    ) -> f64 {
        match block {
            Effects => stats.effects.effects_log_prob(&factors.effects),
            Mean => factors.mean.log_prob(&stats.effects.mu_mean),
            Between => stats.between.variance_log_prob(&factors.between),
            BetweenAuxiliary => stats.between.auxiliary_log_prob(&factors.between_auxiliary),
            Within => stats.within.variance_log_prob(&factors.within),
            WithinAuxiliary => stats.within.auxiliary_log_prob(&factors.within_auxiliary),
        }
    }

    fn expected_log_joint(&self, stats: &HierarchicalNormalStats) -> f64 {
        let (n, j, priors) = (self.n_data(), self.n_groups() as f64, &self.priors);
        let mu = (stats.effects.mu_mean - priors.mu_mean).powi(2) + stats.effects.mu_variance;
        stats.within.normal_term(n, self.within_squares(stats))
            + stats.between.normal_term(j, stats.effects.squares())
            - 0.5 * mu / priors.mu_sd.powi(2)
            - priors.mu_sd.ln()
            - 0.5 * (n + j + 1.0) * LOG_2_PI
            + stats.between.expected_log_prior(priors.between_scale)
            + stats.within.expected_log_prior(priors.within_scale)
    }

    fn entropy(&self, factors: &HierarchicalNormalFactors) -> f64 {
        let effects: f64 = factors.effects.iter().map(Gaussian::entropy).sum();
        effects
            + factors.mean.entropy()
            + scale_entropy(&factors.between)
            + factors.between_auxiliary.entropy()
            + scale_entropy(&factors.within)
            + factors.within_auxiliary.entropy()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &HierarchicalNormalStats, z: &mut ArrayRef1<f64>) {
        let rest = [stats.effects.mu_mean, stats.between.scale(), stats.within.scale()];
        z.iter_mut().zip(stats.effects.effect_mean.iter().copied().chain(rest)).for_each(|(z, v)| *z = v);
    }

    fn sample(&self, factors: &HierarchicalNormalFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let n = self.n_groups();
        z.iter_mut().zip(&factors.effects).for_each(|(z, q)| *z = q.sample(rng));
        z[n] = factors.mean.sample(rng);
        z[n + 1] = draw_scale(&factors.between, rng);
        z[n + 2] = draw_scale(&factors.within, rng);
    }

    fn log_prob(&self, factors: &HierarchicalNormalFactors, z: &ArrayRef1<f64>) -> f64 {
        let n = self.n_groups();
        let effects: f64 = factors.effects.iter().zip(z).map(|(q, t)| q.log_prob(t)).sum();
        effects
            + factors.mean.log_prob(&z[n])
            + scale_log_prob(&factors.between, z[n + 1])
            + scale_log_prob(&factors.within, z[n + 2])
    }
}
