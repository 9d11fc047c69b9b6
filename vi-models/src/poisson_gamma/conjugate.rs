//! The complete conditionals.
//!
//! ```text
//! θ_i | · ~ Gamma(α + x_i, β + t_i)
//! β   | · ~ Gamma(c + N α, d + Σ_i θ_i)
//! α   | · ∝ exp(α (N log β + Σ_i log θ_i − r) − N log Γ(α))
//! ```

use ndarray::{Array1, ArrayRef1};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::special::log_gamma;
use vi_families::{ExponentialFamily, FamilyError, Gamma};

use super::{GammaShape, PoissonGamma, ShapePrior};
use crate::checks::refused;

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoissonGammaBlock {
    /// All θ_i.
    Rates,
    /// β.
    Rate,
    /// α, unless it is known.
    Shape,
}

use PoissonGammaBlock::{Rate, Rates, Shape};

const BLOCKS: [PoissonGammaBlock; 3] = [Rates, Rate, Shape];

/// q(θ) q(β) q(α).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonGammaFactors {
    /// q(θ_i) (N).
    pub rates: Vec<Gamma>,
    /// q(β).
    pub rate: Gamma,
    /// q(α); `None` where it is known.
    pub shape: Option<GammaShape>,
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonGammaStats {
    /// E\[θ_i\] (N).
    pub rates: Array1<f64>,
    /// E[log θ_i] (N).
    pub log_rates: Array1<f64>,
    /// E\[β\].
    pub rate: f64,
    /// E[log β].
    pub log_rate: f64,
    /// E\[α\].
    pub shape: f64,
    /// E[log Γ(α)].
    pub log_gamma_shape: f64,
}

impl PoissonGamma {
    pub(super) fn rates_conditional(
        &self,
        i: usize,
        stats: &PoissonGammaStats,
    ) -> Result<Gamma, FamilyError> {
        Gamma::from_shape_rate(stats.shape + self.data.count[i], stats.rate + self.data.exposure[i])
    }

    /// q(β) given α and Σ_i θ_i.
    pub(super) fn rate_given(&self, stats: &PoissonGammaStats, rates: f64) -> Result<Gamma, FamilyError> {
        let (n, priors) = (self.n_rates() as f64, &self.priors);
        Gamma::from_shape_rate(priors.rate_shape + n * stats.shape, priors.rate_rate + rates)
    }

    /// q(α) given β and Σ_i log θ_i.
    pub(super) fn shape_given(
        &self,
        stats: &PoissonGammaStats,
        log_rates: f64,
    ) -> Result<Option<GammaShape>, FamilyError> {
        let ShapePrior::Exponential { rate } = self.priors.shape else { return Ok(None) };
        let n = self.n_rates() as f64;
        GammaShape::from_linear_count(n * stats.log_rate + log_rates - rate, n).map(Some)
    }

    pub(super) fn shape_is_learned(&self) -> bool {
        matches!(self.priors.shape, ShapePrior::Exponential { .. })
    }

    /// A start at some α and β, θ given these.
    fn start(
        &self,
        shape: f64,
        rate: f64,
    ) -> Result<(PoissonGammaFactors, PoissonGammaStats), ConjugateError> {
        let n = self.n_rates();
        let mut stats = PoissonGammaStats {
            rates: Array1::zeros(n),
            log_rates: Array1::zeros(n),
            rate,
            log_rate: rate.ln(),
            shape,
            log_gamma_shape: log_gamma(shape),
        };
        let unit = Gamma::from_shape_rate(1.0, 1.0).expect("positive");
        let mut factors = PoissonGammaFactors { rates: vec![unit.clone(); n], rate: unit, shape: None };
        for &block in self.blocks() {
            self.condition(block, &stats, &mut factors, Exec::local())?;
            self.expect(block, &factors, &mut stats, Exec::local());
        }
        Ok((factors, stats))
    }

    /// Log density of the joint from its statistics.
    pub(super) fn assemble(
        &self,
        rates: impl Iterator<Item = (f64, f64)>,
        (beta, log_beta): (f64, f64),
        (alpha, log_gamma_alpha): (f64, f64),
    ) -> f64 {
        let priors = &self.priors;
        let mut sum = self.log_base + priors.log_constant();
        let data = self.data.count.iter().zip(&self.data.exposure);
        for ((x, t), (theta, log_theta)) in data.zip(rates) {
            sum += (x + alpha - 1.0) * log_theta - (t + beta) * theta + alpha * log_beta - log_gamma_alpha;
        }
        sum += (priors.rate_shape - 1.0) * log_beta - priors.rate_rate * beta;
        match priors.shape {
            ShapePrior::Known { .. } => sum,
            ShapePrior::Exponential { rate } => sum - rate * alpha,
        }
    }
}

/// Reported in (θ, β, α).
impl ConditionallyConjugate for PoissonGamma {
    type Block = PoissonGammaBlock;
    type Stats = PoissonGammaStats;
    type Factors = PoissonGammaFactors;

    fn blocks(&self) -> &[PoissonGammaBlock] {
        match self.priors.shape {
            ShapePrior::Known { .. } => &BLOCKS[..2],
            ShapePrior::Exponential { .. } => &BLOCKS,
        }
    }

    /// Starts at α = exp(ε₁) unless it is known, β = α/x̄ exp(ε₂), with x̄ the rate of all counts together.
    fn init(
        &self,
        key: StreamKey,
        _exec: Exec<'_>,
    ) -> Result<(PoissonGammaFactors, PoissonGammaStats), ConjugateError> {
        let mut rng = key.rng(0);
        let mut noise = || -> f64 { StandardNormal.sample(&mut rng) };
        let shape = match self.priors.shape {
            ShapePrior::Known { shape } => shape,
            ShapePrior::Exponential { .. } => noise().exp(),
        };
        let mean = (self.data.count.sum() + 0.5) / self.data.exposure.sum();
        self.start(shape, shape / mean * noise().exp())
    }

    fn condition(
        &self,
        block: PoissonGammaBlock,
        stats: &PoissonGammaStats,
        factors: &mut PoissonGammaFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let mut update = || -> Result<(), FamilyError> {
            match block {
                Rates => {
                    for (i, q) in factors.rates.iter_mut().enumerate() {
                        *q = self.rates_conditional(i, stats)?;
                    }
                }
                Rate => factors.rate = self.rate_given(stats, stats.rates.sum())?,
                Shape => factors.shape = self.shape_given(stats, stats.log_rates.sum())?,
            }
            Ok(())
        };
        update().map_err(|e| refused(block, e))
    }

    fn expect(
        &self,
        block: PoissonGammaBlock,
        factors: &PoissonGammaFactors,
        stats: &mut PoissonGammaStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Rates => {
                for (i, q) in factors.rates.iter().enumerate() {
                    (stats.rates[i], stats.log_rates[i]) = (q.mean(), q.expected_log());
                }
            }
            Rate => (stats.rate, stats.log_rate) = (factors.rate.mean(), factors.rate.expected_log()),
            Shape => {
                if let Some(q) = &factors.shape {
                    (stats.shape, stats.log_gamma_shape) = (q.mean(), q.expected_log_gamma());
                }
            }
        }
    }

    fn draw(
        &self,
        block: PoissonGammaBlock,
        factors: &PoissonGammaFactors,
        key: StreamKey,
        stats: &mut PoissonGammaStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Rates => {
                for (i, q) in factors.rates.iter().enumerate() {
                    let theta = q.sample(&mut key.rng(i as u64));
                    (stats.rates[i], stats.log_rates[i]) = (theta, theta.ln());
                }
            }
            Rate => {
                let beta = factors.rate.sample(&mut key.rng(0));
                (stats.rate, stats.log_rate) = (beta, beta.ln());
            }
            Shape => {
                if let Some(q) = &factors.shape {
                    let alpha = q.sample(&mut key.rng(0));
                    (stats.shape, stats.log_gamma_shape) = (alpha, log_gamma(alpha));
                }
            }
        }
    }

    fn block_log_prob(
        &self,
        block: PoissonGammaBlock,
        factors: &PoissonGammaFactors,
        stats: &PoissonGammaStats,
    ) -> f64 {
        match block {
            Rates => factors.rates.iter().zip(&stats.rates).map(|(q, theta)| q.log_prob(theta)).sum(),
            Rate => factors.rate.log_prob(&stats.rate),
            Shape => factors.shape.map_or(0.0, |q| q.log_prob(stats.shape)),
        }
    }

    fn expected_log_joint(&self, stats: &PoissonGammaStats) -> f64 {
        let rates = stats.rates.iter().copied().zip(stats.log_rates.iter().copied());
        self.assemble(rates, (stats.rate, stats.log_rate), (stats.shape, stats.log_gamma_shape))
    }

    fn entropy(&self, factors: &PoissonGammaFactors) -> f64 {
        let rates: f64 = factors.rates.iter().map(Gamma::entropy).sum();
        rates + factors.rate.entropy() + factors.shape.map_or(0.0, |q| q.entropy())
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &PoissonGammaStats, z: &mut ArrayRef1<f64>) {
        let values = stats.rates.iter().copied().chain([stats.rate, stats.shape]);
        z.iter_mut().zip(values).for_each(|(z, v)| *z = v);
    }

    fn sample(&self, factors: &PoissonGammaFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let n = self.n_rates();
        z.iter_mut().zip(&factors.rates).for_each(|(z, q)| *z = q.sample(rng));
        z[n] = factors.rate.sample(rng);
        if let Some(q) = &factors.shape {
            z[n + 1] = q.sample(rng);
        }
    }

    fn log_prob(&self, factors: &PoissonGammaFactors, z: &ArrayRef1<f64>) -> f64 {
        let n = self.n_rates();
        let rates: f64 = factors.rates.iter().zip(z).map(|(q, theta)| q.log_prob(theta)).sum();
        rates + factors.rate.log_prob(&z[n]) + factors.shape.map_or(0.0, |q| q.log_prob(z[n + 1]))
    }
}
