//! The complete conditionals of the scale mixture: (ν, λ) together, β Gaussian, τ Gamma.
//!
//! The density of λ_n given ν is taken against its prior, the Gamma(ν/2, ν/2) measure: log p(λ_n | ν) = 0 and
//!
//! ```text
//! log q(λ_n | ν) = ½ (log λ_n − s_n λ_n) + (ν + 1)/2 log(1 + s_n/ν) − c_ν
//! c_ν = log Γ((ν + 1)/2) − log Γ(ν/2) − ½ log ν/2
//! ```
//! Nothing in it grows with ν.

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, Gamma, MvGaussian};

use self::StudentTRegressionBlock::{Coefficients, Noise, Scales};
use super::StudentTRegression;
use crate::checks::{LOG_2_PI, refused};
use crate::coefficients::expected_squares;
use crate::noise::{NoisePrior, PrecisionStats, factor_log_prob};
use crate::regression::RegressionData;

/// The blocks of [`StudentTRegression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StudentTRegressionBlock {
    /// ν and λ.
    Scales,
    /// β.
    Coefficients,
    /// τ, unless it is known.
    Noise,
}

const BLOCKS: [StudentTRegressionBlock; 3] = [Scales, Coefficients, Noise];

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudentTRegressionStats {
    /// `E[λ_n]` (N): the weight of datum n.
    pub scales: Array1<f64>,
    /// `E[Σ_n log λ_n]`.
    pub log_scales: f64,
    /// P(ν = ν_k) (K); realised: 1 at the one that was drawn.
    pub dof: Array1<f64>,
    /// `E[β]` (D).
    pub coefficients: Array1<f64>,
    /// `E[Σ_j p_j β_j²]`.
    pub prior_squares: f64,
    /// `E[(y_n − x_nᵀβ)²]` (N).
    pub squares: Array1<f64>,
    /// Those of τ.
    pub precision: PrecisionStats,
}

/// The factors q(ν, λ) q(β) q(τ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudentTRegressionFactors {
    /// q(ν_k) (K).
    pub dof: Array1<f64>,
    /// Its logarithms (K): those of probabilities that underflow are finite.
    pub(super) log_dof: Array1<f64>,
    /// s_n ≥ 0 (N): q(λ_n | ν) = Gamma((ν + 1)/2, (ν + s_n)/2).
    pub squares: Array1<f64>,
    /// Σ_n log(1 + s_n/ν_k) (K).
    pub(super) tails: Array1<f64>,
    /// q(β).
    pub coefficients: MvGaussian,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
}

impl StudentTRegression {
    pub(super) fn n(&self) -> f64 {
        self.data.n_points() as f64
    }

    /// Factors with these of β and τ, and statistics, without contents but for τ's.
    pub(super) fn blank(
        &self,
        coefficients: MvGaussian,
        noise: Option<Gamma>,
        precision: PrecisionStats,
    ) -> (StudentTRegressionFactors, StudentTRegressionStats) {
        let (n, d) = self.data.x().dim();
        let n_dof = self.priors.dof.len();
        let factors = StudentTRegressionFactors {
            dof: Array1::zeros(n_dof),
            log_dof: Array1::zeros(n_dof),
            squares: Array1::zeros(n),
            tails: Array1::zeros(n_dof),
            coefficients,
            noise,
        };
        let stats = StudentTRegressionStats {
            scales: Array1::zeros(n),
            log_scales: 0.0,
            dof: Array1::zeros(n_dof),
            coefficients: Array1::zeros(d),
            prior_squares: 0.0,
            squares: Array1::zeros(n),
            precision,
        };
        (factors, stats)
    }

    fn coefficients_given(
        &self,
        scales: &ArrayRef1<f64>,
        tau: f64,
        exec: Exec<'_>,
    ) -> Result<MvGaussian, ConjugateError> {
        self.coefficients_of(&self.data, &scales.mapv(|l| tau * l), exec)
    }

    /// The mean of β's conditional wants τXᵀΛy: `weights` are τΛ.
    pub(super) fn coefficients_of(
        &self,
        data: &RegressionData,
        weights: &Array1<f64>,
        exec: Exec<'_>,
    ) -> Result<MvGaussian, ConjugateError> {
        let shift = data.x().t().dot(&(weights * data.y()));
        self.prior.posterior(data.x(), weights, &shift, Coefficients, exec)
    }

    fn set_squares(
        &self,
        stats: &mut StudentTRegressionStats,
        covariance: Option<&ArrayRef2<f64>>,
        exec: Exec<'_>,
    ) {
        let (mean, out) = (&stats.coefficients, &mut stats.squares);
        expected_squares(self.data.x(), Some(self.data.y()), mean, covariance, out, exec);
    }
}

/// Reported in (β, τ); ν and λ are left out.
impl ConditionallyConjugate for StudentTRegression {
    type Block = StudentTRegressionBlock;
    type Stats = StudentTRegressionStats;
    type Factors = StudentTRegressionFactors;

    fn blocks(&self) -> &[StudentTRegressionBlock] {
        match self.priors.noise {
            NoisePrior::Known { .. } => &BLOCKS[..2],
            NoisePrior::Gamma { .. } => &BLOCKS,
        }
    }

    /// Starts at random weights λ_n ~ Gamma(ν/2, ν/2), the first ν, and β given them: the bound may have several
    /// optima, each with its own outliers.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(StudentTRegressionFactors, StudentTRegressionStats), ConjugateError> {
        let n = self.data.n_points();
        let half = 0.5 * self.priors.dof[0];
        let prior = Gamma::from_shape_rate(half, half).map_err(|e| refused(Scales, e))?;
        let weights = Array1::from_shape_fn(n, |n| prior.sample(&mut key.rng(n as u64)));
        let (noise, precision) = self.priors.noise.start().map_err(|e| refused(Noise, e))?;
        let coefficients = self.coefficients_given(&weights, precision.mean, exec)?;
        let (mut factors, mut stats) = self.blank(coefficients, noise, precision);
        stats.scales = weights;
        self.expect(Coefficients, &factors, &mut stats, exec);
        self.condition(Scales, &stats, &mut factors, exec)?;
        self.expect(Scales, &factors, &mut stats, exec);
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: StudentTRegressionBlock,
        stats: &StudentTRegressionStats,
        factors: &mut StudentTRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Scales => self.set_scales(&stats.squares * stats.precision.mean, factors, exec)?,
            Coefficients => {
                factors.coefficients = self.coefficients_given(&stats.scales, stats.precision.mean, exec)?;
            }
            Noise => {
                let squares = stats.scales.dot(&stats.squares);
                factors.noise =
                    self.priors.noise.conditional(self.n(), squares).map_err(|e| refused(block, e))?;
            }
        }
        Ok(())
    }

    fn expect(
        &self,
        block: StudentTRegressionBlock,
        factors: &StudentTRegressionFactors,
        stats: &mut StudentTRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Scales => self.expect_scales(factors, stats),
            Coefficients => {
                let q = &factors.coefficients;
                stats.coefficients.assign(q.mean());
                stats.prior_squares = self.prior.expected_squares(q);
                self.set_squares(stats, Some(q.covariance()), exec);
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
        block: StudentTRegressionBlock,
        factors: &StudentTRegressionFactors,
        key: StreamKey,
        stats: &mut StudentTRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Scales => self.draw_scales(factors, key, stats, exec),
            Coefficients => {
                factors.coefficients.sample_into(&mut key.rng(0), &mut stats.coefficients);
                stats.prior_squares = self.prior.squares(&stats.coefficients);
                self.set_squares(stats, None, exec);
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
        block: StudentTRegressionBlock,
        factors: &StudentTRegressionFactors,
        stats: &StudentTRegressionStats,
    ) -> f64 {
        match block {
            Scales => self.scales_log_prob(factors, stats),
            Coefficients => factors.coefficients.log_prob(&stats.coefficients),
            Noise => factor_log_prob(factors.noise.as_ref(), stats.precision.mean),
        }
    }

    /// ```text
    /// ½ (N E[log τ] − N log 2π + E[Σ log λ_n] − E[τ] Σ E[λ_n] E[(y_n − x_nᵀβ)²])
    ///     + E[log p(β)] + E[log p(τ)] − log K
    /// ```
    fn expected_log_joint(&self, stats: &StudentTRegressionStats) -> f64 {
        let PrecisionStats { mean, log } = stats.precision;
        let quadratic = mean * stats.scales.dot(&stats.squares);
        0.5 * (self.n() * (log - LOG_2_PI) + stats.log_scales - quadratic) + self.prior.log_constant
            - 0.5 * stats.prior_squares
            + self.priors.noise.log_prob(log, mean)
            - (self.priors.dof.len() as f64).ln()
    }

    fn entropy(&self, factors: &StudentTRegressionFactors) -> f64 {
        let terms = factors.dof.iter().enumerate().filter(|(_, p)| **p > 0.0);
        let scales = terms.map(|(k, p)| {
            let nu = self.priors.dof[k];
            let squares: f64 = factors.squares.iter().map(|s| s * (nu + 1.0) / (nu + s)).sum();
            let exponent = 0.5 * (self.expected_log_scales(k, factors) - squares);
            -p * (factors.log_dof[k] + exponent + self.log_tilt(k, factors))
        });
        scales.sum::<f64>()
            + factors.coefficients.entropy()
            + factors.noise.as_ref().map_or(0.0, Gamma::entropy)
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &StudentTRegressionStats, z: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        z.slice_mut(s![..d]).assign(&stats.coefficients);
        if z.len() > d {
            z[d] = stats.precision.mean;
        }
    }

    fn sample(&self, factors: &StudentTRegressionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        factors.coefficients.sample_into(rng, &mut z.slice_mut(s![..d]));
        if let Some(q) = &factors.noise {
            z[d] = q.sample(rng);
        }
    }

    fn log_prob(&self, factors: &StudentTRegressionFactors, z: &ArrayRef1<f64>) -> f64 {
        let d = self.n_coefficients();
        let noise = factors.noise.as_ref().map_or(0.0, |q| q.log_prob(&z[d]));
        factors.coefficients.log_prob(&z.slice(s![..d])) + noise
    }
}
