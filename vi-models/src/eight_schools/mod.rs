//! Eight schools: a normal hierarchical model with known standard errors.
//!
//! ```text
//! y_j | θ_j ~ N(θ_j, σ_j²)      j = 1 … J
//! θ_j | μ, τ ~ N(μ, τ²)
//! μ ~ N(m, s²)
//! τ ~ half-Cauchy(0, A)         p(τ) = 2 / (π A (1 + τ²/A²)),  τ > 0
//! ```
//! Two forms of one model. [`EightSchoolsCentred`] has z = (θ, μ, τ); it is conditionally conjugate and has
//! the funnel that samplers dislike. [`EightSchoolsNonCentred`] has z = (θ̃, μ, τ) with θ = μ + τ θ̃. Both are
//! reported in (θ, μ, τ), and both know their exact moments and evidence, by quadrature over log τ.
//!
//! Neither form has a minibatch: every datum brings its own θ_j, so nothing would be saved.
//!
//! Sources: D. B. Rubin, *Journal of Educational Statistics* 6 (1981) 377–401; A. Gelman et al., *Bayesian Data
//! Analysis*, 3rd edition (2013), §5.5; half-Cauchy prior: A. Gelman, *Bayesian Analysis* 1 (2006) 515–534.

mod centred;
mod conjugate;
mod exact;
mod expectation;
mod natural;
mod non_centred;

use std::f64::consts::{LN_2, PI};

use ndarray::{Array1, ArrayRef1, ArrayRef2, Zip};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{CHUNK, Parameter, ParameterSpace, StreamRng, Support, numerics};

use crate::ModelError;
use crate::checks::{self, LOG_2_PI};

pub use crate::half_cauchy::HalfCauchyStats;
pub use crate::normal_effects::NormalEffectsStats;
pub use centred::EightSchoolsCentred;
pub use conjugate::{EightSchoolsBlock, EightSchoolsFactors, EightSchoolsStats};
pub use non_centred::EightSchoolsNonCentred;

/// Name of the model in errors.
const MODEL: &str = "eight_schools";

/// Estimated effects with their standard errors, one per school.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EightSchoolsData {
    /// The estimated effect y_j (J).
    pub effect: Array1<f64>,
    /// Its standard error σ_j > 0 (J), taken as known.
    pub standard_error: Array1<f64>,
}

/// The priors of μ and τ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EightSchoolsPriors {
    /// m, the prior mean of μ. Default 0.
    pub mu_mean: f64,
    /// s > 0, the prior standard deviation of μ. Default 5.
    pub mu_sd: f64,
    /// A > 0, the scale of the half-Cauchy prior of τ. Default 5.
    pub tau_scale: f64,
}

impl Default for EightSchoolsPriors {
    fn default() -> Self {
        Self { mu_mean: 0.0, mu_sd: 5.0, tau_scale: 5.0 }
    }
}

/// What both forms share: data, priors, and everything of them that does not change.
#[derive(Clone, Debug)]
struct Hierarchy {
    data: EightSchoolsData,
    priors: EightSchoolsPriors,
    /// 1/σ_j² (J).
    weight: Array1<f64>,
    /// Every additive constant of log p(y, θ, μ, τ).
    log_constant: f64,
    /// Layout of (θ, μ, τ).
    reported: ParameterSpace,
}

impl Hierarchy {
    fn new(data: EightSchoolsData, priors: EightSchoolsPriors) -> Result<Self, ModelError> {
        check_data(&data)?;
        check_priors(&priors)?;
        let n = data.effect.len();
        let weight = data.standard_error.mapv(|s| 1.0 / (s * s));
        let log_constant = -(n as f64 + 0.5) * LOG_2_PI - data.standard_error.mapv(f64::ln).sum() + LN_2
            - (priors.mu_sd * priors.tau_scale * PI).ln();
        let reported = space("theta", n)?;
        Ok(Self { data, priors, weight, log_constant, reported })
    }

    fn n_schools(&self) -> usize {
        self.data.effect.len()
    }

    /// ((μ − m)/s)².
    fn mean_quadratic(&self, mu: f64) -> f64 {
        ((mu - self.priors.mu_mean) / self.priors.mu_sd).powi(2)
    }

    /// log p(μ).
    fn log_prior_mu(&self, mu: f64) -> f64 {
        -0.5 * (LOG_2_PI + self.mean_quadratic(mu)) - self.priors.mu_sd.ln()
    }

    /// log p(τ); −∞ for τ ≤ 0.
    fn log_prior_tau(&self, tau: f64) -> f64 {
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let a = self.priors.tau_scale;
        LN_2 - (PI * a).ln() - (tau / a).powi(2).ln_1p()
    }

    /// log p(y_j | θ_j).
    fn log_likelihood(&self, j: usize, theta: f64) -> f64 {
        let sd = self.data.standard_error[j];
        log_normal_density(self.data.effect[j], theta, sd)
    }

    /// The log joint from the sum of its quadratic forms and the power of τ in the denominator.
    fn assemble(&self, quadratic: f64, tau: f64, power: f64) -> f64 {
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let ratio = tau / self.priors.tau_scale;
        self.log_constant - 0.5 * quadratic - power * tau.ln() - (ratio * ratio).ln_1p()
    }

    /// [`Hierarchy::assemble`] for every row of `z`, with the logarithms taken a chunk at a time.
    fn assemble_batch(
        &self,
        z: &ArrayRef2<f64>,
        power: f64,
        quadratic: impl Fn(&ArrayRef1<f64>) -> f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let last = self.n_schools() + 1;
        let (mut tau, mut ratio) = ([0.0; CHUNK], [0.0; CHUNK]);
        let (mut log_tau, mut log_ratio) = ([0.0; CHUNK], [0.0; CHUNK]);
        for start in (0..z.nrows()).step_by(CHUNK) {
            let n = CHUNK.min(z.nrows() - start);
            for i in 0..n {
                tau[i] = z[[start + i, last]];
                ratio[i] = (tau[i] / self.priors.tau_scale).powi(2);
            }
            numerics::log(&tau[..n], &mut log_tau[..n]);
            numerics::log1p(&ratio[..n], &mut log_ratio[..n]);
            for i in 0..n {
                let value = self.log_constant
                    - 0.5 * quadratic(&z.row(start + i))
                    - power * log_tau[i]
                    - log_ratio[i];
                out[start + i] = if tau[i] <= 0.0 { f64::NEG_INFINITY } else { value };
            }
        }
    }

    /// New estimates with the standard errors of `data`, given the effects θ.
    fn simulate(&self, data: &EightSchoolsData, theta: &[f64], rng: &mut StreamRng) -> EightSchoolsData {
        assert_eq!(data.effect.len(), self.n_schools(), "eight_schools: one new estimate per school");
        let mut effect = Array1::zeros(theta.len());
        Zip::from(&mut effect).and(&data.standard_error).and(theta).for_each(|y, s, t| {
            let noise: f64 = StandardNormal.sample(rng);
            *y = t + s * noise;
        });
        EightSchoolsData { effect, standard_error: data.standard_error.clone() }
    }

    /// log N(ŷ_j | θ_j, σ̂_j²) for new estimates in the same schools.
    fn log_likelihood_pointwise(&self, data: &EightSchoolsData, theta: &[f64], out: &mut ArrayRef1<f64>) {
        assert_eq!(data.effect.len(), self.n_schools(), "eight_schools: one new estimate per school");
        for (j, o) in out.iter_mut().enumerate() {
            *o = log_normal_density(data.effect[j], theta[j], data.standard_error[j]);
        }
    }
}

/// log N(x | mean, sd²).
fn log_normal_density(x: f64, mean: f64, sd: f64) -> f64 {
    -0.5 * (LOG_2_PI + ((x - mean) / sd).powi(2)) - sd.ln()
}

/// Layout of (`effects`[J], mu, tau).
fn space(effects: &str, n: usize) -> Result<ParameterSpace, vi_core::ParameterError> {
    ParameterSpace::new([
        Parameter::vector(effects, n, Support::Real),
        Parameter::scalar("mu", Support::Real),
        Parameter::scalar("tau", Support::Positive),
    ])
}

fn check_data(data: &EightSchoolsData) -> Result<(), ModelError> {
    let (y, sigma) = (&data.effect, &data.standard_error);
    checks::finite_vector(MODEL, "effect", y)?;
    if sigma.len() != y.len() {
        let (expected, actual) = (y.len(), sigma.len());
        return Err(ModelError::Length { model: MODEL, data: "standard_error", expected, actual });
    }
    match sigma.iter().enumerate().find(|(_, v)| !(v.is_finite() && **v > 0.0)) {
        None => Ok(()),
        Some((row, &value)) => Err(ModelError::Datum {
            model: MODEL,
            data: "standard_error",
            row,
            column: 0,
            value,
            requirement: "finite and > 0",
        }),
    }
}

fn check_priors(priors: &EightSchoolsPriors) -> Result<(), ModelError> {
    checks::finite(MODEL, "mu_mean", priors.mu_mean)?;
    checks::positive(MODEL, "mu_sd", priors.mu_sd)?;
    checks::positive(MODEL, "tau_scale", priors.tau_scale)
}
