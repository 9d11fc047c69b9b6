//! The exact posterior: normal-gamma under the coupled prior, Gaussian when τ is known.

use ndarray::{Array1, Array2, s};
use vi_core::KnownPosterior;
use vi_families::MvGaussian;
use vi_families::special::log_gamma;

use super::{LinearRegression, NoisePrior};
use crate::checks::LOG_2_PI;

/// The posterior in closed form.
enum Exact {
    /// β ~ N(mean, covariance), τ known.
    Gaussian { coefficients: MvGaussian, precision: f64 },
    /// β | τ ~ N(mean, covariance/τ), τ ~ Gamma(shape, rate), from the prior Gamma(shape_0, rate_0).
    NormalGamma { coefficients: MvGaussian, shape: f64, rate: f64, shape_0: f64, rate_0: f64 },
}

impl LinearRegression {
    fn exact(&self) -> Option<Exact> {
        match self.priors.noise {
            NoisePrior::Known { precision } => {
                let coefficients = self.coefficients_given(precision, self.prior_scale(precision)).ok()?;
                Some(Exact::Gaussian { coefficients, precision })
            }
            NoisePrior::Gamma { shape: shape_0, rate: rate_0 } if self.priors.coupled => {
                let coefficients = self.coefficients_given(1.0, 1.0).ok()?;
                let mean = coefficients.mean();
                let rate = rate_0 + 0.5 * (self.loss.at(mean) + self.prior_squares(mean));
                let shape = shape_0 + 0.5 * self.loss.n;
                Some(Exact::NormalGamma { coefficients, shape, rate, shape_0, rate_0 })
            }
            NoisePrior::Gamma { .. } => None,
        }
    }

    fn log_det_prior(&self) -> f64 {
        self.precisions.iter().map(|p| p.ln()).sum()
    }
}

/// Known when the prior is coupled or τ is known, `None` otherwise.
impl KnownPosterior for LinearRegression {
    fn posterior_mean(&self) -> Option<Array1<f64>> {
        match self.exact()? {
            Exact::Gaussian { coefficients, .. } => Some(coefficients.mean().clone()),
            Exact::NormalGamma { coefficients, shape, rate, .. } => {
                Some(coefficients.mean().iter().copied().chain([shape / rate]).collect())
            }
        }
    }

    /// ```text
    /// Cov β = rate/(shape − 1) (XᵀX + Λ₀)⁻¹,   Var τ = shape / rate²,   Cov(β, τ) = 0
    /// ```
    /// `None` also when shape ≤ 1, where β has no covariance.
    fn posterior_covariance(&self) -> Option<Array2<f64>> {
        match self.exact()? {
            Exact::Gaussian { coefficients, .. } => Some(coefficients.covariance().clone()),
            Exact::NormalGamma { coefficients, shape, rate, .. } if shape > 1.0 => {
                let d = self.n_coefficients();
                let mut covariance = Array2::zeros((d + 1, d + 1));
                covariance
                    .slice_mut(s![..d, ..d])
                    .assign(&(coefficients.covariance() * (rate / (shape - 1.0))));
                covariance[[d, d]] = shape / rate.powi(2);
                Some(covariance)
            }
            Exact::NormalGamma { .. } => None,
        }
    }

    /// Bishop (2006), eqs. 3.86 (τ known) and 3.118 (normal-gamma).
    fn log_evidence(&self) -> Option<f64> {
        let n = self.loss.n;
        match self.exact()? {
            Exact::Gaussian { coefficients, precision } => {
                let mean = coefficients.mean();
                let at_mean =
                    self.assemble(n, precision.ln(), precision, self.loss.at(mean), self.prior_squares(mean));
                let volume = self.n_coefficients() as f64 * LOG_2_PI + coefficients.log_det_covariance();
                Some(at_mean + 0.5 * volume)
            }
            Exact::NormalGamma { coefficients, shape, rate, shape_0, rate_0 } => {
                let volume = self.log_det_prior() + coefficients.log_det_covariance() - n * LOG_2_PI;
                let gamma = log_gamma(shape) - log_gamma(shape_0) + shape_0 * rate_0.ln() - shape * rate.ln();
                Some(gamma + 0.5 * volume)
            }
        }
    }
}
