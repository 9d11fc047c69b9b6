//! Concentrations of the priors that make the bound largest.
//!
//! With q fixed, the bound has α and η in the expected log densities of the priors alone:
//!
//! ```text
//! D [log Γ(Σα) − Σ_k log Γ(α_k)] + Σ_k (α_k − 1) Σ_d E[log θ_dk]         and the same of η, with V words and K topics
//! ```
//! which are log likelihoods of Dirichlet distributions at the expected sufficient statistics. Both are concave.

use ndarray::Array1;
use vi_families::special::{digamma, trigamma};
use vi_families::{Dirichlet, ExponentialFamily};

use super::prior::Prior;
use super::{Concentration, LatentDirichletAllocation, LatentDirichletPriors, LatentDirichletStats, MODEL};
use crate::ModelError;

/// What is estimated of the proportions' prior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proportions {
    /// One α for all topics.
    Symmetric,
    /// One α for every topic.
    Each,
}

impl LatentDirichletAllocation {
    /// The priors under which the bound at these expected statistics is largest: empirical Bayes.
    ///
    /// In turns with sweeps of the model [`LatentDirichletAllocation::with_priors`] it raises the bound further; factors and
    /// statistics of one model serve the other.
    ///
    /// Source: Minka, "Estimating a Dirichlet distribution" (2000, revised 2012), §1; Blei, Ng & Jordan, JMLR 3 (2003), §A.4.2.
    ///
    /// # Errors
    /// [`ModelError`] when the statistics belong to no Dirichlet distribution.
    pub fn best_priors(
        &self,
        stats: &LatentDirichletStats,
        proportions: Proportions,
    ) -> Result<LatentDirichletPriors, ModelError> {
        let mean_logs: Array1<f64> = &stats.sum_log_proportions / self.n_documents() as f64;
        let proportions = match proportions {
            Proportions::Symmetric => {
                Concentration::Symmetric(symmetric(self.n_topics(), mean_logs.sum(), "proportions")?)
            }
            Proportions::Each => {
                let best = Dirichlet::from_mean_params(&mean_logs)
                    .map_err(|source| ModelError::Family { model: MODEL, source })?;
                Concentration::Each(best.concentration().to_vec())
            }
        };
        let topics = symmetric(self.n_words(), stats.topics.sum_logs / self.n_topics() as f64, "topics")?;
        Ok(LatentDirichletPriors { proportions: Some(proportions), topics: Some(topics) })
    }

    /// The same with other priors.
    ///
    /// # Errors
    /// [`ModelError`] when a prior is outside its domain.
    pub fn with_priors(mut self, priors: &LatentDirichletPriors) -> Result<Self, ModelError> {
        self.prior = Prior::new(priors, self.n_topics(), &self.offsets, self.layout.padded)?;
        Ok(self)
    }
}

/// The α of a symmetric Dirichlet over `n` categories with E[Σ log z] = `sum`: n (ψ(nα) − ψ(α)) + sum = 0.
///
/// Newton's method in log α, kept inside an interval that halves where a step would leave it.
fn symmetric(n: usize, sum: f64, name: &str) -> Result<f64, ModelError> {
    let n = n as f64;
    let slope = |alpha: f64| n * (digamma(n * alpha) - digamma(alpha)) + sum;
    let (mut low, mut high) = (1e-12_f64.ln(), 1e9_f64.ln());
    if !(slope(low.exp()) > 0.0 && slope(high.exp()) < 0.0) {
        let parameter = format!("E[Σ log z] of the {name}");
        return Err(ModelError::Prior {
            model: MODEL,
            parameter,
            value: sum,
            requirement: "that of a Dirichlet",
        });
    }
    let mut x = 0.0_f64;
    for _ in 0..200 {
        let alpha = x.exp();
        let value = slope(alpha);
        if value > 0.0 {
            low = x
        } else {
            high = x
        }
        let next = x - value / (alpha * n * (n * trigamma(n * alpha) - trigamma(alpha)));
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-13 {
            return Ok(next.exp());
        }
        x = next;
    }
    Ok(x.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_concentrations_are_found_from_their_statistics() {
        for n in [2, 5, 1495] {
            for alpha in [1e-4, 0.01, 0.3, 1.0, 7.0, 1e4] {
                let sum = n as f64 * (digamma(alpha) - digamma(n as f64 * alpha));
                let found = symmetric(n, sum, "test").unwrap();
                assert!((found / alpha - 1.0).abs() < 1e-7, "{n}, {alpha}: {found}");
            }
        }
        assert!(symmetric(3, 0.0, "test").is_err(), "no logarithms of probabilities add up to zero");
    }
}
