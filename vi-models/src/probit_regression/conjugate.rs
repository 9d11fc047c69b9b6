//! The complete conditionals: latents truncated normal, β Gaussian.

use ndarray::{Array1, ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};
use vi_families::special::normal_log_cdf;
use vi_families::{ExponentialFamily, MvGaussian};

use self::ProbitRegressionBlock::{Coefficients, Latents};
use super::{ProbitRegression, half_normal};
use crate::checks::refused;
use crate::regression::gaussian_from_shift;

/// The blocks of [`ProbitRegression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbitRegressionBlock {
    /// g.
    Latents,
    /// β.
    Coefficients,
}

const BLOCKS: [ProbitRegressionBlock; 2] = [Latents, Coefficients];

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbitRegressionStats {
    /// `E[g_n]` (N).
    pub latents: Array1<f64>,
    /// `E[β]` (D).
    pub coefficients: Array1<f64>,
    /// `E[η_n]`, η = Xβ (N).
    pub predictors: Array1<f64>,
    /// `E[βᵀ(diag(1/s²) + XᵀX)β]`.
    pub quadratic: f64,
}

/// The factors ∏ q(g_n) q(β).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbitRegressionFactors {
    /// c_n (N): q(g_n) is N(c_n, 1) on its half-line.
    pub locations: Array1<f64>,
    /// q(β).
    pub coefficients: MvGaussian,
}

impl ProbitRegression {
    /// ±1 for y_n = 1, 0.
    pub(super) fn sign(&self, n: usize) -> f64 {
        2.0 * self.data.y()[n] - 1.0
    }

    fn coefficients_given(&self, latents: &ArrayRef1<f64>) -> Result<MvGaussian, ConjugateError> {
        self.coefficients_of_shift(&self.data.x().t().dot(latents))
    }

    /// q(β) from Xᵀg.
    pub(super) fn coefficients_of_shift(&self, shift: &ArrayRef1<f64>) -> Result<MvGaussian, ConjugateError> {
        let origin = Array1::zeros(shift.len());
        gaussian_from_shift(&origin, shift, &self.precision).map_err(|e| refused(Coefficients, e))
    }

    fn set_coefficients(
        &self,
        stats: &mut ProbitRegressionStats,
        coefficients: &ArrayRef1<f64>,
        exec: Exec<'_>,
    ) {
        stats.coefficients.assign(coefficients);
        stats.quadratic = coefficients.dot(&self.precision.dot(coefficients));
        let out = stats.predictors.as_slice_mut().expect("statistics are contiguous");
        exec.for_each_chunk(out, 1, |items, out| {
            let eta = self.data.x().slice(s![items, ..]).dot(coefficients);
            out.copy_from_slice(eta.as_slice().expect("a new array is contiguous"));
        });
    }

    /// Overwrites the latents: `each(n, c_n)` for a positive g_n, mirrored for a negative one.
    fn set_latents(
        &self,
        factors: &ProbitRegressionFactors,
        stats: &mut ProbitRegressionStats,
        exec: Exec<'_>,
        each: impl Fn(usize, f64) -> f64 + Sync,
    ) {
        let out = stats.latents.as_slice_mut().expect("statistics are contiguous");
        exec.for_each_chunk(out, 1, |items, out| {
            for (n, o) in items.zip(out.iter_mut()) {
                let sign = self.sign(n);
                *o = sign * each(n, sign * factors.locations[n]);
            }
        });
    }

    /// Σ_n log q(g_n) against the standard normal measure, linear in g.
    fn latents_log_prob(&self, factors: &ProbitRegressionFactors, latent: impl Fn(usize, f64) -> f64) -> f64 {
        let terms = factors.locations.iter().enumerate();
        terms.map(|(n, c)| (latent(n, *c) - 0.5 * c) * c - normal_log_cdf(self.sign(n) * c)).sum()
    }
}

/// Reported in β; g is left out.
impl ConditionallyConjugate for ProbitRegression {
    type Block = ProbitRegressionBlock;
    type Stats = ProbitRegressionStats;
    type Factors = ProbitRegressionFactors;

    fn blocks(&self) -> &[ProbitRegressionBlock] {
        &BLOCKS
    }

    /// Starts at c = 0 and β given it, whatever the key: the bound has one optimum.
    fn init(
        &self,
        _key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(ProbitRegressionFactors, ProbitRegressionStats), ConjugateError> {
        let (n, d) = self.data.x().dim();
        let latents = Array1::from_shape_fn(n, |n| self.sign(n) * half_normal::mean(0.0));
        let coefficients = self.coefficients_given(&latents)?;
        let factors = ProbitRegressionFactors { locations: Array1::zeros(n), coefficients };
        let mut stats = ProbitRegressionStats {
            latents,
            coefficients: Array1::zeros(d),
            predictors: Array1::zeros(n),
            quadratic: 0.0,
        };
        self.expect(Coefficients, &factors, &mut stats, exec);
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: ProbitRegressionBlock,
        stats: &ProbitRegressionStats,
        factors: &mut ProbitRegressionFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Latents => factors.locations.assign(&stats.predictors),
            Coefficients => factors.coefficients = self.coefficients_given(&stats.latents)?,
        }
        Ok(())
    }

    /// ```text
    /// E[βᵀPβ] = mᵀPm + tr(PV) = mᵀPm + D,   P = V⁻¹
    /// ```
    fn expect(
        &self,
        block: ProbitRegressionBlock,
        factors: &ProbitRegressionFactors,
        stats: &mut ProbitRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Latents => self.set_latents(factors, stats, exec, |_, c| half_normal::mean(c)),
            Coefficients => {
                let q = &factors.coefficients;
                self.set_coefficients(stats, q.mean(), exec);
                stats.quadratic += (&self.precision * q.covariance()).sum();
            }
        }
    }

    fn draw(
        &self,
        block: ProbitRegressionBlock,
        factors: &ProbitRegressionFactors,
        key: StreamKey,
        stats: &mut ProbitRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Latents => {
                self.set_latents(factors, stats, exec, |n, c| half_normal::draw(c, &mut key.rng(n as u64)));
            }
            Coefficients => {
                let coefficients = factors.coefficients.sample(&mut key.rng(0));
                self.set_coefficients(stats, &coefficients, exec);
            }
        }
    }

    /// For g against the standard normal measure on its half-line.
    fn block_log_prob(
        &self,
        block: ProbitRegressionBlock,
        factors: &ProbitRegressionFactors,
        stats: &ProbitRegressionStats,
    ) -> f64 {
        match block {
            Latents => self.latents_log_prob(factors, |n, _| stats.latents[n]),
            Coefficients => factors.coefficients.log_prob(&stats.coefficients),
        }
    }

    /// ```text
    /// Σ_n E[g_n] E[η_n] − ½ E[βᵀPβ] + ½ Σ_j log(1/s_j²) − D/2 log 2π
    /// ```
    fn expected_log_joint(&self, stats: &ProbitRegressionStats) -> f64 {
        stats.latents.dot(&stats.predictors) - 0.5 * stats.quadratic + self.prior.log_constant
    }

    fn entropy(&self, factors: &ProbitRegressionFactors) -> f64 {
        let mean = |n, c| self.sign(n) * half_normal::mean(self.sign(n) * c);
        factors.coefficients.entropy() - self.latents_log_prob(factors, mean)
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &ProbitRegressionStats, z: &mut ArrayRef1<f64>) {
        z.assign(&stats.coefficients);
    }

    fn sample(&self, factors: &ProbitRegressionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        factors.coefficients.sample_into(rng, z);
    }

    fn log_prob(&self, factors: &ProbitRegressionFactors, z: &ArrayRef1<f64>) -> f64 {
        factors.coefficients.log_prob(z)
    }
}
