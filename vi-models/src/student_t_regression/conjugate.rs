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
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng, numerics,
};
use vi_families::special::log_minus_digamma;
use vi_families::{ExponentialFamily, Gamma, MvGaussian};

use self::StudentTRegressionBlock::{Coefficients, Noise, Scales};
use super::StudentTRegression;
use super::capabilities::draw_index;
use crate::checks::{LOG_2_PI, refused};
use crate::coefficients::expected_squares;
use crate::noise::{NoisePrior, PrecisionStats, factor_log_prob};

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
    /// s_n ≥ 0 (N): q(λ_n | ν) = Gamma((ν + 1)/2, (ν + s_n)/2).
    pub squares: Array1<f64>,
    /// Σ_n log(1 + s_n/ν_k) (K).
    tails: Array1<f64>,
    /// q(β).
    pub coefficients: MvGaussian,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
}

impl StudentTRegression {
    fn n(&self) -> f64 {
        self.data.n_points() as f64
    }

    /// Sets q(ν, λ) from s.
    ///
    /// ```text
    /// log q(ν_k) = N c_ν − (ν + 1)/2 Σ_n log(1 + s_n/ν) + const
    /// ```
    fn set_scales(
        &self,
        squares: Array1<f64>,
        factors: &mut StudentTRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let dof = &self.priors.dof;
        exec.sum(squares.len(), &mut factors.tails, |items, partial| {
            let mut buffer = [0.0; vi_core::CHUNK];
            let buffer = &mut buffer[..items.len()];
            for (nu, sum) in dof.iter().zip(partial.iter_mut()) {
                for (b, s) in buffer.iter_mut().zip(squares.slice(s![items.clone()])) {
                    *b = s / nu;
                }
                numerics::log1p_inplace(buffer);
                *sum = buffer.iter().sum();
            }
        })
        .map_err(|e| ConjugateError::Communication(e.to_string()))?;
        factors.squares = squares;
        let log_weights = (0..dof.len()).map(|k| -self.log_tilt(k, factors));
        let log_weights: Array1<f64> = log_weights.collect();
        let total = numerics::log_sum_exp(log_weights.as_slice().expect("a new array is contiguous"));
        factors.dof = log_weights.mapv(|l| (l - total).exp());
        match factors.dof.iter().find(|p| !p.is_finite()) {
            None => Ok(()),
            Some(&value) => {
                let (block, parameter) = (format!("{Scales:?}"), "q(dof)".to_owned());
                Err(ConjugateError::Domain { block, parameter, value })
            }
        }
    }

    /// (ν + 1)/2 Σ_n log(1 + s_n/ν) − N c_ν for ν = ν_k.
    fn log_tilt(&self, k: usize, factors: &StudentTRegressionFactors) -> f64 {
        0.5 * (self.priors.dof[k] + 1.0) * factors.tails[k] - self.n() * self.likelihood.steps[k]
    }

    /// `E[Σ_n log λ_n | ν_k]`.
    fn expected_log_scales(&self, k: usize, factors: &StudentTRegressionFactors) -> f64 {
        let half = 0.5 * self.priors.dof[k];
        // ψ(x + ½) − log x, without cancellation.
        self.n() * ((0.5 / half).ln_1p() - log_minus_digamma(half + 0.5)) - factors.tails[k]
    }

    /// The mean of β's conditional wants τXᵀΛy.
    fn coefficients_given(
        &self,
        scales: &ArrayRef1<f64>,
        tau: f64,
        exec: Exec<'_>,
    ) -> Result<MvGaussian, ConjugateError> {
        let weights = scales.mapv(|l| tau * l);
        let shift = self.data.x().t().dot(&(&weights * self.data.y()));
        self.prior.posterior(self.data.x(), &weights, &shift, Coefficients, exec)
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

    fn expect_scales(&self, factors: &StudentTRegressionFactors, stats: &mut StudentTRegressionStats) {
        stats.dof.assign(&factors.dof);
        stats.scales.fill(0.0);
        stats.log_scales = 0.0;
        for (k, (nu, p)) in self.priors.dof.iter().zip(&factors.dof).enumerate() {
            for (scale, s) in stats.scales.iter_mut().zip(&factors.squares) {
                *scale += p * (nu + 1.0) / (nu + s);
            }
            stats.log_scales += p * self.expected_log_scales(k, factors);
        }
    }

    /// ν from the stream after those of the data, λ_n from stream n.
    fn draw_scales(
        &self,
        factors: &StudentTRegressionFactors,
        key: StreamKey,
        stats: &mut StudentTRegressionStats,
        exec: Exec<'_>,
    ) {
        let k = draw_index(&factors.dof, &mut key.rng(self.data.n_points() as u64));
        let nu = self.priors.dof[k];
        stats.dof.fill(0.0);
        stats.dof[k] = 1.0;
        let out = stats.scales.as_slice_mut().expect("statistics are contiguous");
        exec.for_each_chunk(out, 1, |items, out| {
            for (n, o) in items.zip(out.iter_mut()) {
                let q = Gamma::from_shape_rate(0.5 * (nu + 1.0), 0.5 * (nu + factors.squares[n]));
                *o = q.expect("squares are finite").sample(&mut key.rng(n as u64));
            }
        });
        stats.log_scales = stats.scales.iter().map(|l| l.ln()).sum();
    }

    /// log q(ν, λ) of realised statistics.
    fn scales_log_prob(&self, factors: &StudentTRegressionFactors, stats: &StudentTRegressionStats) -> f64 {
        let k = stats.dof.iter().position(|p| *p == 1.0).expect("statistics of the block are realised");
        let exponent = 0.5 * (stats.log_scales - factors.squares.dot(&stats.scales));
        factors.dof[k].ln() + exponent + self.log_tilt(k, factors)
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
        let (n, d) = self.data.x().dim();
        let n_dof = self.priors.dof.len();
        let half = 0.5 * self.priors.dof[0];
        let prior = Gamma::from_shape_rate(half, half).map_err(|e| refused(Scales, e))?;
        let weights = Array1::from_shape_fn(n, |n| prior.sample(&mut key.rng(n as u64)));
        let (noise, precision) = self.priors.noise.start().map_err(|e| refused(Noise, e))?;
        let coefficients = self.coefficients_given(&weights, precision.mean, exec)?;
        let mut factors = StudentTRegressionFactors {
            dof: Array1::zeros(n_dof),
            squares: Array1::zeros(n),
            tails: Array1::zeros(n_dof),
            coefficients,
            noise,
        };
        let mut stats = StudentTRegressionStats {
            scales: weights,
            log_scales: 0.0,
            dof: Array1::zeros(n_dof),
            coefficients: Array1::zeros(d),
            prior_squares: 0.0,
            squares: Array1::zeros(n),
            precision,
        };
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
            -p * (p.ln() + exponent + self.log_tilt(k, factors))
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
