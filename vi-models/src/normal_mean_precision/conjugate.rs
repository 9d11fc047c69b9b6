//! The complete conditionals: μ Gaussian, τ Gamma.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gamma, Gaussian};

use self::NormalMeanPrecisionBlock::{Mean, Precision};
use super::NormalMeanPrecision;
use crate::checks::refused;

/// The blocks of [`NormalMeanPrecision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NormalMeanPrecisionBlock {
    /// μ.
    Mean,
    /// τ.
    Precision,
}

const BLOCKS: [NormalMeanPrecisionBlock; 2] = [Mean, Precision];

/// Expected or realised statistics. A realised μ has variance 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalMeanPrecisionStats {
    /// `E[μ]`.
    pub mean: f64,
    /// `Var[μ]`.
    pub mean_variance: f64,
    /// `E[τ]`.
    pub precision: f64,
    /// `E[log τ]`.
    pub log_precision: f64,
}

/// The factors q(μ) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalMeanPrecisionFactors {
    /// q(μ).
    pub mean: Gaussian,
    /// q(τ).
    pub precision: Gamma,
}

impl NormalMeanPrecision {
    fn mean_conditional(&self, stats: &NormalMeanPrecisionStats) -> Result<Gaussian, FamilyError> {
        let (p, s) = (&self.priors, &self.summary);
        let weight = stats.precision * s.n;
        let prior = p.mean_precision * if p.coupled { stats.precision } else { 1.0 };
        let mean = (weight * s.mean + prior * p.mean) / (weight + prior);
        Gaussian::from_mean_precision(mean, weight + prior)
    }

    fn precision_conditional(&self, stats: &NormalMeanPrecisionStats) -> Result<Gamma, FamilyError> {
        let (p, s) = (&self.priors, &self.summary);
        let prior = p.power() * p.mean_precision * self.prior_square(stats);
        let rate = p.rate + 0.5 * (self.squares(stats) + prior);
        Gamma::from_shape_rate(p.shape + 0.5 * (s.n + p.power()), rate)
    }

    /// `E[Σ (x_n − μ)²]`.
    fn squares(&self, stats: &NormalMeanPrecisionStats) -> f64 {
        self.summary.squares_about(stats.mean) + self.summary.n * stats.mean_variance
    }

    /// `E[(μ − m₀)²]`.
    fn prior_square(&self, stats: &NormalMeanPrecisionStats) -> f64 {
        (stats.mean - self.priors.mean).powi(2) + stats.mean_variance
    }

    fn start(&self) -> Result<NormalMeanPrecisionFactors, FamilyError> {
        let p = &self.priors;
        let precision = Gamma::from_shape_rate(p.shape, p.rate)?;
        let scale = if p.coupled { precision.mean() } else { 1.0 };
        Ok(NormalMeanPrecisionFactors {
            mean: Gaussian::from_mean_precision(p.mean, scale * p.mean_precision)?,
            precision,
        })
    }
}

impl ConditionallyConjugate for NormalMeanPrecision {
    type Block = NormalMeanPrecisionBlock;
    type Stats = NormalMeanPrecisionStats;
    type Factors = NormalMeanPrecisionFactors;

    fn blocks(&self) -> &[NormalMeanPrecisionBlock] {
        &BLOCKS
    }

    /// Starts at the prior, whatever the key: the bound has one optimum.
    fn init(
        &self,
        _key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(NormalMeanPrecisionFactors, NormalMeanPrecisionStats), ConjugateError> {
        let factors = self.start().map_err(|e| refused(Mean, e))?;
        let mut stats =
            NormalMeanPrecisionStats { mean: 0.0, mean_variance: 0.0, precision: 0.0, log_precision: 0.0 };
        for block in BLOCKS {
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: NormalMeanPrecisionBlock,
        stats: &NormalMeanPrecisionStats,
        factors: &mut NormalMeanPrecisionFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Mean => factors.mean = self.mean_conditional(stats).map_err(|e| refused(block, e))?,
            Precision => {
                factors.precision = self.precision_conditional(stats).map_err(|e| refused(block, e))?;
            }
        }
        Ok(())
    }

    fn expect(
        &self,
        block: NormalMeanPrecisionBlock,
        factors: &NormalMeanPrecisionFactors,
        stats: &mut NormalMeanPrecisionStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Mean => (stats.mean, stats.mean_variance) = (factors.mean.mean(), factors.mean.variance()),
            Precision => {
                let q = &factors.precision;
                (stats.precision, stats.log_precision) = (q.mean(), q.expected_log());
            }
        }
    }

    fn draw(
        &self,
        block: NormalMeanPrecisionBlock,
        factors: &NormalMeanPrecisionFactors,
        key: StreamKey,
        stats: &mut NormalMeanPrecisionStats,
        _exec: Exec<'_>,
    ) {
        let mut rng = key.rng(0);
        match block {
            Mean => (stats.mean, stats.mean_variance) = (factors.mean.sample(&mut rng), 0.0),
            Precision => {
                let tau = factors.precision.sample(&mut rng);
                (stats.precision, stats.log_precision) = (tau, tau.ln());
            }
        }
    }

    fn block_log_prob(
        &self,
        block: NormalMeanPrecisionBlock,
        factors: &NormalMeanPrecisionFactors,
        stats: &NormalMeanPrecisionStats,
    ) -> f64 {
        match block {
            Mean => factors.mean.log_prob(&stats.mean),
            Precision => factors.precision.log_prob(&stats.precision),
        }
    }

    fn expected_log_joint(&self, stats: &NormalMeanPrecisionStats) -> f64 {
        let terms = self.terms(&self.summary);
        terms.assemble(stats.log_precision, stats.precision, self.squares(stats), self.prior_square(stats))
    }

    fn entropy(&self, factors: &NormalMeanPrecisionFactors) -> f64 {
        factors.mean.entropy() + factors.precision.entropy()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &NormalMeanPrecisionStats, z: &mut ArrayRef1<f64>) {
        z[0] = stats.mean;
        z[1] = stats.precision;
    }

    fn sample(&self, factors: &NormalMeanPrecisionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z[0] = factors.mean.sample(rng);
        z[1] = factors.precision.sample(rng);
    }

    fn log_prob(&self, factors: &NormalMeanPrecisionFactors, z: &ArrayRef1<f64>) -> f64 {
        factors.mean.log_prob(&z[0]) + factors.precision.log_prob(&z[1])
    }
}
