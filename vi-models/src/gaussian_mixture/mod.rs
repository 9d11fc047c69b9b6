//! Bayesian mixture of Gaussians: four shapes of covariances, two priors of the weights.
//!
//! ```text
//! x_n | z_n = k ~ N(μ_k, Λ_k⁻¹)        z_n ~ Categorical(π)          n = 1 … N
//! π ~ Dirichlet(α₀, …, α₀), or sticks broken by Beta(1, α₀)
//! μ_k | Λ_k ~ N(m₀, (β₀ Λ_k)⁻¹)        k = 1 … K
//! Λ_k ~ Wishart(W₀, ν₀); one for all; diagonal or spherical with Gamma laws      ([`Covariance`])
//! ```
//! The assignments z are a block for coordinate ascent and Gibbs sampling
//! ([`ConditionallyConjugate`](vi_core::ConditionallyConjugate)), and are summed out in the log joint and its
//! gradient, over `weights[K]` (simplex), `mean[K,D]` and `precision` (of the shape of the covariances).
//!
//! There is no [`LocalLogJoint`](vi_core::LocalLogJoint): with the assignments summed out, every datum couples all
//! weights, means and precisions, and a block would cost as much as the whole.
//!
//! The ELBO and the log joint are for the data as given. After standardising column d by its standard deviation
//! s_d they are larger by N Σ_d log s_d, and the default prior (zero mean, identity scale) is meant for that scale.
//!
//! # Missing values
//!
//! A value that is not finite is refused, unless the model is made by [`GaussianMixture::with_missing_values`]: then
//! NaN is a missing value. It is latent beside the assignment of its datum: given that, the missing values of a datum
//! are normal given the observed ones, and responsibilities, expected statistics and the log joint integrate over that
//! law in closed form.
//!
//! # Cost
//!
//! A component's log density is linear in T(x) = (x, products, 1), P features, so a sweep is two matrix products over
//! tiles of 256 data with the softmax between them, in one pass over the data: 4 N K P flops and N K exponentials. Where
//! there are many products they are not formed for the first: it is Horner's rule by coordinates.
//! Nothing of size N is kept but the responsibilities, and those not with
//! [`GaussianMixture::without_responsibilities`]; the ELBO needs no further pass. Data are centred first (at their
//! mean), which is what keeps xxᵀ from cancelling; digits are lost only when clusters lie ≫ 10⁴ standard deviations
//! apart. Data with missing values take part in the products with zeros for those; what that leaves out is added by
//! patterns of missing columns (`incomplete`), at one factorisation per component, pattern and tile.
//!
//! Source: C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), §10.2.

mod components;
mod conjugate;
mod covariance;
mod data;
mod exchangeable;
mod factors;
mod incomplete;
mod layout;
mod log_joint;
mod minibatch;
mod moves;
mod natural;
mod pass;
mod point;
mod predictive;
mod prior;
mod realise;
mod split;
mod start;
mod tile;
mod weights;

use ndarray::{Array1, Array2};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;

pub use conjugate::GaussianMixtureBlock;
pub use covariance::Covariance;
pub use exchangeable::{GaussianMixtureBatch, GaussianMixtureGlobals};
pub use factors::{GaussianMixtureFactors, GaussianMixtureStats, MixtureComponents};
pub use minibatch::GaussianMixtureMinibatch;
pub use prior::GaussianMixturePriors;
pub use weights::WeightsPrior;

use data::Missing;
use layout::{Layout, Products};
use prior::Prior;

/// Name of the model in errors.
const MODEL: &str = "gaussian_mixture";

/// A mixture of K Gaussians over data x (N, D).
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    /// x (N, D), row-major.
    data: Array2<f64>,
    missing: Option<Missing>,
    /// c (D): the data's mean, subtracted from x, μ and m₀ in everything internal.
    centre: Array1<f64>,
    prior: Prior,
    n_components: usize,
    /// The features that assignments need.
    layout: Layout,
    /// The features that densities need.
    density_layout: Layout,
    /// Σ (x − c)(x − c)ᵀ of all data (D²), where the layout leaves products out.
    total_scatter: Array1<f64>,
    parameters: ParameterSpace,
    keep_responsibilities: bool,
}

impl GaussianMixture {
    /// The model of `data` (N, D) with `n_components` components.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data or components, a value is not finite, or a prior is outside its
    /// domain.
    pub fn new(
        data: Array2<f64>,
        n_components: usize,
        priors: GaussianMixturePriors,
    ) -> Result<Self, ModelError> {
        data::check(&data, "data", false)?;
        Self::build(data, n_components, priors, None)
    }

    /// The same where NaN stands for a missing value, which is integrated over.
    ///
    /// # Errors
    /// As for [`GaussianMixture::new`]; infinite values are refused.
    pub fn with_missing_values(
        data: Array2<f64>,
        n_components: usize,
        priors: GaussianMixturePriors,
    ) -> Result<Self, ModelError> {
        data::check(&data, "data", true)?;
        let missing = Missing::find(&data);
        Self::build(data, n_components, priors, Some(missing))
    }

    fn build(
        data: Array2<f64>,
        n_components: usize,
        priors: GaussianMixturePriors,
        missing: Option<Missing>,
    ) -> Result<Self, ModelError> {
        if data.is_empty() {
            return Err(ModelError::Empty { model: MODEL, data: "data" });
        }
        let (k, d, covariance) = (n_components, data.ncols(), priors.covariance);
        if k < 2 {
            return Err(ModelError::Prior {
                model: MODEL,
                parameter: "n_components".to_owned(),
                value: k as f64,
                requirement: "at least 2",
            });
        }
        let parameters = ParameterSpace::new([
            Parameter::vector("weights", k, Support::Simplex),
            Parameter::new("mean", &[k, d], Support::Real),
            covariance.parameter(k, d),
        ])?;
        let data = if data.is_standard_layout() { data } else { data.as_standard_layout().into_owned() };
        let centre = data::centre(&data);
        let prior = Prior::new(priors, k, &centre)?;
        let density_layout = Layout::of(covariance, d);
        let shared = covariance == Covariance::Tied && missing.as_ref().is_none_or(Missing::is_empty);
        let (layout, total_scatter) = if shared {
            (Layout::new(Products::None, d), data::scatter(&data, &centre))
        } else {
            (density_layout.clone(), Array1::zeros(0))
        };
        Ok(Self {
            data,
            missing,
            centre,
            prior,
            n_components,
            layout,
            density_layout,
            total_scatter,
            parameters,
            keep_responsibilities: true,
        })
    }

    /// Leaves the N × K responsibilities out of the factors: they are formed tile by tile and used at once.
    ///
    /// A start is then one assignment step further, since what assignments are is kept as the expected parameters
    /// that determine them; [`GaussianMixtureFactors::responsibilities`] is empty, and
    /// [`GaussianMixture::responsibilities`] computes them again.
    #[must_use]
    pub fn without_responsibilities(mut self) -> Self {
        self.keep_responsibilities = false;
        self
    }

    /// The data (N, D).
    pub fn data(&self) -> &Array2<f64> {
        &self.data
    }

    /// The number K of components.
    pub fn n_components(&self) -> usize {
        self.n_components
    }

    /// The priors as given.
    pub fn priors(&self) -> &GaussianMixturePriors {
        &self.prior.given
    }

    /// The shape of the covariances.
    pub fn covariance(&self) -> Covariance {
        self.prior.given.covariance
    }

    fn dims(&self) -> (usize, usize) {
        (self.n_components, self.layout.dim)
    }

    /// Whether what q(z) is can be read off given responsibilities alone.
    fn starts_as_given(&self) -> bool {
        self.keep_responsibilities && self.missing.as_ref().is_none_or(Missing::is_empty)
    }
}
