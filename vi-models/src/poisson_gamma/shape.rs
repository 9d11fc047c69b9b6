//! The complete conditional of the shape of Gamma variables.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_families::FamilyError;
use vi_families::special::{inverse_digamma, log_gamma, trigamma};

/// The density ∝ exp(b α − n log Γ(α)) on (0, ∞), n > 0: conjugate to the shape of Gamma variables with known rate.
///
/// It is log-concave, since log Γ is convex; its mode is ψ⁻¹(b/n). Normaliser and moments come from the trapezoidal rule in
/// log α, which converges exponentially for analytic functions that vanish at the ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaShape {
    linear: f64,
    n: f64,
    mode: f64,
    log_normalizer: f64,
    mean: f64,
    expected_log_gamma: f64,
}

/// Steps of the trapezoidal rule in standard deviations of log α at the mode.
const STEP: f64 = 0.125;
/// What is left out beyond log densities this far below the highest.
const DEPTH: f64 = 45.0;

impl GammaShape {
    /// The member with these b and n.
    ///
    /// # Errors
    /// [`FamilyError::Domain`] unless both are finite and n is positive.
    pub fn from_linear_count(linear: f64, n: f64) -> Result<Self, FamilyError> {
        let refused = |parameter: &str, value, requirement| {
            Err(FamilyError::Domain {
                family: "GammaShape",
                parameter: parameter.to_owned(),
                value,
                requirement,
            })
        };
        if !linear.is_finite() {
            return refused("linear", linear, "finite");
        }
        if !(n > 0.0 && n.is_finite()) {
            return refused("n", n, "finite and > 0");
        }
        let mode = inverse_digamma(linear / n);
        let mut out = Self { linear, n, mode, log_normalizer: 0.0, mean: 0.0, expected_log_gamma: 0.0 };
        out.integrate();
        if out.log_normalizer.is_finite() && out.mean > 0.0 {
            Ok(out)
        } else {
            refused("linear", linear, "such that the density has a normaliser within range")
        }
    }

    /// b and n.
    pub fn linear_count(&self) -> (f64, f64) {
        (self.linear, self.n)
    }

    /// b α − n log Γ(α).
    fn log_kernel(&self, alpha: f64) -> f64 {
        self.linear * alpha - self.n * log_gamma(alpha)
    }

    fn integrate(&mut self) {
        // In u = log α the density has another mode; its width there is about that of the one at `mode`.
        let centre = self.mode.ln();
        let step = STEP / (1.0 + self.n * trigamma(self.mode) * self.mode * self.mode).sqrt();
        let at = |i: i64| {
            let u = centre + step * i as f64;
            let alpha = u.exp();
            (alpha, log_gamma(alpha), self.log_kernel(alpha) + u)
        };
        let top = self.log_kernel(self.mode) + centre;
        let (mut highest, mut sums) = (f64::NEG_INFINITY, [0.0; 3]);
        for direction in [1, -1] {
            for i in i64::from(direction == -1).. {
                let (alpha, log_gamma, log) = at(direction * i);
                highest = highest.max(log);
                if log.is_nan() || log < highest - DEPTH {
                    break;
                }
                let weight = (log - top).exp();
                sums[0] += weight;
                sums[1] += weight * alpha;
                sums[2] += weight * log_gamma;
            }
        }
        self.log_normalizer = top + (step * sums[0]).ln();
        self.mean = sums[1] / sums[0];
        self.expected_log_gamma = sums[2] / sums[0];
    }

    /// E\[α\].
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// E[log Γ(α)].
    pub fn expected_log_gamma(&self) -> f64 {
        self.expected_log_gamma
    }

    /// log ∫ exp(b α − n log Γ(α)) dα.
    pub fn log_normalizer(&self) -> f64 {
        self.log_normalizer
    }

    /// The log density.
    pub fn log_prob(&self, alpha: f64) -> f64 {
        self.log_kernel(alpha) - self.log_normalizer
    }

    /// −E[log q].
    pub fn entropy(&self) -> f64 {
        self.log_normalizer - self.linear * self.mean + self.n * self.expected_log_gamma
    }

    /// A draw, by rejection under min(1, e^(1 − |x − m| f(m))) f(m), which every log-concave density f with mode m stays
    /// below; one of four proposals is taken.
    ///
    /// Source: L. Devroye, *Non-Uniform Random Variate Generation* (1986), §VII.2.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let log_height = self.log_prob(self.mode);
        let height = log_height.exp();
        loop {
            let (u, v, w): (f64, f64, f64) = (rng.random(), rng.random(), rng.random());
            let (distance, bound) = if u < 0.5 {
                (2.0 * u, v)
            } else {
                let tail = 2.0 * u - 1.0;
                // 1 − u would never be 0.
                (1.0 - (1.0 - tail).ln(), v * (1.0 - tail))
            };
            let alpha = self.mode + if w < 0.5 { -distance } else { distance } / height;
            if alpha > 0.0 && bound.ln() <= self.log_prob(alpha) - log_height {
                return alpha;
            }
        }
    }
}
