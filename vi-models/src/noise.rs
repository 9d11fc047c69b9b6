//! Precisions, those of noise above all: what is known of them beforehand, and their factors.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, Support};
use vi_families::special::log_gamma;
use vi_families::{ExponentialFamily, FamilyError, Gamma};

use crate::ModelError;
use crate::checks::positive;

/// What is known of a precision τ beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PrecisionPrior {
    /// τ is known.
    Known {
        /// τ > 0.
        precision: f64,
    },
    /// τ ~ Gamma(shape, rate).
    Gamma {
        /// a₀ > 0.
        shape: f64,
        /// b₀ > 0.
        rate: f64,
    },
}

/// That of noise.
pub(crate) use PrecisionPrior as NoisePrior;

impl PrecisionPrior {
    /// That of noise is inside its domain.
    pub(crate) fn check(&self, model: &'static str) -> Result<(), ModelError> {
        self.check_named(model, "noise")
    }

    /// That of `name` is inside its domain.
    pub(crate) fn check_named(&self, model: &'static str, name: &str) -> Result<(), ModelError> {
        match *self {
            PrecisionPrior::Known { precision } => {
                positive(model, &format!("{name}.known.precision"), precision)
            }
            PrecisionPrior::Gamma { shape, rate } => {
                positive(model, &format!("{name}.gamma.shape"), shape)?;
                positive(model, &format!("{name}.gamma.rate"), rate)
            }
        }
    }

    /// Whether it has a factor.
    pub(crate) fn is_learned(&self) -> bool {
        matches!(self, PrecisionPrior::Gamma { .. })
    }

    /// `tau`, unless it is known.
    pub(crate) fn parameter(&self) -> Option<Parameter> {
        match self {
            PrecisionPrior::Known { .. } => None,
            PrecisionPrior::Gamma { .. } => Some(Parameter::scalar("tau", Support::Positive)),
        }
    }

    /// τ, known or at coordinate `i` of `z`.
    pub(crate) fn at(&self, z: &ArrayRef1<f64>, i: usize) -> f64 {
        match *self {
            PrecisionPrior::Known { precision } => precision,
            PrecisionPrior::Gamma { .. } => z[i],
        }
    }

    /// log p(τ), expected or realised; 0 when τ is known.
    pub(crate) fn log_prob(&self, log_tau: f64, tau: f64) -> f64 {
        match *self {
            PrecisionPrior::Known { .. } => 0.0,
            PrecisionPrior::Gamma { shape, rate } => gamma_log_prob(shape, rate, log_tau, tau),
        }
    }

    /// The complete conditional of τ after `n` normal terms whose squares add up to `squares`; `None` when τ is
    /// known.
    ///
    /// ```text
    /// Gamma(a₀ + n/2, b₀ + squares/2)
    /// ```
    pub(crate) fn conditional(&self, n: f64, squares: f64) -> Result<Option<Gamma>, FamilyError> {
        match *self {
            PrecisionPrior::Known { .. } => Ok(None),
            PrecisionPrior::Gamma { shape, rate } => {
                Gamma::from_shape_rate(shape + 0.5 * n, rate + 0.5 * squares).map(Some)
            }
        }
    }

    /// The length of the natural parameter of q(τ): 0 when τ is known.
    pub(crate) fn n_natural(&self) -> usize {
        match self {
            PrecisionPrior::Known { .. } => 0,
            PrecisionPrior::Gamma { .. } => 2,
        }
    }

    /// What is expected of τ under its factor.
    pub(crate) fn expected(&self, q: Option<&Gamma>) -> PrecisionStats {
        match (*self, q) {
            (PrecisionPrior::Known { precision }, _) => PrecisionStats::realised(precision),
            (_, Some(q)) => PrecisionStats::expected(q),
            (_, None) => PrecisionStats { mean: f64::NAN, log: f64::NAN },
        }
    }

    /// The prior as a factor, and what is expected under it.
    pub(crate) fn start(&self) -> Result<(Option<Gamma>, PrecisionStats), FamilyError> {
        match *self {
            PrecisionPrior::Known { precision } => Ok((None, PrecisionStats::realised(precision))),
            PrecisionPrior::Gamma { shape, rate } => {
                let q = Gamma::from_shape_rate(shape, rate)?;
                let stats = PrecisionStats::expected(&q);
                Ok((Some(q), stats))
            }
        }
    }
}

/// log Gamma(x; shape, rate) from log x and x, expected or realised.
pub(crate) fn gamma_log_prob(shape: f64, rate: f64, log_x: f64, x: f64) -> f64 {
    shape * rate.ln() - log_gamma(shape) + (shape - 1.0) * log_x - rate * x
}

/// Expected or realised statistics of a precision τ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionStats {
    /// `E[τ]`.
    pub mean: f64,
    /// `E[log τ]`.
    pub log: f64,
}

impl PrecisionStats {
    pub(crate) fn expected(q: &Gamma) -> Self {
        Self { mean: q.mean(), log: q.expected_log() }
    }

    pub(crate) fn realised(tau: f64) -> Self {
        Self { mean: tau, log: tau.ln() }
    }
}

/// log q(τ) of a factor that is there unless τ is known.
pub(crate) fn factor_log_prob(q: Option<&Gamma>, tau: f64) -> f64 {
    q.map_or(0.0, |q| q.log_prob(&tau))
}
