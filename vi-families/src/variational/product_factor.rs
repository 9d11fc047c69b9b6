//! One factor of a product: an exponential family on one element of a support, with unconstrained parameters.

use std::ops::Range;

use ndarray::{Array1, aview1};
use vi_core::{StreamRng, Support};

use super::gaussian::scale;
use crate::distributions::{Bernoulli, Beta, Categorical, Dirichlet, Gamma, LOG_TWO_PI};
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::validate::{FINITE, domain};

/// The shape of a factor: its support, where its values stand in z and its parameters in λ.
#[derive(Clone, Debug)]
pub(crate) struct FactorShape {
    pub(crate) kind: FactorKind,
    pub(crate) z: Range<usize>,
    pub(crate) params: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum FactorKind {
    Gaussian,
    Gamma,
    Beta { lower: f64, upper: f64 },
    Dirichlet { n: usize },
    Bernoulli,
    Categorical { n: usize },
}

impl FactorKind {
    /// The family for a support whose elements have `n` values; `None` if there is none.
    pub(crate) fn for_support(support: Support, n: usize) -> Option<Self> {
        Some(match support {
            Support::Real => Self::Gaussian,
            Support::Positive => Self::Gamma,
            Support::Interval { lower, upper } => Self::Beta { lower, upper },
            Support::Simplex if n >= 2 => Self::Dirichlet { n },
            Support::Binary => Self::Bernoulli,
            Support::Categorical { n } => Self::Categorical { n },
            _ => return None,
        })
    }

    pub(crate) fn n_params(self) -> usize {
        match self {
            Self::Gaussian | Self::Gamma | Self::Beta { .. } => 2,
            Self::Dirichlet { n } => n,
            Self::Bernoulli => 1,
            Self::Categorical { n } => n - 1,
        }
    }

    /// The name of parameter `i` over the coordinates called `z`.
    pub(crate) fn param_name(self, i: usize, z: &[String]) -> String {
        match self {
            Self::Gaussian => format!("{}({})", ["location", "log_scale"][i], z[0]),
            Self::Gamma => format!("{}({})", ["log_shape", "log_rate"][i], z[0]),
            Self::Beta { .. } => format!("{}({})", ["log_alpha", "log_beta"][i], z[0]),
            Self::Dirichlet { .. } => format!("log_concentration({})", z[i]),
            Self::Bernoulli => format!("logit({})", z[0]),
            Self::Categorical { .. } => format!("log_odds({}={i})", z[0]),
        }
    }

    /// The member with parameters `params`; `name(i)` is called only to report parameter i.
    pub(crate) fn bind(
        self,
        params: &[f64],
        name: impl Fn(usize) -> String,
    ) -> Result<ProductFactor, FamilyError> {
        const FAMILY: &str = "ProductFamily";
        if let Some(i) = params.iter().position(|v| !v.is_finite()) {
            return Err(domain(FAMILY, name(i), params[i], FINITE));
        }
        let positive = |i: usize| Ok::<f64, FamilyError>(scale(FAMILY, || name(i), params[i])?.0);
        Ok(match self {
            Self::Gaussian => {
                let (sd, inverse_sd) = scale(FAMILY, || name(1), params[1])?;
                ProductFactor::Gaussian { mean: params[0], sd, inverse_sd, log_sd: params[1] }
            }
            Self::Gamma => {
                let q = Gamma::from_shape_rate(positive(0)?, positive(1)?)?;
                ProductFactor::Gamma { expected_log: q.expected_log(), log_partition: q.log_partition(), q }
            }
            Self::Beta { lower, upper } => {
                let q = Beta::from_alpha_beta(positive(0)?, positive(1)?)?;
                let expected_log = [q.expected_log(), q.expected_log_complement()];
                ProductFactor::Beta { expected_log, log_partition: q.log_partition(), q, lower, upper }
            }
            Self::Dirichlet { n } => {
                let concentration = (0..n).map(positive).collect::<Result<Array1<f64>, _>>()?;
                let q = Dirichlet::from_concentration(&concentration)?;
                ProductFactor::Dirichlet {
                    expected_log: q.expected_log(),
                    log_partition: q.log_partition(),
                    q,
                }
            }
            Self::Bernoulli => ProductFactor::Bernoulli(Bernoulli::from_logit(params[0])?),
            Self::Categorical { n } => {
                let q = Categorical::from_natural_given(&n, &aview1(params))?;
                ProductFactor::Categorical { probabilities: q.probabilities(), q }
            }
        })
    }
}

/// A factor with its parameters, and what every density and score needs.
#[derive(Clone, Debug)]
pub(crate) enum ProductFactor {
    Gaussian { mean: f64, sd: f64, inverse_sd: f64, log_sd: f64 },
    Gamma { q: Gamma, expected_log: f64, log_partition: f64 },
    Beta { q: Beta, expected_log: [f64; 2], log_partition: f64, lower: f64, upper: f64 },
    Dirichlet { q: Dirichlet, expected_log: Array1<f64>, log_partition: f64 },
    Bernoulli(Bernoulli),
    Categorical { q: Categorical, probabilities: Array1<f64> },
}

impl ProductFactor {
    pub(crate) fn sample(&self, rng: &mut StreamRng, z: &mut [f64]) {
        match self {
            Self::Gaussian { mean, sd, .. } => z[0] = mean + sd * standard_normal(rng),
            Self::Gamma { q, .. } => z[0] = q.sample(rng),
            Self::Beta { q, lower, upper, .. } => {
                let inside = lower + (upper - lower) * q.sample(rng);
                z[0] = inside.max(lower.next_up()).min(upper.next_down());
            }
            Self::Dirichlet { q, .. } => q.sample_into(rng, z),
            Self::Bernoulli(q) => z[0] = f64::from(q.sample(rng)),
            Self::Categorical { q, .. } => z[0] = q.sample(rng) as f64,
        }
    }

    pub(crate) fn log_prob(&self, z: &[f64]) -> f64 {
        match self {
            Self::Gaussian { mean, inverse_sd, log_sd, .. } => {
                let y = (z[0] - mean) * inverse_sd;
                -0.5 * (y * y + LOG_TWO_PI) - log_sd
            }
            Self::Gamma { q, log_partition, .. } => {
                if q.log_base_measure(&z[0]) == f64::NEG_INFINITY {
                    return f64::NEG_INFINITY;
                }
                (q.shape() - 1.0) * z[0].ln() - q.rate() * z[0] - log_partition
            }
            Self::Beta { q, log_partition, lower, upper, .. } => {
                if z[0] <= *lower || z[0] >= *upper {
                    return f64::NEG_INFINITY;
                }
                let [a, b] = log_unit(z[0], *lower, *upper);
                (q.alpha() - 1.0) * a + (q.beta() - 1.0) * b - log_partition - (upper - lower).ln()
            }
            Self::Dirichlet { q, log_partition, .. } => {
                if q.log_base_measure(&aview1(z)) == f64::NEG_INFINITY {
                    return f64::NEG_INFINITY;
                }
                let exponent: f64 = q.concentration().iter().zip(z).map(|(a, v)| (a - 1.0) * v.ln()).sum();
                exponent - log_partition
            }
            Self::Bernoulli(q) => match index(z[0], 2) {
                Some(k) => q.log_prob(&(k == 1)),
                None => off_grid(z[0]),
            },
            Self::Categorical { q, .. } => match index(z[0], q.n_categories()) {
                Some(k) => q.log_prob(&k),
                None => off_grid(z[0]),
            },
        }
    }

    /// out += weight ∇_λ log q: the score T(z) − μ in η, times ∂η/∂λ.
    pub(crate) fn add_score(&self, z: &[f64], weight: f64, out: &mut [f64]) {
        match self {
            Self::Gaussian { mean, inverse_sd, .. } => {
                let y = (z[0] - mean) * inverse_sd;
                out[0] += weight * (y * inverse_sd);
                out[1] += weight * (y * y - 1.0);
            }
            Self::Gamma { q, expected_log, .. } => {
                out[0] += weight * q.shape() * (z[0].ln() - expected_log);
                out[1] += weight * (q.shape() - q.rate() * z[0]);
            }
            Self::Beta { q, expected_log, lower, upper, .. } => {
                let [a, b] = log_unit(z[0], *lower, *upper);
                out[0] += weight * q.alpha() * (a - expected_log[0]);
                out[1] += weight * q.beta() * (b - expected_log[1]);
            }
            Self::Dirichlet { q, expected_log, .. } => {
                for (k, o) in out.iter_mut().enumerate() {
                    *o += weight * q.concentration()[k] * (z[k].ln() - expected_log[k]);
                }
            }
            Self::Bernoulli(q) => out[0] += weight * (z[0] - q.probability()),
            Self::Categorical { probabilities, .. } => {
                for (k, o) in out.iter_mut().enumerate() {
                    *o += weight * (f64::from(z[0] == k as f64) - probabilities[k]);
                }
            }
        }
    }

    pub(crate) fn entropy(&self) -> f64 {
        match self {
            Self::Gaussian { log_sd, .. } => log_sd + 0.5 * (1.0 + LOG_TWO_PI),
            Self::Gamma { q, .. } => q.entropy(),
            Self::Beta { q, lower, upper, .. } => q.entropy() + (upper - lower).ln(),
            Self::Dirichlet { q, .. } => q.entropy(),
            Self::Bernoulli(q) => q.entropy(),
            Self::Categorical { q, .. } => q.entropy(),
        }
    }
}

/// log y and log(1 − y) of y = (z − lower) / (upper − lower), both from differences.
fn log_unit(z: f64, lower: f64, upper: f64) -> [f64; 2] {
    let width = upper - lower;
    [((z - lower) / width).ln(), ((upper - z) / width).ln()]
}

/// `z` as one of 0, …, n − 1.
fn index(z: f64, n: usize) -> Option<usize> {
    (z >= 0.0 && z < n as f64 && z.fract() == 0.0).then_some(z as usize)
}

/// The log density of a value that is no category: NaN stays visible.
fn off_grid(z: f64) -> f64 {
    if z.is_nan() { z } else { f64::NEG_INFINITY }
}
