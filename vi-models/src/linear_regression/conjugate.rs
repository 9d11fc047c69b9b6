//! The complete conditionals: β Gaussian, τ Gamma.

use ndarray::{Array1, ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gamma, MvGaussian};

use self::LinearRegressionBlock::{Coefficients, Noise};
use super::{LinearRegression, NoisePrior};
use crate::checks::refused;
use crate::noise::PrecisionStats;

/// The blocks of [`LinearRegression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinearRegressionBlock {
    /// β.
    Coefficients,
    /// τ, unless it is known.
    Noise,
}

const BLOCKS: [LinearRegressionBlock; 2] = [Coefficients, Noise];

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearRegressionStats {
    /// `E[β]` (D).
    pub coefficients: Array1<f64>,
    /// `E[Σ (y_n − x_nᵀβ)²]`.
    pub squares: f64,
    /// `E[(β − m₀)ᵀ Λ₀ (β − m₀)]`.
    pub prior_squares: f64,
    /// `E[τ]`.
    pub precision: f64,
    /// `E[log τ]`.
    pub log_precision: f64,
}

/// The factors q(β) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearRegressionFactors {
    /// q(β).
    pub coefficients: MvGaussian,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
}

impl LinearRegression {
    fn noise_conditional(&self, stats: &LinearRegressionStats) -> Result<Option<Gamma>, FamilyError> {
        let power = self.priors.power();
        let n = self.loss.n + power * self.n_coefficients() as f64;
        self.priors.noise.conditional(n, stats.squares + power * stats.prior_squares)
    }

    /// q(τ) at its prior, q(β) its conditional given `E[τ]`.
    fn start(&self) -> Result<(LinearRegressionFactors, PrecisionStats), FamilyError> {
        let (noise, precision) = self.priors.noise.start()?;
        let coefficients = self.coefficients_given(precision.mean, self.prior_scale(precision.mean))?;
        Ok((LinearRegressionFactors { coefficients, noise }, precision))
    }

    fn set_coefficients(&self, stats: &mut LinearRegressionStats, coefficients: &ArrayRef1<f64>) {
        stats.coefficients.assign(coefficients);
        stats.squares = self.loss.at(coefficients);
        stats.prior_squares = self.prior_squares(coefficients);
    }
}

impl ConditionallyConjugate for LinearRegression {
    type Block = LinearRegressionBlock;
    type Stats = LinearRegressionStats;
    type Factors = LinearRegressionFactors;

    fn blocks(&self) -> &[LinearRegressionBlock] {
        match self.priors.noise {
            NoisePrior::Known { .. } => &BLOCKS[..1],
            NoisePrior::Gamma { .. } => &BLOCKS,
        }
    }

    /// Starts with τ at its prior and β given it, whatever the key: the bound has one optimum.
    fn init(
        &self,
        _key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(LinearRegressionFactors, LinearRegressionStats), ConjugateError> {
        let (factors, precision) = self.start().map_err(|e| refused(Coefficients, e))?;
        let mut stats = LinearRegressionStats {
            coefficients: Array1::zeros(self.n_coefficients()),
            squares: 0.0,
            prior_squares: 0.0,
            precision: precision.mean,
            log_precision: precision.log,
        };
        for &block in self.blocks() {
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: LinearRegressionBlock,
        stats: &LinearRegressionStats,
        factors: &mut LinearRegressionFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let refuse = |e| refused(block, e);
        match block {
            Coefficients => {
                let scale = self.prior_scale(stats.precision);
                factors.coefficients = self.coefficients_given(stats.precision, scale).map_err(refuse)?;
            }
            Noise => factors.noise = self.noise_conditional(stats).map_err(refuse)?,
        }
        Ok(())
    }

    /// ```text
    /// E[Σ (y_n − x_nᵀβ)²] = Σ (y_n − x_nᵀm)² + tr(XᵀX Σ)
    /// ```
    fn expect(
        &self,
        block: LinearRegressionBlock,
        factors: &LinearRegressionFactors,
        stats: &mut LinearRegressionStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Coefficients => {
                let q = &factors.coefficients;
                self.set_coefficients(stats, q.mean());
                stats.squares += (&self.loss.gram * q.covariance()).sum();
                stats.prior_squares += self.precisions.dot(&q.covariance().diag());
            }
            Noise => {
                if let Some(q) = &factors.noise {
                    (stats.precision, stats.log_precision) = (q.mean(), q.expected_log());
                }
            }
        }
    }

    fn draw(
        &self,
        block: LinearRegressionBlock,
        factors: &LinearRegressionFactors,
        key: StreamKey,
        stats: &mut LinearRegressionStats,
        _exec: Exec<'_>,
    ) {
        let mut rng = key.rng(0);
        match block {
            Coefficients => {
                let coefficients = factors.coefficients.sample(&mut rng);
                self.set_coefficients(stats, &coefficients);
            }
            Noise => {
                if let Some(q) = &factors.noise {
                    let tau = q.sample(&mut rng);
                    (stats.precision, stats.log_precision) = (tau, tau.ln());
                }
            }
        }
    }

    fn block_log_prob(
        &self,
        block: LinearRegressionBlock,
        factors: &LinearRegressionFactors,
        stats: &LinearRegressionStats,
    ) -> f64 {
        match block {
            Coefficients => factors.coefficients.log_prob(&stats.coefficients),
            Noise => factors.noise.as_ref().map_or(0.0, |q| q.log_prob(&stats.precision)),
        }
    }

    fn expected_log_joint(&self, stats: &LinearRegressionStats) -> f64 {
        let s = stats;
        self.assemble(self.loss.n, s.log_precision, s.precision, s.squares, s.prior_squares)
    }

    fn entropy(&self, factors: &LinearRegressionFactors) -> f64 {
        factors.coefficients.entropy() + factors.noise.as_ref().map_or(0.0, Gamma::entropy)
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &LinearRegressionStats, z: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        z.slice_mut(s![..d]).assign(&stats.coefficients);
        if z.len() > d {
            z[d] = stats.precision;
        }
    }

    fn sample(&self, factors: &LinearRegressionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        factors.coefficients.sample_into(rng, &mut z.slice_mut(s![..d]));
        if let Some(q) = &factors.noise {
            z[d] = q.sample(rng);
        }
    }

    fn log_prob(&self, factors: &LinearRegressionFactors, z: &ArrayRef1<f64>) -> f64 {
        let d = self.n_coefficients();
        let noise = factors.noise.as_ref().map_or(0.0, |q| q.log_prob(&z[d]));
        factors.coefficients.log_prob(&z.slice(s![..d])) + noise
    }
}
