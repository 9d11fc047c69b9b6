//! Spike-and-slab regression: which covariates belong to the regression at all.
//!
//! ```text
//! y_n | w, s, τ ~ N(x_nᵀβ, 1/τ),   β_d = s_d w_d          n = 1 … N,  d = 1 … D
//! s_d | π ~ Bernoulli(π),   π ~ Beta(a, b) or known
//! w_d | s_d = 1, τ ~ N(0, 1/(τ p))   coupled (the default), or N(0, 1/p)
//! w_d | s_d = 0    ~ N(0, 1/p)       a convention: the data do not see this w_d
//! τ ~ Gamma(a₀, b₀) or known
//! ```
//! z = (w, s, τ, π). An intercept is a w_d without s_d: it is always there, and has a precision of its own.
//!
//! w_d and s_d are one block, so that q(w_d, s_d) is the spike and slab itself and not a product that cuts it in two:
//!
//! ```text
//! s_d | ·          ~ Bernoulli(σ(l_d))
//! w_d | s_d = 1, · ~ N(m_d, 1/P_d),   P_d = τ x_dᵀx_d + τ p,   m_d = τ x_dᵀ(y − Σ_{j≠d} x_j β_j) / P_d
//! l_d = log π − log(1 − π) + ½ (log τ p − log P_d) + ½ P_d m_d²
//! ```
//! With D covariates there are 2^D regressions. [`SpikeAndSlab::enumerate`] sums over all of them where each has an evidence
//! in closed form.
//!
//! Sources: T. J. Mitchell & J. J. Beauchamp, *Bayesian variable selection in linear regression*, JASA 83 (1988) 1023–1032;
//! M. K. Titsias & M. Lázaro-Gredilla, *Spike and slab variational inference for multi-task and multiple kernel learning*,
//! NIPS 2011, eq. 3 and §3; P. Carbonetto & M. Stephens, *Scalable variational inference for Bayesian variable selection in
//! regression*, Bayesian Analysis 7 (2012) 73–108, eq. 8–11; E. I. George & R. E. McCulloch, *Approaches for Bayesian
//! variable selection*, Statistica Sinica 7 (1997) 339–373 (Gibbs sampling).

mod conjugate;
mod exact;

use ndarray::{Array1, ArrayRef1, s};
use serde::{Deserialize, Serialize};
use vi_core::{LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support};
use vi_families::special::log_beta;

use crate::ModelError;
use crate::checks::{LOG_2_PI, positive, probability};
use crate::noise::NoisePrior;
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::{RegressionData, gaussian_from_shift};

pub use conjugate::{SpikeAndSlabBlock, SpikeAndSlabFactors, SpikeAndSlabStats};
pub use exact::Enumeration;

const MODEL: &str = "spike_and_slab";

/// What is known of the probability π that a covariate is included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InclusionPrior {
    /// π is known.
    Known {
        /// 0 < π < 1.
        probability: f64,
    },
    /// π ~ Beta(a, b).
    Beta {
        /// a > 0.
        a: f64,
        /// b > 0.
        b: f64,
    },
}

impl InclusionPrior {
    /// log p(π), expected or realised; 0 when π is known.
    fn log_prob(&self, log_pi: f64, log_not_pi: f64) -> f64 {
        match *self {
            InclusionPrior::Known { .. } => 0.0,
            InclusionPrior::Beta { a, b } => (a - 1.0) * log_pi + (b - 1.0) * log_not_pi - log_beta(a, b),
        }
    }
}

/// The priors of w, τ and π.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpikeAndSlabPriors {
    /// p > 0, the precision of the slab. Default 1, for covariates of unit scale.
    pub slab_precision: f64,
    /// That of the intercept, > 0. Default 1e-4.
    pub intercept_precision: f64,
    /// Whether the prior precisions of what is included are τp or p. Default true.
    pub coupled: bool,
    /// The noise precision. Default Gamma(1, 1).
    pub noise: NoisePrior,
    /// The probability of inclusion. Default Beta(1, 1).
    pub inclusion: InclusionPrior,
}

impl Default for SpikeAndSlabPriors {
    fn default() -> Self {
        Self {
            slab_precision: 1.0,
            intercept_precision: 1e-4,
            coupled: true,
            noise: NoisePrior::Gamma { shape: 1.0, rate: 1.0 },
            inclusion: InclusionPrior::Beta { a: 1.0, b: 1.0 },
        }
    }
}

impl SpikeAndSlabPriors {
    fn check(&self) -> Result<(), ModelError> {
        positive(MODEL, "slab_precision", self.slab_precision)?;
        positive(MODEL, "intercept_precision", self.intercept_precision)?;
        self.noise.check(MODEL)?;
        match self.inclusion {
            InclusionPrior::Known { probability: p } => probability(MODEL, "inclusion.known.probability", p),
            InclusionPrior::Beta { a, b } => {
                positive(MODEL, "inclusion.beta.a", a)?;
                positive(MODEL, "inclusion.beta.b", b)
            }
        }
    }

    /// 1 when the prior precisions scale with τ, else 0: the power of τ in them.
    fn power(&self) -> f64 {
        f64::from(u8::from(self.coupled))
    }

    /// The factor of p in the prior precision of what is included.
    fn scale(&self, tau: f64) -> f64 {
        if self.coupled { tau } else { 1.0 }
    }
}

/// Spike-and-slab regression; see the [module](self).
#[derive(Clone, Debug)]
pub struct SpikeAndSlab {
    data: RegressionData,
    priors: SpikeAndSlabPriors,
    /// p of every coefficient, that of the intercept first.
    precisions: Array1<f64>,
    loss: QuadraticLoss,
    blocks: Vec<SpikeAndSlabBlock>,
    space: ParameterSpace,
}

impl SpikeAndSlab {
    /// The regression of `data` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain.
    pub fn new(data: RegressionData, priors: SpikeAndSlabPriors) -> Result<Self, ModelError> {
        priors.check()?;
        let first = usize::from(data.has_intercept());
        let n_slopes = data.n_columns() - first;
        let mut precisions = Array1::from_elem(data.n_columns(), priors.slab_precision);
        precisions.slice_mut(s![..first]).fill(priors.intercept_precision);
        let intercept = data.has_intercept().then(|| Parameter::scalar("intercept", Support::Real));
        let mut parameters: Vec<Parameter> = intercept.into_iter().collect();
        parameters.push(Parameter::vector("w", n_slopes, Support::Real));
        parameters.push(Parameter::vector("s", n_slopes, Support::Binary));
        parameters.extend(priors.noise.parameter());
        if let InclusionPrior::Beta { .. } = priors.inclusion {
            parameters.push(Parameter::scalar("pi", Support::Interval { lower: 0.0, upper: 1.0 }));
        }
        let space = ParameterSpace::new(parameters)?;
        // About a point near the posterior the loss has no cancellation where the posterior mass is.
        let origin = QuadraticLoss::new(&data, Array1::zeros(data.n_columns()), 1.0);
        let mut precision = origin.gram.clone();
        precision.diag_mut().scaled_add(1.0, &precisions);
        let ridge = gaussian_from_shift(&origin.reference, &origin.gradient, &precision)
            .map_err(|source| ModelError::Family { model: MODEL, source })?;
        let loss = QuadraticLoss::new(&data, ridge.mean().clone(), 1.0);
        let blocks = conjugate::blocks(data.n_columns(), &priors);
        Ok(Self { data, priors, precisions, loss, blocks, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &SpikeAndSlabPriors {
        &self.priors
    }

    /// β = s ∘ w at `z`, the intercept first if there is one.
    pub fn coefficients(&self, z: &ArrayRef1<f64>) -> Array1<f64> {
        let k = self.data.n_columns();
        let mut beta = z.slice(s![..k]).to_owned();
        let first = self.first_slope();
        for (b, s) in beta.iter_mut().skip(first).zip(z.iter().skip(k)) {
            *b *= s;
        }
        beta
    }

    /// The first coefficient that has an s: 1 after an intercept.
    fn first_slope(&self) -> usize {
        usize::from(self.data.has_intercept())
    }

    /// The number D of covariates that may be excluded.
    fn n_slopes(&self) -> usize {
        self.data.n_columns() - self.first_slope()
    }

    /// Where τ stands in z, if it is not known.
    fn noise_index(&self) -> usize {
        self.data.n_columns() + self.n_slopes()
    }

    /// τ and π at `z`.
    fn noise_and_inclusion(&self, z: &ArrayRef1<f64>) -> (f64, f64) {
        let i = self.noise_index();
        let tau = self.priors.noise.at(z, i);
        let pi = match self.priors.inclusion {
            InclusionPrior::Known { probability } => probability,
            InclusionPrior::Beta { .. } => z[i + usize::from(self.priors.noise.parameter().is_some())],
        };
        (tau, pi)
    }

    /// log p(y | β, τ) from Σ (y_n − x_nᵀβ)².
    fn likelihood_term(&self, log_tau: f64, tau: f64, squares: f64) -> f64 {
        0.5 * (self.loss.n * (log_tau - LOG_2_PI) - tau * squares)
    }

    /// log p(w_d | s_d) from s, s w² and (1 − s) w², expected or realised.
    fn weight_term(&self, d: usize, log_tau: f64, tau: f64, included: f64, slab: f64, spike: f64) -> f64 {
        let p = self.precisions[d];
        0.5 * (p.ln() - LOG_2_PI + included * self.priors.power() * log_tau
            - p * (self.priors.scale(tau) * slab + spike))
    }
}

impl LogJoint for SpikeAndSlab {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (tau, pi) = self.noise_and_inclusion(z);
        if tau <= 0.0 || pi <= 0.0 || pi >= 1.0 {
            return f64::NEG_INFINITY;
        }
        let (log_tau, log_pi, log_not_pi) = (tau.ln(), pi.ln(), (-pi).ln_1p());
        let mut sum = self.likelihood_term(log_tau, tau, self.loss.at(&self.coefficients(z)));
        for d in 0..self.data.n_columns() {
            let square = z[d] * z[d];
            let included = match d.checked_sub(self.first_slope()) {
                None => 1.0,
                Some(slope) => {
                    let included = z[self.data.n_columns() + slope];
                    sum += included * log_pi + (1.0 - included) * log_not_pi;
                    included
                }
            };
            let (slab, spike) = (included * square, (1.0 - included) * square);
            sum += self.weight_term(d, log_tau, tau, included, slab, spike);
        }
        sum + self.priors.noise.log_prob(log_tau, tau) + self.priors.inclusion.log_prob(log_pi, log_not_pi)
    }
}

impl Predictive for SpikeAndSlab {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        data.normal_log_likelihood(&self.coefficients(z), self.noise_and_inclusion(z).0, out);
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        data.simulate_normal(&self.coefficients(z), self.noise_and_inclusion(z).0, rng)
    }
}
