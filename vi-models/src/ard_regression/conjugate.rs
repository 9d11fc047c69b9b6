//! The complete conditionals: β Gaussian, every α_j and τ Gamma.

use ndarray::{Array1, ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, FamilyError, Gamma, MvGaussian};

use self::ArdRegressionBlock::{Coefficients, Noise, Relevances};
use super::ArdRegression;
use crate::checks::refused;
use crate::noise::{NoisePrior, PrecisionStats, factor_log_prob};

/// The blocks of [`ArdRegression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArdRegressionBlock {
    /// β.
    Coefficients,
    /// α.
    Relevances,
    /// τ, unless it is known.
    Noise,
}

const BLOCKS: [ArdRegressionBlock; 3] = [Coefficients, Relevances, Noise];

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArdRegressionStats {
    /// `E[β]`, the intercept included.
    pub coefficients: Array1<f64>,
    /// `E[β_j²]`, the intercept included.
    pub coefficient_squares: Array1<f64>,
    /// `E[Σ (y_n − x_nᵀβ)²]`.
    pub squares: f64,
    /// `E[α]` (D).
    pub relevances: Array1<f64>,
    /// `E[log α]` (D).
    pub log_relevances: Array1<f64>,
    /// Those of τ.
    pub precision: PrecisionStats,
}

/// The factors q(β) ∏ q(α_j) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArdRegressionFactors {
    /// q(β).
    pub coefficients: MvGaussian,
    /// q(α_j) (D).
    pub relevances: Vec<Gamma>,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
}

impl ArdRegression {
    /// c₀ + ½ and d₀ + ½ `E[β_j²]`.
    pub(super) fn relevances_given(&self, squares: &ArrayRef1<f64>) -> Result<Vec<Gamma>, FamilyError> {
        let (shape, rate) = (self.priors.relevance_shape, self.priors.relevance_rate);
        let squares = squares.iter().skip(self.first_slope());
        squares.map(|s| Gamma::from_shape_rate(shape + 0.5, rate + 0.5 * s)).collect()
    }

    /// τ at its prior, α at the conditional given the ridge coefficients, β given both.
    fn start(&self) -> Result<(ArdRegressionFactors, PrecisionStats), FamilyError> {
        let (noise, precision) = self.priors.noise.start()?;
        let relevances = self.relevances_given(&self.loss.reference.mapv(|b| b * b))?;
        let alpha: Array1<f64> = relevances.iter().map(Gamma::mean).collect();
        let coefficients = self.coefficients_given(&self.loss, precision.mean, &alpha)?;
        Ok((ArdRegressionFactors { coefficients, relevances, noise }, precision))
    }

    /// All statistics under `factors`; `precision` is that of a known τ.
    pub(super) fn expected_under(
        &self,
        factors: &ArdRegressionFactors,
        precision: PrecisionStats,
        exec: Exec<'_>,
    ) -> ArdRegressionStats {
        let mut stats = ArdRegressionStats {
            coefficients: Array1::zeros(self.n_coefficients()),
            coefficient_squares: Array1::zeros(self.n_coefficients()),
            squares: 0.0,
            relevances: Array1::zeros(self.n_slopes()),
            log_relevances: Array1::zeros(self.n_slopes()),
            precision,
        };
        for &block in self.blocks() {
            self.expect(block, factors, &mut stats, exec);
        }
        stats
    }

    fn set_coefficients(&self, stats: &mut ArdRegressionStats, coefficients: &ArrayRef1<f64>) {
        stats.coefficients.assign(coefficients);
        stats.coefficient_squares = coefficients.mapv(|b| b * b);
        stats.squares = self.loss.at(coefficients);
    }
}

impl ConditionallyConjugate for ArdRegression {
    type Block = ArdRegressionBlock;
    type Stats = ArdRegressionStats;
    type Factors = ArdRegressionFactors;

    fn blocks(&self) -> &[ArdRegressionBlock] {
        match self.priors.noise {
            NoisePrior::Known { .. } => &BLOCKS[..2],
            NoisePrior::Gamma { .. } => &BLOCKS,
        }
    }

    /// Starts at the ridge coefficients, whatever the key.
    fn init(
        &self,
        _key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(ArdRegressionFactors, ArdRegressionStats), ConjugateError> {
        let (factors, precision) = self.start().map_err(|e| refused(Coefficients, e))?;
        let stats = self.expected_under(&factors, precision, exec);
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: ArdRegressionBlock,
        stats: &ArdRegressionStats,
        factors: &mut ArdRegressionFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let refuse = |e| refused(block, e);
        match block {
            Coefficients => {
                factors.coefficients = self
                    .coefficients_given(&self.loss, stats.precision.mean, &stats.relevances)
                    .map_err(refuse)?;
            }
            Relevances => {
                factors.relevances = self.relevances_given(&stats.coefficient_squares).map_err(refuse)?;
            }
            Noise => {
                factors.noise = self.priors.noise.conditional(self.loss.n, stats.squares).map_err(refuse)?;
            }
        }
        Ok(())
    }

    fn expect(
        &self,
        block: ArdRegressionBlock,
        factors: &ArdRegressionFactors,
        stats: &mut ArdRegressionStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Coefficients => {
                let q = &factors.coefficients;
                self.set_coefficients(stats, q.mean());
                stats.coefficient_squares += &q.covariance().diag();
                stats.squares += (&self.loss.gram * q.covariance()).sum();
            }
            Relevances => {
                for (j, q) in factors.relevances.iter().enumerate() {
                    (stats.relevances[j], stats.log_relevances[j]) = (q.mean(), q.expected_log());
                }
            }
            Noise => {
                if let Some(q) = &factors.noise {
                    stats.precision = PrecisionStats::expected(q);
                }
            }
        }
    }

    fn draw(
        &self,
        block: ArdRegressionBlock,
        factors: &ArdRegressionFactors,
        key: StreamKey,
        stats: &mut ArdRegressionStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Coefficients => {
                let coefficients = factors.coefficients.sample(&mut key.rng(0));
                self.set_coefficients(stats, &coefficients);
            }
            Relevances => {
                for (j, q) in factors.relevances.iter().enumerate() {
                    let alpha = q.sample(&mut key.rng(j as u64));
                    (stats.relevances[j], stats.log_relevances[j]) = (alpha, alpha.ln());
                }
            }
            Noise => {
                if let Some(q) = &factors.noise {
                    stats.precision = PrecisionStats::realised(q.sample(&mut key.rng(0)));
                }
            }
        }
    }

    fn block_log_prob(
        &self,
        block: ArdRegressionBlock,
        factors: &ArdRegressionFactors,
        stats: &ArdRegressionStats,
    ) -> f64 {
        match block {
            Coefficients => factors.coefficients.log_prob(&stats.coefficients),
            Relevances => factors.relevances.iter().zip(&stats.relevances).map(|(q, a)| q.log_prob(a)).sum(),
            Noise => factor_log_prob(factors.noise.as_ref(), stats.precision.mean),
        }
    }

    fn expected_log_joint(&self, stats: &ArdRegressionStats) -> f64 {
        let PrecisionStats { mean, log } = stats.precision;
        let squares = stats.coefficient_squares.iter().skip(self.first_slope());
        let slopes = squares.zip(&stats.relevances).zip(&stats.log_relevances);
        let slopes: f64 = slopes.map(|((s, a), log_a)| self.relevance_term(*log_a, *a, *s)).sum();
        self.likelihood_term(log, mean, stats.squares)
            + self.intercept_term(stats.coefficient_squares[0])
            + slopes
            + self.priors.noise.log_prob(log, mean)
    }

    fn entropy(&self, factors: &ArdRegressionFactors) -> f64 {
        let relevances: f64 = factors.relevances.iter().map(Gamma::entropy).sum();
        factors.coefficients.entropy() + relevances + factors.noise.as_ref().map_or(0.0, Gamma::entropy)
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &ArdRegressionStats, z: &mut ArrayRef1<f64>) {
        let (d, end) = (self.n_coefficients(), self.n_coefficients() + self.n_slopes());
        z.slice_mut(s![..d]).assign(&stats.coefficients);
        z.slice_mut(s![d..end]).assign(&stats.relevances);
        if z.len() > end {
            z[end] = stats.precision.mean;
        }
    }

    fn sample(&self, factors: &ArdRegressionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        factors.coefficients.sample_into(rng, &mut z.slice_mut(s![..d]));
        let gammas = factors.relevances.iter().chain(&factors.noise);
        for (z, q) in z.iter_mut().skip(d).zip(gammas) {
            *z = q.sample(rng);
        }
    }

    fn log_prob(&self, factors: &ArdRegressionFactors, z: &ArrayRef1<f64>) -> f64 {
        let d = self.n_coefficients();
        let gammas = factors.relevances.iter().chain(&factors.noise);
        let gammas: f64 = gammas.zip(z.iter().skip(d)).map(|(q, z)| q.log_prob(z)).sum();
        factors.coefficients.log_prob(&z.slice(s![..d])) + gammas
    }
}
