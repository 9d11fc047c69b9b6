//! The laws of the weights: a symmetric Dirichlet, or sticks broken one after the other.
//!
//! ```text
//! Dirichlet        π ~ Dirichlet(α₀, …, α₀)
//! stick-breaking   π_k = v_k Π_{j<k} (1 − v_j),   v_k ~ Beta(1, α₀) for k < K,   v_K = 1
//! ```
//! The second is a Dirichlet process truncated at K. Its density is taken over π, like that of the Dirichlet: with
//! the Jacobian Π_{k<K} 1/(1 − π_1 − … − π_{k−1}), which is a power of every 1 − v_j.
//!
//! Sources: D. M. Blei & M. I. Jordan, *Variational inference for Dirichlet process mixtures* (2006), §3.2;
//! R. J. Connor & J. E. Mosimann (1969) for the density.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_families::special::{digamma, log_beta, log_gamma};
use vi_families::{Dirichlet, ExponentialFamily, FamilyError};

/// The prior of the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsPrior {
    /// A symmetric Dirichlet distribution with concentration α₀ for every weight.
    #[default]
    Dirichlet,
    /// A Dirichlet process with concentration α₀, truncated at K: the larger k, the smaller a weight is expected.
    StickBreaking,
}

/// A law of the weights: of the prior, or their factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct WeightsLaw {
    kind: WeightsPrior,
    /// Concentrations (K), or the first parameters of the sticks (K − 1).
    pub(super) first: Vec<f64>,
    /// The second parameters of the sticks (K − 1).
    pub(super) second: Vec<f64>,
    /// The statistics expected under it.
    pub(super) expected: WeightsStats,
}

/// log π_k (K), and log(1 − v_k) (K − 1) of sticks; expected or realised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct WeightsStats {
    pub(super) log_weights: Vec<f64>,
    log_rest: Vec<f64>,
}

impl WeightsLaw {
    pub(super) fn prior(kind: WeightsPrior, concentration: f64, k: usize) -> Self {
        let (first, second) = match kind {
            WeightsPrior::Dirichlet => (vec![concentration; k], Vec::new()),
            WeightsPrior::StickBreaking => (vec![1.0; k - 1], vec![concentration; k - 1]),
        };
        let expected = WeightsStats { log_weights: vec![0.0; k], log_rest: vec![0.0; second.len()] };
        let mut law = Self { kind, first, second, expected };
        law.set_expected();
        law
    }

    /// Overwrites `self` with the posterior of the prior `prior` given counts (K).
    pub(super) fn condition(&mut self, prior: &Self, counts: impl DoubleEndedIterator<Item = f64> + Clone) {
        match self.kind {
            WeightsPrior::Dirichlet => {
                for ((a, a0), n) in self.first.iter_mut().zip(&prior.first).zip(counts) {
                    *a = a0 + n;
                }
            }
            WeightsPrior::StickBreaking => {
                let last = self.first.len();
                let mut beyond = 0.0;
                for (k, n) in (0..=last).rev().zip(counts.rev()) {
                    if k < last {
                        self.first[k] = prior.first[k] + n;
                        self.second[k] = prior.second[k] + beyond;
                    }
                    beyond += n;
                }
            }
        }
        self.set_expected();
    }

    pub(super) fn set_expected(&mut self) {
        let log_weights = &mut self.expected.log_weights;
        match self.kind {
            WeightsPrior::Dirichlet => {
                let total = digamma(self.first.iter().sum());
                log_weights.iter_mut().zip(&self.first).for_each(|(l, a)| *l = digamma(*a) - total);
            }
            WeightsPrior::StickBreaking => {
                let mut rest = 0.0;
                for (k, (a, b)) in self.first.iter().zip(&self.second).enumerate() {
                    let total = digamma(a + b);
                    log_weights[k] = rest + digamma(*a) - total;
                    self.expected.log_rest[k] = digamma(*b) - total;
                    rest += self.expected.log_rest[k];
                }
                log_weights[self.first.len()] = rest;
            }
        }
    }

    /// The first parameter that is not finite and positive.
    pub(super) fn wrong(&self) -> Option<(usize, f64)> {
        let all = self.first.iter().chain(&self.second).copied().enumerate();
        all.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)).map(|(i, v)| (i % self.first.len(), v))
    }

    /// log p(π), expected or realised.
    pub(super) fn log_density(&self, stats: &WeightsStats) -> f64 {
        match self.kind {
            WeightsPrior::Dirichlet => {
                let terms = self.first.iter().zip(&stats.log_weights);
                let sum: f64 = terms.map(|(a, l)| (a - 1.0) * l - log_gamma(*a)).sum();
                log_gamma(self.first.iter().sum()) + sum
            }
            WeightsPrior::StickBreaking => {
                let (mut sum, mut rest, n) = (0.0, 0.0, self.first.len());
                for (k, (a, b)) in self.first.iter().zip(&self.second).enumerate() {
                    // The Jacobian has log(1 − v_k) once for every later stick.
                    let later = (n - 1 - k) as f64;
                    let (log_stick, log_rest) = (stats.log_weights[k] - rest, stats.log_rest[k]);
                    sum += (a - 1.0) * log_stick + (b - 1.0 - later) * log_rest - log_beta(*a, *b);
                    rest += log_rest;
                }
                sum
            }
        }
    }

    pub(super) fn entropy(&self) -> f64 {
        -self.log_density(&self.expected)
    }

    /// ∂ log p(π)/∂π_k into `grad` (K), with π_K = 1 − … written as it stands in the formula:
    /// for sticks log p = const + (α₀ − 1) log π_K − Σ_{k<K−1} log(π_{k+1} + … + π_K).
    pub(super) fn add_prior_gradient(&self, weights: &[f64], grad: &mut [f64]) {
        match self.kind {
            WeightsPrior::Dirichlet => {
                for ((g, a), w) in grad.iter_mut().zip(&self.first).zip(weights) {
                    *g += (a - 1.0) / w;
                }
            }
            WeightsPrior::StickBreaking => {
                let last = weights.len() - 1;
                grad[last] += (self.second[0] - 1.0) / weights[last];
                let mut tail = weights[last];
                for k in (1..last).rev() {
                    tail += weights[k];
                    grad[k..].iter_mut().for_each(|g| *g -= 1.0 / tail);
                }
            }
        }
    }

    /// E\[π\] (K).
    pub(super) fn mean(&self) -> Vec<f64> {
        match self.kind {
            WeightsPrior::Dirichlet => {
                let total: f64 = self.first.iter().sum();
                self.first.iter().map(|a| a / total).collect()
            }
            WeightsPrior::StickBreaking => {
                let mut rest = 1.0;
                let sticks = self.first.iter().zip(&self.second);
                let mut mean: Vec<f64> = sticks
                    .map(|(a, b)| {
                        let weight = rest * a / (a + b);
                        rest *= b / (a + b);
                        weight
                    })
                    .collect();
                mean.push(rest);
                mean
            }
        }
    }

    /// The statistics of a draw. Weights keep clear of zero, so that their logarithms exist.
    pub(super) fn draw(&self, rng: &mut StreamRng) -> WeightsStats {
        let mut drawn = |a: &[f64]| -> Result<Vec<f64>, FamilyError> {
            Ok(Dirichlet::from_concentration(&ndarray::aview1(a))?.sample(rng).mapv(f64::ln).to_vec())
        };
        let mut stats = self.expected.clone();
        match self.kind {
            WeightsPrior::Dirichlet => {
                // What `wrong` let pass is a Dirichlet.
                stats.log_weights = drawn(&self.first).unwrap_or_else(|_| vec![f64::NAN; self.first.len()]);
            }
            WeightsPrior::StickBreaking => {
                let mut rest = 0.0;
                for (k, (a, b)) in self.first.iter().zip(&self.second).enumerate() {
                    let stick = drawn(&[*a, *b]).unwrap_or_else(|_| vec![f64::NAN; 2]);
                    stats.log_weights[k] = rest + stick[0];
                    stats.log_rest[k] = stick[1];
                    rest += stick[1];
                }
                stats.log_weights[self.first.len()] = rest;
            }
        }
        stats
    }

    /// The factor as a Dirichlet, if it is one.
    pub(super) fn dirichlet(&self) -> Option<Dirichlet> {
        (self.kind == WeightsPrior::Dirichlet)
            .then(|| Dirichlet::from_concentration(&ndarray::aview1(&self.first)).ok())
            .flatten()
    }

    /// The parameters (a, b) of the sticks.
    pub(super) fn sticks(&self) -> Vec<[f64; 2]> {
        self.first.iter().zip(&self.second).map(|(a, b)| [*a, *b]).collect()
    }
}

impl WeightsStats {
    /// The statistics of weights π (K) > 0.
    pub(super) fn of(kind: WeightsPrior, weights: &[f64]) -> Self {
        let log_rest = match kind {
            WeightsPrior::Dirichlet => Vec::new(),
            WeightsPrior::StickBreaking => {
                // Sums from the smallest end, so that nothing cancels.
                let mut tails = vec![0.0; weights.len() + 1];
                for k in (0..weights.len()).rev() {
                    tails[k] = tails[k + 1] + weights[k];
                }
                tails.windows(2).take(weights.len() - 1).map(|t| (t[1] / t[0]).ln()).collect()
            }
        };
        Self { log_weights: weights.iter().map(|w| w.ln()).collect(), log_rest }
    }

    /// Overwrites these with `other`, without allocating.
    pub(super) fn assign(&mut self, other: &Self) {
        self.log_weights.copy_from_slice(&other.log_weights);
        self.log_rest.copy_from_slice(&other.log_rest);
    }
}
