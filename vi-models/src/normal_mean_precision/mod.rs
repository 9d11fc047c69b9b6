//! Normal data with unknown mean and precision.
//!
//! ```text
//! x_n | μ, τ ~ N(μ, 1/τ)            n = 1 … N
//! μ | τ ~ N(m₀, 1/(λ₀ τ))           coupled (the default): conjugate, the posterior is normal-gamma
//! μ     ~ N(m₀, 1/λ₀)               not coupled: only conditionally conjugate
//! τ ~ Gamma(a₀, b₀)                 shape, rate
//! ```
//! z = (μ, τ). With the coupled prior the exact moments and evidence are known; with both priors the complete
//! conditionals are q(μ) Gaussian and q(τ) Gamma.
//!
//! Sources: C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), §2.3.6 and §10.1.3;
//! K. P. Murphy, *Conjugate Bayesian analysis of the Gaussian distribution* (2007), §3 (posterior, evidence).

mod conjugate;
mod known;
mod natural;

use ndarray::{Array1, ArrayRef1};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use vi_core::{
    GradLogJoint, LocalLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Subsample,
    Support,
};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, finite_vector, positive};

pub use conjugate::{NormalMeanPrecisionBlock, NormalMeanPrecisionFactors, NormalMeanPrecisionStats};

const MODEL: &str = "normal_mean_precision";

/// The priors of μ and τ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormalMeanPrecisionPriors {
    /// m₀, the prior mean of μ. Default 0.
    pub mean: f64,
    /// λ₀ > 0: with `coupled` the number of data that m₀ is worth, otherwise the prior precision of μ.
    /// Default 0.01.
    pub mean_precision: f64,
    /// Whether the prior precision of μ is λ₀τ (conjugate) or λ₀. Default true.
    pub coupled: bool,
    /// a₀ > 0, the shape of the Gamma prior of τ. Default 1.
    pub shape: f64,
    /// b₀ > 0, its rate. Default 1.
    pub rate: f64,
}

impl Default for NormalMeanPrecisionPriors {
    fn default() -> Self {
        Self { mean: 0.0, mean_precision: 0.01, coupled: true, shape: 1.0, rate: 1.0 }
    }
}

impl NormalMeanPrecisionPriors {
    fn check(&self) -> Result<(), ModelError> {
        finite(MODEL, "mean", self.mean)?;
        positive(MODEL, "mean_precision", self.mean_precision)?;
        positive(MODEL, "shape", self.shape)?;
        positive(MODEL, "rate", self.rate)
    }

    /// 1 when the prior of μ scales with τ, else 0: the power of τ in its precision.
    fn power(&self) -> f64 {
        f64::from(u8::from(self.coupled))
    }
}

/// What the likelihood needs of the data: number, mean, and sum of squares about the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Summary {
    n: f64,
    mean: f64,
    sum_squares: f64,
}

impl Summary {
    fn new(x: impl Iterator<Item = f64> + Clone) -> Self {
        let n = x.clone().count() as f64;
        let mean = x.clone().sum::<f64>() / n;
        Self { n, mean, sum_squares: x.map(|v| (v - mean).powi(2)).sum() }
    }

    /// Σ (x_n − μ)², free of cancellation.
    fn squares_about(&self, mu: f64) -> f64 {
        self.sum_squares + self.n * (self.mean - mu).powi(2)
    }
}

/// Normal data with unknown mean μ and precision τ; see the [module](self).
#[derive(Clone, Debug)]
pub struct NormalMeanPrecision {
    data: Array1<f64>,
    priors: NormalMeanPrecisionPriors,
    summary: Summary,
    space: ParameterSpace,
}

impl NormalMeanPrecision {
    /// The model of `data` (N).
    ///
    /// # Errors
    /// [`ModelError`] names the datum that is not finite or the prior parameter outside its domain.
    pub fn new(data: Array1<f64>, priors: NormalMeanPrecisionPriors) -> Result<Self, ModelError> {
        finite_vector(MODEL, "data", &data)?;
        priors.check()?;
        let space = ParameterSpace::new([
            Parameter::scalar("mu", Support::Real),
            Parameter::scalar("tau", Support::Positive),
        ])?;
        let summary = Summary::new(data.iter().copied());
        Ok(Self { data, priors, summary, space })
    }

    /// The data (N).
    pub fn data(&self) -> &Array1<f64> {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &NormalMeanPrecisionPriors {
        &self.priors
    }

    fn terms<'a>(&'a self, summary: &'a Summary) -> Terms<'a> {
        Terms { priors: &self.priors, summary }
    }
}

/// The terms of the log joint, over the whole data or a reweighted part.
struct Terms<'a> {
    priors: &'a NormalMeanPrecisionPriors,
    summary: &'a Summary,
}

impl Terms<'_> {
    /// N/2 (log τ − log 2π) − τ/2 Σ (x_n − μ)², also with expected values of log τ, τ and the squares.
    fn likelihood(&self, log_tau: f64, tau: f64, squares: f64) -> f64 {
        0.5 * (self.summary.n * (log_tau - LOG_2_PI) - tau * squares)
    }

    /// log p(μ | τ) from (μ − m₀)².
    fn prior_mean(&self, log_tau: f64, tau: f64, square: f64) -> f64 {
        let p = self.priors;
        let scale = if p.coupled { tau } else { 1.0 };
        0.5 * (p.mean_precision.ln() + p.power() * log_tau - LOG_2_PI - scale * p.mean_precision * square)
    }

    /// log p(τ).
    fn prior_precision(&self, log_tau: f64, tau: f64) -> f64 {
        let p = self.priors;
        p.shape * p.rate.ln() - log_gamma(p.shape) + (p.shape - 1.0) * log_tau - p.rate * tau
    }

    /// The log joint from `E[log τ]`, `E[τ]`, `E[Σ (x_n − μ)²]` and `E[(μ − m₀)²]`.
    fn assemble(&self, log_tau: f64, tau: f64, squares: f64, square: f64) -> f64 {
        self.likelihood(log_tau, tau, squares)
            + self.prior_mean(log_tau, tau, square)
            + self.prior_precision(log_tau, tau)
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (mu, tau) = (z[0], z[1]);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        self.assemble(tau.ln(), tau, self.summary.squares_about(mu), (mu - self.priors.mean).powi(2))
    }

    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (mu, tau) = (z[0], z[1]);
        let (p, s) = (self.priors, self.summary);
        let scale = if p.coupled { tau } else { 1.0 };
        grad[0] = tau * s.n * (s.mean - mu) - scale * p.mean_precision * (mu - p.mean);
        let rate =
            0.5 * s.squares_about(mu) + 0.5 * p.power() * p.mean_precision * (mu - p.mean).powi(2) + p.rate;
        grad[1] = (0.5 * (s.n + p.power()) + p.shape - 1.0) / tau - rate;
        self.log_joint(z)
    }
}

impl LogJoint for NormalMeanPrecision {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.terms(&self.summary).log_joint(z)
    }
}

impl GradLogJoint for NormalMeanPrecision {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.terms(&self.summary).log_joint_and_grad(z, grad)
    }
}

/// Blocks: μ, then τ.
impl LocalLogJoint for NormalMeanPrecision {
    fn n_blocks(&self) -> usize {
        2
    }

    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }

    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let (mu, tau) = (z[0], z[1]);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let (t, log_tau) = (self.terms(&self.summary), tau.ln());
        let likelihood = t.likelihood(log_tau, tau, self.summary.squares_about(mu));
        let mean = t.prior_mean(log_tau, tau, (mu - self.priors.mean).powi(2));
        match b {
            0 => likelihood + mean,
            // The prior of μ belongs to the terms of τ only where τ occurs in it.
            _ => likelihood + self.priors.power() * mean + t.prior_precision(log_tau, tau),
        }
    }
}

/// A minibatch of [`NormalMeanPrecision`], its likelihood weighted by N/|B|.
#[derive(Clone, Debug)]
pub struct NormalMeanPrecisionMinibatch<'a> {
    model: &'a NormalMeanPrecision,
    summary: Summary,
}

impl LogJoint for NormalMeanPrecisionMinibatch<'_> {
    fn parameters(&self) -> &ParameterSpace {
        &self.model.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.terms(&self.summary).log_joint(z)
    }
}

impl GradLogJoint for NormalMeanPrecisionMinibatch<'_> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.model.terms(&self.summary).log_joint_and_grad(z, grad)
    }
}

impl Subsample for NormalMeanPrecision {
    type Minibatch<'a> = NormalMeanPrecisionMinibatch<'a>;

    fn n_data(&self) -> usize {
        self.data.len()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a> {
        assert!(!indices.is_empty(), "minibatch: no indices");
        let part = Summary::new(indices.iter().map(|&i| self.data[i]));
        let weight = self.summary.n / part.n;
        let summary = Summary { n: self.summary.n, sum_squares: weight * part.sum_squares, ..part };
        NormalMeanPrecisionMinibatch { model: self, summary }
    }
}

impl Predictive for NormalMeanPrecision {
    type Data = Array1<f64>;

    fn observed(&self) -> &Array1<f64> {
        &self.data
    }

    fn n_points(&self, data: &Array1<f64>) -> usize {
        data.len()
    }

    fn log_likelihood_pointwise(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let (mu, tau) = (z[0], z[1]);
        let constant = 0.5 * (tau.ln() - LOG_2_PI);
        for (x, o) in data.iter().zip(out.iter_mut()) {
            *o = constant - 0.5 * tau * (x - mu).powi(2);
        }
    }

    fn simulate(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array1<f64> {
        let (mu, sd) = (z[0], z[1].recip().sqrt());
        data.iter().map(|_| mu + sd * Distribution::<f64>::sample(&StandardNormal, rng)).collect()
    }
}
