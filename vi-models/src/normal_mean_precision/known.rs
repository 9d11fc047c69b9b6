//! The exact normal-gamma posterior under the coupled prior.

use ndarray::{Array1, Array2, array};
use vi_core::KnownPosterior;
use vi_families::special::log_gamma;

use super::NormalMeanPrecision;
use crate::checks::LOG_2_PI;

/// μ | τ, x ~ N(mean, 1/(count·τ)), τ | x ~ Gamma(shape, rate).
struct NormalGammaPosterior {
    mean: f64,
    count: f64,
    shape: f64,
    rate: f64,
}

impl NormalMeanPrecision {
    /// Murphy (2007), eqs. 86–89.
    fn normal_gamma(&self) -> Option<NormalGammaPosterior> {
        let (p, s) = (&self.priors, &self.summary);
        p.coupled.then(|| {
            let count = p.mean_precision + s.n;
            let shrinkage = p.mean_precision * s.n / count;
            NormalGammaPosterior {
                mean: (p.mean_precision * p.mean + s.n * s.mean) / count,
                count,
                shape: p.shape + 0.5 * s.n,
                rate: p.rate + 0.5 * (s.sum_squares + shrinkage * (s.mean - p.mean).powi(2)),
            }
        })
    }
}

/// Known under the coupled prior, `None` otherwise.
impl KnownPosterior for NormalMeanPrecision {
    fn posterior_mean(&self) -> Option<Array1<f64>> {
        let q = self.normal_gamma()?;
        Some(array![q.mean, q.shape / q.rate])
    }

    /// ```text
    /// Var μ = rate / (count (shape − 1)),   Var τ = shape / rate²,   Cov(μ, τ) = 0
    /// ```
    /// `None` also when shape ≤ 1, where μ has no variance.
    fn posterior_covariance(&self) -> Option<Array2<f64>> {
        let q = self.normal_gamma().filter(|q| q.shape > 1.0)?;
        let mean = q.rate / (q.count * (q.shape - 1.0));
        Some(array![[mean, 0.0], [0.0, q.shape / q.rate.powi(2)]])
    }

    /// Murphy (2007), eq. 95.
    fn log_evidence(&self) -> Option<f64> {
        let (p, q) = (&self.priors, self.normal_gamma()?);
        let gamma = log_gamma(q.shape) - log_gamma(p.shape) + p.shape * p.rate.ln() - q.shape * q.rate.ln();
        Some(gamma + 0.5 * ((p.mean_precision / q.count).ln() - self.summary.n * LOG_2_PI))
    }
}
