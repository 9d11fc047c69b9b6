//! Conjugate pairs: likelihoods whose posterior is in the family of the prior.

mod diagonal_gaussian;
mod direction;
mod discrete;
mod dispersion;
mod gaussian;
mod log_normal;
mod mv_gaussian;
mod positive;
mod reciprocal;
mod regression;
mod uniform;

pub use diagonal_gaussian::DiagonalGaussianMean;
pub use direction::{VonMisesDirection, VonMisesFisherDirection};
pub use discrete::{
    BernoulliProbability, BinomialProbability, CategoricalProbabilities, GeometricProbability,
    MultinomialProbabilities, NegativeBinomialProbability, PoissonRate,
};
pub use dispersion::{
    HalfNormalPrecision, InverseGaussianShape, LaplaceRate, LogNormalLogMean, LogNormalLogPrecision,
};
pub use gaussian::{
    GaussianMean, GaussianMeanPrecision, GaussianMeanVariance, GaussianPrecision, GaussianVariance,
};
pub use log_normal::{LogNormalLogMeanPrecision, LogNormalLogMeanVariance};
pub use mv_gaussian::{
    MvGaussianCovariance, MvGaussianMean, MvGaussianMeanCovariance, MvGaussianMeanPrecision,
    MvGaussianPrecision,
};
pub use positive::{
    ExponentialMean, ExponentialRate, GammaRate, InverseGammaScale, ParetoShape, RayleighPrecision,
    WeibullRate,
};
pub use reciprocal::{
    GammaScale, HalfNormalVariance, InverseGaussianDispersion, LaplaceScale, LogNormalLogVariance,
    RayleighVariance, Reciprocal, WeibullScalePower,
};
pub use regression::{LinearRegressionCoefficients, MultivariateRegressionCoefficients};
pub use uniform::UniformBound;

use ndarray::{Array1, ArrayRef1};

use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::predictive::PredictiveDistribution;
use crate::validate::{domain, length};

/// A likelihood p(x | z) of one datum, conjugate to a family of priors on z.
///
/// As a function of z its logarithm is linear in the sufficient statistics T of the prior:
///
/// ```text
/// log p(x | z) = m(x)ᵀT(z) + log h(x)
/// posterior:      η = η₀ + Σ_n w_n m(x_n)
/// log p(x):       A(η) − A(η₀) + Σ_n w_n log h(x_n)
/// ```
/// A type is named after what is known and what is not, as [`GaussianMean`](crate::GaussianMean) for the Gaussian with
/// unknown mean. (Diaconis & Ylvisaker 1979; Bernardo & Smith 1994, section 5.2.)
pub trait ConjugateLikelihood: Clone + std::fmt::Debug + Send + Sync {
    /// What a datum is.
    type Value: ?Sized + ToOwned;
    /// The family of priors.
    type Prior: ExponentialFamily;
    /// p(x̂) with z averaged over a member of the prior family.
    type Predictive: PredictiveDistribution<Value = Self::Value>;
    /// The name in errors.
    const NAME: &'static str;

    /// The dimension P of the prior's T.
    fn n_params(&self) -> usize;
    /// Adds `weight` · m(x) to `out` (P).
    fn add_message(&self, x: &Self::Value, weight: f64, out: &mut ArrayRef1<f64>);
    /// log h(x); −∞ where no z makes x possible.
    fn log_base_measure(&self, x: &Self::Value) -> f64;
    /// The predictive distribution of one datum under `prior`, which may be a posterior.
    ///
    /// # Errors
    /// [`FamilyError`] when a parameter of the predictive distribution leaves the range of `f64`.
    fn predictive(&self, prior: &Self::Prior) -> Result<Self::Predictive, FamilyError>;
    /// Whether a member can be the prior: that it is of the right dimension, and what is given of it right.
    ///
    /// # Errors
    /// [`FamilyError`] when not.
    fn check_prior(&self, prior: &Self::Prior) -> Result<(), FamilyError> {
        length(Self::NAME, "natural parameter of the prior", prior.n_params(), self.n_params())
    }
    /// Whether data seen through `other` say something of the same unknown.
    ///
    /// # Errors
    /// [`FamilyError`] when not.
    fn check_merge(&self, other: &Self) -> Result<(), FamilyError> {
        length(Self::NAME, "message", other.n_params(), self.n_params())
    }
    /// No data yet.
    fn observed(&self) -> Observed<Self> {
        let message = Array1::zeros(self.n_params());
        Observed { likelihood: self.clone(), n: 0, weight: 0.0, message, log_base_measure: 0.0 }
    }
}

/// Data seen through a conjugate likelihood: all that the posterior and the evidence need of them.
///
/// Built from [`ConjugateLikelihood::observed`]; observations of parts of the data, [merged](Observed::merge), are
/// the observations of all.
#[derive(Clone, Debug)]
pub struct Observed<L> {
    likelihood: L,
    n: usize,
    weight: f64,
    message: Array1<f64>,
    log_base_measure: f64,
}

impl<L: ConjugateLikelihood> Observed<L> {
    /// Adds one datum with this weight.
    ///
    /// # Errors
    /// [`FamilyError`] when the weight is negative or not finite or the datum impossible; nothing is added then.
    pub fn push(&mut self, x: &L::Value, weight: f64) -> Result<(), FamilyError>
    where
        L::Value: std::fmt::Debug,
    {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(domain(L::NAME, format!("weights[{}]", self.n), weight, "finite and ≥ 0"));
        }
        let h = self.likelihood.log_base_measure(x);
        let mut message = self.message.clone();
        if h.is_finite() {
            self.likelihood.add_message(x, weight, &mut message);
        }
        if !h.is_finite() || message.iter().any(|v| !v.is_finite()) {
            let value = format!("{x:?}");
            return Err(FamilyError::OutsideSupport { family: L::NAME, index: self.n, value });
        }
        self.message = message;
        self.log_base_measure += weight * h;
        self.weight += weight;
        self.n += 1;
        Ok(())
    }

    /// Adds the observations of other data.
    ///
    /// # Errors
    /// [`FamilyError`] when they are of another dimension or another unknown; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), FamilyError> {
        self.likelihood.check_merge(&other.likelihood)?;
        self.message += &other.message;
        self.log_base_measure += other.log_base_measure;
        self.weight += other.weight;
        self.n += other.n;
        Ok(())
    }

    /// How many data were added.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The sum of the weights.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Σ w m(x) (P): what the data add to the natural parameter of the prior.
    pub fn message(&self) -> &Array1<f64> {
        &self.message
    }

    /// p(z | x) ∝ p(z) Π p(x_n | z)^{w_n}.
    ///
    /// # Errors
    /// [`FamilyError`] when its parameters leave the domain, as by rounding, or the prior is of another dimension or
    /// with other than the likelihood's known quantities.
    pub fn posterior(&self, prior: &L::Prior) -> Result<L::Prior, FamilyError> {
        self.likelihood.check_prior(prior)?;
        L::Prior::from_natural_given(&prior.fixed(), &(prior.natural() + &self.message))
    }

    /// log ∫ p(z) Π p(x_n | z)^{w_n} dz: with weights of one, the log marginal likelihood of the data.
    ///
    /// Its absolute error is about 10⁻¹⁶ times the largest of A(η), A(η₀) and Σ w log h, which is more than the
    /// predictive density of one extreme datum loses.
    ///
    /// # Errors
    /// As [`Observed::posterior`].
    pub fn log_marginal_likelihood(&self, prior: &L::Prior) -> Result<f64, FamilyError> {
        Ok(self.posterior(prior)?.log_partition() - prior.log_partition() + self.log_base_measure)
    }
}
