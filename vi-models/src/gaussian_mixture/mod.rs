//! Bayesian mixture of Gaussians with full covariances.
//!
//! ```text
//! x_n | z_n = k ~ N(μ_k, Λ_k⁻¹)        z_n ~ Categorical(π)          n = 1 … N
//! π ~ Dirichlet(α₀, …, α₀)
//! μ_k | Λ_k ~ N(m₀, (β₀ Λ_k)⁻¹)        Λ_k ~ Wishart(W₀, ν₀)         k = 1 … K
//! ```
//! The assignments z are a block for coordinate ascent and Gibbs sampling
//! ([`ConditionallyConjugate`](vi_core::ConditionallyConjugate)), and are summed out in the log joint and its
//! gradient, over `weights[K]` (simplex), `mean[K,D]` and `precision[K,D,D]` (positive definite).
//!
//! There is no [`LocalLogJoint`](vi_core::LocalLogJoint): with the assignments summed out, every datum couples all
//! weights, means and precisions, and a block would cost as much as the whole.
//!
//! The ELBO and the log joint are for the data as given. After standardising column d by its standard deviation
//! s_d they are larger by N Σ_d log s_d, and the default prior (zero mean, identity scale) is meant for that scale.
//!
//! # Cost
//!
//! A component's log density is linear in T(x) = (x, xxᵀ, 1), so expected and realised steps are matrix products
//! over tiles of 64 data: log densities η T(X), sums of statistics R T(X)ᵀ. Data are centred first (at their mean),
//! which is what keeps xxᵀ from cancelling; digits are lost only when clusters lie ≫ 10⁴ standard deviations
//! apart.
//!
//! Source: C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), §10.2.

mod conjugate;
mod exchangeable;
mod factors;
mod log_joint;
mod minibatch;
mod moves;
mod natural;
mod predictive;
mod prior;
mod start;
mod tile;
mod updates;

use ndarray::{Array1, Array2, Axis};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::{ModelError, checks};

pub use conjugate::GaussianMixtureBlock;
pub use exchangeable::{GaussianMixtureBatch, GaussianMixtureGlobals};
pub use factors::{GaussianMixtureFactors, GaussianMixtureStats};
pub use minibatch::GaussianMixtureMinibatch;
pub use prior::GaussianMixturePriors;

use prior::Prior;
use tile::Layout;

/// Name of the model in errors.
const MODEL: &str = "gaussian_mixture";

/// A mixture of K Gaussians over data x (N, D).
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    /// x (N, D), row-major.
    data: Array2<f64>,
    /// c (D): the data's mean, subtracted from x, μ and m₀ in everything internal.
    centre: Array1<f64>,
    prior: Prior,
    layout: Layout,
    parameters: ParameterSpace,
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
        checks::finite_matrix(MODEL, "data", &data)?;
        let (k, d) = (n_components, data.ncols());
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
            Parameter::new("precision", &[k, d, d], Support::PositiveDefinite),
        ])?;
        let data = data.as_standard_layout().into_owned();
        let centre = data.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(d));
        let prior = Prior::new(priors, k, &centre)?;
        Ok(Self { data, centre, prior, layout: Layout::new(k, d), parameters })
    }

    /// The data (N, D).
    pub fn data(&self) -> &Array2<f64> {
        &self.data
    }

    /// The number K of components.
    pub fn n_components(&self) -> usize {
        self.layout.n_components
    }

    /// The priors as given.
    pub fn priors(&self) -> &GaussianMixturePriors {
        &self.prior.given
    }

    fn dims(&self) -> (usize, usize) {
        (self.layout.n_components, self.layout.dim)
    }
}
