//! Likelihoods of truth values, categories and counts.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};

use super::ConjugateLikelihood;
use crate::counts::log_negative_binomial_coefficient;
use crate::distributions::{
    Bernoulli, Beta, Binomial, Categorical, Dirichlet, Gamma, Multinomial, NegativeBinomial,
};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::{BetaBinomial, BetaNegativeBinomial, DirichletMultinomial};
use crate::special::log_gamma;
use crate::validate::{domain, positive};

/// A Bernoulli datum with unknown probability of `true` z ~ Beta.
///
/// ```text
/// m(x) = (x, 1 − x)      h(x) = 1      x̂ ~ Bernoulli(α / (α + β))
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BernoulliProbability;

impl ConjugateLikelihood for BernoulliProbability {
    type Value = bool;
    type Prior = Beta;
    type Predictive = Bernoulli;
    const NAME: &'static str = "BernoulliProbability";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &bool, weight: f64, out: &mut ArrayRef1<f64>) {
        out[usize::from(!*x)] += weight;
    }
    fn log_base_measure(&self, _x: &bool) -> f64 {
        0.0
    }
    fn predictive(&self, prior: &Beta) -> Result<Bernoulli, FamilyError> {
        Bernoulli::from_logit(prior.alpha().ln() - prior.beta().ln())
    }
}

/// A binomial datum, the successes in n known trials, with unknown probability of success z ~ Beta.
///
/// ```text
/// m(x) = (x, n − x)      h(x) = n! / (x! (n − x)!)      x̂ ~ BetaBinomial(n, α, β)
/// ```
/// Data with different n are pushed to observations of their own and merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinomialProbability {
    n_trials: u64,
}

impl BinomialProbability {
    /// The likelihood of `n_trials` trials.
    ///
    /// # Errors
    /// [`FamilyError`] for no trials.
    pub fn new(n_trials: u64) -> Result<Self, FamilyError> {
        if n_trials == 0 {
            return Err(domain("BinomialProbability", "n_trials", 0.0, "≥ 1"));
        }
        Ok(Self { n_trials })
    }
}

impl ConjugateLikelihood for BinomialProbability {
    type Value = u64;
    type Prior = Beta;
    type Predictive = BetaBinomial;
    const NAME: &'static str = "BinomialProbability";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &u64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * *x as f64;
        out[1] += weight * self.n_trials.saturating_sub(*x) as f64;
    }
    fn log_base_measure(&self, x: &u64) -> f64 {
        Binomial::log_base_measure_given(&self.n_trials, x)
    }
    fn predictive(&self, prior: &Beta) -> Result<BetaBinomial, FamilyError> {
        BetaBinomial::from_alpha_beta(self.n_trials, prior.alpha(), prior.beta())
    }
}

/// A geometric datum, the failures before the first success, with unknown probability of success z ~ Beta.
///
/// ```text
/// m(x) = (1, x)      h(x) = 1      x̂ ~ BetaNegativeBinomial(1, α, β), the beta-geometric distribution
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeometricProbability;

impl ConjugateLikelihood for GeometricProbability {
    type Value = u64;
    type Prior = Beta;
    type Predictive = BetaNegativeBinomial;
    const NAME: &'static str = "GeometricProbability";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &u64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight;
        out[1] += weight * *x as f64;
    }
    fn log_base_measure(&self, _x: &u64) -> f64 {
        0.0
    }
    fn predictive(&self, prior: &Beta) -> Result<BetaNegativeBinomial, FamilyError> {
        BetaNegativeBinomial::from_alpha_beta(1.0, prior.alpha(), prior.beta())
    }
}

/// A negative binomial datum, the failures before success number r, r known, with unknown probability of success
/// z ~ Beta.
///
/// ```text
/// m(x) = (r, x)      h(x) = Γ(x + r) / (x! Γ(r))      x̂ ~ BetaNegativeBinomial(r, α, β)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NegativeBinomialProbability {
    n_successes: f64,
}

impl NegativeBinomialProbability {
    /// The likelihood of the failures before success number `n_successes`.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn new(n_successes: f64) -> Result<Self, FamilyError> {
        Ok(Self { n_successes: positive("NegativeBinomialProbability", "n_successes", n_successes)? })
    }
}

impl ConjugateLikelihood for NegativeBinomialProbability {
    type Value = u64;
    type Prior = Beta;
    type Predictive = BetaNegativeBinomial;
    const NAME: &'static str = "NegativeBinomialProbability";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &u64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * self.n_successes;
        out[1] += weight * *x as f64;
    }
    fn log_base_measure(&self, x: &u64) -> f64 {
        log_negative_binomial_coefficient(*x as f64, self.n_successes)
    }
    fn predictive(&self, prior: &Beta) -> Result<BetaNegativeBinomial, FamilyError> {
        BetaNegativeBinomial::from_alpha_beta(self.n_successes, prior.alpha(), prior.beta())
    }
}

/// A Poisson datum with unknown rate z ~ Gamma per unit of a known exposure t: its mean is t z.
///
/// ```text
/// m(x) = (x, −t)      h(x) = t^x / x!      x̂ ~ NegativeBinomial(shape, rate / (rate + t))
/// ```
/// Data with different exposures are pushed to observations of their own and merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoissonRate {
    exposure: f64,
}

impl PoissonRate {
    /// The likelihood of a count whose mean is `exposure` times the rate; 1 is the plain Poisson likelihood.
    ///
    /// # Errors
    /// [`FamilyError`] unless it is finite and positive.
    pub fn with_exposure(exposure: f64) -> Result<Self, FamilyError> {
        Ok(Self { exposure: positive("PoissonRate", "exposure", exposure)? })
    }
}

impl ConjugateLikelihood for PoissonRate {
    type Value = u64;
    type Prior = Gamma;
    type Predictive = NegativeBinomial;
    const NAME: &'static str = "PoissonRate";

    fn n_params(&self) -> usize {
        2
    }
    fn add_message(&self, x: &u64, weight: f64, out: &mut ArrayRef1<f64>) {
        out[0] += weight * *x as f64;
        out[1] -= weight * self.exposure;
    }
    fn log_base_measure(&self, x: &u64) -> f64 {
        *x as f64 * self.exposure.ln() - log_gamma(*x as f64 + 1.0)
    }
    fn predictive(&self, prior: &Gamma) -> Result<NegativeBinomial, FamilyError> {
        NegativeBinomial::from_log_failure(prior.shape(), -(prior.rate() / self.exposure).ln_1p())
    }
}

/// A categorical datum with unknown probabilities z ~ Dirichlet (K).
///
/// ```text
/// m(x) = the unit vector of x      h(x) = 1      x̂ ~ Categorical(α / Σα)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoricalProbabilities {
    n_categories: usize,
}

impl CategoricalProbabilities {
    /// The likelihood of one of K = `n_categories` categories.
    ///
    /// # Errors
    /// [`FamilyError`] for less than two.
    pub fn new(n_categories: usize) -> Result<Self, FamilyError> {
        if n_categories < 2 {
            return Err(domain("CategoricalProbabilities", "n_categories", n_categories as f64, "≥ 2"));
        }
        Ok(Self { n_categories })
    }
}

impl ConjugateLikelihood for CategoricalProbabilities {
    type Value = usize;
    type Prior = Dirichlet;
    type Predictive = Categorical;
    const NAME: &'static str = "CategoricalProbabilities";

    fn n_params(&self) -> usize {
        self.n_categories
    }
    fn add_message(&self, x: &usize, weight: f64, out: &mut ArrayRef1<f64>) {
        if let Some(count) = out.get_mut(*x) {
            *count += weight;
        }
    }
    fn log_base_measure(&self, x: &usize) -> f64 {
        Categorical::log_base_measure_given(&self.n_categories, x)
    }
    fn predictive(&self, prior: &Dirichlet) -> Result<Categorical, FamilyError> {
        Categorical::from_logits(&prior.concentration().mapv(f64::ln))
    }
}

/// A multinomial datum, the counts of K categories in n known trials, with unknown probabilities z ~ Dirichlet (K).
///
/// ```text
/// m(x) = x      h(x) = n! / Π x_k!      x̂ ~ DirichletMultinomial(n, α)
/// ```
/// Data with different n are pushed to observations of their own and merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultinomialProbabilities {
    n_trials: u64,
    n_categories: usize,
}

impl MultinomialProbabilities {
    /// The likelihood of the counts of K = `n_categories` categories in `n_trials` trials.
    ///
    /// # Errors
    /// [`FamilyError`] for no trials or less than two categories.
    pub fn new(n_trials: u64, n_categories: usize) -> Result<Self, FamilyError> {
        if n_trials == 0 {
            return Err(domain("MultinomialProbabilities", "n_trials", 0.0, "≥ 1"));
        }
        if n_categories < 2 {
            return Err(domain("MultinomialProbabilities", "n_categories", n_categories as f64, "≥ 2"));
        }
        Ok(Self { n_trials, n_categories })
    }
}

impl ConjugateLikelihood for MultinomialProbabilities {
    type Value = ArrayRef1<f64>;
    type Prior = Dirichlet;
    type Predictive = DirichletMultinomial;
    const NAME: &'static str = "MultinomialProbabilities";

    fn n_params(&self) -> usize {
        self.n_categories
    }
    fn add_message(&self, x: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        out.scaled_add(weight, x);
    }
    fn log_base_measure(&self, x: &ArrayRef1<f64>) -> f64 {
        if x.len() != self.n_categories {
            return f64::NEG_INFINITY;
        }
        Multinomial::log_base_measure_given(&self.n_trials, x)
    }
    fn predictive(&self, prior: &Dirichlet) -> Result<DirichletMultinomial, FamilyError> {
        DirichletMultinomial::from_concentration(self.n_trials, prior.concentration())
    }
}
