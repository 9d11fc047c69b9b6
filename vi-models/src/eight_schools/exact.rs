//! Exact moments and evidence: given τ everything is Gaussian, and τ is integrated numerically.
//!
//! ```text
//! w_j = 1/(σ_j² + τ²),  b_j = τ² w_j
//! μ | τ, y ~ N(μ̂, V),   1/V = 1/s² + Σ_j w_j,   μ̂ = V (m/s² + Σ_j w_j y_j)
//! θ_j | μ, τ, y ~ N(b_j y_j + (1 − b_j) μ, b_j σ_j²)
//! ```
//! (Gelman et al. 2013, eq. 5.17–5.21.) The trapezoid rule over u = log τ converges geometrically, because the
//! integrand is analytic and decays at both ends.

use ndarray::{Array1, Array2};

use super::Hierarchy;
use crate::checks::LOG_2_PI;

/// Which first J coordinates the moments are of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parametrisation {
    /// θ_j.
    Centred,
    /// θ̃_j = (θ_j − μ)/τ.
    NonCentred,
}

/// Moments of the posterior and the evidence.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) mean: Array1<f64>,
    /// `None` where the second moment of τ does not exist.
    pub(super) covariance: Option<Array2<f64>>,
    pub(super) log_evidence: f64,
}

/// The exact posterior given τ: x_j = α_j + γ_j μ + noise of variance v_j.
struct GivenTau {
    /// log p(y | τ) + log p(τ) + log τ: the integrand over u = log τ.
    log_weight: f64,
    /// E[(x, μ, τ) | τ, y] (J + 2).
    mean: Array1<f64>,
    mu_variance: f64,
    /// γ_j (J).
    slope: Array1<f64>,
    /// v_j (J).
    noise: Array1<f64>,
}

impl GivenTau {
    fn new(h: &Hierarchy, form: Parametrisation, log_tau: f64) -> Self {
        let n = h.n_schools();
        let tau = log_tau.exp();
        let (y, sigma) = (&h.data.effect, &h.data.standard_error);
        let prior_precision = h.priors.mu_sd.powi(-2);
        let (mut precision, mut weighted, mut log_det) = (prior_precision, 0.0, 0.0);
        for j in 0..n {
            let variance = sigma[j].powi(2) + tau * tau;
            precision += 1.0 / variance;
            weighted += (y[j] - h.priors.mu_mean) / variance;
            log_det += variance.ln();
        }
        let mu_variance = 1.0 / precision;
        let mu = h.priors.mu_mean + weighted * mu_variance;
        let (mut mean, mut slope, mut noise) = (Array1::zeros(n + 2), Array1::zeros(n), Array1::zeros(n));
        let mut quadratic = (mu - h.priors.mu_mean).powi(2) * prior_precision;
        for j in 0..n {
            let w = 1.0 / (sigma[j].powi(2) + tau * tau);
            quadratic += w * (y[j] - mu).powi(2);
            (mean[j], slope[j], noise[j]) = match form {
                Parametrisation::Centred => {
                    let b = tau * tau * w;
                    (b * y[j] + (1.0 - b) * mu, 1.0 - b, b * sigma[j].powi(2))
                }
                Parametrisation::NonCentred => {
                    let c = tau * w;
                    (c * (y[j] - mu), -c, sigma[j].powi(2) * w)
                }
            };
        }
        mean[n] = mu;
        mean[n + 1] = tau;
        let log_likelihood =
            -0.5 * (n as f64 * LOG_2_PI + log_det + (precision / prior_precision).ln() + quadratic);
        let log_weight = log_likelihood + h.log_prior_tau(tau) + log_tau;
        Self { log_weight, mean, mu_variance, slope, noise }
    }

    /// Adds weight · (Cov[(x, μ, τ) | τ, y] + (E[·|τ, y] − centre)(E[·|τ, y] − centre)ᵀ).
    fn add_covariance(&self, weight: f64, centre: &Array1<f64>, out: &mut Array2<f64>) {
        let n = self.slope.len();
        let loading = |i: usize| if i < n { self.slope[i] } else { f64::from(u8::from(i == n)) };
        for i in 0..n + 2 {
            let d = self.mean[i] - centre[i];
            for j in 0..n + 2 {
                out[[i, j]] +=
                    weight * (loading(i) * loading(j) * self.mu_variance + d * (self.mean[j] - centre[j]));
            }
            if i < n {
                out[[i, i]] += weight * self.noise[i];
            }
        }
    }
}

impl Moments {
    /// Halves the step until nothing changes any more; `None` if it never settles.
    pub(super) fn by_quadrature(h: &Hierarchy, form: Parametrisation) -> Option<Self> {
        let mut last = Self::with_step(h, form, 1.0 / 8.0);
        for halvings in 1..10 {
            let next = Self::with_step(h, form, 0.125 / f64::from(1 << halvings));
            if next.agrees_with(&last) {
                return Some(next);
            }
            last = next;
        }
        None
    }

    fn with_step(h: &Hierarchy, form: Parametrisation, step: f64) -> Self {
        // Outside these limits the integrand, even times τ², has decayed by e⁻⁴⁰ at the slowest rate, e^∓u.
        let (mut small, mut large) = (h.priors.tau_scale, h.priors.tau_scale.max(h.priors.mu_sd));
        for (y, s) in h.data.effect.iter().zip(&h.data.standard_error) {
            small = small.min(*s);
            large = large.max(*s).max((y - h.priors.mu_mean).abs());
        }
        let (lower, upper) = (small.ln() - 40.0, large.ln() + 40.0);
        let n = ((upper - lower) / step).ceil() as usize;
        let nodes: Vec<GivenTau> = (0..=n).map(|i| GivenTau::new(h, form, lower + i as f64 * step)).collect();
        let max = nodes.iter().map(|g| g.log_weight).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = nodes.iter().map(|g| (g.log_weight - max).exp()).sum();
        let weight = |g: &GivenTau| (g.log_weight - max).exp() / total;
        let dim = h.n_schools() + 2;
        let mut mean = Array1::zeros(dim);
        for g in &nodes {
            mean.scaled_add(weight(g), &g.mean);
        }
        // With one school p(τ | y) falls off like τ⁻³ and τ has no variance.
        let covariance = (h.n_schools() > 1).then(|| {
            let mut out = Array2::zeros((dim, dim));
            for g in &nodes {
                g.add_covariance(weight(g), &mean, &mut out);
            }
            out
        });
        Self { mean, covariance, log_evidence: max + (total * step).ln() }
    }

    fn agrees_with(&self, other: &Self) -> bool {
        let close = |a: &f64, b: &f64| (a - b).abs() <= 1e-11 * (1.0 + a.abs());
        let covariances = match (&self.covariance, &other.covariance) {
            (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| close(a, b)),
            _ => true,
        };
        close(&self.log_evidence, &other.log_evidence)
            && self.mean.iter().zip(&other.mean).all(|(a, b)| close(a, b))
            && covariances
    }
}
