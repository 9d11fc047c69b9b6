//! Rates of counts with a common Gamma distribution: the pump model.
//!
//! ```text
//! x_i | θ_i ~ Poisson(θ_i t_i)                 i = 1 … N, t_i > 0 known exposures
//! θ_i | α, β ~ Gamma(α, β)
//! β ~ Gamma(c, d)
//! α known, or ~ Exponential(r)
//! ```
//! The complete conditional of a learned α is no standard family, but it is one of exponential form with the statistics α
//! and log Γ(α): [`GammaShape`] integrates it by quadrature and draws from it by rejection, so that coordinate ascent and
//! Gibbs sampling stay exact.
//!
//! Sources: A. E. Gelfand & A. F. M. Smith, "Sampling-based approaches to calculating marginal densities", *JASA* 85 (1990)
//! 398–409, §4; E. I. George, U. E. Makov & A. F. M. Smith, "Conjugate likelihood distributions", *Scandinavian Journal of
//! Statistics* 20 (1993) 147–156, where α is learned; E. Damsleth, "Conjugate classes for gamma distributions",
//! *Scandinavian Journal of Statistics* 2 (1975) 80–84.

mod conjugate;
mod exchangeable;
mod log_joint;
mod shape;

use ndarray::{Array1, array};
use rand_distr::{Distribution, Poisson};
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, StreamRng, Support};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::positive;

pub use conjugate::{PoissonGammaBlock, PoissonGammaFactors, PoissonGammaStats};
pub use exchangeable::{PoissonGammaBatch, PoissonGammaGlobals};
pub use shape::GammaShape;

const MODEL: &str = "poisson_gamma";

/// Counts with their exposures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoissonGammaData {
    /// x (N): whole numbers.
    pub count: Array1<f64>,
    /// t (N), > 0.
    pub exposure: Array1<f64>,
}

impl PoissonGammaData {
    /// Failures of ten pumps of a nuclear power plant, and thousands of hours in operation.
    ///
    /// Source: D. P. Gaver & I. G. O'Muircheartaigh, *Technometrics* 29 (1987) 1–15; Gelfand & Smith (1990), table 3.
    pub fn pumps() -> Self {
        Self {
            count: array![5.0, 1.0, 5.0, 14.0, 3.0, 19.0, 1.0, 1.0, 4.0, 22.0],
            exposure: array![94.3, 15.7, 62.9, 126.0, 5.24, 31.4, 1.05, 1.05, 2.1, 10.5],
        }
    }

    fn check(&self) -> Result<(), ModelError> {
        let (expected, actual) = (self.count.len(), self.exposure.len());
        if expected == 0 {
            return Err(ModelError::Empty { model: MODEL, data: "count" });
        }
        if expected != actual {
            return Err(ModelError::Length { model: MODEL, data: "exposure", expected, actual });
        }
        let refused = |data, row, value, requirement| {
            Err(ModelError::Datum { model: MODEL, data, row, column: 0, value, requirement })
        };
        for (i, (&x, &t)) in self.count.iter().zip(&self.exposure).enumerate() {
            if !(x >= 0.0 && x.is_finite() && x.fract() == 0.0) {
                return refused("count", i, x, "a whole number ≥ 0");
            }
            if !(t > 0.0 && t.is_finite()) {
                return refused("exposure", i, t, "finite and > 0");
            }
        }
        Ok(())
    }
}

/// The shape α: known, or with an exponential prior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ShapePrior {
    /// It has this value.
    Known {
        /// > 0.
        shape: f64,
    },
    /// Exponential with this rate.
    Exponential {
        /// > 0.
        rate: f64,
    },
}

/// The priors; the default is that of George, Makov & Smith: α ~ Exponential(1), β ~ Gamma(0.1, 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoissonGammaPriors {
    /// α.
    pub shape: ShapePrior,
    /// c > 0.
    pub rate_shape: f64,
    /// d > 0.
    pub rate_rate: f64,
}

impl Default for PoissonGammaPriors {
    fn default() -> Self {
        Self { shape: ShapePrior::Exponential { rate: 1.0 }, rate_shape: 0.1, rate_rate: 1.0 }
    }
}

impl PoissonGammaPriors {
    fn check(&self) -> Result<(), ModelError> {
        match self.shape {
            ShapePrior::Known { shape } => positive(MODEL, "shape.known.shape", shape)?,
            ShapePrior::Exponential { rate } => positive(MODEL, "shape.exponential.rate", rate)?,
        }
        positive(MODEL, "rate_shape", self.rate_shape)?;
        positive(MODEL, "rate_rate", self.rate_rate)
    }

    /// c log d − log Γ(c), and log r where α is learned.
    fn log_constant(&self) -> f64 {
        let beta = self.rate_shape * self.rate_rate.ln() - log_gamma(self.rate_shape);
        match self.shape {
            ShapePrior::Known { .. } => beta,
            ShapePrior::Exponential { rate } => beta + rate.ln(),
        }
    }
}

/// The Poisson–Gamma model in (θ, β, α): `theta[N]`, `beta`, and `alpha` unless it is known.
#[derive(Clone, Debug)]
pub struct PoissonGamma {
    data: PoissonGammaData,
    priors: PoissonGammaPriors,
    /// Σ_i x_i log t_i − log x_i!.
    log_base: f64,
    space: ParameterSpace,
}

impl PoissonGamma {
    /// The model of these data.
    ///
    /// # Errors
    /// [`ModelError`] names the datum or the prior parameter outside its domain.
    pub fn new(data: PoissonGammaData, priors: PoissonGammaPriors) -> Result<Self, ModelError> {
        data.check()?;
        priors.check()?;
        let mut parameters = vec![
            Parameter::vector("theta", data.count.len(), Support::Positive),
            Parameter::scalar("beta", Support::Positive),
        ];
        if let ShapePrior::Exponential { .. } = priors.shape {
            parameters.push(Parameter::scalar("alpha", Support::Positive));
        }
        let terms = data.count.iter().zip(&data.exposure).map(|(x, t)| x * t.ln() - log_gamma(x + 1.0));
        let log_base = terms.sum();
        Ok(Self { data, priors, log_base, space: ParameterSpace::new(parameters)? })
    }

    /// The data.
    pub fn data(&self) -> &PoissonGammaData {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &PoissonGammaPriors {
        &self.priors
    }

    /// N.
    pub fn n_rates(&self) -> usize {
        self.data.count.len()
    }

    /// Refuses new data of units that have no rate.
    fn check_units(&self, data: &PoissonGammaData) {
        assert_eq!(data.count.len(), data.exposure.len(), "poisson_gamma: one exposure for each count");
        assert!(data.count.len() <= self.n_rates(), "poisson_gamma: more units than rates");
    }

    /// log p(x | α, β), the rates integrated out: negative binomial.
    ///
    /// ```text
    /// Σ_i log Γ(α + x_i) − log Γ(α) − log x_i! + α log (β/(β + t_i)) + x_i log (t_i/(β + t_i))
    /// ```
    pub fn log_marginal_likelihood(&self, alpha: f64, beta: f64) -> f64 {
        let term = |(x, t): (&f64, &f64)| {
            log_gamma(alpha + x) - log_gamma(alpha) + alpha * (beta / (beta + t)).ln() - x * (beta + t).ln()
        };
        self.log_base + self.data.count.iter().zip(&self.data.exposure).map(term).sum::<f64>()
    }
}

/// One count for every exposure at these rates.
fn draw_counts(rates: impl Iterator<Item = f64>, exposure: &Array1<f64>, rng: &mut StreamRng) -> Array1<f64> {
    // rand_distr knows no rate of zero.
    rates
        .zip(exposure)
        .map(|(theta, t)| {
            Poisson::new((theta * t).max(f64::MIN_POSITIVE)).map_or(f64::NAN, |p| p.sample(rng))
        })
        .collect()
}
