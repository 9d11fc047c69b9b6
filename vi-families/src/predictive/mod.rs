//! Predictive distributions of conjugate pairs: likelihoods averaged over a prior or posterior.

mod beta_binomial;
mod beta_negative_binomial;
mod burr;
mod compound_gamma;
mod dirichlet_multinomial;
mod double_lomax;
mod half_student_t;
mod inverse_gaussian_mixture;
mod log_lomax;
mod log_student_t;
mod lomax;
mod mv_student_t;
mod student_t;
mod student_t_tail;
mod uniform_mixture;
mod von_mises_mixture;

pub use beta_binomial::BetaBinomial;
pub use beta_negative_binomial::BetaNegativeBinomial;
pub use burr::Burr;
pub use compound_gamma::CompoundGamma;
pub use dirichlet_multinomial::DirichletMultinomial;
pub use double_lomax::DoubleLomax;
pub use half_student_t::HalfStudentT;
pub use inverse_gaussian_mixture::InverseGaussianMixture;
pub use log_lomax::LogLomax;
pub use log_student_t::LogStudentT;
pub use lomax::Lomax;
pub use mv_student_t::MvStudentT;
pub use student_t::StudentT;
pub use uniform_mixture::UniformMixture;
pub use von_mises_mixture::{VonMisesFisherMixture, VonMisesMixture};

use vi_core::StreamRng;

use crate::exponential_family::ExponentialFamily;

/// p(x̂) = ∫ p(x̂ | z) p(z) dz: a distribution that can be evaluated and sampled.
pub trait PredictiveDistribution: Clone + std::fmt::Debug + Send + Sync {
    /// What it is a distribution of.
    type Value: ?Sized + ToOwned;
    /// log p(x̂); −∞ outside the support.
    fn log_predictive(&self, x: &Self::Value) -> f64;
    /// One draw.
    fn sample_predictive(&self, rng: &mut StreamRng) -> <Self::Value as ToOwned>::Owned;
}

impl<F: ExponentialFamily> PredictiveDistribution for F {
    type Value = F::Value;
    fn log_predictive(&self, x: &F::Value) -> f64 {
        self.log_prob(x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> <F::Value as ToOwned>::Owned {
        self.sample(rng)
    }
}
