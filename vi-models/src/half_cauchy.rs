//! Scales with a half-Cauchy prior, as a mixture of inverse Gammas.
//!
//! ```text
//! s² | a ~ InvGamma(½, 1/a),   a ~ InvGamma(½, 1/A²)   ⇒   s ~ half-Cauchy(0, A)
//! s² | · ~ InvGamma(½ (n + 1), 1/a + ½ S)         S the sum of n squares with variance s²
//! a  | · ~ InvGamma(1, 1/A² + 1/s²)
//! ```
//! Source: M. P. Wand, J. T. Ormerod, S. A. Padoan & R. Frühwirth, "Mean field variational Bayes for elaborate
//! distributions", *Bayesian Analysis* 6 (2011) 847–900, result 5.
//!
//! Densities of the scale are with respect to ds: the factor of s² is carried over with its Jacobian 2s. Those of a are
//! with respect to da.

use std::f64::consts::{LN_2, PI};

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_families::{ExponentialFamily, FamilyError, InverseGamma};

/// Expected or realised statistics of a scale and of its auxiliary variable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalfCauchyStats {
    /// E[1/s²].
    pub precision: f64,
    /// E[log s²].
    pub log_variance: f64,
    /// E[1/a].
    pub auxiliary_reciprocal: f64,
    /// E[log a].
    pub log_auxiliary: f64,
}

impl HalfCauchyStats {
    /// At s² and a = A².
    pub(crate) fn at(variance: f64, prior_scale: f64) -> Self {
        let mut out =
            Self { precision: 0.0, log_variance: 0.0, auxiliary_reciprocal: 0.0, log_auxiliary: 0.0 };
        out.set_variance(variance);
        out.set_auxiliary(prior_scale * prior_scale);
        out
    }

    pub(crate) fn set_variance(&mut self, value: f64) {
        (self.precision, self.log_variance) = (1.0 / value, value.ln());
    }

    pub(crate) fn set_auxiliary(&mut self, value: f64) {
        (self.auxiliary_reciprocal, self.log_auxiliary) = (1.0 / value, value.ln());
    }

    pub(crate) fn expect_variance(&mut self, q: &InverseGamma) {
        (self.precision, self.log_variance) = (q.expected_reciprocal(), q.expected_log());
    }

    pub(crate) fn expect_auxiliary(&mut self, q: &InverseGamma) {
        (self.auxiliary_reciprocal, self.log_auxiliary) = (q.expected_reciprocal(), q.expected_log());
    }

    /// The scale at realised statistics.
    pub(crate) fn scale(&self) -> f64 {
        (0.5 * self.log_variance).exp()
    }

    /// q(s²) for n squares that sum to `squares`.
    pub(crate) fn variance_conditional(&self, n: f64, squares: f64) -> Result<InverseGamma, FamilyError> {
        InverseGamma::from_shape_scale(0.5 * (n + 1.0), self.auxiliary_reciprocal + 0.5 * squares)
    }

    /// q(a).
    pub(crate) fn auxiliary_conditional(&self, prior_scale: f64) -> Result<InverseGamma, FamilyError> {
        InverseGamma::from_shape_scale(1.0, prior_scale.powi(-2) + self.precision)
    }

    /// log q(s) at the realised scale.
    pub(crate) fn variance_log_prob(&self, q: &InverseGamma) -> f64 {
        q.log_prob(&self.log_variance.exp()) + log_jacobian(self.log_variance)
    }

    /// log q(a) at the realised value.
    pub(crate) fn auxiliary_log_prob(&self, q: &InverseGamma) -> f64 {
        q.log_prob(&self.log_auxiliary.exp())
    }

    /// E[log p(s | a) + log p(a)].
    pub(crate) fn expected_log_prior(&self, prior_scale: f64) -> f64 {
        // log InvGamma(x; ½, b) = ½ log b − log Γ(½) − 3/2 log x − b/x, with Γ(½) = √π.
        let inverse_gamma = |log_x: f64, log_scale: f64, scale_over_x: f64| {
            0.5 * (log_scale - PI.ln()) - 1.5 * log_x - scale_over_x
        };
        let rate = prior_scale.powi(-2);
        inverse_gamma(self.log_variance, -self.log_auxiliary, self.auxiliary_reciprocal * self.precision)
            + log_jacobian(self.log_variance)
            + inverse_gamma(self.log_auxiliary, rate.ln(), rate * self.auxiliary_reciprocal)
    }

    /// E[Σ log N(r_i; 0, s²)] but for −½ n log 2π, of n residuals whose squares sum to `squares`.
    pub(crate) fn normal_term(&self, n: f64, squares: f64) -> f64 {
        -0.5 * (n * self.log_variance + self.precision * squares)
    }
}

/// log |ds²/ds| = log 2s.
fn log_jacobian(log_variance: f64) -> f64 {
    LN_2 + 0.5 * log_variance
}

/// The entropy of s under a factor of s².
pub(crate) fn scale_entropy(q: &InverseGamma) -> f64 {
    q.entropy() - log_jacobian(q.expected_log())
}

/// log q(s) under a factor of s².
pub(crate) fn scale_log_prob(q: &InverseGamma, scale: f64) -> f64 {
    if scale <= 0.0 {
        return f64::NEG_INFINITY;
    }
    q.log_prob(&(scale * scale)) + log_jacobian(2.0 * scale.ln())
}

pub(crate) fn draw_scale(q: &InverseGamma, rng: &mut StreamRng) -> f64 {
    q.sample(rng).sqrt()
}

/// log p(s) of the half-Cauchy distribution.
pub(crate) fn log_density(scale: f64, prior_scale: f64) -> f64 {
    LN_2 - (PI * prior_scale).ln() - (scale / prior_scale).powi(2).ln_1p()
}

/// d log p(s)/ds.
pub(crate) fn derivative(scale: f64, prior_scale: f64) -> f64 {
    -2.0 * scale / (prior_scale * prior_scale + scale * scale)
}
