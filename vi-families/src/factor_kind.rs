//! Which family stands on which support, and its statistics: what a factor is before it has parameters.

use ndarray::{Array1, ArrayRef1, aview1};
use vi_core::{Parameter, ParameterError, Support};

use crate::distributions::{Bernoulli, Beta, Categorical, Dirichlet, Gamma, Gaussian, VonMises};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::factor::Factor;
use crate::validate::{FINITE, domain};

/// The family of one element of a variable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FactorKind {
    Gaussian,
    Gamma,
    Beta { lower: f64, upper: f64 },
    Dirichlet { n: usize },
    VonMises,
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
            Support::Angle => Self::VonMises,
            Support::Binary => Self::Bernoulli,
            Support::Categorical { n } => Self::Categorical { n },
            _ => return None,
        })
    }

    /// The family for the elements of `parameter`; the error speaks of `method`.
    pub(crate) fn for_parameter(parameter: &Parameter, method: &str) -> Result<Self, ParameterError> {
        Self::for_support(parameter.support(), parameter.event_size()).ok_or_else(|| {
            ParameterError::Unsupported {
                name: parameter.name().to_owned(),
                support: parameter.support(),
                method: method.to_owned(),
            }
        })
    }

    /// The length of η, of T(z), and of the unconstrained parameters.
    pub(crate) fn n_params(self) -> usize {
        match self {
            Self::Gaussian | Self::Gamma | Self::Beta { .. } | Self::VonMises => 2,
            Self::Dirichlet { n } => n,
            Self::Bernoulli => 1,
            Self::Categorical { n } => n - 1,
        }
    }

    /// The name of unconstrained parameter `i` over the coordinates called `z`.
    pub(crate) fn param_name(self, i: usize, z: &[String]) -> String {
        match self {
            Self::Gaussian => format!("{}({})", ["location", "log_scale"][i], z[0]),
            Self::Gamma => format!("{}({})", ["log_shape", "log_rate"][i], z[0]),
            Self::Beta { .. } => format!("{}({})", ["log_alpha", "log_beta"][i], z[0]),
            Self::Dirichlet { .. } => format!("log_concentration({})", z[i]),
            Self::VonMises => format!("{}({})", ["location", "log_concentration"][i], z[0]),
            Self::Bernoulli => format!("logit({})", z[0]),
            Self::Categorical { .. } => format!("log_odds({}={i})", z[0]),
        }
    }

    /// The factor with natural parameter η.
    pub(crate) fn with_natural(self, eta: &ArrayRef1<f64>) -> Result<Factor, FamilyError> {
        Ok(match self {
            Self::Gaussian => Factor::Gaussian(Gaussian::from_natural(eta)?),
            Self::Gamma => Factor::Gamma(Gamma::from_natural(eta)?),
            Self::Beta { lower, upper } => Factor::Beta { unit: Beta::from_natural(eta)?, lower, upper },
            Self::Dirichlet { .. } => Factor::Dirichlet(Dirichlet::from_natural(eta)?),
            Self::VonMises => Factor::VonMises(VonMises::from_natural(eta)?),
            Self::Bernoulli => Factor::Bernoulli(Bernoulli::from_natural(eta)?),
            Self::Categorical { n } => Factor::Categorical(Categorical::from_natural_given(&n, eta)?),
        })
    }

    /// The factor with these unconstrained parameters; `positive(i)` is exp of parameter i, or an error that names
    /// it, and `name(i)` its name.
    pub(crate) fn with_unconstrained(
        self,
        params: &[f64],
        positive: impl Fn(usize) -> Result<f64, FamilyError>,
        name: impl Fn(usize) -> String,
    ) -> Result<Factor, FamilyError> {
        if let Some(i) = params.iter().position(|v| !v.is_finite()) {
            return Err(domain("ProductFamily", name(i), params[i], FINITE));
        }
        Ok(match self {
            Self::Gaussian => Factor::Gaussian(Gaussian::from_mean_sd(params[0], positive(1)?)?),
            Self::Gamma => Factor::Gamma(Gamma::from_shape_rate(positive(0)?, positive(1)?)?),
            Self::Beta { lower, upper } => {
                let unit = Beta::from_alpha_beta(positive(0)?, positive(1)?)?;
                Factor::Beta { unit, lower, upper }
            }
            Self::Dirichlet { n } => {
                let concentration = (0..n).map(positive).collect::<Result<Array1<f64>, _>>()?;
                Factor::Dirichlet(Dirichlet::from_concentration(&concentration)?)
            }
            Self::VonMises => {
                let concentration = positive(1)?;
                Factor::VonMises(VonMises::from_mean_direction_concentration(params[0], concentration)?)
            }
            Self::Bernoulli => Factor::Bernoulli(Bernoulli::from_logit(params[0])?),
            Self::Categorical { n } => {
                Factor::Categorical(Categorical::from_natural_given(&n, &aview1(params))?)
            }
        })
    }

    /// T(z)ᵢ.
    pub(crate) fn sufficient_stat(self, i: usize, z: &[f64]) -> f64 {
        match self {
            Self::Gaussian => [z[0], z[0] * z[0]][i],
            Self::VonMises if i == 0 => z[0].cos(),
            Self::VonMises => z[0].sin(),
            Self::Gamma if i == 0 => z[0].ln(),
            Self::Gamma | Self::Bernoulli => z[0],
            Self::Beta { lower, upper } => log_unit(z[0], lower, upper)[i],
            Self::Dirichlet { .. } => z[i].ln(),
            Self::Categorical { .. } => f64::from(z[0] == i as f64),
        }
    }

    /// Overwrites `z` with the element whose sufficient statistics are `stats`.
    pub(crate) fn realise(self, stats: &ArrayRef1<f64>, z: &mut [f64]) {
        match self {
            Self::Gaussian | Self::Bernoulli => z[0] = stats[0],
            Self::Gamma => z[0] = stats[1],
            Self::VonMises => z[0] = stats[1].atan2(stats[0]),
            Self::Beta { lower, upper } => {
                // The smaller of w and 1 − w has the full precision.
                let w = if stats[0] < stats[1] { stats[0].exp() } else { -stats[1].exp_m1() };
                z[0] = lower + (upper - lower) * w;
            }
            Self::Dirichlet { .. } => {
                for (z, t) in z.iter_mut().zip(stats) {
                    *z = t.exp();
                }
            }
            Self::Categorical { n } => {
                z[0] = stats.iter().position(|t| *t == 1.0).unwrap_or(n - 1) as f64;
            }
        }
    }
}

/// log w and log(1 − w) of w = (z − lower) / (upper − lower), both from differences.
pub(crate) fn log_unit(z: f64, lower: f64, upper: f64) -> [f64; 2] {
    let width = upper - lower;
    [((z - lower) / width).ln(), ((upper - z) / width).ln()]
}
