//! The complete conditionals under Pólya-Gamma augmentation: ω_n Pólya-Gamma, β Gaussian.

use std::f64::consts::LN_2;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, MvGaussian};

use self::LogisticRegressionBlock::{Augmentation, Coefficients};
use super::LogisticRegression;
use super::polya_gamma::{PolyaGamma, log_cosh_half, mean};
use crate::coefficients::expected_squares;

/// The blocks of [`LogisticRegression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogisticRegressionBlock {
    /// ω, the Pólya-Gamma variables.
    Augmentation,
    /// β.
    Coefficients,
}

const BLOCKS: [LogisticRegressionBlock; 2] = [Augmentation, Coefficients];

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegressionStats {
    /// `E[β]` (D).
    pub coefficients: Array1<f64>,
    /// `E[Σ_j β_j²/s_j²]`.
    pub prior_squares: f64,
    /// `E[η_n²]`, η = Xβ (N).
    pub squared_logits: Array1<f64>,
    /// `E[ω_n]` (N).
    pub augmentation: Array1<f64>,
}

/// The factors q(β) ∏ q(ω_n).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegressionFactors {
    /// q(β).
    pub coefficients: MvGaussian,
    /// c_n ≥ 0 (N): q(ω_n) = PG(1, c_n).
    pub tilts: Array1<f64>,
}

impl LogisticRegression {
    fn coefficients_given(
        &self,
        omega: &ArrayRef1<f64>,
        exec: Exec<'_>,
    ) -> Result<MvGaussian, ConjugateError> {
        self.prior.posterior(self.data.x(), omega, &self.shift, Coefficients, exec)
    }

    /// `E[η_n²]`, for a realised β without its covariance.
    fn set_squared_logits(
        &self,
        stats: &mut LogisticRegressionStats,
        covariance: Option<&ArrayRef2<f64>>,
        exec: Exec<'_>,
    ) {
        let (mean, out) = (&stats.coefficients, &mut stats.squared_logits);
        expected_squares(self.data.x(), None, mean, covariance, out, exec);
    }
}

/// Reported in β; ω is left out.
impl ConditionallyConjugate for LogisticRegression {
    type Block = LogisticRegressionBlock;
    type Stats = LogisticRegressionStats;
    type Factors = LogisticRegressionFactors;

    fn blocks(&self) -> &[LogisticRegressionBlock] {
        &BLOCKS
    }

    /// Starts at c = 0, the tightest bound at η = 0, and β given it, whatever the key.
    fn init(
        &self,
        _key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(LogisticRegressionFactors, LogisticRegressionStats), ConjugateError> {
        let (n, d) = self.data.x().dim();
        let mut stats = LogisticRegressionStats {
            coefficients: Array1::zeros(d),
            prior_squares: 0.0,
            squared_logits: Array1::zeros(n),
            augmentation: Array1::from_elem(n, mean(0.0)),
        };
        let coefficients = self.coefficients_given(&stats.augmentation, exec)?;
        let factors = LogisticRegressionFactors { coefficients, tilts: Array1::zeros(n) };
        self.expect(Coefficients, &factors, &mut stats, exec);
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: LogisticRegressionBlock,
        stats: &LogisticRegressionStats,
        factors: &mut LogisticRegressionFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Augmentation => factors.tilts.zip_mut_with(&stats.squared_logits, |c, s| *c = s.sqrt()),
            Coefficients => factors.coefficients = self.coefficients_given(&stats.augmentation, exec)?,
        }
        Ok(())
    }

    fn expect(
        &self,
        block: LogisticRegressionBlock,
        factors: &LogisticRegressionFactors,
        stats: &mut LogisticRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Augmentation => {
                let out = stats.augmentation.as_slice_mut().expect("statistics are contiguous");
                exec.for_each_chunk(out, 1, |items, out| {
                    for (o, c) in out.iter_mut().zip(factors.tilts.slice(s![items])) {
                        *o = mean(*c);
                    }
                });
            }
            Coefficients => {
                let q = &factors.coefficients;
                stats.coefficients.assign(q.mean());
                stats.prior_squares = self.prior.expected_squares(q);
                self.set_squared_logits(stats, Some(q.covariance()), exec);
            }
        }
    }

    fn draw(
        &self,
        block: LogisticRegressionBlock,
        factors: &LogisticRegressionFactors,
        key: StreamKey,
        stats: &mut LogisticRegressionStats,
        exec: Exec<'_>,
    ) {
        match block {
            Augmentation => {
                let out = stats.augmentation.as_slice_mut().expect("statistics are contiguous");
                exec.for_each_chunk(out, 1, |items, out| {
                    for (n, o) in items.zip(out.iter_mut()) {
                        *o = PolyaGamma::new(1, factors.tilts[n]).sample(&mut key.rng(n as u64));
                    }
                });
            }
            Coefficients => {
                factors.coefficients.sample_into(&mut key.rng(0), &mut stats.coefficients);
                stats.prior_squares = self.prior.squares(&stats.coefficients);
                self.set_squared_logits(stats, None, exec);
            }
        }
    }

    /// For ω against the PG(1, 0) measure: Σ log cosh(c_n/2) − c_n² ω_n/2.
    fn block_log_prob(
        &self,
        block: LogisticRegressionBlock,
        factors: &LogisticRegressionFactors,
        stats: &LogisticRegressionStats,
    ) -> f64 {
        match block {
            Augmentation => {
                let tilts = factors.tilts.iter().zip(&stats.augmentation);
                tilts.map(|(c, w)| log_cosh_half(*c) - 0.5 * c * c * w).sum()
            }
            Coefficients => factors.coefficients.log_prob(&stats.coefficients),
        }
    }

    /// ```text
    /// Σ_n (κ_n E[η_n] − ½ E[ω_n] E[η_n²] − log 2) + E[log p(β)]
    /// ```
    fn expected_log_joint(&self, stats: &LogisticRegressionStats) -> f64 {
        let linear = self.shift.dot(&stats.coefficients);
        let quadratic = stats.augmentation.dot(&stats.squared_logits);
        let prior = self.prior.log_constant - 0.5 * stats.prior_squares;
        linear - 0.5 * quadratic - self.data.n_points() as f64 * LN_2 + prior
    }

    fn entropy(&self, factors: &LogisticRegressionFactors) -> f64 {
        let augmentation = factors.tilts.iter().map(|c| 0.5 * c * c * mean(*c) - log_cosh_half(*c));
        factors.coefficients.entropy() + augmentation.sum::<f64>()
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &LogisticRegressionStats, z: &mut ArrayRef1<f64>) {
        z.assign(&stats.coefficients);
    }

    fn sample(&self, factors: &LogisticRegressionFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        factors.coefficients.sample_into(rng, z);
    }

    fn log_prob(&self, factors: &LogisticRegressionFactors, z: &ArrayRef1<f64>) -> f64 {
        factors.coefficients.log_prob(z)
    }
}
